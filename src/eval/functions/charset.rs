//! Character encodings by their IANA names.

use encoding_rs::{DecoderResult, EncoderResult, Encoding};

/// A character encoding.
pub(super) enum Charset {
    Utf8,
    /// ISO 8859-1, or only its first half.
    OneByte {
        most: u32,
        name: &'static str,
    },
    /// UTF-16; a mark at the start tells the order of bytes, if that is left open.
    Utf16(Option<Order>),
    Other(&'static Encoding),
}

#[derive(Clone, Copy)]
pub(super) enum Order {
    Big,
    Little,
}

impl Order {
    const fn bytes(self, unit: u16) -> [u8; 2] {
        match self {
            Self::Big => unit.to_be_bytes(),
            Self::Little => unit.to_le_bytes(),
        }
    }

    const fn unit(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Big => u16::from_be_bytes(bytes),
            Self::Little => u16::from_le_bytes(bytes),
        }
    }
}

/// What stands at the start of UTF-16 to tell the order of its bytes.
const MARK: u16 = 0xfeff;

impl Charset {
    /// The encoding of this name, in either case.
    pub(super) fn named(name: &str) -> Result<Self, String> {
        let known = match name.to_ascii_lowercase().as_str() {
            "utf-8" | "csutf8" => Some(Self::Utf8),
            "utf-16" | "csutf16" => Some(Self::Utf16(None)),
            "utf-16be" | "csutf16be" => Some(Self::Utf16(Some(Order::Big))),
            "utf-16le" | "csutf16le" => Some(Self::Utf16(Some(Order::Little))),
            "iso-8859-1" | "iso_8859-1" | "iso_8859-1:1987" | "iso-ir-100" | "latin1" | "l1"
            | "ibm819" | "cp819" | "csisolatin1" => Some(Self::OneByte {
                most: 0xff,
                name: "ISO-8859-1",
            }),
            "us-ascii" | "us" | "ascii" | "ansi_x3.4-1968" | "iso646-us" | "iso-ir-6"
            | "ibm367" | "cp367" | "csascii" => Some(Self::OneByte {
                most: 0x7f,
                name: "US-ASCII",
            }),
            // Names that only the web has.
            "unicode-1-1-utf-8" | "utf8" | "x-user-defined" | "replacement" => None,
            other => Encoding::for_label_no_replacement(other.as_bytes()).map(Self::Other),
        };
        known.ok_or_else(|| format!("{name:?} is not a known character encoding"))
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::OneByte { name, .. } => name,
            Self::Utf16(_) => "UTF-16",
            Self::Other(encoding) => encoding.name(),
        }
    }

    /// A text in this encoding.
    pub(super) fn encode(&self, text: &str) -> Result<Vec<u8>, String> {
        let missing =
            |character: char| format!("{character:?} cannot be written in {}", self.name());
        match self {
            Self::Utf8 => Ok(text.as_bytes().to_vec()),
            Self::OneByte { most, .. } => text
                .chars()
                .map(|character| {
                    let code = u32::from(character);
                    let byte = u8::try_from(code).ok().filter(|_| code <= *most);
                    byte.ok_or_else(|| missing(character))
                })
                .collect(),
            Self::Utf16(order) => {
                let mark = order.is_none().then_some(MARK);
                let units = mark.into_iter().chain(text.encode_utf16());
                let order = order.unwrap_or(Order::Big);
                Ok(units.flat_map(|unit| order.bytes(unit)).collect())
            }
            Self::Other(encoding) => {
                let mut encoder = encoding.new_encoder();
                let length = encoder.max_buffer_length_from_utf8_without_replacement(text.len());
                let mut bytes = Vec::with_capacity(length.unwrap_or(0));
                let (result, _) =
                    encoder.encode_from_utf8_to_vec_without_replacement(text, &mut bytes, true);
                match result {
                    EncoderResult::InputEmpty => Ok(bytes),
                    EncoderResult::Unmappable(character) => Err(missing(character)),
                    EncoderResult::OutputFull => Err("the text is too long".to_owned()),
                }
            }
        }
    }

    /// The text that bytes in this encoding write.
    pub(super) fn decode(&self, bytes: &[u8]) -> Result<String, String> {
        let wrong = || format!("there are bytes that mean nothing in {}", self.name());
        match self {
            Self::Utf8 => String::from_utf8(bytes.to_vec()).map_err(|_| wrong()),
            Self::OneByte { most, .. } => bytes
                .iter()
                .map(|byte| Some(char::from(*byte)).filter(|c| u32::from(*c) <= *most))
                .collect::<Option<String>>()
                .ok_or_else(wrong),
            Self::Utf16(order) => from_utf16(*order, bytes).ok_or_else(wrong),
            Self::Other(encoding) => {
                let mut decoder = encoding.new_decoder_without_bom_handling();
                let length = decoder.max_utf8_buffer_length_without_replacement(bytes.len());
                let mut text = String::with_capacity(length.unwrap_or(0));
                match decoder
                    .decode_to_string_without_replacement(bytes, &mut text, true)
                    .0
                {
                    DecoderResult::InputEmpty => Ok(text),
                    _ => Err(wrong()),
                }
            }
        }
    }
}

fn from_utf16(order: Option<Order>, bytes: &[u8]) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let (order, pairs) = match (order, pairs.split_first()) {
        (Some(order), _) => (order, pairs),
        (None, Some(([0xff, 0xfe], behind))) => (Order::Little, behind),
        (None, Some(([0xfe, 0xff], behind))) => (Order::Big, behind),
        (None, _) => return None,
    };
    let units: Vec<u16> = pairs.iter().map(|pair| order.unit(*pair)).collect();
    String::from_utf16(&units).ok()
}
