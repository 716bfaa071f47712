//! The one type that values of several types convert to.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Field, Type};

impl Type {
    /// The type that all of `types` convert to, as in a conditional or a list of mixed values:
    /// `any` where only something of that type lets the others stand together.
    #[must_use]
    pub fn unify<'a>(types: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let types: Vec<&Self> = types.into_iter().collect();
        if let Some(tuples) = lengths(&types) {
            // Tuples of one length stay tuples; of several lengths, all their elements are one.
            return if tuples.windows(2).all(|pair| pair[0].len() == pair[1].len()) {
                in_pairs(&types)
            } else {
                Self::unify(tuples.into_iter().flatten()).map(Self::list)
            };
        }
        in_pairs(&types)
            .or_else(|| {
                let text = types.contains(&&Self::String) && types.iter().all(|ty| ty.is_text());
                text.then_some(Self::String)
            })
            .or_else(|| types.contains(&&Self::Any).then_some(Self::Any))
    }

    /// As [`Self::unify`], but `any` only if all types are: what the elements of a collection are.
    #[must_use]
    pub fn unify_elements<'a>(types: impl IntoIterator<Item = &'a Self> + Clone) -> Option<Self> {
        let open = types.clone().into_iter().all(|ty| *ty == Self::Any);
        Self::unify(types).filter(|unified| open || *unified != Self::Any)
    }

    /// Whether its values can be written as a text.
    const fn is_text(&self) -> bool {
        matches!(self, Self::Any | Self::Bool | Self::Number | Self::String)
    }

    fn unify_with(self, other: &Self) -> Option<Self> {
        match (self, other) {
            (left, right) if left == *right => Some(left),
            (Self::Any, other) => Some(other.bare()),
            (left, Self::Any) => Some(left),
            (Self::String, Self::Bool | Self::Number)
            | (Self::Bool | Self::Number, Self::String) => Some(Self::String),
            (Self::List(l), Self::List(r) | Self::Set(r)) | (Self::Set(l), Self::List(r)) => {
                Some(Self::list(l.unify_with(r)?))
            }
            (Self::Set(l), Self::Set(r)) => Some(Self::set(l.unify_with(r)?)),
            (Self::Set(set), Self::Tuple(items)) => set_of_items(*set, items),
            (Self::Tuple(items), Self::Set(set)) => set_of_items((**set).clone(), &items),
            (Self::Map(l), Self::Map(r)) => Some(Self::map(l.unify_with(r)?)),
            (Self::Tuple(l), Self::Tuple(r)) if l.len() == r.len() => {
                let unified = l.into_iter().zip(r).map(|(l, r)| l.unify_with(r));
                unified.collect::<Option<_>>().map(Self::Tuple)
            }
            (Self::Tuple(l), Self::Tuple(r)) => Self::unify(l.iter().chain(r)).map(Self::list),
            (Self::List(l), Self::Tuple(r)) => {
                Self::unify_elements(std::iter::once(&*l).chain(r)).map(Self::list)
            }
            (Self::Tuple(l), Self::List(r)) => {
                Self::unify_elements(l.iter().chain(std::iter::once(&**r))).map(Self::list)
            }
            (Self::Object(l), Self::Object(r)) => unify_objects(&l, r),
            (Self::Map(l), Self::Object(r)) => {
                Self::unify(std::iter::once(&*l).chain(types_of(r))).map(Self::map)
            }
            (Self::Object(l), Self::Map(r)) => {
                Self::unify(types_of(&l).chain(std::iter::once(&**r))).map(Self::map)
            }
            _ => None,
        }
    }
}

/// The elements of tuples, if all types are tuples.
fn lengths<'a>(types: &[&'a Type]) -> Option<Vec<&'a Vec<Type>>> {
    let items = |ty: &&'a Type| match ty {
        Type::Tuple(items) => Some(items),
        _ => None,
    };
    types.iter().map(items).collect()
}

fn in_pairs(types: &[&Type]) -> Option<Type> {
    let (first, rest) = types.split_first()?;
    rest.iter()
        .try_fold(first.bare(), |unified, ty| unified.unify_with(ty))
}

/// A set takes the elements of a tuple into itself; what they are converted to, it says.
fn set_of_items(element: Type, items: &[Type]) -> Option<Type> {
    if element == Type::Any {
        return Type::unify(std::iter::once(&element).chain(items)).map(Type::set);
    }
    let fits = items.iter().all(|item| element.accepts(item).is_some());
    fits.then(|| Type::set(element))
}

fn types_of(fields: &BTreeMap<Arc<str>, Field>) -> impl Iterator<Item = &Type> {
    fields.values().map(|field| &field.ty)
}

/// Objects with the same attributes stay objects; others become maps.
fn unify_objects(
    left: &BTreeMap<Arc<str>, Field>,
    right: &BTreeMap<Arc<str>, Field>,
) -> Option<Type> {
    if !left.keys().eq(right.keys()) {
        return Type::unify(types_of(left).chain(types_of(right))).map(Type::map);
    }
    let unified = left
        .iter()
        .zip(right.values())
        .map(|((name, left), right)| {
            Some((
                Arc::clone(name),
                Field {
                    ty: left.ty.clone().unify_with(&right.ty)?,
                    default: None,
                },
            ))
        });
    unified.collect::<Option<_>>().map(Type::Object)
}
