//! Where the state is kept: a file that is only ever replaced whole.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::language::text;

use super::history::{Bounds, History, Tally};
use super::replace::{Machine, Replacement};
use super::{
    Cipher, Damage, FormatError, Holder, Journal, JournalError, Lock, LockError, RemoteError,
    State, Workspace, from_json, opened, sealed, to_json,
};

/// How long is waited before a lock that someone else holds is tried again.
const PAUSE: Duration = Duration::from_millis(50);

/// The state of one configuration on this machine.
#[derive(Debug, Clone)]
pub struct LocalStore {
    /// The folder of the configuration, which must be there; those below it are made.
    base: PathBuf,
    state: PathBuf,
    data: PathBuf,
    /// Stands before the names of lock and journal, where the state has a name of its own.
    prefix: String,
    /// What it is encrypted with.
    cipher: Option<Arc<Cipher>>,
    /// How many versions are kept.
    bounds: Bounds,
}

/// A version that could not be kept in the history, though the state is written.
#[derive(Debug)]
pub struct Unkept {
    /// The folder.
    pub path: PathBuf,
    /// What the system says.
    pub source: io::Error,
}

/// Why the state cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be understood.
    #[error("{} cannot be used: {source}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: FormatError,
        /// The serial of the newest version in the history that can be used.
        good: Option<u64>,
    },
    /// What was done since it was written cannot be trusted.
    #[error("{}: {damage}", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// Where it is damaged.
        damage: Damage,
        /// The serial of a version in the history that it can be folded into.
        good: Option<u64>,
    },
    /// There is none, though an apply that was interrupted has changed one.
    #[error(
        "{} is not there, but {} says what an interrupted apply has done to it",
        path.display(),
        journal.display()
    )]
    Gone {
        /// The file.
        path: PathBuf,
        /// The journal.
        journal: PathBuf,
        /// The serial of the newest version in the history that can be used.
        good: Option<u64>,
    },
    /// It cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The place that it is shared in does not do what it is asked for.
    #[error("{place}: {source}")]
    Remote {
        /// The place.
        place: String,
        /// What it says.
        source: RemoteError,
    },
}

