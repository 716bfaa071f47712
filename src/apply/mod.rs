//! Carries out a plan: decides nothing, records everything.

mod book;
pub mod check;
mod conditions;
mod findings;
mod lanes;
mod late;
mod outcome;
mod prepare;
mod run;
mod world;

use std::num::NonZeroUsize;
use std::time::Duration;

use isobar_sdk::{Address, Diagnostics};
use jiff::Timestamp;
use tokio::sync::watch;

use self::run::Run;
use self::world::World;
use crate::change::Action;
use crate::eval::{Frames, Scope};
use crate::event::Sink;
use crate::language::{self, Config};
use crate::plan::{self, Plan};
use crate::registry::{ProviderKey, Registry};
use crate::state::{Guard, Holder, Ledger, State, Store};

/// What an apply needs.
pub struct Request<'a> {
    /// What is carried out.
    pub plan: &'a Plan,
    /// What the plan was made of, where that is at hand or is not what its texts say.
    pub config: Option<&'a Config>,
    /// The providers that are there.
    pub registry: &'a Registry,
    /// Where the state is.
    pub store: &'a Store,
    /// Who applies, for the lock.
    pub holder: &'a Holder,
    /// The lock, where it is held already.
    pub guard: Option<&'a Guard>,
    /// How long is waited for it otherwise.
    pub patience: Duration,
    /// The present, against which forecasts expire.
    pub now: Timestamp,
    /// The lineage of a state that is made now.
    pub new_lineage: String,
    /// How many changes are made at the same time; as many as the providers take if it is not
    /// said.
    pub parallelism: Option<NonZeroUsize>,
    /// Becomes true when the user interrupts: nothing new is begun, what runs is recorded.
    pub interrupted: watch::Receiver<bool>,
}

/// What became of an apply.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// What is there now; `None` if nothing was touched.
    pub state: Option<State>,
    /// What is there now, where it could not be written.
    pub unsaved: Option<State>,
    /// The changes that were made.
    pub done: Vec<(Address, Action)>,
    /// What was there before and is part of the state from now on.
    pub imported: Vec<Address>,
    /// The changes that were not begun.
    pub skipped: Vec<(Address, Action)>,
    /// Whether the user interrupted.
    pub interrupted: bool,
    /// What went wrong.
    pub diagnostics: Diagnostics,
}

/// The values of a plan, module by module.
#[must_use]
pub fn frames<'a>(
    config: &'a Config,
    registry: &'a Registry,
    plan: &'a Plan,
) -> (Frames<'a>, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let world = World::new(config, registry, plan, &mut diagnostics);
    (world.frames, diagnostics)
}

/// Carries out a plan. What was made is in the state when this returns, whatever went wrong.
pub async fn apply(request: Request<'_>, sink: &dyn Sink) -> Report {
    let mut report = Report::default();
    if let Err(diagnostics) = carry_out(request, sink, &mut report).await {
        report.diagnostics.extend(diagnostics);
    }
    report
}

async fn carry_out(
    request: Request<'_>,
    sink: &dyn Sink,
    report: &mut Report,
) -> Result<(), Diagnostics> {
    if request.plan.base.lineage.is_empty() && !request.plan.has_changes() {
        // There is nothing to do and nothing to record.
        return Ok(());
    }
    let _taken = match request.guard {
        Some(_) => None,
        None => {
            let taken = request.store.lock(request.holder, request.patience);
            Some(taken.map_err(|error| check::locked(&error))?)
        }
    };
    let recorded = request
        .store
        .read()
        .map_err(|error| check::unreadable(&error))?;
    check::fresh(request.plan, recorded.as_ref(), request.now).map_err(|fault| *fault)?;
    let plan = request.plan;
    let (loaded, mut found) = match request.config {
        Some(_) => (None, Diagnostics::new()),
        None => {
            let (config, found) = language::load(&plan.sources);
            (Some(config), found)
        }
    };
    let nothing = Config::default();
    let config = request.config.or(loaded.as_ref()).unwrap_or(&nothing);
    let scope = Scope::new(config, plan.facts.acting(), plan.variables.clone());
    let used = plan
        .changes
        .values()
        .map(|planned| &planned.provider)
        .chain(plan.reads.values().map(|read| &read.provider))
        .map(|provider| ProviderKey::parse(provider))
        .collect();
    let (providers, more) = plan::providers(config, request.registry, &scope, &used).await;
    found.extend(more);
    let world = World::new(config, request.registry, plan, &mut found);
    if found.has_errors() {
        return Err(found);
    }
    let before = recorded.unwrap_or_else(|| State::new(request.new_lineage.clone()));
    let journal = request
        .store
        .begin(&before)
        .map_err(|error| check::unwritable(&error))?;
    let mut run = Run::new(&request, &before, providers, world, journal, sink);
    run.record_findings();
    run.steps().await;
    let (state, journal) = run.finish(report).await;
    store(&request, &before, state, journal, report);
    Ok(())
}

/// Replaces the state and gives the journal up; if the state cannot be written, the journal
/// stays and the next command folds it in.
fn store(
    request: &Request<'_>,
    before: &State,
    mut state: State,
    journal: Ledger,
    report: &mut Report,
) {
    if state != *before {
        state.serial += 1;
        match request.store.commit(Some(before), &state, request.holder) {
            Ok(None) => {}
            Ok(Some(unkept)) => report.diagnostics.push(check::unkept(&unkept)),
            Err(error) => {
                let told = check::unwritable(&error);
                // The journal in the same place may have said so.
                if report.diagnostics.iter().all(|one| one.code != told.code) {
                    report.diagnostics.push(told);
                }
                report.unsaved = Some(state);
                return;
            }
        }
    }
    // A journal that stays is of an older serial and is ignored.
    let _ = journal.remove();
    report.state = Some(state);
}
