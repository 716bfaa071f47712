//! `isobar test`

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use isobar_sdk::{Diagnostic, Fault, Value};

use super::Exit;
use super::args::Test;
use super::environment::{fresh_id, now};
use super::failure::Stopped;
use super::interrupt;
use super::project::{Needs, Project};
use super::session::Session;
use super::trials::Tests;
use crate::event::{Event, Sink};
use crate::language::Sources;
use crate::language::trial::Trial;
use crate::providers;
use crate::render;
use crate::render::trial::Counts;
use crate::state::{Bounds, LocalStore};
use crate::trial::{self, Modules, Report, Request, Status};

pub(super) fn run(session: &Session, args: &Test) -> Result<Exit, Stopped> {
    session.shell.event(render::json::stream::version());
    let project = Project::load(session, Needs::Configuration)?;
    let given = project.given_alone(session, &args.assignments)?;
    let (tests, wrong) = Tests::read(session, &project, &args.test_directory, &args.filter)?;
    if wrong.has_errors() {
        return Err(Stopped::new(wrong, &tests.sources));
    }
    let Tests {
        files,
        sources,
        modules,
    } = tests;
    if files.is_empty() {
        let told = "There are no files that end in .test.hcl.";
        session.shell.tell(told);
    }
    let mut counts = Counts::default();
    let mut reports = Vec::new();
    for (name, trial) in files {
        let report = one(session, args, &project, (&given, &modules), &trial)?;
        tell(session, args, &sources, (&name, &report));
        counts.add(&report);
        reports.push((name, report));
    }
    let status = reports.iter().map(|(_, report)| report.status()).max();
    let status = status.unwrap_or(Status::Pass);
    if let Some(path) = &args.junit_xml {
        write_junit(&session.path(path), &reports, &sources)?;
    }
    session
        .shell
        .event(render::trial::summary_event(counts, status));
    let summary = render::trial::summary(counts, status);
    session.shell.result(&format!("\n{summary}"));
    Ok(match status {
        Status::Pass => Exit::Success,
        Status::Skip | Status::Fail | Status::Error => Exit::Failure,
    })
}

fn make(folder: &Path) -> Result<(), Fault> {
    std::fs::create_dir_all(folder).map_err(|error| {
        let detail = format!("{}: {error}.", folder.display());
        Diagnostic::error("T0008", "No room for the state of a test", detail)
            .help("Make the folder for data writable, or name another one with ISOBAR_DATA_DIR.")
            .into()
    })
}

/// Nothing is told of what is under way in a test.
struct Quiet;

impl Sink for Quiet {
    fn emit(&self, _event: Event) {}
}

/// Runs a file with a state of its own, which goes when nothing is left.
fn one(
    session: &Session,
    args: &Test,
    project: &Project,
    (given, modules): (&BTreeMap<Arc<str>, Value>, &Modules),
    trial: &Trial,
) -> Result<Report, Stopped> {
    let folder = session.data().join("tests").join(fresh_id());
    make(&folder)?;
    let stores = |number: usize| {
        let folder = folder.join(number.to_string());
        make(&folder)?;
        // No one goes back to what a test had made.
        let store = LocalStore::new(&folder).keeping(Bounds {
            count: 0,
            ..Bounds::default()
        });
        Ok(store.into())
    };
    let registry = providers::registry(&providers::Surroundings {
        executable: session.environment.executable.clone(),
        data: folder.clone(),
        base: session.folder().to_owned(),
        stores: session.environment.stores.clone(),
    });
    let holder = session.environment.holder("test");
    let mut report = session.wait_for(async {
        let request = Request {
            config: &project.config,
            sources: &project.sources,
            registry: &registry,
            facts: &project.facts,
            folder: session.folder(),
            given,
            modules,
            stores: &stores,
            holder: &holder,
            telemetry: &project.telemetry,
            now: &now,
            fresh_id: &fresh_id,
            parallelism: args.parallelism,
            interrupted: interrupt::listen(session.shell.clone(), Vec::new),
        };
        trial::run(&request, trial, &Quiet).await
    })?;
    if report.left.is_empty() {
        // What cannot be removed is in nobody's way.
        let _kept = std::fs::remove_dir_all(&folder);
    } else {
        let left: Vec<String> = report.left.iter().map(ToString::to_string).collect();
        let detail = format!("These could not be destroyed: {}.", left.join(", "));
        report.cleanup.push(
            Diagnostic::error("T0009", "Test leaves something behind", detail).help(format!(
                "Destroy it by hand; its state is in {}.",
                folder.display()
            )),
        );
    }
    Ok(report)
}

fn tell(session: &Session, args: &Test, sources: &Sources, (name, report): (&str, &Report)) {
    let shell = &session.shell;
    shell.result(&render::trial::file(name, report.status()));
    for outcome in &report.runs {
        shell.event(render::trial::run_event(name, outcome));
        shell.result(&render::trial::run(outcome));
        if let Some(text) = render::trial::seen(outcome, &shell.style()).filter(|_| args.verbose) {
            shell.result(&format!("\n{text}"));
        }
        shell.diagnostics(&outcome.diagnostics, sources);
    }
    shell.diagnostics(&report.cleanup, sources);
}

fn write_junit(path: &Path, reports: &[(String, Report)], sources: &Sources) -> Result<(), Fault> {
    let written = render::trial::junit(reports, sources)
        .and_then(|text| std::fs::write(path, text).map_err(|error| error.to_string()));
    written.map_err(|why| {
        let detail = format!("{}: {why}.", path.display());
        Diagnostic::error("T0010", "Results cannot be written", detail)
            .help("Name a file in a folder that exists and that you may write to.")
            .into()
    })
}
