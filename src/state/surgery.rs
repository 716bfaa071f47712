//! Moving and removing what a state records, without touching what is there. Pure: the caller
//! writes the result, or nothing.

use std::collections::{BTreeMap, BTreeSet};

use isobar_sdk::address::{ModuleStep, Place};
use isobar_sdk::provider::IdempotencyKey;
use isobar_sdk::{Address, Native};

use super::{Deposed, Instance, State};

/// Why something cannot be moved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoveError {
    /// The state has nothing there.
    #[error("the state has no {0}")]
    Missing(Place),
    /// Something is there already.
    #[error("the state already has {0}")]
    Taken(Address),
    /// A module and a resource, or two types.
    #[error("the source {from} cannot become {to}: {why}")]
    Mismatch {
        /// What was to be moved.
        from: Place,
        /// Where to.
        to: Place,
        /// What differs.
        why: &'static str,
    },
}

/// From where to where each instance goes.
pub type Moves = Vec<(Address, Address)>;

/// What becomes of each instance when `from` is moved to `to`, which may lie in another state.
///
/// # Errors
/// Why it cannot be moved; then nothing is.
pub fn moves(
    state: &State,
    target: &State,
    from: &Place,
    to: &Place,
) -> Result<Moves, Box<MoveError>> {
    let covered: Vec<&Address> = state
        .instances
        .keys()
        .filter(|a| from.contains(a))
        .collect();
    if covered.is_empty() {
        return Err(Box::new(MoveError::Missing(from.clone())));
    }
    let mismatch = |why| {
        Box::new(MoveError::Mismatch {
            from: from.clone(),
            to: to.clone(),
            why,
        })
    };
    let found: Option<Moves> = match (from, to) {
        (Place::Module(old), Place::Module(new)) => covered
            .iter()
            .map(|address| Some(((*address).clone(), in_module(address, old.len(), new))))
            .collect(),
        (Place::Resource(old), Place::Resource(new)) => {
            same_kind(old, new).map_err(mismatch)?;
            covered
                .iter()
                .map(|address| Some(((*address).clone(), renamed(address, old, new)?)))
                .collect()
        }
        _ => return Err(mismatch("one is a module, the other a resource")),
    };
    let found = found.ok_or_else(|| mismatch(keys_apart(from, to)))?;
    match taken(target, from, to, &found) {
        Some(address) => Err(Box::new(MoveError::Taken(address.clone()))),
        None => Ok(found),
    }
}

/// What stands in the way: an instance at a new address, anything at all where a whole module or
/// resource is to be, or another one that moves to the same address.
fn taken<'a>(target: &'a State, from: &Place, to: &Place, moves: &'a Moves) -> Option<&'a Address> {
    let whole = match from {
        Place::Module(_) => true,
        Place::Resource(address) => !address.has_key(),
    };
    let mut seen = BTreeSet::new();
    let news: BTreeSet<&Address> = moves.iter().map(|(_, new)| new).collect();
    let in_the_way = |address: &&Address| {
        news.contains(*address) || (whole && to.contains(address) && !from.contains(address))
    };
    target.instances.keys().find(in_the_way).or_else(|| {
        let mut all = moves.iter().map(|(_, new)| new);
        all.find(|new| !seen.insert(*new))
    })
}

/// Whether a resource can be moved there, as far as its keys do not count.
fn same_kind(old: &Address, new: &Address) -> Result<(), &'static str> {
    let kind = |native: &Option<Native>| native.as_ref().map(|native| native.kind.clone());
    if old.mode != new.mode {
        Err("one is managed, the other only read")
    } else if (&old.kind, kind(&old.native)) != (&new.kind, kind(&new.native)) {
        Err("their types differ")
    } else {
        Ok(())
    }
}

/// Why the keys of one place cannot become those of another.
fn keys_apart(from: &Place, to: &Place) -> &'static str {
    match (from, to) {
        (Place::Resource(old), Place::Resource(new))
            if &*old.kind == "deployment" && old.has_key() && !new.has_key() =>
        {
            "the zone is missing"
        }
        _ => "a resource with several instances can only become one with several instances",
    }
}

/// An address with the first steps of its module replaced. Where the new ones end without a key,
/// the key that was there stays.
fn in_module(address: &Address, length: usize, new: &[ModuleStep]) -> Address {
    let mut module = new.to_vec();
    if let (Some(last), Some(was)) = (module.last_mut(), address.module.get(length - 1))
        && last.key.is_none()
    {
        last.key.clone_from(&was.key);
    }
    module.extend(address.module.iter().skip(length).cloned());
    Address {
        module,
        ..address.clone()
    }
}

