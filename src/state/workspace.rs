//! Workspaces: several states of one configuration, each with a lock and a journal of its own.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The folder beside the configuration that holds every workspace but the default one.
const FOLDER: &str = "isobar.state.d";
/// The longest name; it becomes the name of a folder.
const LONGEST: usize = 90;

/// The name of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Workspace(String);

/// Why a text is not the name of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} cannot name a workspace: {reason}")]
pub struct InvalidWorkspace {
    text: String,
    reason: &'static str,
}

impl Default for Workspace {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl fmt::Display for Workspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Workspace {
    type Err = InvalidWorkspace;

    fn from_str(text: &str) -> Result<Self, InvalidWorkspace> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
        let reason = if text.is_empty() {
            "it is empty"
        } else if text.len() > LONGEST {
            "it is longer than 90 characters"
        } else if !text.chars().all(allowed) {
            "it has a character that is not a letter, a digit or one of - _ . ~"
        } else if text.starts_with('.') {
            "it begins with a dot"
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(InvalidWorkspace {
            text: text.to_owned(),
            reason,
        })
    }
}

impl Workspace {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Whether it is the one that is always there.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The folder of its state, for the configuration in `folder`.
    #[must_use]
    pub fn folder(&self, folder: &Path) -> PathBuf {
        if self.is_default() {
            folder.to_owned()
        } else {
            folder.join(FOLDER).join(&self.0)
        }
    }

    /// Whether it is there.
    #[must_use]
    pub fn exists(&self, folder: &Path) -> bool {
        self.folder(folder).is_dir()
    }

    /// Makes an empty one.
    ///
    /// # Errors
    /// What the system says.
    pub fn create(&self, folder: &Path) -> io::Result<()> {
        std::fs::create_dir_all(self.folder(folder))
    }

    /// Removes it with its state: it is out of sight at once, and then taken apart.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::Unsupported`] for the default one.
    pub fn remove(&self, folder: &Path) -> io::Result<()> {
        if self.is_default() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let gone = folder.join(FOLDER).join(format!(".{}.deleted", self.0));
        if gone.exists() {
            std::fs::remove_dir_all(&gone)?;
        }
        std::fs::rename(self.folder(folder), &gone)?;
        std::fs::remove_dir_all(&gone)
    }

    /// All that are there, the default one first.
    ///
    /// # Errors
    /// What the system says.
    pub fn all(folder: &Path) -> io::Result<Vec<Self>> {
        let entries = match std::fs::read_dir(folder.join(FOLDER)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(vec![Self::default()]);
            }
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_str().and_then(|name| name.parse().ok());
            found.extend(name.filter(|_| entry.path().is_dir()));
        }
        found.retain(|one: &Self| !one.is_default());
        found.sort();
        found.insert(0, Self::default());
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::Workspace;

    #[test]
    fn workspaces_are_made_listed_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let names = || -> Vec<String> {
            let all = Workspace::all(root).unwrap();
            all.iter().map(ToString::to_string).collect()
        };
        assert_eq!(names(), ["default"]);
        for name in ["staging", "canary"] {
            name.parse::<Workspace>().unwrap().create(root).unwrap();
        }
        assert_eq!(names(), ["default", "canary", "staging"]);
        let staging: Workspace = "staging".parse().unwrap();
        std::fs::write(staging.folder(root).join("isobar.state.json"), "{}").unwrap();
        staging.remove(root).unwrap();
        assert_eq!(names(), ["default", "canary"]);
        assert!(!staging.exists(root));
        assert!(Workspace::default().remove(root).is_err());
    }

    #[test]
    fn a_name_must_be_one_of_a_folder() {
        let long = "x".repeat(91);
        for text in ["", ".", "..", ".hidden", "a/b", "a b", "ü", "a\\b", &long] {
            assert!(text.parse::<Workspace>().is_err(), "{text}");
        }
        for text in ["a", "a-b_c.d~1", "default"] {
            assert_eq!(text.parse::<Workspace>().unwrap().name(), text);
        }
    }
}
