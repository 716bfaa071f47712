//! Values as the console prints them: text that a configuration could hold.

use std::fmt::Write;
use std::sync::Arc;

use isobar_sdk::value::Marks;
use isobar_sdk::{Type, Value};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// A value over as many lines as it needs, without a newline at the end. What a mark covers is
/// not shown.
#[must_use]
pub fn console(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value, 0);
    text
}

/// `name = value` for each output in order, with a newline at the end; those that are sensitive as
/// a whole say so in Terraform's word.
#[must_use]
pub fn outputs<'a>(outputs: impl IntoIterator<Item = (&'a str, &'a Value)>) -> String {
    let mut text = String::new();
    for (name, value) in outputs {
        let shown = match value {
            Value::Marked(marks, _) if marks.contains(Marks::SENSITIVE) => "<sensitive>".to_owned(),
            value => console(value),
        };
        let _ = writeln!(text, "{name} = {shown}");
    }
    text
}

/// A type over as many lines as it needs.
#[must_use]
pub fn console_type(ty: &Type) -> String {
    let mut text = String::new();
    write_type(&mut text, ty, 0);
    text
}

fn write_type(text: &mut String, ty: &Type, depth: usize) {
    match ty {
        Type::Any => text.push_str("dynamic"),
        Type::Bool | Type::Number | Type::String => text.push_str(&ty.to_string()),
        Type::List(element) => write_element(text, "list", element, depth),
        Type::Set(element) => write_element(text, "set", element, depth),
        Type::Map(element) => write_element(text, "map", element, depth),
        Type::Tuple(types) => {
            text.push_str("tuple([");
            for ty in types {
                line(text, depth + 4);
                write_type(text, ty, depth + 4);
                text.push(',');
            }
            close(text, types.is_empty(), depth, "])");
        }
        Type::Object(fields) => {
            text.push_str("object({");
            for (name, field) in fields {
                line(text, depth + 4);
                text.push_str(name);
                text.push_str(": ");
                write_type(text, &field.ty, depth + 4);
                text.push(',');
            }
            close(text, fields.is_empty(), depth, "})");
        }
    }
}

/// The type of a collection; an element type of several lines stands on lines of its own.
fn write_element(text: &mut String, kind: &str, element: &Type, depth: usize) {
    text.push_str(kind);
    text.push('(');
    let long = matches!(element, Type::Tuple(_) | Type::Object(_));
    if long {
        line(text, depth + 4);
        write_type(text, element, depth + 4);
        text.push(',');
    } else {
        write_type(text, element, depth);
    }
    close(text, !long, depth, ")");
}

fn close(text: &mut String, same_line: bool, depth: usize, bracket: &str) {
    if !same_line {
        line(text, depth);
    }
    text.push_str(bracket);
}

fn write(text: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Null(ty) => text.push_str(&null(ty)),
        Value::Bool(truth) => text.push_str(if *truth { "true" } else { "false" }),
        Value::Number(number) => text.push_str(&number.to_string()),
        Value::String(string) if string.contains('\n') => heredoc(text, string, depth),
        Value::String(string) => text.push_str(&quote(string)),
        Value::List(items) => sequence(text, items, depth, ("tolist([", "])")),
        Value::Set(items) => sequence(text, items, depth, ("toset([", "])")),
        Value::Tuple(items) => sequence(text, items, depth, ("[", "]")),
        Value::Map(fields) => mapping(text, fields, depth, ("tomap({", "})")),
        Value::Object(fields) => mapping(text, fields, depth, ("{", "}")),
        Value::Unknown(_) => text.push_str("(known after apply)"),
        Value::Marked(_, inner) if inner.is_unknown() => text.push_str("(known after apply)"),
        Value::Marked(marks, _) => text.push_str(marks.cover()),
    }
}

/// Null with a conversion to its type, as far as there is one.
fn null(ty: &Type) -> String {
    match ty {
        Type::Any => "null".to_owned(),
        Type::Bool | Type::Number | Type::String => format!("to{ty}(null)"),
        Type::List(element) => format!("tolist(null) /* of {} */", element.friendly()),
        Type::Set(element) => format!("toset(null) /* of {} */", element.friendly()),
        Type::Map(element) => format!("tomap(null) /* of {} */", element.friendly()),
        Type::Tuple(_) | Type::Object(_) => format!("null /* {} */", ty.friendly()),
    }
}

