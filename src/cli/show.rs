//! `isobar show`

use std::path::Path;

use super::args::Show;
use super::failure::Stopped;
use super::project::{self, unreadable};
use super::session::Session;
use super::{Exit, present, saved};
use crate::plan::{self, Plan};
use crate::state::{self, State};

/// What a file holds.
enum Content {
    Plan(Box<Plan>),
    State(Option<State>),
}

pub(super) fn run(session: &Session, args: &Show) -> Result<Exit, Stopped> {
    let content = match &args.file {
        Some(file) => read(&session.path(file))?,
        None => Content::State(project::state(session)?),
    };
    let shell = &session.shell;
    match (args.json, content) {
        (true, Content::Plan(plan)) => shell.document(&present::plan_json(&plan)),
        (true, Content::State(state)) => shell.document(&present::state_json(state.as_ref())),
        (false, Content::Plan(plan)) => shell.result(&present::plan(&plan, &shell.style())),
        (false, Content::State(state)) => {
            shell.result(&present::state(state.as_ref(), &shell.style()));
        }
    }
    Ok(Exit::Success)
}

/// A plan, or else a state.
fn read(path: &Path) -> Result<Content, Stopped> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    match plan::from_json(&text) {
        Ok(plan) => Ok(Content::Plan(Box::new(plan))),
        Err(error) => state::from_json(&text)
            .map(|state| Content::State(Some(state)))
            .map_err(|_| saved::unusable(path, &error).into()),
    }
}
