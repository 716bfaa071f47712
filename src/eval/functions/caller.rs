//! Who calls a function: what it may ask beside its arguments.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::eval::host::{Host, Moment, absolute};
use crate::eval::scope::Facts;

/// What a function may ask beside its arguments.
pub struct Caller<'a> {
    facts: &'a Facts,
    /// How many templates stand around the call.
    depth: usize,
}

impl<'a> Caller<'a> {
    /// A call that stands within `depth` templates.
    #[must_use]
    pub const fn new(facts: &'a Facts, depth: usize) -> Self {
        Self { facts, depth }
    }

    pub(super) fn host(&self) -> &dyn Host {
        &*self.facts.machine.0
    }

    pub(super) const fn facts(&self) -> &Facts {
        self.facts
    }

    pub(super) const fn depth(&self) -> usize {
        self.depth
    }

    /// The time that a plan is made at, or was made at; `None` where that is open.
    pub(super) const fn planned(&self) -> Option<Timestamp> {
        self.facts.planned
    }

    /// Whether what is another value at each call has one now.
    pub(super) fn is_acting(&self) -> bool {
        self.facts.moment == Moment::Acting
    }

    /// A path of the configuration: `~` stands for the user's folder.
    pub(super) fn path(&self, given: &str) -> PathBuf {
        absolute(self.host().folder(), Path::new(&*self.expand(given)))
    }

    /// A path with its `~` replaced.
    pub(super) fn expand(&self, given: &str) -> String {
        match (given.strip_prefix('~'), self.host().home()) {
            (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
                format!("{}{rest}", home.display())
            }
            _ => given.to_owned(),
        }
    }
}
