//! The order in which changes can be made.

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
/// - What is removed for good waits until what rested on it has been changed.
/// - A replacement is removed before it is made.
#[must_use]
pub fn order(plan: &Plan, state: &State) -> Dag<Step> {
    let mut dag = Dag::default();
    for (address, planned) in plan.actions() {
        if makes(planned) {
            add_make(&mut dag, address, planned);
        }
        if removes(planned) {
            add_remove(&mut dag, address, planned);
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
    dag.depend(Step::Made(address.clone()), make.clone());
    dag.depend(Step::Made(address.block()), make.clone());
    for dependency in &planned.dependencies {
        dag.depend(make.clone(), Step::Made(dependency.clone()));
    }
    if removes(planned) {
        dag.depend(make, Step::Remove(address.clone()));
    }
}

fn add_remove(dag: &mut Dag<Step>, address: &Address, planned: &PlannedChange) {
    let remove = Step::Remove(address.clone());
    for group in [address.clone(), address.block()] {
        dag.depend(remove.clone(), Step::Released(group.clone()));
        if matches!(planned.change, Change::Delete { .. }) {
            dag.depend(remove.clone(), Step::Settled(group));
        }
    }
}
