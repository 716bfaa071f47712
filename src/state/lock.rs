//! At most one writer: a lock that the operating system gives up when its holder dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::RemoteError;

/// Who holds a lock, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Names this hold of the lock.
    pub id: String,
    /// The command, such as `apply`.
    pub operation: String,
    /// User and host.
    pub who: String,
    /// The process.
    pub pid: u32,
    /// When it was taken, as RFC 3339.
    pub since: String,
}

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// Why a lock could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Someone else holds it.
    #[error("the state is locked")]
    Held {
        /// Who, where that can be read.
        by: Option<Box<Holder>>,
        /// The file of the lock.
        path: PathBuf,
    },
    /// Someone else holds the lease of a state that is shared.
    #[error("the state is locked")]
    Leased {
        /// Who.
        by: Box<Holder>,
        /// Where the state is.
        place: String,
        /// How long the silence of a holder is waited for.
        lease: Duration,
    },
    /// Someone else holds the lock of a server.
    #[error("the state is locked")]
    Kept {
        /// Who, where the server says so.
        by: Option<Box<Holder>>,
        /// Where the state is.
        place: String,
    },
    /// The place that the state is shared in does not do what it is asked for.
    #[error("{place}: {source}")]
    Remote {
        /// The place.
        place: String,
        /// What it says.
        source: RemoteError,
    },
    /// The file of the lock cannot be used.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file of the lock.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Lock {
    /// Takes the lock at `path` for `holder`.
    ///
    /// The file stays behind when the lock is given up: removing it would let two processes
    /// hold locks on two files of the same name.
    ///
    /// # Errors
    /// Who holds it, or why it cannot be had.
    pub fn acquire(path: &Path, holder: &Holder) -> Result<Self, LockError> {
        let io = |source| LockError::Io {
            path: path.to_owned(),
            source,
        };
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let by = file.read_to_string(&mut text).ok();
                let by = by.and_then(|_| serde_json::from_str(&text).ok());
                return Err(LockError::Held {
                    by,
                    path: path.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let text = serde_json::to_string(holder).unwrap_or_default();
        file.set_len(0).map_err(io)?;
        file.rewind().map_err(io)?;
        file.write_all(text.as_bytes()).map_err(io)?;
        file.flush().map_err(io)?;
        Ok(Self { file })
    }
}

impl Lock {
    /// Who holds the lock at `path`; `None` if no one does.
    ///
    /// # Errors
    /// What the system says.
    pub fn peek(path: &Path) -> Result<Option<Holder>, LockError> {
        let io = |source| LockError::Io {
            path: path.to_owned(),
            source,
        };
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(error)),
        };
        match file.try_lock_shared() {
            Ok(()) => return Ok(None),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(io)?;
        Ok(serde_json::from_str(&text).ok())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The lock itself goes with the file handle; what cannot be emptied says a holder that
        // is gone, which is harmless.
        let _ = self.file.set_len(0);
    }
}

#[cfg(test)]
mod tests {
    use super::{Holder, Lock, LockError};

    #[test]
    fn the_second_is_told_who_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let holder = Holder {
            id: "1".to_owned(),
            operation: "apply".to_owned(),
            who: "ann@host".to_owned(),
            pid: 7,
            since: "2026-11-21T09:00:00Z".to_owned(),
        };
        let first = Lock::acquire(&path, &holder).unwrap();
        let Err(LockError::Held { by, .. }) = Lock::acquire(&path, &holder) else {
            panic!()
        };
        assert_eq!(by, Some(Box::new(holder.clone())));
        assert_eq!(Lock::peek(&path).unwrap(), Some(holder.clone()));
        drop(first);
        assert_eq!(Lock::peek(&path).unwrap(), None);
        assert!(Lock::acquire(&path, &holder).is_ok());
    }
}
