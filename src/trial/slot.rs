//! A state that runs of a file share, and what is done with it.

use std::sync::Arc;
use std::time::Duration;

use isobar_sdk::{Diagnostic, Diagnostics};

use super::Request;
use super::stage::Stage;
use super::values::Values;
use crate::apply;
use crate::event::Sink;
use crate::plan::{self, Mode, Plan, Refresh, Selection};
use crate::state::{State, Store};

/// A run with all that it is made of.
pub(super) struct Played {
    pub(super) stage: Stage,
    pub(super) variables: Values,
}

/// A state that runs share.
pub(super) struct Slot {
    /// By what they share it.
    pub(super) key: Arc<str>,
    store: Store,
    /// What the last apply was made with, with which all is destroyed.
    applied: Option<Arc<Played>>,
}

impl Slot {
    pub(super) const fn new(key: Arc<str>, store: Store) -> Self {
        Self {
            key,
            store,
            applied: None,
        }
    }

    /// What is there.
    pub(super) fn state(&self) -> Result<Option<State>, Diagnostics> {
        self.store.read().map_err(|error| {
            let detail = isobar_sdk::diagnostic::sentence(&error.to_string());
            Diagnostic::error("T0006", "State of a test is lost", detail)
                .help("Look into the folder of the tests for what is left.")
                .into()
        })
    }

    pub(super) async fn propose(
        &self,
        request: &Request<'_>,
        played: &Played,
        how: &How,
        sink: &dyn Sink,
    ) -> Result<(Option<Plan>, Diagnostics), Diagnostics> {
        let state = self.state()?;
        let now = (request.now)();
        let request = plan::Request {
            config: &played.stage.config,
            sources: request.sources,
            variables: played.variables.clone(),
            facts: played.stage.facts.planned_at(now),
            folder: request.folder,
            registry: &played.stage.registry,
            state: state.as_ref(),
            mode: how.mode,
            selection: how.selection.clone(),
            refresh: how.refresh,
            telemetry: request.telemetry,
            now,
            id: (request.fresh_id)(),
            parallelism: request.parallelism,
        };
        Ok(plan::propose(&request, sink).await)
    }

    pub(super) async fn apply(
        &mut self,
        request: &Request<'_>,
        played: &Arc<Played>,
        plan: &Plan,
        sink: &dyn Sink,
    ) -> Diagnostics {
        self.applied = Some(Arc::clone(played));
        self.carry_out(request, played, plan, sink).await
    }

    async fn carry_out(
        &self,
        request: &Request<'_>,
        played: &Played,
        plan: &Plan,
        sink: &dyn Sink,
    ) -> Diagnostics {
        let request = apply::Request {
            plan,
            config: Some(&played.stage.config),
            registry: &played.stage.registry,
            store: &self.store,
            holder: request.holder,
            guard: None,
            patience: Duration::ZERO,
            now: (request.now)(),
            new_lineage: (request.fresh_id)(),
            parallelism: request.parallelism,
            interrupted: request.interrupted.clone(),
        };
        apply::apply(request, sink).await.diagnostics
    }

    /// Destroys what was made.
    pub(super) async fn clean_up(&self, request: &Request<'_>, sink: &dyn Sink) -> Diagnostics {
        let Some(played) = &self.applied else {
            return Diagnostics::new();
        };
        match self.propose(request, played, &How::destroy(), sink).await {
            Ok((plan, mut told)) => {
                if let Some(plan) = plan {
                    told.extend(self.carry_out(request, played, &plan, sink).await);
                }
                told
            }
            Err(wrong) => wrong,
        }
    }
}

/// How a plan is made.
pub(super) struct How {
    pub(super) mode: Mode,
    pub(super) refresh: Refresh,
    pub(super) selection: Selection,
}

impl How {
    /// To look at what an apply has made: nothing is read and nothing done.
    pub(super) fn again() -> Self {
        Self {
            mode: Mode::Normal,
            refresh: Refresh::Skip,
            selection: Selection::default(),
        }
    }

    pub(super) fn destroy() -> Self {
        Self {
            mode: Mode::Destroy,
            refresh: Refresh::Full,
            selection: Selection::default(),
        }
    }
}
