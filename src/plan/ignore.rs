//! What of a configuration does not count, because `ignore_changes` says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use isobar_sdk::Value;

use crate::language::lifecycle::{Ignore, Segment};

/// The configuration with what is there in place of what does not count.
pub(super) fn apply(ignore: &Ignore, configuration: &Value, prior: &Value) -> Value {
    match ignore {
        Ignore::Nothing => configuration.clone(),
        Ignore::All => keep(configuration, Some(prior), &[Segment::Any]),
        Ignore::Paths(paths) => paths.iter().fold(configuration.clone(), |value, path| {
            keep(&value, Some(prior), path)
        }),
    }
}

/// A value with the part at a path taken from `prior`.
fn keep(value: &Value, prior: Option<&Value>, path: &[Segment]) -> Value {
    let Some((first, rest)) = path.split_first() else {
        return prior.cloned().unwrap_or(Value::NULL);
    };
    let kept = match (value.reveal(), first) {
        (Value::Object(_) | Value::Map(_), segment) => {
            keep_fields(value, prior, rest, &|found| segment.names(found))
        }
        (Value::List(items) | Value::Tuple(items), segment) => {
            let before = prior.and_then(Value::items);
            let items = items.iter().enumerate().map(|(place, item)| {
                let was = before.and_then(|before| before.get(place));
                match was {
                    Some(was) if segment.reaches(place) => keep(item, Some(was), rest),
                    _ => item.clone(),
                }
            });
            match value.reveal() {
                Value::List(_) => Value::list(items.collect()),
                _ => Value::tuple(items.collect()),
            }
        }
        _ => return value.clone(),
    };
    kept.sensitive_if(value.is_sensitive())
}

/// Keeps the fields that are `chosen`. A key of a map that was not there goes, and one that was
/// there comes back.
fn keep_fields(
    value: &Value,
    prior: Option<&Value>,
    rest: &[Segment],
    chosen: &dyn Fn(&str) -> bool,
) -> Value {
    let Some(fields) = value.fields() else {
        return value.clone();
    };
    let before = prior.and_then(Value::fields);
    let old = before.into_iter().flat_map(|before| before.keys());
    let names: BTreeSet<&Arc<str>> = fields.keys().chain(old).collect();
    let is_map = matches!(value.reveal(), Value::Map(_)) || is_open(value, prior);
    let mut kept: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    for name in names {
        let (now, was) = (fields.get(name), before.and_then(|before| before.get(name)));
        let result = match (now, was) {
            (Some(now), _) if !chosen(name) => Some(now.clone()),
            (None, _) if !chosen(name) => None,
            (Some(now), Some(was)) => Some(keep(now, Some(was), rest)),
            (None, Some(was)) if is_map && rest.is_empty() => Some(was.clone()),
            (Some(_), None) if is_map && rest.is_empty() => None,
            (now, _) => now.cloned(),
        };
        kept.extend(result.map(|result| (Arc::clone(name), result)));
    }
    match value.reveal() {
        Value::Map(_) => Value::map(kept),
        _ => Value::object(kept),
    }
}

/// Whether an object stands where a map could: both sides have other names.
fn is_open(value: &Value, prior: Option<&Value>) -> bool {
    matches!(prior.map(Value::reveal), Some(Value::Map(_)))
        && matches!(value.reveal(), Value::Object(_))
}

#[cfg(test)]
mod tests {
    use isobar_sdk::Value;

    use super::apply;
    use crate::language::lifecycle::{Ignore, Segment};

    fn tags(pairs: &[(&str, &str)]) -> Value {
        let tags = pairs
            .iter()
            .map(|(name, value)| (*name, Value::from(*value)));
        Value::object([("tags", Value::map(tags)), ("size", Value::from(1_i64))])
    }

    #[test]
    fn what_does_not_count_stays_as_it_is() {
        let now = tags(&[("a", "1"), ("new", "n")]);
        let was = tags(&[("a", "0"), ("owner", "o")]);
        let name = |text: &str| Segment::Name(text.to_owned());
        for (path, expected) in [
            (vec![name("tags")], tags(&[("a", "0"), ("owner", "o")])),
            (
                vec![name("tags"), name("a")],
                tags(&[("a", "0"), ("new", "n")]),
            ),
            (
                vec![name("tags"), name("owner")],
                tags(&[("a", "1"), ("new", "n"), ("owner", "o")]),
            ),
            (vec![name("tags"), name("new")], tags(&[("a", "1")])),
            (
                vec![name("tags"), Segment::Any],
                tags(&[("a", "0"), ("owner", "o")]),
            ),
            (
                vec![
                    Segment::Like("t*s".to_owned()),
                    Segment::Like("*ner".to_owned()),
                ],
                tags(&[("a", "1"), ("new", "n"), ("owner", "o")]),
            ),
            (vec![name("other")], now.clone()),
        ] {
            let ignore = Ignore::Paths(vec![path.clone()]);
            assert_eq!(apply(&ignore, &now, &was), expected, "{path:?}");
        }
        assert_eq!(apply(&Ignore::All, &now, &was), was);
    }
}
