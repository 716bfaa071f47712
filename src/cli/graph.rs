//! `isobar graph`

use std::path::Path;

use isobar_sdk::{Address, Diagnostic};

use super::args::{Graph, GraphType};
use super::failure::Stopped;
use super::project::{self, Needs, Project};
use super::session::Session;
use super::{Exit, saved};
use crate::graph::Dag;
use crate::plan::{Name, Names, Node, Step, order};
use crate::render;
use crate::state::State;

pub(super) fn run(session: &Session, args: &Graph) -> Result<Exit, Stopped> {
    let text = match (args.kind, &args.plan) {
        (None | Some(GraphType::Apply), Some(file)) => steps(session, file)?,
        (Some(GraphType::Apply), None) => {
            let detail = "The steps of an apply come from a plan, and none is named.";
            return Err(Diagnostic::error("C0058", "Graph without a plan", detail)
                .help("Save one with plan -out=FILE and name it with -plan=FILE.")
                .into());
        }
        (Some(GraphType::PlanDestroy), _) => {
            render::graph::dot(&removal(session)?, Address::to_string)
        }
        (Some(GraphType::Plan | GraphType::PlanRefreshOnly), _) => {
            render::graph::dot(&names(session)?, Node::to_string)
        }
        (None, None) => {
            let block = |node: &Node| matches!(node.name, Name::Block(..) | Name::Data(..));
            render::graph::dot(&names(session)?.only(block), Node::to_string)
        }
    };
    session.shell.data(&text);
    Ok(Exit::Success)
}

/// Everything with a name.
fn names(session: &Session) -> Result<Dag<Node>, Stopped> {
    let project = Project::load(session, Needs::Configuration)?;
    let (names, diagnostics) = Names::of(&project.config);
    project.settle(session, diagnostics)?;
    Ok(names.dag)
}

/// The changes of a saved plan, each behind those that come before it.
fn steps(session: &Session, file: &Path) -> Result<String, Stopped> {
    let plan = saved::read(session, &session.path(file))?;
    let state = project::state(session)?;
    let state = state.unwrap_or_else(|| State::new(String::new()));
    let label = |step: &Step| match step {
        Step::Remove(address) => format!("{address} (destroy)"),
        Step::Discard(address, key) => format!("{address} (destroy deposed {key})"),
        other => other.address().to_string(),
    };
    Ok(render::graph::dot(
        &order(&plan, &state).only(Step::acts),
        label,
    ))
}

/// What is recorded, each behind what rests on it and is therefore removed before it.
fn removal(session: &Session) -> Result<Dag<Address>, Stopped> {
    let mut dag = Dag::default();
    let state = project::state(session)?;
    for (address, instance) in state.iter().flat_map(|state| &state.instances) {
        dag.add(address.clone());
        let needed = state.iter().flat_map(|state| state.instances.keys());
        for other in needed.filter(|other| {
            let named = [(*other).clone(), other.block(), other.everywhere()];
            *other != address && instance.dependencies.iter().any(|one| named.contains(one))
        }) {
            dag.depend(other.clone(), address.clone());
        }
    }
    Ok(dag)
}
