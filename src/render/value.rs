//! Values as HCL-like text.

use std::borrow::Cow;
use std::fmt::Write;

use isobar_sdk::Value;
use unicode_width::UnicodeWidthStr;

/// A line of a value.
pub(super) struct Row {
    /// How many brackets are open around it.
    pub depth: usize,
    /// What it says.
    pub text: String,
    /// Whether something begins on it: neither a closing bracket nor a line of a text.
    pub begins: bool,
}

/// A value over as many lines as it needs, the first one not indented, without a newline at the
/// end. What a sensitive mark covers is not shown.
#[must_use]
pub(super) fn value(value: &Value) -> String {
    let lines: Vec<String> = rows(value)
        .iter()
        .map(|row| format!("{:1$}{2}", "", 4 * row.depth, row.text))
        .collect();
    lines.join("\n")
}

/// `name = value` for each of them in order, with the equals signs below each other and a newline
/// at the end.
#[must_use]
pub(super) fn named<'a>(values: impl IntoIterator<Item = (&'a str, &'a Value)>) -> String {
    let values: Vec<(&str, &Value)> = values.into_iter().collect();
    let names = pad(values.iter().map(|(name, _)| (*name).to_owned()).collect());
    let mut text = String::new();
    for (name, (_, inner)) in names.iter().zip(values) {
        let _ = writeln!(text, "{name} = {}", value(inner));
    }
    text
}

/// The lines of a value.
pub(super) fn rows(value: &Value) -> Vec<Row> {
    let mut rows = Vec::new();
    push(&mut rows, 0, ("", ""), value);
    rows
}

/// Appends a value that stands behind a label and before a tail.
fn push(rows: &mut Vec<Row>, depth: usize, (label, tail): (&str, &str), value: &Value) {
    let mut row = |depth, text: String, begins| {
        rows.push(Row {
            depth,
            text,
            begins,
        });
    };
    match value {
        Value::String(text) if is_heredoc(text) => {
            row(depth, format!("{label}<<-EOT"), true);
            for line in text.lines() {
                row(depth + 1, escape_template(line), false);
            }
            row(depth, format!("EOT{tail}"), false);
        }
        Value::List(items) | Value::Set(items) | Value::Tuple(items) if !items.is_empty() => {
            row(depth, format!("{label}["), true);
            for item in items.iter() {
                push(rows, depth + 1, ("", ","), item);
            }
            rows.push(Row {
                depth,
                text: format!("]{tail}"),
                begins: false,
            });
        }
        Value::Map(fields) | Value::Object(fields) if !fields.is_empty() => {
            row(depth, format!("{label}{{"), true);
            let names = pad(fields.keys().map(|name| key(value, name)).collect());
            for (name, field) in names.iter().zip(fields.values()) {
                push(rows, depth + 1, (&format!("{name} = "), ""), field);
            }
            rows.push(Row {
                depth,
                text: format!("}}{tail}"),
                begins: false,
            });
        }
        other => row(depth, [label, &*scalar(other), tail].concat(), true),
    }
}

/// Names filled up to the width of the widest.
pub(super) fn pad(names: Vec<String>) -> Vec<String> {
    let widest = names.iter().map(|name| width(name)).max().unwrap_or(0);
    let filled = names.into_iter().map(|mut name| {
        name.extend(std::iter::repeat_n(' ', widest - width(&name)));
        name
    });
    filled.collect()
}

/// The columns that a name takes. Most have a column for each byte, which is quickly seen.
fn width(name: &str) -> usize {
    let plain = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    match name.bytes().all(plain) {
        true => name.len(),
        false => name.width(),
    }
}

/// A name as it stands before an equals sign in `parent`.
pub(super) fn key(parent: &Value, name: &str) -> String {
    let identifier = name
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
        && name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    match parent.reveal() {
        Value::Object(_) if identifier => name.to_owned(),
        _ => quote(name),
    }
}

/// A value that fits on a line; collections must be empty.
pub(super) fn scalar(value: &Value) -> Cow<'static, str> {
    match value {
        Value::Null(_) => "null".into(),
        Value::Bool(truth) => truth.to_string().into(),
        Value::Number(number) => number.to_string().into(),
        Value::String(text) => quote(text).into(),
        Value::List(_) | Value::Set(_) | Value::Tuple(_) => "[]".into(),
        Value::Map(_) | Value::Object(_) => "{}".into(),
        Value::Unknown(_) => "(known after apply)".into(),
        Value::Marked(marks, _) => marks.cover().into(),
    }
}

/// Whether a text is shown line by line. One with control characters is quoted instead.
pub(super) fn is_heredoc(text: &str) -> bool {
    text.contains('\n') && is_printable(text)
}

/// Whether a text can stand as it is, without steering the terminal.
pub(super) fn is_printable(text: &str) -> bool {
    !text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\t'))
}

pub(super) fn escape_template(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    match quoted.contains('{') {
        true => escape_template(&quoted),
        false => quoted,
    }
}

#[cfg(test)]
mod tests {
    use isobar_sdk::{Type, Value};

    use super::{named, value};

    #[test]
    fn a_value_reads_like_a_configuration() {
        let sample = Value::object([
            ("empty", Value::list(Vec::new())),
            ("id", Value::unknown_of(Type::String)),
            ("labels", Value::map([("a b", Value::from("${x}"))])),
            ("list", Value::tuple(vec![1_i64.into(), Value::NULL])),
            ("secret", Value::from("hunter2").sensitive()),
            ("text", Value::from("one\n  two\n")),
        ]);
        insta::assert_snapshot!(value(&sample), @r#"
        {
            empty  = []
            id     = (known after apply)
            labels = {
                "a b" = "$${x}"
            }
            list   = [
                1,
                null,
            ]
            secret = (sensitive value)
            text   = <<-EOT
                one
                  two
            EOT
        }
        "#);
    }

    #[test]
    fn control_characters_are_written_out() {
        assert_eq!(value(&"a\n\u{1b}[0m\"".into()), r#""a\n\u001b[0m\"""#);
    }

    #[test]
    fn named_values_are_aligned() {
        let (one, two) = (Value::from(1_i64), Value::from("b"));
        assert_eq!(
            named([("a", &one), ("long", &two)]),
            "a    = 1\nlong = \"b\"\n"
        );
    }
}
