//! Where states are kept: on this machine, or in a place that several machines reach.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::history::Place;
use super::remote::{Hold, RemoteLog};
use super::web::{WebHold, WebLog};
use super::{
    Bounds, Cipher, Damage, Holder, Journal, LocalStore, Lock, LockError, Record, Remote,
    RemoteError, RemoteStore, State, StoreError, Unkept, Version, WebStore, Workspace,
};

/// Where the states of all workspaces of a configuration are kept.
#[derive(Debug, Clone)]
pub enum Backend {
    /// In the folder of the configuration.
    Local(PathBuf),
    /// In a place that several machines reach.
    Remote(Remote),
    /// Behind a web server, which keeps one state.
    Web(WebStore),
}

/// Where the state of one workspace is kept.
#[derive(Debug, Clone)]
pub enum Store {
    /// On this machine.
    Local(LocalStore),
    /// In a place that several machines reach.
    Remote(RemoteStore),
    /// Behind a web server.
    Web(WebStore),
}

/// The right to write a state, given up when it is dropped.
#[derive(Debug)]
pub enum Guard {
    /// A lock of the operating system.
    Local(Lock),
    /// A lease.
    Remote(Hold),
    /// A lock of a web server.
    Web(WebHold),
}

/// Who may write a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Who.
    pub holder: Holder,
    /// When it last said that it is still there, as RFC 3339; a lock of the operating system
    /// needs no sign of life.
    pub renewed: Option<String>,
}

/// What is being done to a state, written before and after each change.
#[derive(Debug)]
pub enum Ledger {
    /// In a file.
    Local(Journal),
    /// In the place of the state.
    Remote(RemoteLog),
    /// In the state.
    Web(Box<WebLog>),
}

impl Backend {
    /// Where it is, for people.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Local(folder) => folder.display().to_string(),
            Self::Remote(remote) => remote.place(),
            Self::Web(web) => web.place(),
        }
    }

    /// The state of a workspace.
    #[must_use]
    pub fn store(&self, workspace: &Workspace) -> Store {
        match self {
            Self::Local(folder) => Store::Local(LocalStore::of(folder, workspace)),
            Self::Remote(remote) => Store::Remote(remote.store(workspace)),
            Self::Web(web) => Store::Web(web.clone()),
        }
    }

    /// All workspaces that are there, the default one first.
    ///
    /// # Errors
    /// What the system or the place says.
    pub fn workspaces(&self) -> Result<Vec<Workspace>, StoreError> {
        match self {
            Self::Local(folder) => Workspace::all(folder).map_err(|source| StoreError::Io {
                path: folder.clone(),
                source,
            }),
            Self::Remote(remote) => remote.workspaces(),
            Self::Web(_) => Ok(vec![Workspace::default()]),
        }
    }

    /// Asks whether the place answers to these settings and credentials.
    ///
    /// # Errors
    /// What the place says. What stands in a state that it gives does not matter here.
    pub fn reach(&self) -> Result<(), StoreError> {
        match self {
            Self::Local(_) => Ok(()),
            Self::Remote(remote) => remote.workspaces().map(drop),
            Self::Web(_) => match self.store(&Workspace::default()).read() {
                Err(error @ (StoreError::Remote { .. } | StoreError::Io { .. })) => Err(error),
                _ => Ok(()),
            },
        }
    }

    /// Whether a workspace is there.
    ///
    /// # Errors
    /// What the system or the place says.
    pub fn has(&self, workspace: &Workspace) -> Result<bool, StoreError> {
        match self {
            Self::Local(folder) => Ok(workspace.exists(folder)),
            Self::Remote(_) | Self::Web(_) => Ok(self.workspaces()?.contains(workspace)),
        }
    }

    /// Makes an empty workspace.
    ///
    /// # Errors
    /// What the system or the place says.
    pub fn create(&self, workspace: &Workspace, holder: &Holder) -> Result<(), LockError> {
        match self {
            Self::Local(folder) => workspace.create(folder).map_err(|source| LockError::Io {
                path: workspace.folder(folder),
                source,
            }),
            // Whoever takes the lease first makes its head.
            Self::Remote(remote) => remote
                .store(workspace)
                .lock(holder, Duration::ZERO)
                .map(drop),
            Self::Web(web) => Err(LockError::Remote {
                place: web.place(),
                source: RemoteError::OneState,
            }),
        }
    }

    /// Whether it has a place for the state of this workspace.
    #[must_use]
    pub fn takes(&self, workspace: &Workspace) -> bool {
        !matches!(self, Self::Web(_)) || workspace.is_default()
    }

    /// Removes a workspace with its state.
    ///
    /// # Errors
    /// What the system or the place says.
    pub fn remove(&self, workspace: &Workspace) -> Result<(), StoreError> {
        match self {
            Self::Local(folder) => {
                let removed = workspace.remove(folder);
                removed.map_err(|source| StoreError::Io {
                    path: workspace.folder(folder),
                    source,
                })
            }
            Self::Remote(remote) => remote.remove(workspace),
            Self::Web(web) => Err(StoreError::Remote {
                place: web.place(),
                source: RemoteError::OneState,
            }),
        }
    }
}

impl From<LocalStore> for Store {
    fn from(store: LocalStore) -> Self {
        Self::Local(store)
    }
}

impl Store {
    /// The same, encrypted.
    #[must_use]
    pub fn sealed_with(self, cipher: Option<Arc<Cipher>>) -> Self {
        match self {
            Self::Local(store) => Self::Local(store.sealed_with(cipher)),
            Self::Remote(store) => Self::Remote(store.sealed_with(cipher)),
            Self::Web(store) => Self::Web(store.sealed_with(cipher)),
        }
    }