/// An address under the name of another one; a key that is not given anew stays.
fn renamed(address: &Address, old: &Address, new: &Address) -> Option<Address> {
    let (key, zone) = address.rekeyed(old, new)?;
    let native = address.native.as_ref().map(|was| Native {
        kind: was.kind.clone(),
        key: match &new.native {
            Some(native) if native.key.is_some() => native.key.clone(),
            _ => was.key.clone(),
        },
    });
    let mut module = new.module.clone();
    if module.len() == address.module.len() {
        for (step, was) in module.iter_mut().zip(&address.module) {
            if step.key.is_none() && step.name == was.name {
                step.key.clone_from(&was.key);
            }
        }
    }
    Some(Address {
        module,
        key,
        zone,
        native,
        ..new.clone()
    })
}

/// What was taken out of a state.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Taken {
    instances: BTreeMap<Address, Instance>,
    deposed: Deposed<Instance>,
    pending: BTreeMap<Address, IdempotencyKey>,
    demands: BTreeMap<String, f64>,
}

impl State {
    /// The instances that a selection covers.
    pub fn selected<'a>(&'a self, wanted: &'a Place) -> impl Iterator<Item = &'a Address> {
        self.instances.keys().filter(|found| wanted.contains(found))
    }

    /// The instance of an address. A deployment, one of its instances or zones, stands for all that
    /// is recorded of it.
    #[must_use]
    pub fn named(&self, wanted: &Address) -> Vec<Address> {
        let place = Place::Resource(wanted.clone());
        let part = |found: &&Address| found.native.is_some() && wanted.native.is_none();
        let parts = self.selected(&place).filter(part).cloned();
        match self.instances.contains_key(wanted) {
            true => vec![wanted.clone()],
            false => parts.collect(),
        }
    }

    /// Takes instances out, under the addresses that they are to have; those that stay know the
    /// moved ones by their new names.
    pub fn take(&mut self, moves: &Moves) -> Taken {
        let mut taken = Taken::default();
        for (from, to) in moves {
            if let Some(instance) = self.instances.remove(from) {
                taken.instances.insert(to.clone(), instance);
            }
            for (key, instance) in self.take_deposed(from) {
                taken.deposed.insert((to.clone(), key), instance);
            }
            if let Some(key) = self.pending.remove(from) {
                taken.pending.insert(to.clone(), key);
            }
        }
        for (from, to) in moves.iter().filter(|(from, _)| from.native.is_some()) {
            if !self.has_any_of(&from.owner())
                && let Some(demand) = self.demands.remove(&from.label())
            {
                taken.demands.insert(to.label(), demand);
            }
        }
        let renames = self.renames(moves);
        let others = self.instances.values_mut().chain(self.deposed.values_mut());
        let taken_ones = taken
            .instances
            .values_mut()
            .chain(taken.deposed.values_mut());
        for instance in others.chain(taken_ones) {
            rename(&mut instance.dependencies, &renames);
        }
        taken
    }

    /// Puts in what was taken out of this or another state.
    pub fn put(&mut self, taken: Taken) {
        self.instances.extend(taken.instances);
        self.deposed.extend(taken.deposed);
        self.pending.extend(taken.pending);
        self.demands.extend(taken.demands);
    }

    /// Forgets what a selection covers; gives back what it was.
    pub fn forget(&mut self, wanted: &[Place]) -> Vec<Address> {
        let covered = |address: &Address| wanted.iter().any(|one| one.contains(address));
        let gone: Vec<Address> = self
            .instances
            .keys()
            .filter(|a| covered(a))
            .cloned()
            .collect();
        self.instances.retain(|address, _| !covered(address));
        self.deposed.retain(|(address, _), _| !covered(address));
        self.pending.retain(|address, _| !covered(address));
        for address in gone.iter().filter(|address| address.native.is_some()) {
            if !self.has_any_of(&address.owner()) {
                self.demands.remove(&address.label());
            }
        }
        gone
    }

    /// Whether something of an instance of a deployment is recorded.
    fn has_any_of(&self, owner: &Address) -> bool {
        self.instances
            .keys()
            .any(|address| address.owner() == *owner)
    }

