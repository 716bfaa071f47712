//! What functions may ask of this machine.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::environment::now;
use super::session::Session;
use crate::eval::host::{FileKind, Host, Machine};

/// The machine as a session sees it.
pub(super) fn machine(session: &Session) -> Machine {
    machine_at(session.folder(), session)
}

/// The same, where relative paths begin at another folder.
pub(super) fn machine_at(folder: &Path, session: &Session) -> Machine {
    Machine(Arc::new(ThisMachine {
        folder: folder.to_owned(),
        home: session.environment.home.clone(),
    }))
}

#[derive(Debug)]
struct ThisMachine {
    folder: PathBuf,
    home: Option<PathBuf>,
}

impl Host for ThisMachine {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn kind(&self, path: &Path) -> io::Result<Option<FileKind>> {
        match std::fs::metadata(path) {
            Ok(found) if found.is_file() => Ok(Some(FileKind::File)),
            Ok(found) if found.is_dir() => Ok(Some(FileKind::Folder)),
            Ok(_) => Ok(Some(FileKind::Other)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            // Names that are not text cannot be values.
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn is_link(&self, path: &Path) -> bool {
        path.is_symlink()
    }

    fn folder(&self) -> &Path {
        &self.folder
    }

    fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    fn now(&self) -> Timestamp {
        now()
    }

    fn random(&self) -> [u8; 16] {
        uuid::Uuid::new_v4().into_bytes()
    }
}
