//! What can be wrong with a CSV file.

use std::path::PathBuf;

/// A file that could not be used: where, what and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {what}; {help}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct TableError {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1, where one is at fault.
    pub line: Option<u64>,
    /// What is wrong, with the offending text.
    pub what: String,
    /// What to change so that it works.
    pub help: String,
}