    /// The new names of addresses in dependencies: of instances, and of their blocks as
    /// dependencies name them. What something is left of keeps its name beside the new ones.
    fn renames(&self, moves: &Moves) -> BTreeMap<Address, BTreeSet<Address>> {
        let forms = |address: &Address| [address.clone(), address.block(), address.everywhere()];
        let mut renames: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
        for (from, to) in moves {
            for (old, new) in forms(from).into_iter().zip(forms(to)) {
                renames.entry(old).or_default().insert(new);
            }
        }
        for left in self.instances.keys().flat_map(forms) {
            if let Some(new) = renames.get_mut(&left) {
                new.insert(left);
            }
        }
        renames
    }
}

fn rename(dependencies: &mut Vec<Address>, renames: &BTreeMap<Address, BTreeSet<Address>>) {
    if dependencies.iter().any(|d| renames.contains_key(d)) {
        let renamed: BTreeSet<Address> = dependencies
            .drain(..)
            .flat_map(|old| renames.get(&old).cloned().unwrap_or_else(|| [old].into()))
            .collect();
        dependencies.extend(renamed);
    }
}

#[cfg(test)]
mod tests {
    use isobar_sdk::address::Place;
    use isobar_sdk::provider::IdempotencyKey;
    use isobar_sdk::{Known, Value};

    use super::{MoveError, moves};
    use crate::state::{Instance, Life, State, Status};

    fn state(addresses: &[&str]) -> State {
        let mut state = State::new("l".to_owned());
        for address in addresses {
            let instance = Instance {
                provider: "isobar".to_owned(),
                schema_version: 0,
                attributes: Known::new(Value::from(*address)).unwrap(),
                dependencies: vec!["isobar_data.a".parse().unwrap()],
                status: Status::Ready,
                life: Life::default(),
            };
            state.instances.insert(address.parse().unwrap(), instance);
        }
        state
    }

    /// The moves as text, or the error.
    fn tried(addresses: &[&str], from: &str, to: &str) -> Result<Vec<String>, Box<MoveError>> {
        let state = state(addresses);
        let (from, to): (Place, Place) = (from.parse().unwrap(), to.parse().unwrap());
        let found = moves(&state, &state, &from, &to)?;
        Ok(found.iter().map(|(a, b)| format!("{a} > {b}")).collect())
    }

    #[test]
    fn instances_resources_and_modules_move() {
        let all = [
            "isobar_data.a",
            "isobar_data.b[0]",
            "isobar_data.b[1]",
            "module.m[\"x\"].isobar_data.a",
            "module.m[\"x\"].module.n.isobar_data.a",
            "deployment.d[\"e\"].sim_pool[\"1\"]",
        ];
        for (from, to, expected) in [
            (
                "isobar_data.a",
                "isobar_data.c",
                vec!["isobar_data.a > isobar_data.c"],
            ),
            (
                "isobar_data.a",
                "isobar_data.c[3]",
                vec!["isobar_data.a > isobar_data.c[3]"],
            ),
            (
                "isobar_data.b[1]",
                "isobar_data.c",
                vec!["isobar_data.b[1] > isobar_data.c"],
            ),
            (
                "isobar_data.b[0]",
                "isobar_data.b",
                vec!["isobar_data.b[0] > isobar_data.b"],
            ),
            (
                "isobar_data.a",
                "module.q.isobar_data.a",
                vec!["isobar_data.a > module.q.isobar_data.a"],
            ),
            (
                "deployment.d",
                "deployment.e",
                vec!["deployment.d[\"e\"].sim_pool[\"1\"] > deployment.e[\"e\"].sim_pool[\"1\"]"],
            ),
            (
                "module.m",
                "module.o",
                vec![
                    "module.m[\"x\"].isobar_data.a > module.o[\"x\"].isobar_data.a",
                    "module.m[\"x\"].module.n.isobar_data.a > module.o[\"x\"].module.n.isobar_data.a",
                ],
            ),
        ] {
            assert_eq!(tried(&all, from, to).unwrap(), expected, "{from} {to}");
        }
        assert_eq!(
            tried(&all[1..3], "isobar_data.b", "isobar_data.c").unwrap(),
            [
                "isobar_data.b[0] > isobar_data.c[0]",
                "isobar_data.b[1] > isobar_data.c[1]"
            ]
        );
    }

