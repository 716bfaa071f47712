//! Values by name, in name order: the inside of objects and maps.

use std::sync::Arc;

use super::Value;

/// Values by name, in name order.
///
/// They stand in one row, which for the few attributes that most objects have takes a quarter of
/// the memory of a tree, and is walked faster. To put one more among many moves those behind it;
/// so what becomes large is collected, or grows at its end.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Named(Vec<(Arc<str>, Value)>);

/// So many are looked through rather than halved.
const FEW: usize = 8;

impl Named {
    /// Where a name stands; `Err` with where it would.
    fn place(&self, name: &str) -> Result<usize, usize> {
        if self.0.len() <= FEW
            && let Some(place) = self.0.iter().position(|(other, _)| **other == *name)
        {
            return Ok(place);
        }
        // Most grow at their end.
        match self.0.last() {
            Some((last, _)) if **last >= *name => self.0.binary_search_by(|(n, _)| (**n).cmp(name)),
            _ => Err(self.0.len()),
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a name is there.
    #[must_use]
    pub fn contains_key(&self, name: &str) -> bool {
        self.place(name).is_ok()
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.place(name).ok().map(|place| &self.0[place].1)
    }

    /// The value of a name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.place(name).ok().map(|place| &mut self.0[place].1)
    }

    /// Sets the value of a name; gives back the one that it had.
    pub fn insert(&mut self, name: Arc<str>, value: Value) -> Option<Value> {
        match self.place(&name) {
            Ok(place) => Some(std::mem::replace(&mut self.0[place].1, value)),
            Err(place) => {
                self.0.insert(place, (name, value));
                None
            }
        }
    }

    /// Takes a name out; gives back its value.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.place(name).ok().map(|place| self.0.remove(place).1)
    }

    /// Names and values.
    pub fn iter(
        &self,
    ) -> impl DoubleEndedIterator<Item = (&Arc<str>, &Value)> + ExactSizeIterator + Clone {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// Names, and values to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Arc<str>, &mut Value)> {
        self.0.iter_mut().map(|(name, value)| (&*name, value))
    }

    /// The names.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Arc<str>> + ExactSizeIterator + Clone {
        self.0.iter().map(|(name, _)| name)
    }

    /// The values.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> + ExactSizeIterator + Clone {
        self.0.iter().map(|(_, value)| value)
    }

    /// The values, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.0.iter_mut().map(|(_, value)| value)
    }
}

/// Of several values for a name the last one counts.
impl FromIterator<(Arc<str>, Value)> for Named {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Value)>>(values: I) -> Self {
        let mut row: Vec<(Arc<str>, Value)> = values.into_iter().collect();
        if !row.is_sorted_by(|(one, _), (next, _)| one < next) {
            row.sort_by(|(one, _), (other, _)| one.cmp(other));
            row.dedup_by(|(later, value), (earlier, kept)| {
                let again = later == earlier;
                if again {
                    std::mem::swap(value, kept);
                }
                again
            });
        }
        Self(row)
    }
}

impl Extend<(Arc<str>, Value)> for Named {
    fn extend<I: IntoIterator<Item = (Arc<str>, Value)>>(&mut self, values: I) {
        for (name, value) in values {
            self.insert(name, value);
        }
    }
}

impl IntoIterator for Named {
    type Item = (Arc<str>, Value);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Named {
    type Item = (&'a Arc<str>, &'a Value);
    type IntoIter = std::iter::Map<
        std::slice::Iter<'a, (Arc<str>, Value)>,
        fn(&'a (Arc<str>, Value)) -> (&'a Arc<str>, &'a Value),
    >;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::{Named, Value};

    fn value(number: i64) -> Value {
        Value::from(number)
    }

    proptest! {
        #[test]
        fn it_does_what_a_tree_does(steps in prop::collection::vec((0_u8..3, 0_u8..24, 0_i64..9), 0..80)) {
            let mut row = Named::default();
            let mut tree: BTreeMap<Arc<str>, Value> = BTreeMap::new();
            for (what, name, number) in &steps {
                let name: Arc<str> = name.to_string().into();
                match what {
                    0 => prop_assert_eq!(row.remove(&name), tree.remove(&name)),
                    _ => prop_assert_eq!(row.insert(name.clone(), value(*number)), tree.insert(name.clone(), value(*number))),
                }
                prop_assert_eq!(row.get(&name), tree.get(&name));
                prop_assert_eq!(row.contains_key(&name), tree.contains_key(&name));
            }
            prop_assert!(row.iter().eq(&tree));
            let pairs = || steps.iter().map(|(_, name, number)| (Arc::from(name.to_string()), value(*number)));
            let (row, tree): (Named, BTreeMap<_, _>) = (pairs().collect(), pairs().collect());
            prop_assert!(row.iter().eq(&tree));
        }
    }
}