    /// Where it is, for people.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Local(store) => store.path().display().to_string(),
            Self::Remote(store) => store.place().to_owned(),
            Self::Web(store) => store.place(),
        }
    }

    /// The state with what an interrupted apply has done folded in; `None` if there is none.
    ///
    /// # Errors
    /// A state that cannot be read or understood.
    pub fn read(&self) -> Result<Option<State>, StoreError> {
        match self {
            Self::Local(store) => store.read(),
            Self::Remote(store) => store.read(),
            Self::Web(store) => store.read(),
        }
    }

    /// Takes the lock, waiting for at most `patience` for one who holds it.
    ///
    /// # Errors
    /// Who holds it, or why it cannot be had.
    pub fn lock(&self, holder: &Holder, patience: Duration) -> Result<Guard, LockError> {
        Ok(match self {
            Self::Local(store) => Guard::Local(store.lock(holder, patience)?),
            Self::Remote(store) => Guard::Remote(store.lock(holder, patience)?),
            Self::Web(store) => Guard::Web(store.lock(holder, patience)?),
        })
    }

    /// Who holds the lock; `None` if no one does.
    ///
    /// # Errors
    /// What the system or the place says.
    pub fn holder(&self) -> Result<Option<Held>, LockError> {
        match self {
            Self::Local(store) => {
                let holder = store.holder()?;
                let renewed = None;
                Ok(holder.map(|holder| Held { holder, renewed }))
            }
            Self::Remote(store) => store.holder(),
            // Such a server says who holds its lock when it refuses it, and not before.
            Self::Web(_) => Ok(None),
        }
    }

    /// Begins to record changes to `state`, which is what [`Store::read`] gave under the lock.
    ///
    /// # Errors
    /// What the system or the place says.
    pub fn begin(&self, state: &State) -> Result<Ledger, StoreError> {
        Ok(match self {
            Self::Local(store) => Ledger::Local(store.begin(state)?),
            Self::Remote(store) => Ledger::Remote(store.begin(state)?),
            Self::Web(store) => Ledger::Web(Box::new(store.begin(state)?)),
        })
    }

    /// Replaces the state; the old one stays as it is until the new one is complete.
    ///
    /// # Errors
    /// What the system or the place says.
    pub fn write(&self, state: &State) -> Result<(), StoreError> {
        match self {
            Self::Local(store) => store.write(state),
            Self::Remote(store) => store.write(state),
            Self::Web(store) => store.write(state),
        }
    }

    /// Writes the next version of a state, and keeps it in the history. In a shared place the
    /// version is the state until the next one is, and stays; a web server keeps no versions.
    ///
    /// # Errors
    /// What the system or the place says.
    pub fn commit(
        &self,
        before: Option<&State>,
        after: &State,
        by: &Holder,
    ) -> Result<Option<Unkept>, StoreError> {
        match self {
            Self::Local(store) => store.commit(before, after, by),
            Self::Remote(store) => store.commit(before, after).map(|()| None),
            Self::Web(store) => store.write(after).map(|()| None),
        }
    }

    /// The versions that it has had, the oldest first; `None` behind a web server, which keeps
    /// one state.
    ///
    /// # Errors
    /// What the system or the place says.
    pub fn versions(&self) -> io::Result<Option<Vec<Version>>> {
        match self {
            Self::Local(store) => store.history().versions().map(Some),
            Self::Remote(store) => store.versions().map(Some).map_err(io::Error::other),
            Self::Web(_) => Ok(None),
        }
    }

    /// The text of a version.
    ///
    /// # Errors
    /// What the system or the place says; a version that is damaged, or was let go of.
    pub fn version(&self, version: &Version) -> io::Result<String> {
        match (self, &version.place) {
            (Self::Local(store), _) => store.history().text(version),
            (Self::Remote(store), Place::Document(document)) => store.text(document),
            _ => Err(io::Error::other("it is kept elsewhere")),
        }
    }

    /// A version as a state, with what an interrupted apply has done to it as far as that is
    /// known, and where its journal is damaged.
    ///
    /// # Errors
    /// What was done that cannot be read.
    pub fn salvaged(&self, state: State) -> Result<(State, Option<Damage>), StoreError> {
        match self {
            Self::Local(store) => store.salvaged(state),
            Self::Remote(_) | Self::Web(_) => Ok((state, None)),
        }
    }

    /// The same, with other bounds of its history.
    #[must_use]
    pub fn keeping(self, bounds: Bounds) -> Self {
        match self {
            Self::Local(store) => Self::Local(store.keeping(bounds)),
            elsewhere => elsewhere,
        }
    }

    /// Removes what an interrupted apply has recorded and what is in the state by now. To be
    /// called under the lock only.
    ///
    /// # Errors
    /// What the system says.
    pub fn settle(&self) -> Result<(), StoreError> {
        match self {
            Self::Local(store) => store.settle(),
            // The log becomes part of a state as that is written.
            Self::Remote(_) | Self::Web(_) => Ok(()),
        }
    }
}

impl Ledger {
    /// Writes records so that they survive a crash.
    ///
    /// # Errors
    /// What the system or the place says.
    pub fn append(&mut self, records: &[Record]) -> io::Result<()> {
        match self {
            Self::Local(journal) => journal.append(records),
            Self::Remote(log) => log.append(records),
            Self::Web(log) => log.append(records),
        }
    }

    /// Removes them, once they are in the state.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove(self) -> io::Result<()> {
        match self {
            Self::Local(journal) => journal.remove(),
            Self::Remote(_) | Self::Web(_) => Ok(()),
        }
    }
}
