//! `isobar test`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use isobar_sdk::{Diagnostic, Diagnostics, Fault, Value};

use super::Exit;
use super::args::Test;
use super::environment::{fresh_id, now};
use super::failure::Stopped;
use super::interrupt;
use super::project::{Needs, Project, unreadable};
use super::session::Session;
use crate::event::{Event, Sink};
use crate::language::trial::{Source, Trial};
use crate::language::{Sources, load_folder, text};
use crate::providers;
use crate::render;
use crate::render::trial::Counts;
use crate::state::Store;
use crate::trial::{self, Modules, Report, Request, Status};

pub(super) fn run(session: &Session, args: &Test) -> Result<Exit, Stopped> {
    session.shell.event(render::json::stream::version());
    let project = Project::load(session, Needs::Configuration)?;
    let given = project.given_alone(session, &args.assignments)?;
    let mut tests = Tests::new(&project);
    for path in found(session, args)? {
        tests.read(session, &path)?;
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

/// The files of tests, relative to the folder of the configuration.
fn found(session: &Session, args: &Test) -> Result<Vec<PathBuf>, Fault> {
    let mut found = Vec::new();
    for folder in [Path::new(""), &args.test_directory] {
        let Ok(entries) = std::fs::read_dir(session.path(folder)) else {
            continue;
        };
        let names = entries.flatten().map(|entry| entry.file_name());
        let names = names.filter_map(|name| name.into_string().ok());
        let tests = names.filter(|name| name.ends_with(".test.hcl") && !name.starts_with('.'));
        found.extend(tests.map(|name| folder.join(name)));
    }
    found.sort();
    found.dedup();
    if let Some(missing) = args.filter.iter().find(|wanted| !found.contains(wanted)) {
        let names: Vec<String> = found
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let detail = format!("There is no file of tests {}.", missing.display());
        let diagnostic = Diagnostic::error("T0007", "Unknown file of tests", detail);
        return Err(diagnostic
            .help(format!("Files of tests are {}.", names.join(", ")))
            .into());
    }
    if !args.filter.is_empty() {
        found.retain(|path| args.filter.contains(path));
    }
    Ok(found)
}

/// The files of tests with all that they need.
struct Tests {
    files: Vec<(String, Trial)>,
    sources: Sources,
    /// What runs plan in place of the configuration, by source.
    modules: Modules,
}

impl Tests {
    fn new(project: &Project) -> Self {
        Self {
            files: Vec::new(),
            sources: project.sources.clone(),
            modules: Modules::new(),
        }
    }

    fn read(&mut self, session: &Session, path: &Path) -> Result<(), Stopped> {
        let name = self.insert(session, path)?;
        let text = self.sources.text(&name).unwrap_or_default();
        let (mut trial, mut wrong) = Trial::read(&name, text);
        for mock in trial.mocks.values_mut() {
            let Some(source) = mock.source.clone() else {
                continue;
            };
            for path in mocks(session, &source)? {
                let name = self.insert(session, &path)?;
                let text = self.sources.text(&name).unwrap_or_default();
                wrong.extend(mock.add_file(&name, text));
            }
        }
        for run in &trial.runs {
            if let Some(source) = &run.module {
                wrong.extend(self.module(session, source));
            }
        }
        if wrong.has_errors() {
            return Err(Stopped::new(wrong, &self.sources));
        }
        self.files.push((name.to_string(), trial));
        Ok(())
    }

    fn insert(&mut self, session: &Session, path: &Path) -> Result<Arc<str>, Fault> {
        let text = text::read_ordinary(&session.path(path), text::LONGEST_SOURCE)
            .map_err(|error| unreadable(path, &error))?;
        Ok(self.sources.insert(&path.display().to_string(), text))
    }

    /// Reads the module that a run names.
    fn module(&mut self, session: &Session, source: &Source) -> Diagnostics {
        if self.modules.contains_key(&source.text) {
            return Diagnostics::new();
        }
        let wrong = |why: &str| {
            let detail = format!("{:?} {why}.", source.text);
            Diagnostics::from(
                Diagnostic::error("T0016", "Module of a run cannot be read", detail)
                    .at(&source.span)
                    .help("Name a folder with ./ or ../; it is relative to the folder of the configuration."),
            )
        };
        let Ok(folder) = self.sources.module_folder("", &source.text) else {
            return wrong("is no folder of this machine");
        };
        if let Err(error) = self.sources.read_more(session.folder(), &folder) {
            return wrong(&format!("cannot be read: {error}"));
        }
        if self.sources.configuration_of(&folder).next().is_none() {
            return wrong("has no file that ends in .hcl");
        }
        let (config, found) = load_folder(&self.sources, &folder);
        self.modules.insert(Arc::clone(&source.text), config);
        found
    }
}

/// The files of the folder of a mocked provider, in order.
fn mocks(session: &Session, source: &Source) -> Result<Vec<PathBuf>, Fault> {
    let folder = Path::new(&*source.text);
    let entries = std::fs::read_dir(session.path(folder)).map_err(|error| {
        let detail = format!("{}: {error}.", folder.display());
        Diagnostic::error(
            "T0017",
            "Folder of a mocked provider cannot be read",
            detail,
        )
        .at(&source.span)
        .help("Correct the source; it is relative to the folder of the configuration.")
    })?;
    let names = entries.flatten().map(|entry| entry.file_name());
    let names = names.filter(|name| name.to_string_lossy().ends_with(".mock.hcl"));
    let mut paths: Vec<PathBuf> = names.map(|name| folder.join(name)).collect();
    paths.sort();
    Ok(paths)
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
        Ok(Store::new(&folder))
    };
    let registry = providers::registry(&providers::Surroundings {
        executable: session.environment.executable.clone(),
        data: folder.clone(),
        base: session.folder().to_owned(),
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
            now: &now,
            fresh_id: &fresh_id,
            parallelism: args.parallelism.get(),
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
