//! The file of `plan -generate-config-out`: blocks for imports that have none.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use isobar_sdk::{Diagnostic, Diagnostics, Fault};
use tempfile::NamedTempFile;

use super::failure::Stopped;
use super::plan::Draft;
use super::session::Session;
use crate::{language, plan, render};

/// A file that is not there yet and will be part of the configuration.
pub(super) struct Target {
    path: PathBuf,
    name: String,
}

impl Target {
    /// Refuses a file that is there, or that the configuration would not be read from.
    pub(super) fn of(session: &Session, given: &Path) -> Result<Self, Fault> {
        let path = session.path(given);
        let shown = given.display();
        if path.symlink_metadata().is_ok() {
            let detail = format!("{shown} exists. Blocks are only written into a new file.");
            return Err(Diagnostic::error("C0062", "File exists", detail)
                .help("Name another file, or move what it holds and remove it.")
                .into());
        }
        let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.filter(|name| language::source::is_configuration(name));
        match name {
            Some(name) if folder.as_deref() == Some(session.folder()) => Ok(Self {
                name: name.to_owned(),
                path,
            }),
            _ => {
                let detail = format!("{shown} would not be part of the configuration.");
                Err(Diagnostic::error("C0063", "Not a file of the configuration", detail)
                    .help("Name a file that ends in .hcl in the folder of the configuration, such as generated.hcl.").into())
            }
        }
    }

    /// Writes blocks for imports without one and takes them up; says what was done.
    pub(super) fn fill(
        &self,
        session: &Session,
        draft: &mut Draft,
    ) -> Result<Option<String>, Stopped> {
        let request = draft.request();
        let found = session.wait_for(plan::absent(&request))?;
        let absent = found.map_err(|found: Diagnostics| Stopped::new(found, draft.sources()))?;
        if absent.is_empty() {
            return Ok(None);
        }
        let count = absent.len();
        let text = render::configuration(&absent);
        drop(absent);
        draft.add(&self.name, &text)?;
        self.write(&text)?;
        let name = &self.name;
        Ok(Some(match count {
            1 => format!(
                "The block of one resource was written to {name}. Read it before you apply."
            ),
            _ => format!(
                "The blocks of {count} resources were written to {name}. Read them before you apply."
            ),
        }))
    }

    /// Writes the file whole, unless someone has made it since.
    fn write(&self, text: &str) -> Result<(), Fault> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let write = || -> io::Result<()> {
            let mut file = tempfile::Builder::new();
            let mut file: NamedTempFile = file.prefix(".new-").tempfile_in(folder)?;
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                let rights = std::fs::Permissions::from_mode(0o644);
                file.as_file().set_permissions(rights)?;
            }
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist_noclobber(&self.path)
                .map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|error| {
            let detail = format!("{}: {error}.", self.path.display());
            Diagnostic::error("C0064", "File cannot be written", detail)
                .help("Check the rights to the folder and the space on the disk.")
                .into()
        })
    }
}
