//! Plans in files: written whole or not at all, and refused when what they rest on has changed.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use isobar_sdk::Diagnostic;
use isobar_sdk::diagnostic::sentence;
use jiff::Timestamp;
use tempfile::NamedTempFile;

use super::failure::Stopped;
use super::project::unreadable;
use super::session::Session;
use crate::apply::check::{fresh, stale};
use crate::language::{Sources, text};
use crate::plan::{self, FileError, Plan};
use crate::state::{Cipher, State, Workspace, opened, sealed};
use isobar_sdk::Fault;

/// A place for a plan that is known to be writable before there is a plan.
#[derive(Debug)]
pub(super) struct Destination {
    file: NamedTempFile,
    path: PathBuf,
}

impl Destination {
    /// Opens a file beside `path`; what stands at `path` stays until the plan is written.
    pub(super) fn open(path: PathBuf) -> Result<Self, Fault> {
        if path.is_dir() {
            let error = io::Error::from(io::ErrorKind::IsADirectory);
            return Err(unwritable(&path, &error));
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let file = NamedTempFile::new_in(folder).map_err(|error| unwritable(&path, &error))?;
        Ok(Self { file, path })
    }

    /// Writes the plan and puts the file in its place.
    pub(super) fn write(mut self, plan: &Plan, cipher: Option<&Cipher>) -> Result<PathBuf, Fault> {
        let text = sealed(cipher, "plan", plan::to_json(plan)).map_err(io::Error::other);
        let written = text.and_then(|text| self.file.write_all(text.as_bytes()));
        written
            .and_then(|()| self.file.as_file().sync_all())
            .and_then(|()| self.file.persist(&self.path).map_err(|error| error.error))
            .map_err(|error| unwritable(&self.path, &error))?;
        Ok(self.path)
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Fault {
    let detail = format!("{}: {}", path.display(), sentence(&error.to_string()));
    Diagnostic::error("C0015", "Plan cannot be saved", detail)
        .help("Name a file in an existing folder that you may write to, as in -out=FILE.")
        .into()
}

/// Reads a plan.
pub(super) fn read(session: &Session, path: &Path) -> Result<Plan, Stopped> {
    let text = text::read(path, text::LONGEST).map_err(|error| unreadable(path, &error))?;
    let text = decrypted(session, path, text)?;
    Ok(plan::from_json(&text).map_err(|error| unusable(path, &error))?)
}

/// The text of a plan that may be encrypted.
pub(super) fn decrypted(session: &Session, path: &Path, text: String) -> Result<String, Stopped> {
    let cipher = session.cipher()?;
    let text = opened(cipher.as_deref(), "plan", text);
    Ok(text.map_err(|error| {
        let detail = format!("{}: {}", path.display(), sentence(&error.to_string()));
        Diagnostic::error("C0094", "Plan cannot be decrypted", detail)
            .help("Give the key that it was written with, or make a new plan.")
    })?)
}

/// A file that is not a plan of this program.
pub(super) fn unusable(path: &Path, error: &FileError) -> Fault {
    let detail = format!("{}: {}", path.display(), sentence(&error.to_string()));
    let help = match error {
        FileError::Malformed(_) => "Name a file that plan -out=FILE has written.",
        _ => "Make a new plan with this version, or use the version that made it.",
    };
    Diagnostic::error("C0016", "Not a plan of this version", detail)
        .help(help)
        .into()
}

/// Whether a plan still holds: for this state, this configuration and at this time.
pub(super) fn check(
    plan: &Plan,
    state: Option<&State>,
    sources: &Sources,
    now: Timestamp,
) -> Result<(), Fault> {
    fresh(plan, state, now)?;
    if plan.sources.digest() != sources.digest() {
        let detail = format!(
            "The configuration has changed since the plan was made: {}.",
            difference(&plan.sources, sources)
        );
        return Err(stale("C0018", "Plan of another configuration", detail));
    }
    Ok(())
}

/// Whether a plan is for this workspace.
pub(super) fn of_workspace(plan: &Plan, selected: &Workspace) -> Result<(), Fault> {
    if plan.facts.workspace == selected.name() {
        return Ok(());
    }
    let detail = format!(
        "The plan was made in workspace {:?}, but {selected} is selected.",
        plan.facts.workspace
    );
    Err(
        Diagnostic::error("C0050", "Plan of another workspace", detail)
            .help(format!(
                "Nothing was changed. Select it with workspace select {}, or make a new plan.",
                plan.facts.workspace
            ))
            .into(),
    )
}

/// Which files differ.
fn difference(planned: &Sources, present: &Sources) -> String {
    let mut words = Vec::new();
    for (file, text) in planned.configuration() {
        match present.text(file) {
            Some(other) if other == &**text => {}
            Some(_) => words.push(format!("{file} differs")),
            None => words.push(format!("{file} is gone")),
        }
    }
    for (file, _) in present.configuration() {
        if planned.text(file).is_none() {
            words.push(format!("{file} is new"));
        }
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::time::Duration;

    use jiff::Timestamp;

    use super::{Destination, check};
    use crate::language::Sources;
    use crate::plan::{Base, FrozenForecast, Mode, Plan};
    use crate::state::State;

    fn sources(text: &str) -> Sources {
        let mut sources = Sources::default();
        sources.insert("main.hcl", text);
        sources
    }

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn plan() -> Plan {
        let forecast = FrozenForecast {
            source: "csv t.csv".to_owned(),
            series_digest: String::new(),
            observations: 4,
            gaps: 0,
            method: "naive".to_owned(),
            wape: Some(0.1),
            folds: 1,
            start: time("2026-01-01T00:00:00Z"),
            step: Duration::from_secs(60),
            levels: vec![0.5],
            quantiles: vec![vec![1.0]],
            history: Vec::new(),
            notes: Vec::new(),
            expires: time("2026-01-01T04:00:00Z"),
        };
        Plan {
            deposed: crate::state::Deposed::new(),
            id: "p".to_owned(),
            mode: Mode::Normal,
            refresh: crate::plan::Refresh::Full,
            created: time("2026-01-01T00:00:00Z"),
            base: Base {
                lineage: "l".to_owned(),
                serial: 3,
            },
            facts: crate::eval::Facts::default(),
            sources: sources("locals {}"),
            variables: BTreeMap::new(),
            given_again: BTreeSet::new(),
            changes: BTreeMap::new(),
            checks: BTreeMap::new(),
            reads: BTreeMap::new(),
            moves: BTreeMap::new(),
            selection: crate::plan::Selection::default(),
            drift: BTreeMap::new(),
            outputs: BTreeMap::new(),
            nouns: BTreeMap::new(),
            forecasts: [("f".to_owned(), forecast)].into(),
            deployments: BTreeMap::new(),
        }
    }

    fn state(lineage: &str, serial: u64) -> State {
        let mut state = State::new(lineage.to_owned());
        state.serial = serial;
        state
    }

    #[test]
    fn a_plan_holds_only_for_what_it_was_made_from() {
        let early = time("2026-01-01T03:59:59Z");
        let late = time("2026-01-01T04:00:00Z");
        let same = Some(state("l", 3));
        for (state, text, now, expected) in [
            (same.clone(), "locals {}", early, None),
            (same.clone(), "locals {}", late, Some("A0002")),
            (same, "locals { }", early, Some("C0018")),
            (Some(state("l", 4)), "locals {}", early, Some("A0001")),
            (Some(state("m", 3)), "locals {}", early, Some("A0001")),
            (None, "locals {}", early, Some("A0001")),
        ] {
            let found = check(&plan(), state.as_ref(), &sources(text), now);
            assert_eq!(found.err().map(|diagnostic| diagnostic.code), expected);
        }
    }

    #[test]
    fn a_place_that_cannot_be_written_is_found_at_once() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Destination::open(folder.path().to_owned()).is_err());
        assert!(Destination::open(folder.path().join("none/plan")).is_err());
        let path = folder.path().join("plan");
        drop(Destination::open(path.clone()).unwrap());
        assert!(!path.exists());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
