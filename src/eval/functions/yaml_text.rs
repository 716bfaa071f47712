//! Values as YAML, laid out as Terraform does: blocks, texts in double quotes or as literal
//! blocks, folded behind column 80.

use std::fmt::Write as _;

use isobar_sdk::Value;

/// The spaces that a level is deeper than the one around it.
const STEP: usize = 2;
/// The column behind which long texts are folded.
const WIDTH: usize = 80;
/// The longest key that stands on one line with its value, in bytes.
const LONGEST_KEY: usize = 128;

/// A value as YAML.
pub(super) fn write(value: &Value) -> String {
    let mut writer = Writer::default();
    writer.node(value, 0);
    writer.end_line();
    if matches!(value, Value::Null(_) | Value::Bool(_) | Value::Number(_)) {
        writer.text.push_str("...\n");
    }
    writer.text
}

#[derive(Default)]
struct Writer {
    text: String,
    /// Characters on the last line.
    column: usize,
}

impl Writer {
    fn put(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.chars().count();
    }

    fn end_line(&mut self) {
        if self.column > 0 {
            self.text.push('\n');
            self.column = 0;
        }
    }

    fn begin_line(&mut self, indent: usize) {
        self.end_line();
        self.put(&" ".repeat(indent));
    }

    /// A value whose lines begin at `indent`; the first goes on where the text ends.
    fn node(&mut self, value: &Value, indent: usize) {
        match (value.items(), value.fields()) {
            (Some(items), _) if !items.is_empty() => {
                for (position, item) in items.iter().enumerate() {
                    if position > 0 {
                        self.begin_line(indent);
                    }
                    self.put("- ");
                    self.node(item, indent + STEP);
                }
            }
            (_, Some(fields)) if !fields.is_empty() => {
                for (position, (key, item)) in fields.iter().enumerate() {
                    if position > 0 {
                        self.begin_line(indent);
                    }
                    self.entry(key, item, indent);
                }
            }
            (Some(_), _) => self.put("[]"),
            (_, Some(_)) => self.put("{}"),
            _ => self.scalar(value, indent),
        }
    }

    fn entry(&mut self, key: &str, value: &Value, indent: usize) {
        let full = |value: &Value| match (value.items(), value.fields()) {
            (Some(items), _) => !items.is_empty(),
            (_, Some(fields)) => !fields.is_empty(),
            _ => false,
        };
        if key.contains(is_break) || key.len() > LONGEST_KEY {
            self.put("? ");
            self.string(key, indent + STEP);
            self.begin_line(indent);
            self.put(": ");
            self.node(value, indent + STEP);
            return;
        }
        let width = usize::MAX;
        self.quoted(key, indent, width);
        self.put(":");
        if full(value) {
            let deeper = if value.fields().is_some() { STEP } else { 0 };
            self.begin_line(indent + deeper);
            self.node(value, indent + deeper);
        } else {
            self.put(" ");
            self.node(value, indent + STEP);
        }
    }

    fn scalar(&mut self, value: &Value, indent: usize) {
        // The first level of a document is deeper than the document itself.
        let indent = indent.max(STEP);
        match value.reveal() {
            Value::String(text) => self.string(text, indent),
            Value::Bool(truth) => self.put(if *truth { "true" } else { "false" }),
            Value::Number(number) => self.put(&number.to_string()),
            _ => self.put("null"),
        }
    }

    fn string(&mut self, text: &str, indent: usize) {
        if text.contains('\n') && can_be_block(text) {
            self.block(text, indent);
        } else {
            self.quoted(text, indent, WIDTH);
        }
    }

    fn block(&mut self, text: &str, indent: usize) {
        self.put("|");
        if text.starts_with([' ', '\n']) {
            self.put(&STEP.to_string());
        }
        let kept = text == "\n" || text.ends_with("\n\n");
        if !text.ends_with('\n') {
            self.put("-");
        } else if kept {
            self.put("+");
        }
        self.end_line();
        let lines = text.strip_suffix('\n').unwrap_or(text);
        for line in lines.split('\n') {
            if !line.is_empty() {
                self.put(&" ".repeat(indent));
                self.put(line);
            }
            self.text.push('\n');
            self.column = 0;
        }
    }

    /// A text in double quotes; at spaces behind column `width`, a new line begins.
    fn quoted(&mut self, text: &str, indent: usize, width: usize) {
        self.put("\"");
        let mut characters = text.char_indices().peekable();
        let mut behind_space = false;
        while let Some((position, character)) = characters.next() {
            if character != ' ' {
                self.escaped(character);
                behind_space = false;
                continue;
            }
            let inside = position > 0 && position + 1 < text.len();
            if self.column > width && inside && !behind_space {
                self.begin_line(indent);
                if characters.peek().is_some_and(|(_, next)| *next == ' ') {
                    self.put("\\");
                }
            } else {
                self.put(" ");
            }
            behind_space = true;
        }
        self.put("\"");
    }

    fn escaped(&mut self, character: char) {
        let short = match character {
            '\0' => "\\0",
            '\x07' => "\\a",
            '\x08' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\x0b' => "\\v",
            '\x0c' => "\\f",
            '\r' => "\\r",
            '\x1b' => "\\e",
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u{85}' => "\\N",
            '\u{2028}' => "\\L",
            '\u{2029}' => "\\P",
            _ => "",
        };
        if !short.is_empty() {
            self.put(short);
        } else if is_printable(character) {
            self.put(character.encode_utf8(&mut [0; 4]));
        } else {
            let mut escape = String::new();
            // Writing to a text cannot fail.
            let _ = match u32::from(character) {
                code @ ..=0xff => write!(escape, "\\x{code:02X}"),
                code @ ..=0xffff => write!(escape, "\\u{code:04X}"),
                code => write!(escape, "\\U{code:08X}"),
            };
            self.put(&escape);
        }
    }
}

const fn is_break(character: char) -> bool {
    matches!(character, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

const fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && character != '\u{feff}'
}

/// Whether a text reads back the same from a literal block.
fn can_be_block(text: &str) -> bool {
    let plain =
        |character: char| is_printable(character) && (!is_break(character) || character == '\n');
    text.chars().all(plain) && !text.contains(" \n") && !text.ends_with(' ')
}
