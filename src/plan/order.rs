//! The order in which changes can be made.

use std::collections::{BTreeMap, BTreeSet};

use isobar_sdk::Address;

use super::{Plan, PlannedChange};
use crate::change::{Action, Change};
use crate::graph::Dag;
use crate::state::{DeposedKey, State};

/// A node of the order. Groups gather many instances into one node, so that a block that rests
/// on a block costs as many edges as there are instances, not their product.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The instance is destroyed, for good or to be made anew.
    Remove(Address),
    /// The instance is made or changed.
    Make(Address),
    /// What was replaced here is destroyed.
    Discard(Address, DeposedKey),
    /// Everything at this address is as planned.
    Made(Address),
    /// Nothing that is to be removed rests on this address any more.
    Released(Address),
    /// Nothing that is to be changed rests on the old form of this address any more.
    Settled(Address),
}

impl Step {
    /// The address that it is about.
    #[must_use]
    pub const fn address(&self) -> &Address {
        match self {
            Self::Remove(address)
            | Self::Make(address)
            | Self::Discard(address, _)
            | Self::Made(address)
            | Self::Released(address)
            | Self::Settled(address) => address,
        }
    }

    /// Whether something is done in it, rather than only waited for.
    #[must_use]
    pub const fn acts(&self) -> bool {
        matches!(self, Self::Remove(_) | Self::Make(_) | Self::Discard(..))
    }
}

/// Something that is destroyed.
struct Removal<'a> {
    step: Step,
    /// What it rested on when it was last changed.
    rested_on: &'a [Address],
    /// Whether what comes after it is made in its place.
    before_making: bool,
}

/// The steps of a plan, each behind those that must be done before.
///
/// - What rests on something is made after it and removed before it.
/// - What is removed for good waits until what rested on it has been changed, unless it stands
///   in the way of a replacement.
/// - A replacement is removed before it is made, or else discarded after it is made.
/// - What is made where something was moved away waits until that is removed, if it is to be made
///   anew, as both may have the same name on their platform.
#[must_use]
pub fn order(plan: &Plan, state: &State) -> Dag<Step> {
    let mut dag = Dag::default();
    through_kept(&mut dag, plan);
    for (address, planned) in plan.actions().filter(|(_, planned)| makes(planned)) {
        add_make(&mut dag, address, planned);
        if !planned.creates() {
            for dependency in recorded(state, address) {
                let make = Step::Make(address.clone());
                dag.depend(Step::Settled(dependency.clone()), make);
            }
        }
    }
    let removals = removals(plan, state);
    let in_the_way = in_the_way(&removals);
    for removal in &removals {
        let address = removal.step.address();
        dag.add(removal.step.clone());
        for group in groups(address) {
            dag.depend(removal.step.clone(), Step::Released(group));
        }
        for dependency in removal.rested_on {
            dag.depend(Step::Released(dependency.clone()), removal.step.clone());
        }
        let make = Step::Make(address.clone());
        if removal.before_making {
            let vacated = plan.moves.get(address).cloned().map(Step::Make);
            let waiting =
                vacated.filter(|step| plan.changes.get(step.address()).is_some_and(makes));
            for step in waiting.into_iter().chain([make]) {
                dag.depend(step, removal.step.clone());
            }
            continue;
        }
        if matches!(removal.step, Step::Discard(..)) && plan.changes.get(address).is_some_and(makes)
        {
            dag.depend(removal.step.clone(), make);
        }
        if !in_the_way.contains(&removal.step) {
            for group in groups(address) {
                dag.depend(removal.step.clone(), Step::Settled(group));
            }
        }
    }
    dag
}

/// All that is destroyed.
fn removals<'a>(plan: &'a Plan, state: &'a State) -> Vec<Removal<'a>> {
    let changed = plan.actions().filter_map(|(address, planned)| {
        let step = match planned.change {
            Change::Replace { .. } if planned.creates_first() => {
                Step::Discard(address.clone(), state.next_deposed(address))
            }
            Change::Replace { .. } | Change::Delete { .. } => Step::Remove(address.clone()),
            _ => return None,
        };
        let before_making = matches!(planned.change, Change::Replace { .. });
        Some(Removal {
            before_making: before_making && !planned.creates_first(),
            rested_on: recorded(state, address),
            step,
        })
    });
    let deposed = plan.deposed.iter();
    let deposed = deposed.map(|((address, key), planned)| Removal {
        step: Step::Discard(address.clone(), *key),
        rested_on: &planned.dependencies,
        before_making: false,
    });
    changed.chain(deposed).collect()
}

/// What an instance rested on when it was last changed.
fn recorded<'a>(state: &'a State, address: &Address) -> &'a [Address] {
    let instance = state.instances.get(address);
    instance.map_or(&[], |instance| &instance.dependencies)
}

/// What rests on something that stays as it is also waits for what that rests on.
fn through_kept(dag: &mut Dag<Step>, plan: &Plan) {
    for (address, planned) in &plan.changes {
        if !matches!(planned.change, Change::Keep { .. }) {
            continue;
        }
        for dependency in &planned.dependencies {
            for group in groups(address) {
                if group != *dependency {
                    dag.depend(Step::Made(group), Step::Made(dependency.clone()));
                }
            }
        }
    }
}

/// What an instance is part of: itself, its block, and its block in all instances of its module.
fn groups(address: &Address) -> Vec<Address> {
    let alone = !address.has_key() && address.native.is_none() && address.module.is_empty();
    let mut groups = vec![address.clone()];
    if !alone {
        groups.extend([address.block(), address.everywhere()]);
        groups.sort_unstable();
        groups.dedup();
    }
    groups
}

const fn makes(planned: &PlannedChange) -> bool {
    planned.creates() || matches!(planned.change.action(), Action::Update)
}

fn add_make(dag: &mut Dag<Step>, address: &Address, planned: &PlannedChange) {
    let make = Step::Make(address.clone());
    dag.add(make.clone());
    for group in groups(address) {
        dag.depend(Step::Made(group), make.clone());
    }
    for dependency in &planned.dependencies {
        dag.depend(make.clone(), Step::Made(dependency.clone()));
    }
}

/// What rests on something that is destroyed to be made anew. It must be gone before that is made
/// anew, and cannot wait for what comes after.
fn in_the_way<'a>(removals: &'a [Removal<'a>]) -> BTreeSet<&'a Step> {
    let mut resting: BTreeMap<&Address, Vec<&Step>> = BTreeMap::new();
    let mut open = Vec::new();
    for removal in removals {
        if removal.before_making {
            open.push(&removal.step);
        }
        for dependency in removal.rested_on {
            resting.entry(dependency).or_default().push(&removal.step);
        }
    }
    let mut found = BTreeSet::new();
    while let Some(step) = open.pop() {
        for group in groups(step.address()) {
            for above in resting.get(&group).into_iter().flatten() {
                if found.insert(*above) {
                    open.push(above);
                }
            }
        }
    }
    found
}
