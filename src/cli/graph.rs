//! `isobar graph`

use super::Exit;
use super::failure::Stopped;
use super::project::{Needs, Project};
use super::session::Session;
use crate::plan::Names;
use crate::render;

pub(super) fn run(session: &Session) -> Result<Exit, Stopped> {
    let project = Project::load(session, Needs::Configuration)?;
    let (names, diagnostics) = Names::of(&project.config);
    project.settle(session, diagnostics)?;
    session.shell.data(&render::graph::dot(&names));
    Ok(Exit::Success)
}
