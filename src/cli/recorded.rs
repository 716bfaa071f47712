//! A state that is opened for a change: under its lock, and written whole or not at all.

use std::path::Path;

use isobar_sdk::{Diagnostic, Fault};

use super::emergency;
use super::failure::Stopped;
use super::project::unreadable;
use super::session::Session;
use crate::apply::check;
use crate::language::{Sources, text};
use crate::state::{
    CipherError, Flaws, FormatError, Guard, Holder, LocalStore, State, Store, StoreError,
    is_sealed, opened,
};

/// What becomes of a state that another key might open, where the whole is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    /// It stays: it need not be broken.
    Refused,
    /// It is copied before another takes its place, as one that is broken.
    SetAside,
}

/// A state under its lock.
pub(super) struct Recorded {
    store: Store,
    /// What is recorded; `None` if there is no state yet.
    pub(super) before: Option<State>,
    session: Session,
    holder: Holder,
    _lock: Guard,
}

impl Recorded {
    /// Takes the lock and reads.
    pub(super) fn open(session: &Session, store: Store, operation: &str) -> Result<Self, Stopped> {
        let mut opened = Self::locked(session, store, operation)?;
        let before = opened.store.read();
        opened.before = before.map_err(|error| check::unreadable(&error))?;
        Ok(opened)
    }

    /// The same for what replaces the state whole: one that cannot be used is set aside.
    pub(super) fn over(
        session: &Session,
        store: Store,
        operation: &str,
        closed: Closed,
    ) -> Result<Self, Stopped> {
        let mut opened = Self::locked(session, store, operation)?;
        opened.before = match (&opened.store, opened.store.read()) {
            (_, Ok(before)) => before,
            (_, Err(error)) if closed == Closed::Refused && is_closed(&error) => {
                return Err(check::unreadable(&error).into());
            }
            (
                Store::Local(local),
                Err(
                    StoreError::Format { .. }
                    | StoreError::Journal { .. }
                    | StoreError::Gone { .. },
                ),
            ) => {
                let aside = local.set_aside(&opened.holder.id);
                let aside = aside.map_err(|error| check::unwritable(&error))?;
                let aside = aside.display();
                session
                    .shell
                    .tell(&format!("What could not be used is now in {aside}."));
                None
            }
            // Its versions are never written over, so that it stays where it is.
            (Store::Remote(_), Err(StoreError::Format { .. })) => None,
            (_, Err(error)) => return Err(check::unreadable(&error).into()),
        };
        Ok(opened)
    }

    fn locked(session: &Session, store: Store, operation: &str) -> Result<Self, Stopped> {
        let holder = session.environment.holder(operation);
        let lock = store
            .lock(&holder, session.patience())
            .map_err(|error| check::locked(&error))?;
        Ok(Self {
            store,
            before: None,
            session: session.clone(),
            holder,
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
        let before = self.before.as_ref();
        match self.store.commit(before, state, &self.holder) {
            Ok(None) => {}
            Ok(Some(unkept)) => {
                let told = check::unkept(&unkept).into();
                self.session.shell.diagnostics(&told, &Sources::default());
            }
            Err(error) => {
                let told = emergency::save(&self.session, state).into();
                self.session.shell.diagnostics(&told, &Sources::default());
                return Err(Box::new(check::unwritable(&error)));
            }
        }
        let settled = self.store.settle();
        settled.map_err(|error| Box::new(check::unwritable(&error)))
    }
}

/// Whether a state is whole, as far as anyone can tell without the key.
const fn is_closed(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Format {
            source: FormatError::Sealed(
                CipherError::WrongKey { .. } | CipherError::NoKey | CipherError::Open
            ),
            ..
        }
    )
}

/// The store that a command works on: of a file that was named, or of the workspace.
pub(super) fn store(session: &Session, named: Option<&Path>) -> Result<Store, Stopped> {
    match named {
        Some(file) => {
            let store = LocalStore::at(&session.path(file));
            let store = store.sealed_with(session.cipher()?);
            Ok(store.keeping(session.environment.history).into())
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

/// The text of a file that the user named.
pub(super) fn text(session: &Session, file: &Path) -> Result<String, Stopped> {
    let text = text::read(&session.path(file), text::LONGEST);
    decrypted(
        session,
        file,
        text.map_err(|error| unreadable(file, &error))?,
    )
}

/// A state in a file that the user named.
pub(super) fn from_file(session: &Session, file: &Path) -> Result<State, Stopped> {
    let name = file.display().to_string();
    match inspect(&name, &text(session, file)?)? {
        (state, flaws) if flaws.0.is_empty() => Ok(state),
        (_, flaws) => {
            let detail = format!("{name} cannot be trusted: {flaws}.");
            Err(Diagnostic::error("C0051", "Not a state", detail)
                .help("Give a file that state pull has written.")
                .into())
        }
    }
}

/// The text of a state that may be encrypted, as the one in an emergency file is.
pub(super) fn decrypted(session: &Session, file: &Path, text: String) -> Result<String, Stopped> {
    if !is_sealed(&text) {
        return Ok(text);
    }
    let cipher = session.cipher()?;
    opened(cipher.as_deref(), "state", text).map_err(|error| {
        check::unreadable(&StoreError::Format {
            path: session.path(file),
            source: error.into(),
            good: None,
        })
        .into()
    })
}

/// A state from its text, and what is wrong with it.
pub(super) fn inspect(name: &str, text: &str) -> Result<(State, Flaws), Stopped> {
    crate::state::inspect(text).map_err(|error| {
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
