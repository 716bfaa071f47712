//! Carries out a plan: decides nothing, records everything.

use std::path::Path;

use isobar_sdk::{Address, Diagnostics};
use jiff::Timestamp;
use tokio::sync::watch;

use crate::change::Action;
use crate::event::Sink;
use crate::plan::Plan;
use crate::registry::Registry;
use crate::state::{Holder, State, Store};

/// What an apply needs.
pub struct Request<'a> {
    /// What is carried out.
    pub plan: &'a Plan,
    /// The providers that are there.
    pub registry: &'a Registry,
    /// Where the state is.
    pub store: &'a Store,
    /// Who applies, for the lock.
    pub holder: &'a Holder,
    /// The folder of the configuration.
    pub folder: &'a Path,
    /// The present, against which forecasts expire.
    pub now: Timestamp,
    /// The lineage of a state that is made now.
    pub new_lineage: String,
    /// How many changes are made at the same time.
    pub parallelism: usize,
    /// Becomes true when the user interrupts: nothing new is begun, what runs is recorded.
    pub interrupted: watch::Receiver<bool>,
}

/// What became of an apply.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// What is there now; `None` if nothing was touched.
    pub state: Option<State>,
    /// The changes that were made.
    pub done: Vec<(Address, Action)>,
    /// The changes that were not begun.
    pub skipped: Vec<(Address, Action)>,
    /// Whether the user interrupted.
    pub interrupted: bool,
    /// What went wrong.
    pub diagnostics: Diagnostics,
}

/// Carries out a plan.
pub async fn apply(request: Request<'_>, sink: &dyn Sink) -> Report {
    let _ = (request.plan, sink);
    Report {
        state: None,
        done: Vec::new(),
        skipped: Vec::new(),
        interrupted: false,
        diagnostics: Diagnostics::new(),
    }
}