fn sequence(text: &mut String, items: &[Value], depth: usize, (open, close): (&str, &str)) {
    text.push_str(open);
    for item in items {
        line(text, depth + 2);
        write(text, item, depth + 2);
        text.push(',');
    }
    if !items.is_empty() {
        line(text, depth);
    }
    text.push_str(close);
}

fn mapping(
    text: &mut String,
    fields: &isobar_sdk::value::Fields,
    depth: usize,
    (open, close): (&str, &str),
) {
    text.push_str(open);
    for (name, field) in fields.iter() {
        line(text, depth + 2);
        write(text, &Value::String(Arc::clone(name)), depth + 2);
        text.push_str(" = ");
        write(text, field, depth + 2);
    }
    if !fields.is_empty() {
        line(text, depth);
    }
    text.push_str(close);
}

fn line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n(' ', depth));
}

/// A text of several lines as a heredoc, whose end is a word that no line of it consists of.
fn heredoc(text: &mut String, string: &str, depth: usize) {
    let mut end = "EOT".to_owned();
    while string.lines().any(|line| line.trim() == end) {
        end.push('_');
    }
    text.push_str(if depth > 0 { "<<-" } else { "<<" });
    text.push_str(&end);
    for part in string.split('\n') {
        line(text, depth);
        text.push_str(part);
    }
    line(text, depth);
    text.push_str(&end);
}

/// A text between quotes; what has no shape on a terminal is escaped.
fn quote(string: &str) -> String {
    let mut text = String::from('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{7}' => text.push_str("\\a"),
            '\u{8}' => text.push_str("\\b"),
            '\u{b}' => text.push_str("\\v"),
            '\u{c}' => text.push_str("\\f"),
            '\u{0}'..='\u{1f}' | '\u{7f}' => {
                let _ = write!(text, "\\x{:02x}", u32::from(character));
            }
            other if has_shape(other) => text.push(other),
            '\u{10000}'.. => {
                let _ = write!(text, "\\U{:08x}", u32::from(character));
            }
            _ => {
                let _ = write!(text, "\\u{:04x}", u32::from(character));
            }
        }
    }
    text.push('"');
    text
}

fn has_shape(character: char) -> bool {
    use GeneralCategoryGroup as Group;
    match character.general_category_group() {
        Group::Letter | Group::Mark | Group::Number | Group::Punctuation | Group::Symbol => true,
        Group::Separator | Group::Other => character == ' ',
    }
}

#[cfg(test)]
mod tests {
    use isobar_sdk::Value;

    use super::{console, outputs};

    #[test]
    fn outputs_are_printed_as_terraform_prints_them() {
        let set = Value::set(vec!["a".into()]);
        let secret = Value::from("hunter2").sensitive();
        let part = Value::object([("token", secret.clone())]);
        let text = outputs([("longer", &set), ("part", &part), ("secret", &secret)]);
        insta::assert_snapshot!(text, @r#"
        longer = toset([
          "a",
        ])
        part = {
          "token" = (sensitive value)
        }
        secret = <sensitive>
        "#);
    }

    #[test]
    fn values_are_printed_by_kind() {
        let value = Value::object([
            ("list", Value::list(vec![1_i64.into()])),
            ("none", Value::tuple(vec![])),
            ("text", "a\nb".into()),
            ("secret", Value::from("hunter2").sensitive()),
        ]);
        let expected = "{\n  \"list\" = tolist([\n    1,\n  ])\n  \"none\" = []\n  \"secret\" = (sensitive value)\n  \"text\" = <<-EOT\n  a\n  b\n  EOT\n}";
        assert_eq!(console(&value), expected);
        assert_eq!(console(&"EOT\n".into()), "<<EOT_\nEOT\n\nEOT_");
        assert_eq!(console(&"a\u{1}\"\\".into()), r#""a\x01\"\\""#);
    }
}
