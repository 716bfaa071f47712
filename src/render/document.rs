//! Texts that are JSON or YAML documents, seen as values, so that a change of them shows where it is.

use isobar_sdk::{Value, json};

use crate::eval::functions::yaml_value;

/// The longest text that is looked at; a longer one is shown as text.
const LONGEST: usize = 1 << 20;

/// Two documents of one kind.
pub(super) struct Pair {
    /// The function that writes such a document.
    pub function: &'static str,
    /// What it said.
    pub before: Value,
    /// What it will say.
    pub after: Value,
}

/// Two texts as documents, where both are of one kind.
pub(super) fn pair(before: &str, after: &str) -> Option<Pair> {
    let both = |function, read: fn(&str) -> Option<Value>| {
        Some(Pair {
            function,
            before: read(before)?,
            after: read(after)?,
        })
    };
    both("jsonencode", json_value).or_else(|| both("yamlencode", yaml))
}

/// What a text of JSON says, if that has parts.
pub(super) fn json_value(text: &str) -> Option<Value> {
    let begins = text.trim_start().starts_with(['{', '[']);
    if !begins || text.len() > LONGEST {
        return None;
    }
    let value = json::decode_any(&serde_json::from_str(text).ok()?);
    has_parts(&value).then_some(value)
}

/// What a text of several lines of YAML says, if that has parts.
fn yaml(text: &str) -> Option<Value> {
    if text.trim_end().lines().count() < 2 || text.len() > LONGEST {
        return None;
    }
    yaml_value(text).ok().filter(has_parts)
}

fn has_parts(value: &Value) -> bool {
    value.items().is_some_and(|items| !items.is_empty())
        || value.fields().is_some_and(|fields| !fields.is_empty())
}

#[cfg(test)]
mod tests {
    use super::pair;

    #[test]
    fn only_documents_with_parts_are_taken_apart() {
        let kind = |before: &str, after: &str| pair(before, after).map(|pair| pair.function);
        for (before, after, expected) in [
            ("{\"a\": 1}", "[1]", Some("jsonencode")),
            ("{\"a\": 1}", "{", None),
            ("{}", "{\"a\": 1}", None),
            ("1", "2", None),
            ("a: 1\nb: 2\n", "a: 1\nb: 3\n", Some("yamlencode")),
            ("- a\n- b\n", "a: 1\nb: 3\n", Some("yamlencode")),
            ("a: 1", "a: 2", None),
            ("one\ntwo\n", "one\nthree\n", None),
            ("a: 1\nb: [\n", "a: 1\nb: 2\n", None),
        ] {
            assert_eq!(kind(before, after), expected, "{before:?} {after:?}");
        }
    }
}