    #[test]
    fn what_cannot_be_moved_is_refused() {
        let all = [
            "isobar_data.a",
            "isobar_data.b[0]",
            "isobar_data.b[1]",
            "module.m.isobar_data.a",
        ];
        let missing = |text: &str| MoveError::Missing(text.parse().unwrap());
        let taken = |text: &str| MoveError::Taken(text.parse().unwrap());
        for (from, to, expected) in [
            ("isobar_data.x", "isobar_data.y", missing("isobar_data.x")),
            (
                "isobar_data.a",
                "isobar_data.b[0]",
                taken("isobar_data.b[0]"),
            ),
            ("isobar_data.b", "isobar_data.a", taken("isobar_data.a")),
            ("isobar_data.a", "isobar_data.a", taken("isobar_data.a")),
            ("module.m", "module.m", taken("module.m.isobar_data.a")),
        ] {
            assert_eq!(*tried(&all, from, to).unwrap_err(), expected, "{from} {to}");
        }
        for (from, to) in [
            ("isobar_data.a", "module.m"),
            ("module.m", "isobar_data.c"),
            ("isobar_data.b", "isobar_data.c[0]"),
            ("isobar_data.a", "sim_pool.a"),
            ("isobar_data.a", "data.isobar_data.c"),
        ] {
            let error = tried(&all, from, to).unwrap_err();
            assert!(matches!(*error, MoveError::Mismatch { .. }), "{from} {to}");
        }
    }

    #[test]
    fn keys_and_dependencies_go_along() {
        let mut before = state(&["isobar_data.a", "isobar_data.b"]);
        let key = IdempotencyKey::new("k");
        before
            .pending
            .insert("isobar_data.a".parse().unwrap(), key.clone());
        let (from, to) = (
            "isobar_data.a".parse().unwrap(),
            "isobar_data.c".parse().unwrap(),
        );
        let found = moves(&before, &before, &from, &to).unwrap();
        let mut after = before.clone();
        let taken = after.take(&found);
        after.put(taken);
        let new: isobar_sdk::Address = "isobar_data.c".parse().unwrap();
        assert_eq!(after.pending[&new], key);
        assert_eq!(
            after.instances[&new].attributes.value(),
            &Value::from("isobar_data.a")
        );
        for instance in after.instances.values() {
            assert_eq!(instance.dependencies, std::slice::from_ref(&new));
        }
    }

    #[test]
    fn a_block_keeps_its_name_in_dependencies_beside_that_of_what_was_moved() {
        let mut state = state(&["isobar_data.a[0]", "isobar_data.a[1]", "isobar_data.b"]);
        let (from, to) = (
            "isobar_data.a[0]".parse().unwrap(),
            "isobar_data.c".parse().unwrap(),
        );
        let found = moves(&state, &state, &from, &to).unwrap();
        let taken = state.take(&found);
        state.put(taken);
        let [block, new]: [isobar_sdk::Address; 2] =
            ["isobar_data.a", "isobar_data.c"].map(|a| a.parse().unwrap());
        let other: isobar_sdk::Address = "isobar_data.b".parse().unwrap();
        assert_eq!(state.instances[&other].dependencies, [block, new]);
    }

    #[test]
    fn dependencies_on_what_is_in_modules_are_renamed() {
        let mut state = state(&[
            "module.m[0].isobar_data.a",
            "module.m[1].isobar_data.a",
            "isobar_data.b",
        ]);
        let b: isobar_sdk::Address = "isobar_data.b".parse().unwrap();
        let below = "module.m.isobar_data.a".parse().unwrap();
        state.instances.get_mut(&b).unwrap().dependencies = vec![below];
        let (from, to) = ("module.m".parse().unwrap(), "module.n".parse().unwrap());
        let found = moves(&state, &state, &from, &to).unwrap();
        let taken = state.take(&found);
        state.put(taken);
        let now: isobar_sdk::Address = "module.n.isobar_data.a".parse().unwrap();
        assert_eq!(state.instances[&b].dependencies, [now]);
    }

    #[test]
    fn what_is_forgotten_takes_its_demand_along() {
        let mut state = state(&[
            "deployment.d[\"e\"].sim_pool",
            "deployment.d[\"w\"].sim_pool",
        ]);
        state.demands.insert("d".to_owned(), 8.0);
        let gone = state.forget(&["deployment.d[\"e\"]".parse().unwrap()]);
        assert_eq!((gone.len(), state.demands.len()), (1, 1));
        state.forget(&["deployment.d".parse().unwrap()]);
        assert!(state.instances.is_empty() && state.demands.is_empty());
    }
}
