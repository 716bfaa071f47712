//! The laws that bind a provider.

use std::fmt;

use crate::value::Fields;
use crate::{Path, Step, Value};

/// A law that binds every provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// Every resource, block and attribute has documentation.
    Documented,
    /// Every resource type has a case.
    Tried,
    /// A right configuration gives a provider.
    Configurable,
    /// A right configuration can be planned, and twice the same gives the same.
    Plans,
    /// A plan has exactly the attributes of the schema, of their types.
    PlanFitsSchema,
    /// What is configured is planned as configured.
    PlanKeepsConfiguration,
    /// A plan changes nothing that a read can see.
    PlanWritesNothing,
    /// An unknown input can be planned, and what is known then stays when it becomes known.
    UnknownStaysConsistent,
    /// A wrong configuration fails as invalid, with the path to blame.
    InvalidIsBlamed,
    /// A plan can be applied.
    Applies,
    /// A result has exactly the attributes of the schema, of their types.
    ResultFitsSchema,
    /// What was known in the plan is in the result.
    PlanIsKept,
    /// The same key twice, or after a call that was cut off, makes one thing.
    SameKeySameThing,
    /// A read after an apply gives the result of the apply.
    ReadSeesResult,
    /// An import of an id gives what has this id, with all attributes of the schema.
    ImportSeesResult,
    /// The same configuration planned again changes nothing.
    PlanIsStable,
    /// A changed configuration plans a change, in place or by replacement as the schema says.
    ChangeIsPlanned,
    /// A read sees what was disturbed, and a plan heals it.
    DriftIsSeen,
    /// A delete of what is gone is a success.
    DeleteRepeats,
    /// A read after a delete finds nothing.
    DeleteDeletes,
    /// A deployment in a zone becomes native resources, and twice the same gives the same.
    Lowers,
    /// Native resources set what their schemas require, and nothing they lack.
    LoweredFitsSchema,
    /// Native resources refer only to one another, and to nothing in a circle.
    LoweredIsClosed,
}

impl Law {
    /// Every law, in order.
    pub const ALL: [Self; 23] = [
        Self::Documented,
        Self::Tried,
        Self::Configurable,
        Self::Plans,
        Self::PlanFitsSchema,
        Self::PlanKeepsConfiguration,
        Self::PlanWritesNothing,
        Self::UnknownStaysConsistent,
        Self::InvalidIsBlamed,
        Self::Applies,
        Self::ResultFitsSchema,
        Self::PlanIsKept,
        Self::SameKeySameThing,
        Self::ReadSeesResult,
        Self::ImportSeesResult,
        Self::PlanIsStable,
        Self::ChangeIsPlanned,
        Self::DriftIsSeen,
        Self::DeleteRepeats,
        Self::DeleteDeletes,
        Self::Lowers,
        Self::LoweredFitsSchema,
        Self::LoweredIsClosed,
    ];

    /// The law in words, without a full stop.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Documented => "every resource, block and attribute has documentation",
            Self::Tried => "every resource type has a case",
            Self::Configurable => "a right configuration gives a provider",
            Self::Plans => {
                "a right configuration can be planned, and twice the same gives the same"
            }
            Self::PlanFitsSchema => {
                "a plan has exactly the attributes of the schema, of their types"
            }
            Self::PlanKeepsConfiguration => "what is configured is planned as configured",
            Self::PlanWritesNothing => "a plan changes nothing that a read can see",
            Self::UnknownStaysConsistent => {
                "an unknown input can be planned, and what is known then stays when it becomes known"
            }
            Self::InvalidIsBlamed => {
                "a wrong configuration fails as invalid, with the path to blame"
            }
            Self::Applies => "a plan can be applied",
            Self::ResultFitsSchema => {
                "a result has exactly the attributes of the schema, of their types"
            }
            Self::PlanIsKept => "what was known in the plan is in the result",
            Self::SameKeySameThing => {
                "the same key twice, or after a call that was cut off, makes one thing"
            }
            Self::ReadSeesResult => "a read after an apply gives the result of the apply",
            Self::ImportSeesResult => {
                "an import of an id gives what has this id, with all attributes of the schema"
            }
            Self::PlanIsStable => "the same configuration planned again changes nothing",
            Self::ChangeIsPlanned => {
                "a changed configuration plans a change, in place or by replacement as the schema says"
            }
            Self::DriftIsSeen => "a read sees what was disturbed, and a plan heals it",
            Self::DeleteRepeats => "a delete of what is gone is a success",
            Self::DeleteDeletes => "a read after a delete finds nothing",
            Self::Lowers => {
                "a deployment in a zone becomes native resources, and twice the same gives the same"
            }
            Self::LoweredFitsSchema => {
                "native resources set what their schemas require, and nothing they lack"
            }
            Self::LoweredIsClosed => {
                "native resources refer only to one another, and to nothing in a circle"
            }
        }
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// The first part that is known in `planned` and is not the same in `actual`.
///
/// Sensitive marks do not count, and neither does what an unknown part has become.
#[must_use]
pub fn broken_promise(planned: &Value, actual: &Value) -> Option<Path> {
    match (planned.reveal(), actual.reveal()) {
        (Value::Unknown(_), _) => None,
        (Value::List(left), Value::List(right)) | (Value::Tuple(left), Value::Tuple(right))
            if left.len() == right.len() =>
        {
            let pairs = left.iter().zip(right.iter()).enumerate();
            pairs
                .filter_map(|(index, (l, r))| Some((Step::Index(index), broken_promise(l, r)?)))
                .map(|(step, path)| path.below(step))
                .next()
        }
        (Value::Map(left), Value::Map(right)) => broken_field(left, right, Step::Key),
        (Value::Object(left), Value::Object(right)) => broken_field(left, right, Step::Attribute),
        // Elements of a set have no place of their own, so one that is unknown hides the others.
        (Value::Set(left), Value::Set(_)) if !left.iter().all(Value::is_wholly_known) => None,
        (left, right) => (left.reveal_all() != right.reveal_all()).then(Path::root),
    }
}

fn broken_field(
    left: &Fields,
    right: &Fields,
    step: impl Fn(std::sync::Arc<str>) -> Step,
) -> Option<Path> {
    if let Some(extra) = right.keys().find(|name| !left.contains_key(name)) {
        return Some(Path::from_iter([step(extra.clone())]));
    }
    left.iter().find_map(|(name, l)| {
        let path = right
            .get(name)
            .map_or_else(|| Some(Path::root()), |r| broken_promise(l, r))?;
        Some(path.below(step(name.clone())))
    })
}

#[cfg(test)]
mod tests {
    use super::broken_promise;
    use crate::Value;

    fn plan(size: Value, tags: Value) -> Value {
        Value::object([("size", size), ("tags", tags)])
    }

    #[test]
    fn the_first_broken_part_is_named() {
        let tags = |v: &str| Value::map([("k", Value::from(v))]);
        let actual = plan(1_i64.into(), tags("v"));
        let cases = [
            (plan(Value::unknown(), tags("v")), None),
            (plan(Value::from(1_i64).sensitive(), tags("v")), None),
            (plan(2_i64.into(), Value::unknown()), Some("size")),
            (plan(1_i64.into(), tags("w")), Some(r#"tags["k"]"#)),
            (
                plan(1_i64.into(), Value::map::<&str>([])),
                Some(r#"tags["k"]"#),
            ),
            (plan(1_i64.into(), Value::NULL), Some("tags")),
        ];
        for (planned, broken) in cases {
            let found = broken_promise(&planned, &actual).map(|path| path.to_string());
            assert_eq!(found.as_deref(), broken, "{planned}");
        }
    }
}
