//! A state in a place that several machines reach.

use std::future::Future;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fmt, io};

use isobar_stores::{
    AcquireError, Changes, Clock, Documents, Entry, Fault, Head, Keep, Lease, Shared, Snapshot,
    Waiting, Within, WriteError, Writer,
};
use tokio::runtime::{Builder, Runtime};

use super::journal;
use super::{
    Cipher, FormatError, Held, Holder, LockError, Record, State, StoreError, Tally, Workspace,
    from_json, opened, sealed, to_json,
};

/// Why a place does not do what it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// It fails.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Someone else may write now.
    #[error("the lease was lost{}", by.as_ref().map(|by| format!(" to {by}")).unwrap_or_default())]
    Lost {
        /// Who, where that is known.
        by: Option<String>,
    },
    /// It is to be written without a lease.
    #[error("there is no lease to write with")]
    Unlocked,
    /// It has no place for another workspace.
    #[error("it keeps the state of one workspace only")]
    OneState,
    /// The thread that talks to it could not be started.
    #[error("{0}")]
    Threads(String),
}

impl From<WriteError> for RemoteError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Fault(fault) => Self::Fault(fault),
            WriteError::Lost(by) => Self::Lost {
                by: by.map(|by| format!("{} by {}", by.operation, by.who)),
            },
        }
    }
}

/// What a user is told while a lease is waited for.
pub type Notice = Arc<dyn Fn(&str) + Send + Sync>;

/// A place that holds the states of all workspaces, each in a folder of its name.
#[derive(Clone)]
pub struct Remote {
    documents: Arc<dyn Documents>,
    clock: Clock,
    lease: Lease,
    keep: Keep,
    notice: Notice,
    engine: Arc<Engine>,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Remote").field(&self.place()).finish()
    }
}

/// The thread that talks to the place, also while the caller is busy: leases are renewed there.
#[derive(Debug)]
pub(super) struct Engine(Option<Runtime>);

impl Engine {
    pub(super) fn start() -> io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build()?;
        Ok(Self(Some(runtime)))
    }

    /// Runs something there and waits for it, from any thread.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, RemoteError> {
        let gone = || RemoteError::Threads("the thread for the state has ended".to_owned());
        let runtime = self.0.as_ref().ok_or_else(gone)?;
        let (done, result) = channel();
        runtime.spawn(async move {
            let _ = done.send(work.await);
        });
        result.recv().map_err(|_| gone())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Waiting for it is not allowed where this may be dropped.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Remote {
    /// The states in a place. `keep` versions of each state stay there.
    ///
    /// # Errors
    /// What the system says about another thread.
    pub fn new(
        documents: Arc<dyn Documents>,
        clock: Clock,
        lease: Lease,
        keep: Keep,
        notice: Notice,
    ) -> Result<Self, RemoteError> {
        let engine = Engine::start().map_err(|error| RemoteError::Threads(error.to_string()))?;
        Ok(Self {
            documents,
            clock,
            lease,
            keep,
            notice,
            engine: Arc::new(engine),
        })
    }

    /// Where it is, for people.
    #[must_use]
    pub fn place(&self) -> String {
        self.documents.place()
    }

    /// The state of a workspace.
    #[must_use]
    pub fn store(&self, workspace: &Workspace) -> RemoteStore {
        let documents = Within::new(Arc::clone(&self.documents), workspace.name());
        let clock = Arc::clone(&self.clock);
        RemoteStore {
            place: documents.place(),
            shared: Shared::new(Arc::new(documents), clock, self.lease, self.keep),
            lease: self.lease,
            held: Arc::default(),
            notice: Arc::clone(&self.notice),
            engine: Arc::clone(&self.engine),
            cipher: None,
        }
    }

    fn names(&self) -> Result<Vec<String>, StoreError> {
        let documents = Arc::clone(&self.documents);
        let place = documents.place();
        let names = self.engine.wait(async move { documents.list("").await });
        let names = names.and_then(|names| names.map_err(RemoteError::Fault));
        names.map_err(|source| StoreError::Remote { place, source })
    }

    /// All workspaces that have a state there, the default one first.
    ///
    /// # Errors
    /// What the place says.
    pub fn workspaces(&self) -> Result<Vec<Workspace>, StoreError> {
        let names = self.names()?;
        let heads = names.iter().filter_map(|name| {
            let folder = name.strip_suffix(Head::NAME)?.strip_suffix('/')?;
            folder.parse().ok()
        });
        let mut found: Vec<Workspace> = heads.collect();
        found.retain(|one| !one.is_default());
        found.sort();
        found.insert(0, Workspace::default());
        Ok(found)
    }

    /// Removes a workspace with all that it has there, under the lease of its store.
    ///
    /// # Errors
    /// What the place says.
    pub fn remove(&self, workspace: &Workspace) -> Result<(), StoreError> {
        let folder = format!("{}/", workspace.name());
        let mut names = self.names()?;
        names.retain(|name| name.starts_with(&folder));
        // Without its head it is gone; the rest is of no use to anyone.
        names.sort_by_key(|name| !name.ends_with(Head::NAME));
        let documents = Arc::clone(&self.documents);
        let place = documents.place();
        let removed = self.engine.wait(async move {
            for name in names {
                documents.delete(&name).await?;
            }
            Ok(())
        });
        let removed = removed.and_then(|removed| removed.map_err(RemoteError::Fault));
        removed.map_err(|source| StoreError::Remote { place, source })
    }
}

