//! Marks: what may not be done with a value, whatever is made of it.

use std::sync::Arc;

use super::{Fields, Items, Value};
use crate::{Path, Step};

/// A set of marks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    sensitive: bool,
    ephemeral: bool,
}

impl Marks {
    /// No mark.
    pub const NONE: Self = Self {
        sensitive: false,
        ephemeral: false,
    };
    /// Never to be printed.
    pub const SENSITIVE: Self = Self {
        sensitive: true,
        ephemeral: false,
    };
    /// Never to be kept: neither in a plan nor in the state.
    pub const EPHEMERAL: Self = Self {
        sensitive: false,
        ephemeral: true,
    };

    /// The marks of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self {
            sensitive: self.sensitive || other.sensitive,
            ephemeral: self.ephemeral || other.ephemeral,
        }
    }

    /// These marks but for those of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self {
            sensitive: self.sensitive && !other.sensitive,
            ephemeral: self.ephemeral && !other.ephemeral,
        }
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        !self.sensitive && !self.ephemeral
    }

    /// Whether all marks of `other` are here.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        other.without(self).is_empty()
    }

    /// What is shown in place of a value with these marks.
    #[must_use]
    pub const fn cover(self) -> &'static str {
        if self.sensitive {
            "(sensitive value)"
        } else {
            "(ephemeral value)"
        }
    }
}

impl FromIterator<Self> for Marks {
    fn from_iter<I: IntoIterator<Item = Self>>(marks: I) -> Self {
        marks.into_iter().fold(Self::NONE, Self::union)
    }
}

impl Value {
    /// This value with these marks, beside those that it has.
    #[must_use]
    pub fn marked(self, marks: Marks) -> Self {
        match self {
            Self::Marked(own, inner) => Self::Marked(own.union(marks), inner),
            plain if marks.is_empty() => plain,
            plain => Self::Marked(marks, Box::new(plain)),
        }
    }

    /// This value with a sensitive mark.
    #[must_use]
    pub fn sensitive(self) -> Self {
        self.marked(Marks::SENSITIVE)
    }

    /// This value with an ephemeral mark.
    #[must_use]
    pub fn ephemeral(self) -> Self {
        self.marked(Marks::EPHEMERAL)
    }

    /// This value, marked as sensitive if `condition` holds.
    #[must_use]
    pub fn sensitive_if(self, condition: bool) -> Self {
        if condition { self.sensitive() } else { self }
    }

    /// The marks of the value as a whole.
    #[must_use]
    pub const fn marks(&self) -> Marks {
        match self {
            Self::Marked(marks, _) => *marks,
            _ => Marks::NONE,
        }
    }

    /// The marks of this and of everything inside.
    #[must_use]
    pub fn all_marks(&self) -> Marks {
        match self {
            Self::Marked(marks, inner) => marks.union(inner.all_marks()),
            Self::List(items) | Self::Set(items) | Self::Tuple(items) => {
                items.iter().map(Self::all_marks).collect()
            }
            Self::Map(fields) | Self::Object(fields) => {
                fields.values().map(Self::all_marks).collect()
            }
            _ => Marks::NONE,
        }
    }

    /// This value without these marks of its own; parts inside keep theirs.
    #[must_use]
    pub fn unmarked(self, marks: Marks) -> Self {
        match self {
            Self::Marked(own, inner) => inner.marked(own.without(marks)),
            plain => plain,
        }
    }

    /// What is under the marks, if there are any here; parts inside keep theirs.
    #[must_use]
    pub fn reveal(&self) -> &Self {
        match self {
            Self::Marked(_, inner) => inner,
            other => other,
        }
    }

    /// Whether the value as a whole must not be printed.
    #[must_use]
    pub const fn is_sensitive(&self) -> bool {
        self.marks().contains(Marks::SENSITIVE)
    }

    /// Whether the value as a whole must not be kept.
    #[must_use]
    pub const fn is_ephemeral(&self) -> bool {
        self.marks().contains(Marks::EPHEMERAL)
    }

    /// Whether this or anything inside must not be printed.
    #[must_use]
    pub fn contains_sensitive(&self) -> bool {
        self.all_marks().contains(Marks::SENSITIVE)
    }

    /// Whether this or anything inside must not be kept.
    #[must_use]
    pub fn contains_ephemeral(&self) -> bool {
        self.all_marks().contains(Marks::EPHEMERAL)
    }

    /// The value with every mark taken off, for handing to a provider or a file.
    #[must_use]
    pub fn reveal_all(&self) -> Self {
        if self.all_marks().is_empty() {
            return self.clone();
        }
        let all = |items: &Items| items.iter().map(Self::reveal_all).collect();
        let every = |fields: &Fields| {
            let open = |(name, value): (&Arc<str>, &Self)| (Arc::clone(name), value.reveal_all());
            fields.iter().map(open).collect()
        };
        match self {
            Self::List(items) => Self::List(all(items)),
            Self::Set(items) => Self::Set(all(items)),
            Self::Tuple(items) => Self::Tuple(all(items)),
            Self::Map(fields) => Self::Map(every(fields)),
            Self::Object(fields) => Self::Object(every(fields)),
            Self::Marked(_, inner) => inner.reveal_all(),
            other => other.clone(),
        }
    }

    /// The paths of all sensitive marks, outermost ones only, in order.
    #[must_use]
    pub fn sensitive_paths(&self) -> Vec<Path> {
        self.marked_paths(Marks::SENSITIVE)
    }

    /// The paths of all parts with these marks, outermost ones only, in order.
    #[must_use]
    pub fn marked_paths(&self, marks: Marks) -> Vec<Path> {
        let mut found = Vec::new();
        if !self.all_marks().contains(marks) {
            // Most values have none, and to look for them by path takes longer.
            return found;
        }
        self.walk(&Path::root(), &mut |path, value| {
            let marked = value.marks().contains(marks);
            if marked {
                found.push(path.clone());
            }
            !marked
        });
        found
    }

    /// This value with sensitive marks put on at `paths`; paths that lead nowhere are ignored.
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
            (Self::Marked(..), _) => self.clone(),
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
}

fn mark_field(fields: &Fields, name: &Arc<str>, rest: &[Step]) -> Fields {
    let mut fields = fields.clone();
    if let Some(value) = fields.get_mut(name) {
        *value = value.mark_at(rest);
    }
    fields
}

fn mark_item(items: &Items, index: usize, rest: &[Step]) -> Items {
    let mut items = items.clone();
    if let Some(value) = items.get_mut(index) {
        *value = value.mark_at(rest);
    }
    items
}
