//! Where results go: a file, written whole or not at all, or the standard output.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use isobar_sdk::diagnostic::sentence;
use isobar_sdk::{Diagnostic, Fault};
use tempfile::NamedTempFile;

use super::session::Session;
use super::shell::Shell;

/// A place that is known to be writable before there is anything to write.
pub(super) enum Delivery {
    /// The standard output.
    Standard(Shell),
    /// A file beside the one that it will become.
    File {
        file: Box<BufWriter<NamedTempFile>>,
        path: PathBuf,
    },
}

impl Delivery {
    /// Opens a file beside `path`, which stays as it is until everything is written; `-` is the
    /// standard output.
    pub(super) fn open(session: &Session, path: &Path) -> Result<Self, Fault> {
        if path == Path::new("-") {
            return Ok(Self::Standard(session.shell.clone()));
        }
        let path = session.path(path);
        if path.is_dir() {
            return Err(unwritable(&path, &io::ErrorKind::IsADirectory.into()));
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new();
        let file = file.prefix(".new-").tempfile_in(folder);
        let file = file.and_then(readable);
        let file = file.map_err(|error| unwritable(&path, &error))?;
        let file = Box::new(BufWriter::new(file));
        Ok(Self::File { file, path })
    }

    /// Writes a part.
    pub(super) fn write(&mut self, text: &str) -> Result<(), Fault> {
        match self {
            Self::Standard(shell) => shell.data(text),
            Self::File { file, path } => {
                let written = file.write_all(text.as_bytes());
                written.map_err(|error| unwritable(path, &error))?;
            }
        }
        Ok(())
    }

    /// Puts the file in its place; where that is, unless it is the standard output.
    pub(super) fn finish(self) -> Result<Option<PathBuf>, Fault> {
        let Self::File { file, path } = self else {
            return Ok(None);
        };
        let file = file.into_inner().map_err(io::IntoInnerError::into_error);
        let placed = file.and_then(|file| {
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)
        });
        placed.map_err(|error| unwritable(&path, &error))?;
        Ok(Some(path))
    }
}

/// Gives a temporary file the rights of an ordinary one.
fn readable(file: NamedTempFile) -> io::Result<NamedTempFile> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let rights = std::fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(rights)?;
    }
    Ok(file)
}

fn unwritable(path: &Path, error: &io::Error) -> Fault {
    let detail = format!("{}: {}", path.display(), sentence(&error.to_string()));
    Diagnostic::error("C0064", "File cannot be written", detail)
        .help("Name a file in an existing folder that you may write to.")
        .into()
}