/// What the holder of the lease knows.
#[derive(Debug)]
struct Writing {
    writer: Writer,
    /// What was there when the lease was taken, until it is asked for.
    found: Option<Snapshot>,
    /// Whether the log has to become part of a state before more is added to it.
    unsettled: bool,
}

/// The state of one workspace in a place that several machines reach.
#[derive(Clone)]
pub struct RemoteStore {
    place: String,
    pub(super) shared: Shared,
    lease: Lease,
    held: Arc<tokio::sync::Mutex<Option<Writing>>>,
    notice: Notice,
    pub(super) engine: Arc<Engine>,
    /// What it is encrypted with.
    pub(super) cipher: Option<Arc<Cipher>>,
}

impl fmt::Debug for RemoteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RemoteStore").field(&self.place).finish()
    }
}

/// The lease of a state; given up when it is dropped.
#[derive(Debug)]
pub struct Hold(RemoteStore);

impl Drop for Hold {
    fn drop(&mut self) {
        let held = Arc::clone(&self.0.held);
        // What cannot be given up runs out.
        let _ = self.0.engine.wait(async move {
            if let Some(held) = held.lock().await.take() {
                let _ = held.writer.release().await;
            }
        });
    }
}

/// What is being done, recorded in the place of the state.
#[derive(Debug)]
pub struct RemoteLog(RemoteStore);

impl RemoteStore {
    /// The same, encrypted.
    #[must_use]
    pub fn sealed_with(self, cipher: Option<Arc<Cipher>>) -> Self {
        Self { cipher, ..self }
    }

