//! `isobar validate`

use isobar_sdk::Diagnostics;

use super::Exit;
use super::args::Validate;
use super::project::{Needs, Project};
use super::session::Session;
use crate::language::Sources;
use crate::plan;
use crate::render;

pub(super) fn run(session: &Session, args: &Validate) -> Exit {
    let (diagnostics, sources) = check(session);
    if args.json {
        session
            .shell
            .document(&render::diagnostic::validate_json(&diagnostics, &sources));
    } else {
        session.shell.diagnostics(&diagnostics, &sources);
    }
    if diagnostics.has_errors() {
        return Exit::Failure;
    }
    if !args.json {
        session.shell.result("The configuration is valid.");
    }
    Exit::Success
}

fn check(session: &Session) -> (Diagnostics, Sources) {
    match Project::read(session, Needs::Configuration) {
        Ok((project, mut diagnostics)) => {
            diagnostics.extend(plan::validate(
                &project.config,
                &project.registry,
                &project.facts,
            ));
            (diagnostics, project.sources)
        }
        Err(stopped) => (stopped.diagnostics, stopped.sources),
    }
}
