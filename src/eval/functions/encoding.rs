//! Functions that write text in other alphabets, and read it back.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compress, Compression, Crc, FlushCompress};
use isobar_sdk::Value;

use super::charset::Charset;
use super::function::text as text_of;
use super::{Function, Parameter, Shape, text};

const STR: Parameter = text_of("str");

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("base64decode", base64decode, "The text that Base64 writes.")
        .takes(&[STR])
        .gives(Shape::String),
    Function::new(
        "base64encode",
        base64encode,
        "The bytes of a text in Base64.",
    )
    .takes(&[STR])
    .gives(Shape::String),
    Function::new(
        "base64gzip",
        base64gzip,
        "The bytes of a text, compressed with gzip, in Base64.",
    )
    .takes(&[STR])
    .gives(Shape::String),
    Function::new(
        "textdecodebase64",
        textdecodebase64,
        "The text that Base64 writes in a character encoding.",
    )
    .takes(&[text_of("source"), text_of("encoding")])
    .gives(Shape::String),
    Function::new(
        "textencodebase64",
        textencodebase64,
        "A text in a character encoding, in Base64.",
    )
    .takes(&[text_of("string"), text_of("encoding")])
    .gives(Shape::String),
    Function::new(
        "urlencode",
        urlencode,
        "A text as it stands in the query of a URL.",
    )
    .takes(&[STR])
    .gives(Shape::String),
];

/// Bytes as Base64.
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes that Base64 writes; ends of line are passed over.
pub(super) fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    STANDARD
        .decode(text)
        .map_err(|error| format!("the text is not Base64: {error}"))
}

fn base64encode(arguments: &[Value]) -> Result<Value, String> {
    Ok(base64(text(&arguments[0])?.as_bytes()).into())
}

fn base64decode(arguments: &[Value]) -> Result<Value, String> {
    String::from_utf8(bytes(text(&arguments[0])?)?)
        .map(Value::from)
        .map_err(|_| "what the Base64 writes is not UTF-8 text".to_owned())
}

fn base64gzip(arguments: &[Value]) -> Result<Value, String> {
    gzip(text(&arguments[0])?.as_bytes())
        .map(|packed| base64(&packed).into())
        .map_err(|error| format!("the text cannot be compressed: {error}"))
}

/// A gzip file without a name or a time: the data, then an empty block that ends it.
fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    const LAST_BLOCK: [u8; 5] = [1, 0, 0, 0xff, 0xff];
    let mut packed = HEADER.to_vec();
    let mut deflate = Compress::new(Compression::default(), false);
    loop {
        packed.reserve(bytes.len() / 2 + 64);
        let read = usize::try_from(deflate.total_in()).unwrap_or(usize::MAX);
        let rest = bytes.get(read..).unwrap_or_default();
        deflate.compress_vec(rest, &mut packed, FlushCompress::Sync)?;
        let done = deflate.total_in() == bytes.len() as u64;
        if bytes.is_empty() || (done && packed.len() < packed.capacity()) {
            break;
        }
    }
    packed.write_all(&LAST_BLOCK)?;
    let mut sum = Crc::new();
    sum.update(bytes);
    packed.write_all(&sum.sum().to_le_bytes())?;
    packed.write_all(&sum.amount().to_le_bytes())?;
    Ok(packed)
}

fn textencodebase64(arguments: &[Value]) -> Result<Value, String> {
    let charset = Charset::named(text(&arguments[1])?)?;
    Ok(base64(&charset.encode(text(&arguments[0])?)?).into())
}

fn textdecodebase64(arguments: &[Value]) -> Result<Value, String> {
    let charset = Charset::named(text(&arguments[1])?)?;
    charset
        .decode(&bytes(text(&arguments[0])?)?)
        .map(Value::from)
}

fn urlencode(arguments: &[Value]) -> Result<Value, String> {
    let mut written = String::new();
    for byte in text(&arguments[0])?.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                written.push(char::from(byte));
            }
            b' ' => written.push('+'),
            other => written.push_str(&format!("%{other:02X}")),
        }
    }
    Ok(written.into())
}
