//! What is installed on this machine.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::lock::replace;
use crate::language::text;

/// The file, in the folder for packages.
const FILE: &str = "modules.json";

/// The packages that are installed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// They by their keys.
    pub packages: BTreeMap<String, Entry>,
}

/// An installed package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The name of its folder.
    pub folder: String,
    /// The digest of its content when it was installed.
    pub digest: String,
    /// The commit, if it is from a repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

impl Index {
    /// Reads the index of a folder. What cannot be read counts as not installed: all of it can be
    /// had again.
    #[must_use]
    pub fn read(modules: &Path) -> Self {
        let text = text::read_ordinary(&modules.join(FILE), text::LONGEST).unwrap_or_default();
        let mut index: Self = serde_json::from_str(&text).unwrap_or_default();
        index.packages.retain(|_, entry| {
            let plain = !entry.folder.is_empty()
                && !entry.folder.starts_with('.')
                && !entry.folder.contains(['/', '\\']);
            plain && modules.join(&entry.folder).is_dir()
        });
        index
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn write(&self, modules: &Path) -> io::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        replace(&modules.join(FILE), &text)
    }
}