    /// Where it is, for people.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    pub(super) fn fault(&self, source: impl Into<RemoteError>) -> StoreError {
        StoreError::Remote {
            place: self.place.clone(),
            source: source.into(),
        }
    }

    pub(super) fn holder(&self) -> Result<Option<Held>, LockError> {
        let fault = |source: RemoteError| LockError::Remote {
            place: self.place.clone(),
            source,
        };
        let shared = self.shared.clone();
        let head = self.engine.wait(async move { shared.head().await });
        let head = head.and_then(|head| head.map_err(RemoteError::Fault));
        let holder = head.map_err(fault)?.and_then(|head| head.holder);
        Ok(holder.map(|holder| Held {
            renewed: Some(holder.renewed.to_string()),
            holder: known(&holder),
        }))
    }

    /// The state with what was done since it was written; `None` if there is none.
    pub(super) fn read(&self) -> Result<Option<State>, StoreError> {
        let (shared, held) = (self.shared.clone(), Arc::clone(&self.held));
        let snapshot = self.engine.wait(async move {
            let mut held = held.lock().await;
            match held.as_mut().and_then(|held| held.found.take()) {
                Some(found) => Ok(found),
                None => shared.read().await,
            }
        });
        let snapshot = snapshot.map_err(|error| self.fault(error))?;
        let snapshot = snapshot.map_err(|error| self.fault(error))?;
        self.decode(&snapshot)
    }

    fn decode(&self, snapshot: &Snapshot) -> Result<Option<State>, StoreError> {
        let Some(content) = &snapshot.state else {
            return Ok(None);
        };
        let wrong = |reason: String| StoreError::Format {
            path: PathBuf::from(&self.place),
            source: FormatError::Malformed(reason),
            good: self.last_good(),
        };
        let format = |source| StoreError::Format {
            path: PathBuf::from(&self.place),
            source,
            good: self.last_good(),
        };
        let open = |purpose: &str, content: &[u8]| {
            let text = String::from_utf8(content.to_vec());
            let text = text.map_err(|error| wrong(error.to_string()))?;
            opened(self.cipher.as_deref(), purpose, text).map_err(|error| format(error.into()))
        };
        let mut state = from_json(&open("state", content)?).map_err(format)?;
        for part in &snapshot.log {
            let records =
                journal::decode(&open("log", part)?).map_err(|error| wrong(error.to_string()))?;
            for record in records {
                state.fold(record);
            }
        }
        Ok(Some(state))
    }

    /// Takes the lease.
    pub(super) fn lock(&self, holder: &Holder, patience: Duration) -> Result<Hold, LockError> {
        let (shared, held) = (self.shared.clone(), Arc::clone(&self.held));
        let wanted = self.wanted(holder);
        let notice = Arc::clone(&self.notice);
        let acquired = self.engine.wait(async move {
            let told = Mutex::new(None);
            let waiting = |waiting| tell(&notice, &told, waiting);
            let (writer, found) = shared.acquire(wanted, patience, &waiting).await?;
            *held.lock().await = Some(Writing {
                writer,
                unsettled: found.state.is_none() || !found.log.is_empty(),
                found: Some(found),
            });
            Ok(())
        });
        let place = self.place.clone();
        match acquired {
            Ok(Ok(())) => Ok(Hold(self.clone())),
            Ok(Err(AcquireError::Held(by))) => Err(LockError::Leased {
                by: Box::new(known(&by)),
                place,
                lease: self.lease.length,
            }),
            Ok(Err(AcquireError::Fault(fault))) => Err(LockError::Remote {
                place,
                source: fault.into(),
            }),
            Err(source) => Err(LockError::Remote { place, source }),
        }
    }

    fn wanted(&self, holder: &Holder) -> isobar_stores::Holder {
        let since = holder.since.parse().unwrap_or_default();
        isobar_stores::Holder {
            id: holder.id.clone(),
            operation: holder.operation.clone(),
            who: holder.who.clone(),
            pid: holder.pid,
            since,
            renewed: since,
            lease_milliseconds: 0,
        }
    }

    /// Begins to record changes to `state`, which is what was read under the lease.
    pub(super) fn begin(&self, state: &State) -> Result<RemoteLog, StoreError> {
        let held = Arc::clone(&self.held);
        let unsettled = self.engine.wait(async move {
            let held = held.lock().await;
            held.as_ref().is_none_or(|held| held.unsettled)
        });
        if unsettled.map_err(|error| self.fault(error))? {
            self.write(state)?;
        }
        Ok(RemoteLog(self.clone()))
    }

    /// Makes this the state, which says what is there already.
    pub(super) fn write(&self, state: &State) -> Result<(), StoreError> {
        let entry = Entry {
            interim: true,
            ..Entry::of(&state.lineage, state.serial)
        };
        self.put(entry, to_json(state))
    }

    /// Makes this the next version of the state.
    pub(super) fn commit(&self, before: Option<&State>, after: &State) -> Result<(), StoreError> {
        let (text, tally) = (to_json(after), Tally::of(before, after));
        let entry = Entry {
            size: text.len() as u64,
            changes: Changes {
                added: tally.added,
                changed: tally.changed,
                removed: tally.removed,
            },
            ..Entry::of(&after.lineage, after.serial)
        };
        self.put(entry, text)
    }

    fn put(&self, entry: Entry, text: String) -> Result<(), StoreError> {
        let held = Arc::clone(&self.held);
        let content = sealed(self.cipher.as_deref(), "state", text);
        let content =
            content.map_err(|error| self.fault(RemoteError::Threads(error.to_string())))?;
        let written = self.engine.wait(async move {
            let mut held = held.lock().await;
            let held = held.as_mut().ok_or(RemoteError::Unlocked)?;
            held.writer.write(entry, content.into()).await?;
            held.unsettled = false;
            Ok(())
        });
        written
            .and_then(|written| written)
            .map_err(|error| self.fault(error))
    }

    /// Takes the lease away from whoever holds it under this id.
    ///
    /// # Errors
    /// What the place says; a conflict where it is not held under this id.
    pub fn break_lease(&self, id: &str) -> Result<Holder, StoreError> {
        let (shared, id) = (self.shared.clone(), id.to_owned());
        let broken = self
            .engine
            .wait(async move { shared.break_lease(&id).await });
        let holder = broken.map_err(|error| self.fault(error))?;
        Ok(known(&holder.map_err(|error| self.fault(error))?))
    }
}

impl RemoteLog {
    /// Records what is about to be done or was done, so that whoever comes next reads it.
    pub(super) fn append(&mut self, records: &[Record]) -> io::Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let content = sealed(self.0.cipher.as_deref(), "log", journal::encode(records)?);
        let content = content.map_err(io::Error::other)?;
        let held = Arc::clone(&self.0.held);
        let appended = self.0.engine.wait(async move {
            let mut held = held.lock().await;
            let held = held.as_mut().ok_or(RemoteError::Unlocked)?;
            held.writer.append(content.into()).await?;
            Ok(())
        });
        appended
            .and_then(|appended| appended)
            .map_err(|error: RemoteError| io::Error::other(self.0.fault(error)))
    }
}

/// A holder as people are told of it.
fn known(holder: &isobar_stores::Holder) -> Holder {
    Holder {
        id: holder.id.clone(),
        operation: holder.operation.clone(),
        who: holder.who.clone(),
        pid: holder.pid,
        since: holder.since.to_string(),
    }
}

/// Says once that something is waited for.
fn tell(notice: &Notice, told: &Mutex<Option<String>>, waiting: Waiting) {
    let (by, text) = match waiting {
        Waiting::Held(by) => (by, "Waiting for the lock, which is held by"),
        Waiting::Silent(by) => (by, "Its lease has run out; looking for a sign of life of"),
    };
    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
    if told.as_deref() != Some(text) {
        notice(&format!(
            "{text} {} by {} (process {}) …",
            by.operation, by.who, by.pid
        ));
        *told = Some(text.to_owned());
    }
}
