//! A state that is opened for a change: under its lock, and written whole or not at all.

use std::path::Path;

use isobar_sdk::{Diagnostic, Fault};

use super::failure::Stopped;
use super::project::unreadable;
use super::session::Session;
use crate::apply::check;
use crate::language::text;
use crate::state::{Guard, LocalStore, State, Store, from_json};

/// A state under its lock.
pub(super) struct Recorded {
    store: Store,
    /// What is recorded; `None` if there is no state yet.
    pub(super) before: Option<State>,
    _lock: Guard,
}

impl Recorded {
    /// Takes the lock and reads.
    pub(super) fn open(session: &Session, store: Store, operation: &str) -> Result<Self, Stopped> {
        let holder = session.environment.holder(operation);
        let lock = store
            .lock(&holder, session.patience())
            .map_err(|error| check::locked(&error))?;
        let before = store.read().map_err(|error| check::unreadable(&error))?;
        Ok(Self {
            store,
            before,
            _lock: lock,
        })
    }

    /// Writes what it is now with the serial raised, unless nothing has changed.
    pub(super) fn save(&self, mut after: State) -> Result<(), Fault> {
        if self.before.as_ref() == Some(&after) {
            return Ok(());
        }
        after.serial += 1;
        self.write(&after)
    }

    /// Writes a state as it is.
    pub(super) fn write(&self, state: &State) -> Result<(), Fault> {
        let written = self.store.write(state);
        written
            .and_then(|()| self.store.settle())
            .map_err(|error| Box::new(check::unwritable(&error)))
    }
}

/// The store that a command works on: of a file that was named, or of the workspace.
pub(super) fn store(session: &Session, named: Option<&Path>) -> Result<Store, Stopped> {
    match named {
        Some(file) => {
            let store = LocalStore::at(&session.path(file));
            Ok(store.sealed_with(session.cipher()?).into())
        }
        None => session.store(),
    }
}

/// Reads a state that must be there.
pub(super) fn read(store: &Store) -> Result<State, Stopped> {
    let state = store.read().map_err(|error| check::unreadable(&error))?;
    state.ok_or_else(|| missing(store).into())
}

/// Changes a state that must be there; what `change` refuses is not written.
pub(super) fn edit<T>(
    session: &Session,
    store: Store,
    operation: &str,
    change: impl FnOnce(&mut State) -> Result<T, Fault>,
) -> Result<T, Stopped> {
    // Nothing is made, not even a lock, where there is nothing to change.
    read(&store)?;
    let recorded = Recorded::open(session, store, operation)?;
    let before = recorded.before.clone();
    let mut after = before.ok_or_else(|| missing(&recorded.store))?;
    let result = change(&mut after)?;
    recorded.save(after)?;
    Ok(result)
}

/// A state in a file that the user named.
pub(super) fn from_file(session: &Session, file: &Path) -> Result<State, Stopped> {
    let path = session.path(file);
    let text = text::read(&path, text::LONGEST).map_err(|error| unreadable(file, &error))?;
    parse(&file.display().to_string(), &text)
}

/// A state from its text.
pub(super) fn parse(name: &str, text: &str) -> Result<State, Stopped> {
    from_json(text).map_err(|error| {
        let detail = format!("{name}: {error}.");
        Diagnostic::error("C0051", "Not a state", detail)
            .help("Give a file that state pull has written.")
            .into()
    })
}

fn missing(store: &Store) -> Diagnostic {
    let detail = format!("There is no {}.", store.place());
    Diagnostic::error("C0025", "No state", detail)
        .help("Apply first, or name the folder of the configuration with -chdir=DIR.")
}
