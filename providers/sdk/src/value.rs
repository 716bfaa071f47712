//! What an expression evaluates to, and what a resource holds.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::{Number, Path, Step, Type};

/// The elements of a list, set or tuple; shared, so that a clone costs nothing.
pub type Items = Arc<Vec<Value>>;
/// The attributes of an object or the elements of a map, in name order; shared likewise.
pub type Fields = Arc<BTreeMap<Arc<str>, Value>>;

/// A value, which may be unknown until apply and may be marked as sensitive.
///
/// `Debug` and `Display` never show what a sensitive mark covers; only [`Value::reveal`] opens it.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A finite number.
    Number(Number),
    /// Text.
    String(Arc<str>),
    /// Elements of one type, in order.
    List(Items),
    /// Elements of one type, sorted, each once.
    Set(Items),
    /// Elements each of its own type.
    Tuple(Items),
    /// Elements of one type by name.
    Map(Fields),
    /// Attributes each of its own type.
    Object(Fields),
    /// To be known after apply; then of this type.
    Unknown(Type),
    /// Never to be printed. Never nested directly in another mark.
    Sensitive(Box<Value>),
}

impl Value {
    /// Text.
    #[must_use]
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        Self::String(text.into())
    }

    /// A list.
    #[must_use]
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(items))
    }

    /// A tuple.
    #[must_use]
    pub fn tuple(items: Vec<Self>) -> Self {
        Self::Tuple(Arc::new(items))
    }

    /// A set: sorts the items and drops doubles.
    #[must_use]
    pub fn set(mut items: Vec<Self>) -> Self {
        items.sort_by(Self::compare);
        items.dedup();
        Self::Set(Arc::new(items))
    }

    /// An object.
    #[must_use]
    pub fn object<N: Into<Arc<str>>>(fields: impl IntoIterator<Item = (N, Self)>) -> Self {
        Self::Object(Arc::new(
            fields
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        ))
    }

    /// A map.
    #[must_use]
    pub fn map<N: Into<Arc<str>>>(fields: impl IntoIterator<Item = (N, Self)>) -> Self {
        Self::Map(Arc::new(
            fields
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        ))
    }

    /// Unknown, and of a type that is not known either.
    #[must_use]
    pub const fn unknown() -> Self {
        Self::Unknown(Type::Any)
    }

    /// This value with a sensitive mark.
    #[must_use]
    pub fn sensitive(self) -> Self {
        match self {
            Self::Sensitive(_) => self,
            other => Self::Sensitive(Box::new(other)),
        }
    }

    /// What is under a sensitive mark, if there is one here; parts inside keep theirs.
    #[must_use]
    pub fn reveal(&self) -> &Self {
        match self {
            Self::Sensitive(inner) => inner,
            other => other,
        }
    }

    /// Whether the value as a whole carries the mark.
    #[must_use]
    pub const fn is_sensitive(&self) -> bool {
        matches!(self, Self::Sensitive(_))
    }

    /// This value, marked if `condition` holds.
    #[must_use]
    pub fn sensitive_if(self, condition: bool) -> Self {
        if condition { self.sensitive() } else { self }
    }

    /// Whether the value as a whole is null, marked or not.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.reveal(), Self::Null)
    }

    /// Whether the value as a whole is unknown, marked or not.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self.reveal(), Self::Unknown(_))
    }

    /// Whether nothing inside is unknown.
    #[must_use]
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => true,
            Self::List(items) | Self::Set(items) | Self::Tuple(items) => {
                items.iter().all(Self::is_wholly_known)
            }
            Self::Map(fields) | Self::Object(fields) => fields.values().all(Self::is_wholly_known),
            Self::Unknown(_) => false,
            Self::Sensitive(inner) => inner.is_wholly_known(),
        }
    }

    /// Whether this or anything inside carries a sensitive mark.
    #[must_use]
    pub fn contains_sensitive(&self) -> bool {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) | Self::Unknown(_) => {
                false
            }
            Self::List(items) | Self::Set(items) | Self::Tuple(items) => {
                items.iter().any(Self::contains_sensitive)
            }
            Self::Map(fields) | Self::Object(fields) => {
                fields.values().any(Self::contains_sensitive)
            }
            Self::Sensitive(_) => true,
        }
    }

    /// The value with every sensitive mark taken off, for handing to a provider or a file.
    #[must_use]
    pub fn reveal_all(&self) -> Self {
        if !self.contains_sensitive() {
            return self.clone();
        }
        let open = |items: &Items| Arc::new(items.iter().map(Self::reveal_all).collect());
        let open_fields = |fields: &Fields| -> Fields {
            Arc::new(
                fields
                    .iter()
                    .map(|(name, v)| (Arc::clone(name), v.reveal_all()))
                    .collect(),
            )
        };
        match self {
            Self::List(items) => Self::List(open(items)),
            Self::Set(items) => Self::Set(open(items)),
            Self::Tuple(items) => Self::Tuple(open(items)),
            Self::Map(fields) => Self::Map(open_fields(fields)),
            Self::Object(fields) => Self::Object(open_fields(fields)),
            Self::Sensitive(inner) => inner.reveal_all(),
            other => other.clone(),
        }
    }

    /// The paths of all sensitive marks, outermost ones only, in order.
    #[must_use]
    pub fn sensitive_paths(&self) -> Vec<Path> {
        let mut found = Vec::new();
        self.walk(&Path::root(), &mut |path, value| {
            let marked = value.is_sensitive();
            if marked {
                found.push(path.clone());
            }
            !marked
        });
        found
    }

    /// The paths of all unknown parts, in order.
    #[must_use]
    pub fn unknown_paths(&self) -> Vec<Path> {
        let mut found = Vec::new();
        self.walk(&Path::root(), &mut |path, value| {
            if value.is_unknown() {
                found.push(path.clone());
            }
            true
        });
        found
    }

    /// Visits this value and, where `visit` says so, its parts.
    pub fn walk(&self, path: &Path, visit: &mut impl FnMut(&Path, &Self) -> bool) {
        if !visit(path, self) {
            return;
        }
        match self.reveal() {
            Self::List(items) | Self::Set(items) | Self::Tuple(items) => {
                for (index, item) in items.iter().enumerate() {
                    item.walk(&path.then(Step::Index(index)), visit);
                }
            }
            Self::Map(fields) => {
                for (name, item) in fields.iter() {
                    item.walk(&path.then(Step::Key(Arc::clone(name))), visit);
                }
            }
            Self::Object(fields) => {
                for (name, item) in fields.iter() {
                    item.walk(&path.then(Step::Attribute(Arc::clone(name))), visit);
                }
            }
            _ => {}
        }
    }

    /// This value with the marks of `paths` put on; paths that lead nowhere are ignored.
    #[must_use]
    pub fn mark(&self, paths: &[Path]) -> Self {
        paths
            .iter()
            .fold(self.clone(), |value, path| value.mark_at(path.steps()))
    }

    fn mark_at(&self, steps: &[Step]) -> Self {
        let Some((first, rest)) = steps.split_first() else {
            return self.clone().sensitive();
        };
        match (self, first) {
            (Self::Sensitive(_), _) => self.clone(),
            (Self::Object(fields), Step::Attribute(name)) => {
                Self::Object(mark_field(fields, name, rest))
            }
            (Self::Map(fields), Step::Key(name)) => Self::Map(mark_field(fields, name, rest)),
            (Self::List(items), Step::Index(index)) => Self::List(mark_item(items, *index, rest)),
            (Self::Tuple(items), Step::Index(index)) => Self::Tuple(mark_item(items, *index, rest)),
            // The elements of a set have no place of their own.
            (Self::Set(_), _) => self.clone().sensitive(),
            _ => self.clone(),
        }
    }

    /// The part at `path`, looking through sensitive marks.
    #[must_use]
    pub fn get(&self, path: &Path) -> Option<&Self> {
        path.steps()
            .iter()
            .try_fold(self, |value, step| match (value.reveal(), step) {
                (
                    Self::Object(fields) | Self::Map(fields),
                    Step::Attribute(name) | Step::Key(name),
                ) => fields.get(name),
                (Self::List(items) | Self::Tuple(items) | Self::Set(items), Step::Index(index)) => {
                    items.get(*index)
                }
                _ => None,
            })
    }

    /// The attribute or element called `name`.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Self> {
        self.fields().and_then(|fields| fields.get(name))
    }

    /// The attributes of an object or the elements of a map.
    #[must_use]
    pub fn fields(&self) -> Option<&Fields> {
        match self.reveal() {
            Self::Object(fields) | Self::Map(fields) => Some(fields),
            _ => None,
        }
    }

    /// The elements of a list, set or tuple.
    #[must_use]
    pub fn items(&self) -> Option<&Items> {
        match self.reveal() {
            Self::List(items) | Self::Set(items) | Self::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The text, if this is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self.reveal() {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if this is one.
    #[must_use]
    pub fn as_number(&self) -> Option<&Number> {
        match self.reveal() {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The boolean, if this is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.reveal() {
            Self::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// An object with `name` set to `value`; other values are returned as they are.
    #[must_use]
    pub fn with_field(&self, name: &str, value: Self) -> Self {
        match self {
            Self::Object(fields) => {
                let mut fields = BTreeMap::clone(fields);
                fields.insert(name.into(), value);
                Self::Object(Arc::new(fields))
            }
            other => other.clone(),
        }
    }

    /// A total order over values, for sets and for stable output; marks do not count.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        let (left, right) = (self.reveal(), other.reveal());
        match (left, right) {
            (Self::Bool(l), Self::Bool(r)) => l.cmp(r),
            (Self::Number(l), Self::Number(r)) => l.cmp(r),
            (Self::String(l), Self::String(r)) => l.cmp(r),
            (Self::List(l), Self::List(r))
            | (Self::Set(l), Self::Set(r))
            | (Self::Tuple(l), Self::Tuple(r)) => l
                .iter()
                .zip(r.iter())
                .map(|(l, r)| l.compare(r))
                .find(|order| order.is_ne())
                .unwrap_or_else(|| l.len().cmp(&r.len())),
            (Self::Map(l), Self::Map(r)) | (Self::Object(l), Self::Object(r)) => l
                .iter()
                .zip(r.iter())
                .map(|((ln, lv), (rn, rv))| ln.cmp(rn).then_with(|| lv.compare(rv)))
                .find(|order| order.is_ne())
                .unwrap_or_else(|| l.len().cmp(&r.len())),
            _ => left.rank().cmp(&right.rank()),
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Number(_) => 2,
            Self::String(_) => 3,
            Self::List(_) => 4,
            Self::Set(_) => 5,
            Self::Tuple(_) => 6,
            Self::Map(_) => 7,
            Self::Object(_) => 8,
            Self::Unknown(_) => 9,
            Self::Sensitive(_) => 10,
        }
    }
}

fn mark_field(fields: &Fields, name: &Arc<str>, rest: &[Step]) -> Fields {
    let mut fields = BTreeMap::clone(fields);
    if let Some(value) = fields.get_mut(name) {
        *value = value.mark_at(rest);
    }
    Arc::new(fields)
}

fn mark_item(items: &Items, index: usize, rest: &[Step]) -> Items {
    let mut items = Vec::clone(items);
    if let Some(value) = items.get_mut(index) {
        *value = value.mark_at(rest);
    }
    Arc::new(items)
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl<N: Into<Number>> From<N> for Value {
    fn from(number: N) -> Self {
        Self::Number(number.into())
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Value {
    /// As a configuration would write it on one line; what is sensitive is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::String(text) => write!(f, "{text:?}"),
            Self::List(items) | Self::Set(items) | Self::Tuple(items) => {
                f.write_str("[")?;
                for (position, item) in items.iter().enumerate() {
                    let comma = if position > 0 { ", " } else { "" };
                    write!(f, "{comma}{item}")?;
                }
                f.write_str("]")
            }
            Self::Map(fields) | Self::Object(fields) => {
                f.write_str("{")?;
                for (position, (name, item)) in fields.iter().enumerate() {
                    let comma = if position > 0 { ", " } else { " " };
                    write!(f, "{comma}{name} = {item}")?;
                }
                f.write_str(if fields.is_empty() { "}" } else { " }" })
            }
            Self::Unknown(_) => f.write_str("(known after apply)"),
            Self::Sensitive(_) => f.write_str("(sensitive value)"),
        }
    }
}

/// A value with nothing unknown inside: all that the state may hold.
#[derive(Clone, PartialEq)]
pub struct Known(Value);

impl Known {
    /// Takes a value that is wholly known.
    ///
    /// # Errors
    /// The paths that are still unknown.
    pub fn new(value: Value) -> Result<Self, Vec<Path>> {
        if value.is_wholly_known() {
            Ok(Self(value))
        } else {
            Err(value.unknown_paths())
        }
    }

    /// An object with no attributes.
    #[must_use]
    pub fn empty() -> Self {
        Self(Value::Object(Fields::default()))
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.0
    }

    /// The value, given up.
    #[must_use]
    pub fn into_value(self) -> Value {
        self.0
    }

    /// The attribute called `name`.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.0.field(name)
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Known, Value};
    use crate::{Path, Step};

    #[test]
    fn a_sensitive_value_is_never_printed() {
        let secret = Value::object([("password", Value::from("hunter2").sensitive())]);
        assert!(!format!("{secret} {secret:?}").contains("hunter2"));
        assert_eq!(
            secret.field("password").and_then(Value::as_str),
            Some("hunter2")
        );
    }

    #[test]
    fn marks_go_off_and_on_again() {
        let secret = Value::object([
            (
                "a",
                Value::list(vec![Value::from(1_i64), Value::from(2_i64).sensitive()]),
            ),
            ("b", Value::map([("k", Value::from("v").sensitive())])),
        ]);
        let paths = secret.sensitive_paths();
        assert_eq!(paths.len(), 2);
        let open = secret.reveal_all();
        assert!(!open.contains_sensitive());
        assert_eq!(open.mark(&paths), secret);
    }

    #[test]
    fn state_cannot_hold_what_is_unknown() {
        let half = Value::object([("id", Value::unknown()), ("x", Value::from(1_i64))]);
        assert_eq!(Known::new(half).unwrap_err(), vec![Path::attribute("id")]);
    }

    #[test]
    fn sets_are_sorted_and_hold_each_value_once() {
        let set = Value::set(vec!["b".into(), "a".into(), "b".into()]);
        assert_eq!(set.to_string(), r#"["a", "b"]"#);
    }

    #[test]
    fn a_part_is_found_through_marks() {
        let value = Value::object([("list", Value::list(vec!["x".into()]).sensitive())]);
        let path = Path::attribute("list").then(Step::Index(0));
        assert_eq!(value.get(&path).and_then(Value::as_str), Some("x"));
    }
}
