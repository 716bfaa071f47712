//! `isobar validate`

use isobar_sdk::Diagnostics;

use super::Exit;
use super::args::Validate;
use super::project::{Needs, Project};
use super::session::Session;
use super::trials::Tests;
use crate::language::Sources;
use crate::plan;
use crate::render;

pub(super) fn run(session: &Session, args: &Validate) -> Exit {
    let (diagnostics, sources) = check(session, args);
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

fn check(session: &Session, args: &Validate) -> (Diagnostics, Sources) {
    let (project, mut diagnostics) = match Project::read(session, Needs::Configuration) {
        Ok(read) => read,
        Err(stopped) => return (stopped.diagnostics, stopped.sources),
    };
    diagnostics.extend(plan::validate(
        &project.config,
        &project.registry,
        &project.facts,
    ));
    if args.no_tests {
        return (diagnostics, project.sources);
    }
    match Tests::read(session, &project, &args.test_directory, &[]) {
        Ok((tests, wrong)) => {
            diagnostics.extend(wrong);
            (diagnostics, tests.sources)
        }
        Err(fault) => {
            diagnostics.push(*fault);
            (diagnostics, project.sources)
        }
    }
}
