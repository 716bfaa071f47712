//! A state behind a web server that keeps one document and a lock.
//!
//! Such a server has no place for a journal: what is being done is part of the state that it
//! keeps, which is sent as a whole each time.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use isobar_stores::{Info, LockFault, Web};

use super::remote::Engine;
use super::{
    Cipher, FormatError, Holder, LockError, Record, RemoteError, State, StoreError, from_json,
    opened, sealed, to_json,
};

/// How long is waited before a lock that someone else holds is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// A state behind a web server.
#[derive(Clone)]
pub struct WebStore {
    web: Arc<Web>,
    engine: Arc<Engine>,
    /// The lock that is held.
    held: Arc<Mutex<Option<Info>>>,
    /// What it is encrypted with.
    cipher: Option<Arc<Cipher>>,
}

impl fmt::Debug for WebStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WebStore").field(&self.place()).finish()
    }
}

/// The lock of a state, given up when it is dropped.
#[derive(Debug)]
pub struct WebHold(WebStore);

impl Drop for WebHold {
    fn drop(&mut self) {
        let held = self.0.held().take();
        let web = self.0.web.clone();
        // What cannot be given up is left to force-unlock.
        let _ = self.0.engine.wait(async move {
            if let Some(info) = held {
                let _ = web.unlock(&info).await;
            }
        });
    }
}

/// What is being done, as part of the state.
#[derive(Debug)]
pub struct WebLog {
    store: WebStore,
    state: State,
}

impl WebStore {
    /// The state behind a server.
    ///
    /// # Errors
    /// What the system says about another thread.
    pub fn new(web: Web) -> Result<Self, RemoteError> {
        let engine = Engine::start().map_err(|error| RemoteError::Threads(error.to_string()))?;
        Ok(Self {
            web: Arc::new(web),
            engine: Arc::new(engine),
            held: Arc::default(),
            cipher: None,
        })
    }

    /// The same, encrypted.
    #[must_use]
    pub fn sealed_with(self, cipher: Option<Arc<Cipher>>) -> Self {
        Self { cipher, ..self }
    }

    /// Where it is, for people.
    #[must_use]
    pub fn place(&self) -> String {
        self.web.place()
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Option<Info>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault(&self, source: impl Into<RemoteError>) -> StoreError {
        StoreError::Remote {
            place: self.place(),
            source: source.into(),
        }
    }

    pub(super) fn read(&self) -> Result<Option<State>, StoreError> {
        let web = self.web.clone();
        let content = self.engine.wait(async move { web.read().await });
        let content = content.map_err(|error| self.fault(error))?;
        let Some(content) = content.map_err(|error| self.fault(error))? else {
            return Ok(None);
        };
        let wrong = |source| StoreError::Format {
            path: PathBuf::from(self.place()),
            source,
            good: None,
        };
        let text = String::from_utf8(content.to_vec());
        let text = text.map_err(|error| wrong(FormatError::Malformed(error.to_string())))?;
        let text = opened(self.cipher.as_deref(), "state", text);
        let text = text.map_err(|error| wrong(error.into()))?;
        from_json(&text).map(Some).map_err(wrong)
    }

    pub(super) fn lock(&self, holder: &Holder, patience: Duration) -> Result<WebHold, LockError> {
        let info = Info {
            id: holder.id.clone(),
            operation: holder.operation.clone(),
            who: holder.who.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            created: holder.since.clone(),
            ..Info::default()
        };
        let mut waited = Duration::ZERO;
        loop {
            let (web, wanted) = (self.web.clone(), info.clone());
            let taken = self.engine.wait(async move { web.lock(&wanted).await });
            let place = self.place();
            match taken {
                Ok(Ok(())) => {
                    *self.held() = Some(info);
                    return Ok(WebHold(self.clone()));
                }
                Ok(Err(LockFault::Held(_))) if waited < patience => {
                    std::thread::sleep(PAUSE);
                    waited += PAUSE;
                }
                Ok(Err(LockFault::Held(by))) => {
                    return Err(LockError::Kept {
                        by: by.map(|by| Box::new(known(*by))),
                        place,
                    });
                }
                Ok(Err(LockFault::Fault(fault))) => {
                    let source = fault.into();
                    return Err(LockError::Remote { place, source });
                }
                Err(source) => return Err(LockError::Remote { place, source }),
            }
        }
    }

    /// Begins to record changes to `state`. It is there before anything is done to it.
    pub(super) fn begin(&self, state: &State) -> Result<WebLog, StoreError> {
        self.write(state)?;
        Ok(WebLog {
            store: self.clone(),
            state: state.clone(),
        })
    }

    pub(super) fn write(&self, state: &State) -> Result<(), StoreError> {
        let web = self.web.clone();
        let content = sealed(self.cipher.as_deref(), "state", to_json(state));
        let content =
            content.map_err(|error| self.fault(RemoteError::Threads(error.to_string())))?;
        let Some(id) = self.held().as_ref().map(|info| info.id.clone()) else {
            return Err(self.fault(RemoteError::Unlocked));
        };
        let written = self.engine.wait(async move {
            let id = web.can_lock().then_some(id);
            web.write(content.into(), id.as_deref()).await
        });
        written
            .map_err(|error| self.fault(error))?
            .map_err(|error| self.fault(error))
    }

    /// Gives up the lock of someone else.
    ///
    /// # Errors
    /// What the server says.
    pub fn unlock(&self, id: &str) -> Result<(), StoreError> {
        let info = Info {
            id: id.to_owned(),
            ..Info::default()
        };
        let web = self.web.clone();
        let done = self.engine.wait(async move { web.unlock(&info).await });
        done.map_err(|error| self.fault(error))?
            .map_err(|error| self.fault(error))
    }
}

impl WebLog {
    /// Records what is about to be done or was done.
    pub(super) fn append(&mut self, records: &[Record]) -> io::Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        for record in records {
            self.state.fold(record.clone());
        }
        let written = self.store.write(&self.state);
        written.map_err(io::Error::other)
    }
}

fn known(info: Info) -> Holder {
    Holder {
        id: info.id,
        operation: info.operation,
        who: info.who,
        pid: 0,
        since: info.created,
    }
}
