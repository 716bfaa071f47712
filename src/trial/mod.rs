//! Files of tests, run: each run plans or applies the configuration, and is looked at afterwards.
//!
//! `values` gives variables their values, `stage` puts what stands in for the real thing in its place,
//! with the providers of `double`, `expected` tells failures that are wanted from others, `look`
//! evaluates the assertions, and `run` does one after the other and cleans up.

mod double;
mod expected;
mod look;
mod run;
mod slot;
mod stage;
mod values;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use isobar_sdk::{Address, Diagnostics, Fault, Value};
use jiff::Timestamp;
use tokio::sync::watch;

pub use run::run;

use crate::eval::Facts;
use crate::language::{Config, Sources};
use crate::plan::Plan;
use crate::registry::Registry;
use crate::state::{Holder, State, Store};
use crate::telemetry::Desk;

/// Configurations by the source that runs name.
pub type Modules = BTreeMap<Arc<str>, Config>;

/// What a file of tests is run with.
pub struct Request<'a> {
    /// What is tested.
    pub config: &'a Config,
    /// Its texts.
    pub sources: &'a Sources,
    /// The providers that are there.
    pub registry: &'a Registry,
    /// What the environment contributes.
    pub facts: &'a Facts,
    /// The folder of the configuration.
    pub folder: &'a Path,
    /// The values of variables that are given from outside.
    pub given: &'a BTreeMap<Arc<str>, Value>,
    /// What runs plan in place of the configuration.
    pub modules: &'a Modules,
    /// Where the states of the file are while it runs; each has a number.
    pub stores: &'a dyn Fn(usize) -> Result<Store, Fault>,
    /// Who runs it, for the lock.
    pub holder: &'a Holder,
    /// Where telemetry is ordered.
    pub telemetry: &'a Desk,
    /// The present.
    pub now: &'a dyn Fn() -> Timestamp,
    /// A name that nothing else has.
    pub fresh_id: &'a dyn Fn() -> String,
    /// How many reads and changes are made at the same time; as many as the providers take if it
    /// is not said.
    pub parallelism: Option<NonZeroUsize>,
    /// Becomes true when the user interrupts: nothing new is begun but cleaning up.
    pub interrupted: watch::Receiver<bool>,
}

/// What became of a file of tests.
#[derive(Debug, Default)]
pub struct Report {
    /// Of each of its runs.
    pub runs: Vec<Outcome>,
    /// What went wrong while everything was destroyed at the end.
    pub cleanup: Diagnostics,
    /// What could not be destroyed.
    pub left: Vec<Address>,
}

/// What became of a run.
#[derive(Debug)]
pub struct Outcome {
    /// Its name.
    pub name: Arc<str>,
    /// Whether it passed.
    pub status: Status,
    /// What is to be said about it.
    pub diagnostics: Diagnostics,
    /// What it led to.
    pub result: Seen,
}

/// Whether a run passed; the worst comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Everything that must hold does.
    Pass,
    /// It was not begun, because an earlier one ended in an error.
    Skip,
    /// Something does not hold.
    Fail,
    /// It could not be told whether it does.
    Error,
}

impl Status {
    /// Terraform's word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Skip => "skip",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }
}

/// What a run led to.
#[derive(Debug)]
pub enum Seen {
    /// Nothing.
    Nothing,
    /// A plan.
    Plan(Box<Plan>),
    /// A state.
    State(Box<State>),
}

impl Report {
    /// The worst of its runs; what could not be cleaned up is an error.
    #[must_use]
    pub fn status(&self) -> Status {
        let runs = self.runs.iter().map(|run| run.status);
        // Something that was skipped has an error before it.
        let worst = runs.max().unwrap_or(Status::Pass);
        match self.cleanup.has_errors() || !self.left.is_empty() {
            true => Status::Error,
            false => worst,
        }
    }
}
