//! Files of tests, read with all that they need.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use isobar_sdk::{Diagnostic, Diagnostics, Fault};

use super::project::{Project, unreadable};
use super::session::Session;
use crate::language::trial::{Source, Trial};
use crate::language::{Sources, load_folder, text};
use crate::trial::Modules;

/// The files of tests with all that they need.
pub(super) struct Tests {
    /// By their names, in order.
    pub(super) files: Vec<(String, Trial)>,
    /// Their texts, with those of the configuration.
    pub(super) sources: Sources,
    /// What runs plan in place of the configuration, by source.
    pub(super) modules: Modules,
}

impl Tests {
    /// Reads the files in the folder of the session and in `directory`, with all that is wrong with
    /// them; only those that `filter` names, where it names some.
    pub(super) fn read(
        session: &Session,
        project: &Project,
        directory: &Path,
        filter: &[PathBuf],
    ) -> Result<(Self, Diagnostics), Fault> {
        let mut tests = Self {
            files: Vec::new(),
            sources: project.sources.clone(),
            modules: Modules::new(),
        };
        let mut wrong = Diagnostics::new();
        for path in found(session, directory, filter)? {
            wrong.extend(tests.add(session, &path)?);
        }
        Ok((tests, wrong))
    }

    fn add(&mut self, session: &Session, path: &Path) -> Result<Diagnostics, Fault> {
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
        self.files.push((name.to_string(), trial));
        Ok(wrong)
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

/// The files of tests, relative to the folder of the configuration.
fn found(session: &Session, directory: &Path, filter: &[PathBuf]) -> Result<Vec<PathBuf>, Fault> {
    let mut found = Vec::new();
    for folder in [Path::new(""), directory] {
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
    if let Some(missing) = filter.iter().find(|wanted| !found.contains(wanted)) {
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
    if !filter.is_empty() {
        found.retain(|path| filter.contains(path));
    }
    Ok(found)
}
