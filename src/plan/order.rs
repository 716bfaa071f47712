//! The order in which changes can be made.

use std::collections::{BTreeMap, BTreeSet};

use isobar_sdk::Address;

use super::{Plan, PlannedChange};
use crate::change::{Action, Change};
use crate::graph::Dag;
use crate::state::State;

/// A node of the order. Groups gather many instances into one node, so that a block that rests
/// on a block costs as many edges as there are instances, not their product.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The instance is destroyed, for good or to be made anew.
    Remove(Address),
    /// The instance is made or changed.
    Make(Address),
    /// Everything at this address is as planned.
    Made(Address),
    /// Nothing that is to be removed rests on this address any more.
    Released(Address),
    /// Nothing that is to be changed rests on the old form of this address any more.
    Settled(Address),
}

/// The steps of a plan, each behind those that must be done before.
///
/// - What rests on something is made after it and removed before it.
/// - What is removed for good waits until what rested on it has been changed, unless it stands
///   in the way of a replacement.
/// - A replacement is removed before it is made.
#[must_use]
pub fn order(plan: &Plan, state: &State) -> Dag<Step> {
    let mut dag = Dag::default();
    through_kept(&mut dag, plan);
    let in_the_way = in_the_way(plan, state);
    for (address, planned) in plan.actions() {
        if makes(planned) {
            add_make(&mut dag, address, planned);
        }
        if removes(planned) {
            add_remove(&mut dag, address);
        }
        if matches!(planned.change, Change::Delete { .. }) && !in_the_way.contains(address) {
            for group in groups(address) {
                dag.depend(Step::Remove(address.clone()), Step::Settled(group));
            }
        }
        let recorded = state
            .instances
            .get(address)
            .map(|instance| &instance.dependencies);
        for dependency in recorded.into_iter().flatten() {
            if removes(planned) {
                dag.depend(
                    Step::Released(dependency.clone()),
                    Step::Remove(address.clone()),
                );
            } else {
                dag.depend(
                    Step::Settled(dependency.clone()),
                    Step::Make(address.clone()),
                );
            }
        }
    }
    dag
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
fn groups(address: &Address) -> BTreeSet<Address> {
    BTreeSet::from([address.clone(), address.block(), address.everywhere()])
}

const fn makes(planned: &PlannedChange) -> bool {
    matches!(
        planned.change.action(),
        Action::Create | Action::Update | Action::Replace
    )
}

const fn removes(planned: &PlannedChange) -> bool {
    matches!(planned.change.action(), Action::Delete | Action::Replace)
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
    if removes(planned) {
        dag.depend(make, Step::Remove(address.clone()));
    }
}

fn add_remove(dag: &mut Dag<Step>, address: &Address) {
    let remove = Step::Remove(address.clone());
    for group in groups(address) {
        dag.depend(remove.clone(), Step::Released(group));
    }
}

/// What is deleted and rests on something that is replaced. It must be gone before the
/// replacement begins, and cannot wait for what comes after the replacement.
fn in_the_way<'a>(plan: &'a Plan, state: &'a State) -> BTreeSet<&'a Address> {
    let mut resting: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
    let mut open = Vec::new();
    for (address, planned) in plan.actions().filter(|(_, planned)| removes(planned)) {
        if matches!(planned.change, Change::Replace { .. }) {
            open.push(address);
        }
        let recorded = state
            .instances
            .get(address)
            .map(|instance| &instance.dependencies);
        for dependency in recorded.into_iter().flatten() {
            resting.entry(dependency).or_default().push(address);
        }
    }
    let mut found = BTreeSet::new();
    while let Some(address) = open.pop() {
        for group in groups(address) {
            for above in resting.get(&group).into_iter().flatten() {
                if found.insert(*above) {
                    open.push(above);
                }
            }
        }
    }
    found
}
