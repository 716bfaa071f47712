//! Values as expressions, laid out as `fmt` does.

use isobar_sdk::Value;
use isobar_sdk::value::Fields;

/// The spaces that the attributes of an object are deeper than its braces.
const STEP: usize = 2;

/// A value as an expression.
pub(crate) fn expression(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value, 0);
    text
}

/// The attributes of an object, each on a line of its own.
pub(crate) fn attributes(fields: &Fields) -> String {
    let mut text = String::new();
    entries(&mut text, fields, 0);
    text
}

/// Whether a text can be the name of an attribute.
pub(crate) fn is_name(text: &str) -> bool {
    let begins = text.starts_with(|c: char| c.is_alphabetic() || c == '_');
    begins
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

fn write(text: &mut String, value: &Value, depth: usize) {
    match (value.items(), value.fields(), value.reveal()) {
        (Some(items), _, _) => {
            text.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    text.push_str(", ");
                }
                write(text, item, depth);
            }
            text.push(']');
        }
        (_, Some(fields), _) if fields.is_empty() => text.push_str("{}"),
        (_, Some(fields), _) => {
            text.push_str("{\n");
            entries(text, fields, depth + STEP);
            text.push_str(&" ".repeat(depth));
            text.push('}');
        }
        (_, _, Value::String(string)) => text.push_str(&quote(string)),
        (_, _, Value::Number(number)) => text.push_str(&number.to_string()),
        (_, _, Value::Bool(truth)) => text.push_str(&truth.to_string()),
        _ => text.push_str("null"),
    }
}

/// Attributes with their equals signs below one another, as long as each stands on one line.
fn entries(text: &mut String, fields: &Fields, depth: usize) {
    let name = |name: &str| {
        if is_name(name) {
            name.to_owned()
        } else {
            quote(name)
        }
    };
    let written: Vec<(String, String)> = fields
        .iter()
        .map(|(key, value)| {
            let mut item = String::new();
            write(&mut item, value, depth);
            (name(key), item)
        })
        .collect();
    let one_line = |(_, item): &(String, String)| !item.contains('\n');
    let mut rest = written.as_slice();
    while let Some(first) = rest.first() {
        let run = if one_line(first) {
            rest.iter().take_while(|entry| one_line(entry)).count()
        } else {
            1
        };
        let (block, behind) = rest.split_at(run);
        let width = block.iter().map(|(name, _)| name.chars().count()).max();
        let width = width.unwrap_or(0);
        for (name, item) in block {
            let indent = " ".repeat(depth);
            text.push_str(&format!("{indent}{name:<width$} = {item}\n"));
        }
        rest = behind;
    }
}

fn quote(string: &str) -> String {
    let mut text = String::from('"');
    let mut characters = string.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '$' | '%' if characters.peek() == Some(&'{') => {
                text.push(character);
                text.push(character);
            }
            other if other.is_control() => {
                text.push_str(&format!("\\u{:04x}", u32::from(other)));
            }
            other => text.push(other),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use isobar_sdk::Value;

    use super::{expression, is_name};

    #[test]
    fn what_needs_it_is_quoted_and_escaped() {
        let value = Value::object([("1a", Value::from("${x}\n")), ("a-b", Value::from("%{\""))]);
        assert_eq!(
            expression(&value),
            "{\n  \"1a\" = \"$${x}\\n\"\n  a-b  = \"%%{\\\"\"\n}"
        );
        assert!(is_name("é") && is_name("_a-1") && !is_name("") && !is_name("a b"));
    }

    #[test]
    fn lists_stand_on_one_line_and_objects_on_several() {
        let inner = Value::object([("a", Value::from(1_i64)), ("bb", Value::NULL)]);
        let value = Value::tuple(vec![inner, true.into()]);
        assert_eq!(expression(&value), "[{\n  a  = 1\n  bb = null\n}, true]");
    }
}
