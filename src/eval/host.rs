//! What functions may ask of the machine: files, the time, randomness.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

/// What functions may ask of the machine; the CLI answers.
pub trait Host: fmt::Debug + Send + Sync {
    /// The bytes of a file.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// What stands at a path, links followed; `None` where nothing does.
    ///
    /// # Errors
    /// Why it cannot be told.
    fn kind(&self, path: &Path) -> io::Result<Option<FileKind>>;

    /// The names in a folder, in any order.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn names(&self, folder: &Path) -> io::Result<Vec<String>>;

    /// Whether a path is a link to another.
    fn is_link(&self, path: &Path) -> bool;

    /// The folder that relative paths begin at, as an absolute path.
    fn folder(&self) -> &Path;

    /// The user's own folder.
    fn home(&self) -> Option<&Path>;

    /// The present.
    fn now(&self) -> Timestamp;

    /// Bytes that no one can foresee.
    fn random(&self) -> [u8; 16];
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A file with bytes.
    File,
    /// A folder.
    Folder,
    /// A socket, a device and the like.
    Other,
}

/// When an expression is evaluated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Moment {
    /// Before apply: what is another value at each call is not known yet.
    #[default]
    Planning,
    /// During apply, and where nothing is planned.
    Acting,
}

/// A machine that can be shared; two of them are always equal, because none is part of a value.
#[derive(Debug, Clone)]
pub struct Machine(pub Arc<dyn Host>);

impl Default for Machine {
    fn default() -> Self {
        Self(Arc::new(Nowhere))
    }
}

impl PartialEq for Machine {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Machine {}

/// A machine with nothing on it, for texts that are read without one.
#[derive(Debug)]
struct Nowhere;

impl Host for Nowhere {
    fn read(&self, _: &Path) -> io::Result<Vec<u8>> {
        Err(no_files())
    }

    fn kind(&self, _: &Path) -> io::Result<Option<FileKind>> {
        Err(no_files())
    }

    fn names(&self, _: &Path) -> io::Result<Vec<String>> {
        Err(no_files())
    }

    fn is_link(&self, _: &Path) -> bool {
        false
    }

    fn folder(&self) -> &Path {
        Path::new("/")
    }

    fn home(&self) -> Option<&Path> {
        None
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn random(&self) -> [u8; 16] {
        [0; 16]
    }
}

fn no_files() -> io::Error {
    io::Error::other("files cannot be read here")
}

/// A path as an absolute one without `.` and `..`, without asking what is there.
#[must_use]
pub fn absolute(folder: &Path, path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in folder.join(path).components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}
