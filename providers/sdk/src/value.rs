//! What an expression evaluates to, and what a resource holds.

mod collection;
mod display;
mod known;
mod mark;
mod named;
mod order;
mod unknown;

use std::sync::Arc;

pub use collection::{Extent, Fields, Items};
pub use known::Known;
pub use mark::Marks;
pub use named::Named;
use unicode_normalization::{UnicodeNormalization as _, is_nfc};
pub use unknown::Unknown;

use crate::{Number, Path, Step, Type};

/// A value, which may be unknown until apply and may carry marks.
///
/// `Debug` and `Display` never show what a mark covers; only [`Value::reveal`] opens it. Two
/// values are equal if they would be written alike: the type of a null and of the elements that
/// an empty collection does not have make no difference.
#[derive(Clone)]
pub enum Value {
    /// No value, of this type; of any type where nothing has said which.
    Null(Type),
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
    /// To be known after apply.
    Unknown(Box<Unknown>),
    /// Not to be printed or not to be kept. At least one mark, and never directly in another.
    Marked(Marks, Box<Value>),
}

impl Value {
    /// Null of no particular type.
    pub const NULL: Self = Self::Null(Type::Any);

    /// Text.
    #[must_use]
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        Self::String(composed(text.into()))
    }

    /// A list.
    #[must_use]
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(items.into())
    }

    /// A tuple.
    #[must_use]
    pub fn tuple(items: Vec<Self>) -> Self {
        Self::Tuple(items.into())
    }

    /// A set: sorts the items and drops doubles. Marks of the items are those of the set, as
    /// items have no place of their own.
    #[must_use]
    pub fn set(items: Vec<Self>) -> Self {
        Self::set_of(&Type::Any, items)
    }

    /// A set whose elements are of type `element`.
    #[must_use]
    pub fn set_of(element: &Type, mut items: Vec<Self>) -> Self {
        let marks: Marks = items.iter().map(Self::all_marks).collect();
        if !marks.is_empty() {
            items = items.iter().map(Self::reveal_all).collect();
        }
        Self::Set(Items::of(element, order::in_set(items))).marked(marks)
    }

    /// A list whose elements are of type `element`.
    #[must_use]
    pub fn list_of(element: &Type, items: Vec<Self>) -> Self {
        Self::List(Items::of(element, items))
    }

    /// An object.
    #[must_use]
    pub fn object<N: Into<Arc<str>>>(fields: impl IntoIterator<Item = (N, Self)>) -> Self {
        Self::Object(Fields::collect(fields))
    }

    /// A map.
    #[must_use]
    pub fn map<N: Into<Arc<str>>>(fields: impl IntoIterator<Item = (N, Self)>) -> Self {
        Self::Map(Fields::collect(fields))
    }

    /// Unknown, and of a type that is not known either.
    #[must_use]
    pub fn unknown() -> Self {
        Self::unknown_of(Type::Any)
    }

    /// Unknown, and of a type that is known.
    #[must_use]
    pub fn unknown_of(ty: impl Into<Unknown>) -> Self {
        Self::Unknown(Box::new(ty.into()))
    }

    /// Whether the value as a whole is null, marked or not.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.reveal(), Self::Null(_))
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
            Self::Null(_) | Self::Bool(_) | Self::Number(_) | Self::String(_) => true,
            Self::List(items) | Self::Set(items) | Self::Tuple(items) => {
                items.iter().all(Self::is_wholly_known)
            }
            Self::Map(fields) | Self::Object(fields) => fields.values().all(Self::is_wholly_known),
            Self::Unknown(_) => false,
            Self::Marked(_, inner) => inner.is_wholly_known(),
        }
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
                let mut fields = fields.clone();
                fields.insert(name.into(), value);
                Self::Object(fields)
            }
            other => other.clone(),
        }
    }
}

/// The text with each letter and its accents as one character (normal form C), so that texts that
/// look alike are equal.
fn composed(text: Arc<str>) -> Arc<str> {
    if text.is_ascii() || is_nfc(&text) {
        text
    } else {
        text.nfc().collect::<String>().into()
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::string(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::string(text)
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
