//! The promise of a plan: what was known stays as it is, what was unknown may become known.

use isobar_sdk::{Path, Step, Value};

/// Where `actual` breaks what `promised` said; `None` if it keeps it. Marks do not count.
#[must_use]
pub fn broken(promised: &Value, actual: &Value) -> Option<Path> {
    compare(promised.reveal(), actual.reveal(), &Path::root())
}

fn compare(promised: &Value, actual: &Value, at: &Path) -> Option<Path> {
    match (promised, actual) {
        (Value::Unknown(_), _) => None,
        (Value::Object(l), Value::Object(r)) | (Value::Map(l), Value::Map(r)) => {
            if !l.keys().eq(r.keys()) {
                return Some(at.clone());
            }
            l.iter().zip(r.values()).find_map(|((name, l), r)| {
                compare(l.reveal(), r.reveal(), &at.then(Step::Attribute(name.clone())))
            })
        }
        (Value::List(l), Value::List(r)) | (Value::Tuple(l), Value::Tuple(r)) => {
            if l.len() != r.len() {
                return Some(at.clone());
            }
            l.iter().zip(r.iter()).enumerate().find_map(|(index, (l, r))| {
                compare(l.reveal(), r.reveal(), &at.then(Step::Index(index)))
            })
        }
        (Value::Set(l), Value::Set(_)) if l.iter().any(Value::is_unknown) => None,
        (promised, actual) => {
            (promised.reveal_all() != actual.reveal_all()).then(|| at.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use isobar_sdk::{Path, Value};

    use super::broken;

    #[test]
    fn the_unknown_may_become_known_and_nothing_else_may_change() {
        let promised = Value::object([("id", Value::unknown()), ("n", 1_i64.into())]);
        let kept = Value::object([("id", "x".into()), ("n", 1_i64.into())]);
        let changed = Value::object([("id", "x".into()), ("n", 2_i64.into())]);
        assert_eq!(broken(&promised, &kept), None);
        assert_eq!(broken(&promised, &changed), Some(Path::attribute("n")));
        assert_eq!(broken(&kept, &promised), Some(Path::attribute("id")));
        assert_eq!(broken(&kept, &kept.field("n").unwrap().clone().sensitive()), Some(Path::root()));
    }
}
