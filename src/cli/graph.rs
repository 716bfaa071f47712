//! `isobar graph`

use super::failure::Stopped;
use super::project::{Needs, Project};
use super::session::Session;
use super::{Exit, present};
use crate::plan::Names;

pub(super) fn run(session: &Session) -> Result<Exit, Stopped> {
    let project = Project::load(session, Needs::Configuration)?;
    let (names, diagnostics) = Names::of(&project.config);
    project.settle(session, diagnostics)?;
    session.shell.data(&present::dot(&names));
    Ok(Exit::Success)
}