impl LocalStore {
    /// The store of the configuration in `folder`. Lock and journal always lie beside the state
    /// that they guard, wherever other data may be put.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            base: folder.to_owned(),
            state: folder.join("isobar.state.json"),
            data: folder.join(".isobar"),
            prefix: String::new(),
            cipher: None,
            bounds: Bounds::default(),
        }
    }

    /// The store of one workspace of the configuration in `folder`.
    #[must_use]
    pub fn of(folder: &Path, workspace: &Workspace) -> Self {
        Self {
            base: folder.to_owned(),
            ..Self::new(&workspace.folder(folder))
        }
    }

    /// The store of a state that the user names. Several may lie in one folder, so that each has
    /// a lock and a journal of its own.
    #[must_use]
    pub fn at(file: &Path) -> Self {
        let folder = file.parent().unwrap_or(Path::new("."));
        let usual = Self::new(folder);
        if usual.state == file {
            return usual;
        }
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        Self {
            state: file.to_owned(),
            prefix: format!("{name}."),
            ..usual
        }
    }

    /// The same, encrypted.
    #[must_use]
    pub fn sealed_with(self, cipher: Option<Arc<Cipher>>) -> Self {
        Self { cipher, ..self }
    }

    /// The same, with other bounds of its history.
    #[must_use]
    pub fn keeping(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// The versions that it has had.
    #[must_use]
    pub fn history(&self) -> History {
        let folder = self.data.join(format!("{}history", self.prefix));
        History::new(folder, self.bounds, self.cipher.clone())
    }

    /// The file of the state.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.state
    }

    fn journal_path(&self) -> PathBuf {
        self.data.join(format!("{}journal", self.prefix))
    }

    fn io(&self, source: io::Error) -> StoreError {
        StoreError::Io {
            path: self.state.clone(),
            source,
        }
    }

    /// The state with what an interrupted apply has done folded in; `None` if there is none.
    ///
    /// # Errors
    /// A file that cannot be read or understood, or one that is gone while its journal is not: a
    /// state is written before its journal is begun.
    pub fn read(&self) -> Result<Option<State>, StoreError> {
        match self.whole()? {
            Some(state) => self.folded(state).map(Some),
            None if self.journal_path().is_file() => Err(StoreError::Gone {
                path: self.state.clone(),
                journal: self.journal_path(),
                good: self.history().last_good(),
            }),
            None => Ok(None),
        }
    }

    /// The state as it was last written; `None` if there is none.
    ///
    /// # Errors
    /// A file that cannot be read or understood.
    pub fn whole(&self) -> Result<Option<State>, StoreError> {
        let Some(bytes) = self.bytes()? else {
            return Ok(None);
        };
        let wrong = |source| StoreError::Format {
            path: self.state.clone(),
            source,
            good: self.history().last_good(),
        };
        let text = text::text_of(bytes);
        let text = text.map_err(|error| wrong(FormatError::Malformed(error.to_string())))?;
        let text = opened(self.cipher.as_deref(), "state", text);
        let text = text.map_err(|error| wrong(error.into()))?;
        from_json(&text).map_err(wrong).map(Some)
    }

    /// What stands in the file, whatever that is; `None` if there is none.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn bytes(&self) -> Result<Option<Vec<u8>>, StoreError> {
        match text::bytes_of_ordinary(&self.state, text::LONGEST) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.io(error)),
        }
    }

    /// Whether it is encrypted.
    pub(super) const fn is_sealed(&self) -> bool {
        self.cipher.is_some()
    }

    /// A state with what an interrupted apply has done to it.
    ///
    /// # Errors
    /// A journal that cannot be read, or is damaged.
    pub(super) fn folded(&self, state: State) -> Result<State, StoreError> {
        let serial = state.serial;
        match self.salvaged(state)? {
            (state, None) => Ok(state),
            (_, Some(damage)) => {
                // To an older version the journal has nothing to say.
                let good = self.history().last_good();
                Err(StoreError::Journal {
                    path: self.journal_path(),
                    damage,
                    good: good.filter(|good| *good >= serial),
                })
            }
        }
    }

    /// A state with what an interrupted apply has done to it, as far as the journal can be
    /// trusted, and what is wrong with the rest.
    ///
    /// # Errors
    /// A journal that cannot be read.
    pub fn salvaged(&self, mut state: State) -> Result<(State, Option<Damage>), StoreError> {
        let (path, cipher) = (self.journal_path(), self.cipher.as_deref());
        let found = Journal::recover(&path, &state.lineage, state.serial, cipher);
        let found = found.map_err(|error| match error {
            JournalError::Io(source) => StoreError::Io { path, source },
            JournalError::Sealed(error) => StoreError::Format {
                path,
                source: error.into(),
                good: None,
            },
        })?;
        for record in found.records {
            state.fold(record);
        }
        Ok((state, found.damage))
    }

    /// Takes the lock, waiting for at most `patience` for one who holds it; creates the folder
    /// that it lies in.
    ///
    /// # Errors
    /// Who holds it, or why it cannot be had.
    pub fn lock(&self, holder: &Holder, patience: Duration) -> Result<Lock, LockError> {
        let made = std::fs::read_dir(&self.base).and_then(|_| std::fs::create_dir_all(&self.data));
        made.map_err(|source| LockError::Io {
            path: self.data.clone(),
            source,
        })?;
        let mut waited = Duration::ZERO;
        loop {
            match Lock::acquire(&self.lock_path(), holder) {
                Err(LockError::Held { .. }) if waited < patience => {
                    std::thread::sleep(PAUSE);
                    waited += PAUSE;
                }
                result => return result,
            }
        }
    }

    fn lock_path(&self) -> PathBuf {
        self.data.join(format!("{}lock", self.prefix))
    }

    /// Who holds the lock; `None` if no one does.
    ///
    /// # Errors
    /// What the system says.
    pub fn holder(&self) -> Result<Option<Holder>, LockError> {
        Lock::peek(&self.lock_path())
    }

    /// Begins a journal for changes to `state`, which is what [`LocalStore::read`] gave.
    ///
    /// A journal needs a state to be folded into, and beginning one ends the one before it; so
    /// a new state, and one that a journal was folded into, is written first. A crash in between
    /// folds the old journal into it once more, which changes nothing.
    ///
    /// # Errors
    /// What the system says.
    pub fn begin(&self, state: &State) -> Result<Journal, StoreError> {
        let path = self.journal_path();
        if path.exists() || !self.state.exists() {
            self.write(state)?;
        }
        Journal::create(&path, &state.lineage, state.serial, self.cipher.clone())
            .map_err(|source| StoreError::Io { path, source })
    }

    /// Replaces the state: a new file beside it, synced, renamed over it, and the folder synced.
    /// The old state stays as it is until the new one is complete.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&self, state: &State) -> Result<(), StoreError> {
        self.put(&to_json(state))
    }

    fn put(&self, text: &str) -> Result<(), StoreError> {
        let prepared = self.prepared(text);
        let put = prepared.and_then(|replacement| replacement.put(&Machine));
        put.map_err(|error| self.io(error))
    }

    /// The file of a state, before it takes its place.
    fn prepared(&self, text: &str) -> io::Result<Replacement<'_>> {
        match self.cipher.as_deref() {
            None => Replacement::prepare(&Machine, &self.state, text.as_bytes()),
            some => {
                let text = sealed(some, "state", text.to_owned()).map_err(io::Error::other)?;
                Replacement::prepare(&Machine, &self.state, text.as_bytes())
            }
        }
    }

    /// Writes the next version of a state, and keeps it in the history. Both are written at the
    /// same time, and the state takes its place when the other is done: so a version that cannot
    /// be put in its place is still there.
    ///
    /// # Errors
    /// What the system says of the state; what it says of the history does not stop anything.
    pub fn commit(
        &self,
        before: Option<&State>,
        after: &State,
        by: &Holder,
    ) -> Result<Option<Unkept>, StoreError> {
        let text = to_json(after);
        let tally = Tally::of(before, after);
        let history = self.history();
        let (kept, prepared) = rayon::join(
            || history.keep(&Machine, (after, &text), tally, by).err(),
            || self.prepared(&text),
        );
        let put = prepared.and_then(|replacement| replacement.put(&Machine));
        put.map_err(|error| self.io(error))?;
        let path = self.data.join(format!("{}history", self.prefix));
        Ok(kept.map(|source| Unkept { path, source }))
    }

    /// Copies a state that cannot be used, with its journal, before another takes its place.
    /// Gives the name of the copy.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_aside(&self, mark: &str) -> Result<PathBuf, StoreError> {
        let aside = |path: &Path| {
            let mut name = path.as_os_str().to_owned();
            name.push(format!(".broken-{mark}"));
            PathBuf::from(name)
        };
        let (copy, journal) = (aside(&self.state), self.journal_path());
        let state = self.state.exists();
        if state {
            std::fs::copy(&self.state, &copy).map_err(|error| self.io(error))?;
        }
        let copied = aside(&journal);
        if journal.exists() {
            std::fs::copy(&journal, &copied).map_err(|source| StoreError::Io {
                path: journal,
                source,
            })?;
        }
        Ok(if state { copy } else { copied })
    }
}

