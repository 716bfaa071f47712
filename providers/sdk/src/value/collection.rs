//! The insides of collections, shared so that a clone costs nothing.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::{Named, Value};
use crate::Type;

/// The elements of a list, set or tuple.
///
/// What is empty may know the type that its elements would have.
#[derive(Debug, Clone, Default)]
pub struct Items {
    values: Arc<Vec<Value>>,
    element: Option<Arc<Type>>,
    extent: Extent,
}

/// The attributes of an object or the elements of a map, in name order.
///
/// What is empty may know the type that its elements would have.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    values: Arc<Named>,
    element: Option<Arc<Type>>,
    extent: Extent,
}

/// How large a value is, counting what is shared at each place.
///
/// Collections keep it, since walking one that shares its parts over and over could take for
/// ever. What is changed in place keeps the extent that it had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// Values at every depth, itself included; sixteen bytes of text count as one more.
    pub parts: usize,
    /// How many collections stand within one another.
    pub depth: usize,
}

impl Extent {
    fn of<'a>(values: impl Iterator<Item = &'a Value>) -> Self {
        let around = Self { parts: 1, depth: 1 };
        values
            .map(Value::extent)
            .fold(around, |around, value| Self {
                parts: around.parts.saturating_add(value.parts),
                depth: around.depth.max(value.depth + 1),
            })
    }
}

impl Value {
    /// How large the value is.
    #[must_use]
    pub fn extent(&self) -> Extent {
        match self {
            Self::List(items) | Self::Set(items) | Self::Tuple(items) => items.extent,
            Self::Map(fields) | Self::Object(fields) => fields.extent,
            Self::Marked(_, inner) => inner.extent(),
            Self::String(text) => Extent {
                parts: 1 + text.len() / 16,
                depth: 0,
            },
            Self::Null(_) | Self::Bool(_) | Self::Number(_) | Self::Unknown(_) => {
                Extent { parts: 1, depth: 0 }
            }
        }
    }
}

impl Items {
    /// These, as elements of type `element`.
    #[must_use]
    pub fn of(element: &Type, values: Vec<Value>) -> Self {
        Self {
            element: remembered(element, values.is_empty()),
            extent: Extent::of(values.iter()),
            values: Arc::new(values),
        }
    }

    /// The type that all elements convert to.
    #[must_use]
    pub fn element_type(&self) -> Type {
        element_type(self.values.iter(), self.element.as_ref())
    }
}

impl Fields {
    /// These, as elements of type `element`.
    #[must_use]
    pub fn of(element: &Type, values: impl IntoIterator<Item = (Arc<str>, Value)>) -> Self {
        let values: Named = values.into_iter().collect();
        Self {
            element: remembered(element, values.is_empty()),
            extent: Extent::of(values.values()),
            values: Arc::new(values),
        }
    }

    /// These, by anything that becomes a name.
    pub fn collect<N: Into<Arc<str>>>(fields: impl IntoIterator<Item = (N, Value)>) -> Self {
        let named = fields.into_iter().map(|(name, value)| (name.into(), value));
        named.collect()
    }

    /// The type that all elements convert to.
    #[must_use]
    pub fn element_type(&self) -> Type {
        element_type(self.values.values(), self.element.as_ref())
    }
}

/// The type to keep: only what is empty cannot tell by itself.
fn remembered(element: &Type, is_empty: bool) -> Option<Arc<Type>> {
    (is_empty && *element != Type::Any).then(|| Arc::new(element.clone()))
}

fn element_type<'a>(
    mut values: impl Iterator<Item = &'a Value>,
    element: Option<&Arc<Type>>,
) -> Type {
    let Some(first) = values.next() else {
        return element.map_or(Type::Any, |element| Type::clone(element));
    };
    let mut types = vec![Type::of(first)];
    // Elements of a collection have one type; only what is not known yet needs more of them.
    if !types[0].is_complete() {
        types.extend(values.map(Type::of));
    }
    Type::unify(&types).unwrap_or(Type::Any)
}

impl From<Vec<Value>> for Items {
    fn from(values: Vec<Value>) -> Self {
        Self {
            extent: Extent::of(values.iter()),
            values: Arc::new(values),
            element: None,
        }
    }
}

impl From<BTreeMap<Arc<str>, Value>> for Fields {
    fn from(values: BTreeMap<Arc<str>, Value>) -> Self {
        values.into_iter().collect()
    }
}

impl From<Named> for Fields {
    fn from(values: Named) -> Self {
        Self {
            extent: Extent::of(values.values()),
            values: Arc::new(values),
            element: None,
        }
    }
}

impl FromIterator<Value> for Items {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        values.into_iter().collect::<Vec<_>>().into()
    }
}

impl FromIterator<(Arc<str>, Value)> for Fields {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Value)>>(values: I) -> Self {
        values.into_iter().collect::<Named>().into()
    }
}

impl Deref for Items {
    type Target = Vec<Value>;

    fn deref(&self) -> &Self::Target {
        &self.values
    }
}

impl DerefMut for Items {
    fn deref_mut(&mut self) -> &mut Self::Target {
        Arc::make_mut(&mut self.values)
    }
}

impl Deref for Fields {
    type Target = Named;

    fn deref(&self) -> &Self::Target {
        &self.values
    }
}

impl DerefMut for Fields {
    fn deref_mut(&mut self) -> &mut Self::Target {
        Arc::make_mut(&mut self.values)
    }
}

impl PartialEq for Items {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}
