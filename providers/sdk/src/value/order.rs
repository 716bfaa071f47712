//! Equality and order of values.

use std::cmp::Ordering;

use super::Value;

impl Value {
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
            Self::Null(_) => 9,
            Self::Bool(_) => 1,
            Self::Number(_) => 2,
            Self::String(_) => 3,
            Self::List(_) => 4,
            Self::Set(_) => 5,
            Self::Tuple(_) => 6,
            Self::Map(_) => 7,
            Self::Object(_) => 8,
            Self::Unknown(_) => 10,
            Self::Marked(..) => 11,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null(_), Self::Null(_)) => true,
            (Self::Bool(l), Self::Bool(r)) => l == r,
            (Self::Number(l), Self::Number(r)) => l == r,
            (Self::String(l), Self::String(r)) => l == r,
            (Self::List(l), Self::List(r))
            | (Self::Set(l), Self::Set(r))
            | (Self::Tuple(l), Self::Tuple(r)) => l == r,
            (Self::Map(l), Self::Map(r)) | (Self::Object(l), Self::Object(r)) => l == r,
            (Self::Unknown(l), Self::Unknown(r)) => l.ty == r.ty,
            (Self::Marked(lm, l), Self::Marked(rm, r)) => lm == rm && l == r,
            _ => false,
        }
    }
}
