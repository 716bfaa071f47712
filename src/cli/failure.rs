//! What stops a command, as diagnostics.

use isobar_sdk::{Diagnostic, Diagnostics, Fault};

use crate::language::Sources;

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

impl From<Diagnostics> for Stopped {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::new(diagnostics, &Sources::default())
    }
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Self::from(*fault)
    }
}
