//! `isobar show`

use std::path::Path;

use super::args::Show;
use super::failure::Stopped;
use super::project::{self, unreadable};
use super::session::Session;
use super::{Exit, saved};
use crate::language::text;
use crate::plan::{self, Plan};
use crate::render;
use crate::state::{self, State, is_sealed, opened};

/// What a file holds.
enum Content {
    Plan(Box<Plan>),
    State(Option<State>),
}

pub(super) fn run(session: &Session, args: &Show) -> Result<Exit, Stopped> {
    let content = match &args.file {
        Some(file) => read(session, &session.path(file))?,
        None => Content::State(project::state(session)?),
    };
    let shell = &session.shell;
    match (args.json, content) {
        (true, Content::Plan(plan)) => shell.document(&render::json::plan(&plan)),
        (true, Content::State(Some(state))) => shell.document(&render::json::state(&state)),
        (true, Content::State(None)) => {
            shell.document(&serde_json::json!({ "format_version": "1.0" }));
        }
        (false, Content::Plan(plan)) if args.concise => {
            shell.result(&render::concise(&plan, &shell.style()));
        }
        (false, Content::Plan(plan)) => shell.result(&render::plan::human(&plan, &shell.style())),
        (false, Content::State(Some(state))) => shell.result(&render::state::human(&state)),
        (false, Content::State(None)) => shell.result("There is no state."),
    }
    Ok(Exit::Success)
}

/// A plan, or else a state.
fn read(session: &Session, path: &Path) -> Result<Content, Stopped> {
    let mut text = text::read(path, text::LONGEST).map_err(|error| unreadable(path, &error))?;
    if is_sealed(&text) {
        let cipher = session.cipher()?;
        let state = opened(cipher.as_deref(), "state", text.clone());
        text = match state {
            Ok(text) => text,
            Err(_) => saved::decrypted(session, path, text)?,
        };
    }
    match plan::from_json(&text) {
        Ok(plan) => Ok(Content::Plan(Box::new(plan))),
        Err(error) => state::from_json(&text)
            .map(|state| Content::State(Some(state)))
            .map_err(|_| saved::unusable(path, &error).into()),
    }
}
