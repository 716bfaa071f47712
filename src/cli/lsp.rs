//! `isobar lsp`

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use isobar_sdk::Diagnostic;

use super::Exit;
use super::failure::Stopped;
use super::machine::machine_at;
use super::session::Session;
use crate::editor::{self, End};
use crate::eval::host::Machine;
use crate::language::Sources;
use crate::package::{self, Place};
use crate::providers;
use crate::registry::Registry;

pub(super) fn run(session: &Session) -> Result<Exit, Stopped> {
    let (sender, messages) = mpsc::channel();
    // The thread is not waited for: an editor that went away may leave the input open.
    let reader = move || editor::receive(io::stdin().lock(), &sender);
    std::thread::Builder::new().spawn(reader).map_err(|error| {
        let detail = format!("The thread that listens to the editor cannot be started: {error}.");
        Diagnostic::error("C0002", "No resources to work with", detail)
            .help("Raise the limit of threads of this user.")
    })?;
    let end = editor::serve(&messages, &mut io::stdout(), &Here(session));
    Ok(match end {
        End::Agreed => Exit::Success,
        End::Lost => Exit::Failure,
    })
}

/// This machine, as a session sees it.
struct Here<'a>(&'a Session);

impl editor::Surroundings for Here<'_> {
    fn sources(&self, root: &Path, open: &BTreeMap<PathBuf, String>) -> io::Result<Sources> {
        let place = Place {
            root: root.to_owned(),
            data: self.0.environment.data.to_string_lossy().into_owned(),
        };
        Sources::read_over(root, package::folders(&place), open)
    }

    fn registry(&self, root: &Path) -> Registry {
        providers::registry(&providers::Surroundings {
            executable: self.0.environment.executable.clone(),
            data: root.join(&self.0.environment.data),
            base: root.to_owned(),
            stores: self.0.environment.stores.clone(),
        })
    }

    fn machine(&self, root: &Path) -> Machine {
        machine_at(root, self.0)
    }
}
