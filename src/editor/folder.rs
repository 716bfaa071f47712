//! A folder of configuration, with the open texts in place of its files.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use isobar_sdk::Diagnostics;

use crate::eval::Facts;
use crate::eval::host::Machine;
use crate::language::{self, Config, Located, Sources};
use crate::registry::Registry;

/// What the server asks of the machine.
pub trait Surroundings {
    /// The texts of a folder and of the modules that it calls; files that are open, by path, have
    /// another text than on disk.
    ///
    /// # Errors
    /// What cannot be read.
    fn sources(&self, root: &Path, open: &BTreeMap<PathBuf, String>) -> io::Result<Sources>;

    /// The providers for a folder.
    fn registry(&self, root: &Path) -> Registry;

    /// What expressions of a folder may ask of the machine.
    fn machine(&self, root: &Path) -> Machine;
}

/// A folder that was read.
pub(super) struct Folder {
    pub(super) root: PathBuf,
    pub(super) sources: Sources,
    pub(super) config: Config,
    /// What is wrong with the texts.
    pub(super) found: Diagnostics,
    pub(super) registry: Registry,
    /// What its expressions may ask.
    pub(super) facts: Facts,
}

impl Folder {
    pub(super) fn new(
        root: PathBuf,
        sources: Sources,
        registry: Registry,
        machine: Machine,
    ) -> Self {
        let (config, found) = language::load(&sources);
        let facts = Facts {
            folder: ".".to_owned(),
            library: registry.functions(),
            machine,
            ..Facts::default()
        };
        Self {
            root,
            sources,
            config,
            found,
            registry,
            facts,
        }
    }

    /// The first line of an expression, as it is written.
    pub(super) fn first_line(&self, written: &Located) -> &str {
        let span = written.span();
        let text = self.sources.text(&span.file);
        let text = text.and_then(|text| text.get(span.start..span.end));
        text.and_then(|text| text.lines().next())
            .unwrap_or_default()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;

    use super::Folder;
    use crate::eval::host::Machine;
    use crate::language::Sources;
    use crate::providers::{Surroundings, registry};
    use crate::registry::Registry;

    /// The providers of this program.
    pub(in crate::editor) fn providers() -> Registry {
        registry(&Surroundings {
            executable: "isobar".into(),
            data: "/nowhere/.isobar".into(),
            base: "/nowhere".into(),
            stores: std::collections::BTreeMap::new(),
        })
    }

    /// A folder of these files.
    pub(in crate::editor) fn folder(files: &[(&str, &str)]) -> Folder {
        let mut sources = Sources::default();
        for (file, text) in files {
            sources.insert(file, *text);
        }
        Folder::new(
            Path::new("/project").to_owned(),
            sources,
            providers(),
            Machine::default(),
        )
    }
}