impl LocalStore {
    /// Removes a journal that an interrupted apply has left behind and whose records are in the
    /// state by now. To be called under the lock only.
    ///
    /// # Errors
    /// What the system says.
    pub fn settle(&self) -> Result<(), StoreError> {
        let path = self.journal_path();
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::Io { path, source })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LocalStore, StoreError};
    use crate::state::{Record, State};

    #[test]
    fn a_journal_that_was_left_behind_is_folded_in() {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalStore::new(folder.path());
        assert!(store.read().unwrap().is_none());
        let mut state = State::new("l".to_owned());
        store.write(&state).unwrap();
        std::fs::create_dir(folder.path().join(".isobar")).unwrap();
        let mut journal = store.begin(&state).unwrap();
        let record = Record::Intent {
            address: "isobar_data.a".parse().unwrap(),
            key: isobar_sdk::provider::IdempotencyKey::new("k"),
        };
        journal.append(std::slice::from_ref(&record)).unwrap();
        state.fold(record);
        assert_eq!(store.read().unwrap().unwrap(), state);
    }

    #[test]
    fn a_broken_state_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalStore::new(folder.path());
        std::fs::write(store.path(), "{ broken").unwrap();
        assert!(matches!(store.read(), Err(StoreError::Format { .. })));
        assert_eq!(std::fs::read_to_string(store.path()).unwrap(), "{ broken");
    }
}
