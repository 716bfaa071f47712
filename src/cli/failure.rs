//! What stops a command, as diagnostics.

use isobar_sdk::diagnostic::sentence;
use isobar_sdk::{Diagnostic, Diagnostics};

use crate::language::Sources;
use crate::state::{FormatError, StoreError};
use isobar_sdk::Fault;

/// Why a command stopped, with the texts that the diagnostics point into.
#[derive(Debug)]
pub(super) struct Stopped {
    /// Why.
    pub(super) diagnostics: Diagnostics,
    /// What they point into.
    pub(super) sources: Sources,
}

impl Stopped {
    /// Stopped by these, which point into `sources`.
    pub(super) fn new(diagnostics: impl Into<Diagnostics>, sources: &Sources) -> Self {
        Self {
            diagnostics: diagnostics.into(),
            sources: sources.clone(),
        }
    }
}

impl From<Diagnostic> for Stopped {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::new(diagnostic, &Sources::default())
    }
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Self::from(*fault)
    }
}

/// A state that cannot be read or written.
pub(super) fn store(error: &StoreError) -> Diagnostic {
    let detail = sentence(&error.to_string());
    match error {
        StoreError::Format {
            source: FormatError::TooNew { .. },
            ..
        } => Diagnostic::error("C0003", "State of a newer version", detail)
            .help("Use the version of Isobar that wrote it, or a newer one."),
        StoreError::Format { path, .. } => {
            Diagnostic::error("C0004", "State cannot be understood", detail).help(format!(
                "Nothing was changed. Restore {} from a backup or from version control; do not delete it unless nothing that it names exists any more.",
                path.display()
            ))
        }
        StoreError::Io { .. } => {
            Diagnostic::error("C0005", "State cannot be read or written", detail)
                .help("Check that the file and its folder exist and that you may read and write them.")
        }
    }
}
