//! The runs of a file, one after the other, and the destruction of what they have made.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::address::Place;
use isobar_sdk::{Address, Diagnostic, Diagnostics};

use super::expected::{Expectations, is_failure};
use super::values::Values;
use super::{Outcome, Report, Request, Seen, Status, look, values};
use crate::apply;
use crate::event::Sink;
use crate::language::expression::Located;
use crate::language::statement;
use crate::language::trial::{Command, Run, Trial};
use crate::plan::{self, Mode, Plan, Refresh, Selection};
use crate::state::State;

/// Runs a file of tests. Whatever becomes of it, what it has made is destroyed at the end, or said
/// to be left.
pub async fn run(request: &Request<'_>, trial: &Trial, sink: &dyn Sink) -> Report {
    let mut report = Report::default();
    let mut runner = Runner {
        request,
        trial,
        sink,
        done: BTreeMap::new(),
        applied: None,
    };
    let mut goes_on = true;
    for run in &trial.runs {
        goes_on &= !*request.interrupted.borrow();
        let outcome = match goes_on {
            true => runner.one(run).await,
            false => Outcome {
                name: Arc::clone(&run.name),
                status: Status::Skip,
                diagnostics: Diagnostics::new(),
                result: Seen::Nothing,
            },
        };
        goes_on &= outcome.status != Status::Error;
        report.runs.push(outcome);
    }
    runner.clean_up(&mut report).await;
    report
}

struct Runner<'a> {
    request: &'a Request<'a>,
    trial: &'a Trial,
    sink: &'a dyn Sink,
    /// The outputs of the runs before.
    done: Values,
    /// The variables of the last apply, with which all is destroyed.
    applied: Option<Values>,
}

impl Runner<'_> {
    async fn one(&mut self, run: &Run) -> Outcome {
        let mut found = Diagnostics::new();
        let mut result = Seen::Nothing;
        let mut expectations = Expectations::of(run, self.request.config, &mut found);
        if let Err(wrong) = self
            .steps(run, &mut expectations, &mut result, &mut found)
            .await
        {
            found.extend(wrong);
        }
        found.extend(expectations.missing(run));
        let errors = || {
            found
                .iter()
                .filter(|d| d.severity == isobar_sdk::Severity::Error)
        };
        let status = match (
            errors().next().is_some(),
            errors().all(|d| is_failure(run, d)),
        ) {
            (false, _) => Status::Pass,
            (true, true) => Status::Fail,
            (true, false) => Status::Error,
        };
        Outcome {
            name: Arc::clone(&run.name),
            status,
            diagnostics: found,
            result,
        }
    }

    /// Plans, applies and looks at a run, as far as it goes without an error.
    async fn steps(
        &mut self,
        run: &Run,
        expectations: &mut Expectations,
        result: &mut Seen,
        found: &mut Diagnostics,
    ) -> Result<(), Diagnostics> {
        let values = values::of(self.request, self.trial, run, &self.done)?;
        let state = self.state()?;
        let how = How::of(run)?;
        let (plan, told) = self.propose(state.as_ref(), &values, &how).await;
        found.extend(expectations.take(told));
        let Some(plan) = plan else {
            if run.command == Command::Apply {
                found.extend(expectations.barring(run));
            }
            return Ok(());
        };
        if found.has_errors() {
            return Ok(());
        }
        let looked_at = match run.command {
            Command::Plan => plan,
            Command::Apply => {
                self.applied = Some(values.clone());
                let report = self.apply(&plan).await;
                let failed = report.has_errors();
                found.extend(expectations.take(report));
                if failed {
                    return Ok(());
                }
                let state = self.state()?;
                let (again, told) = self.propose(state.as_ref(), &values, &How::again()).await;
                if let Some(state) = state {
                    *result = Seen::State(Box::new(state));
                }
                match again {
                    Some(again) => again,
                    None => return Err(expectations.take(told)),
                }
            }
        };
        found.extend(look::assertions(self.request, run, &looked_at, &self.done));
        self.done
            .insert(Arc::clone(&run.name), look::outputs(&looked_at));
        if run.command == Command::Plan {
            *result = Seen::Plan(Box::new(looked_at));
        }
        Ok(())
    }

    fn state(&self) -> Result<Option<State>, Diagnostics> {
        self.request.store.read().map_err(|error| {
            let detail = isobar_sdk::diagnostic::sentence(&error.to_string());
            Diagnostic::error("T0006", "State of a test is lost", detail)
                .help("Look into the folder of the tests for what is left.")
                .into()
        })
    }

    async fn propose(
        &self,
        state: Option<&State>,
        values: &Values,
        how: &How,
    ) -> (Option<Plan>, Diagnostics) {
        let now = (self.request.now)();
        let request = plan::Request {
            config: self.request.config,
            sources: self.request.sources,
            variables: values.clone(),
            facts: self.request.facts.planned_at(now),
            folder: self.request.folder,
            registry: self.request.registry,
            state,
            mode: how.mode,
            selection: how.selection.clone(),
            refresh: how.refresh,
            now,
            id: (self.request.fresh_id)(),
            parallelism: self.request.parallelism,
        };
        plan::propose(&request, self.sink).await
    }

    async fn apply(&self, plan: &Plan) -> Diagnostics {
        let request = apply::Request {
            plan,
            registry: self.request.registry,
            store: self.request.store,
            holder: self.request.holder,
            now: (self.request.now)(),
            new_lineage: (self.request.fresh_id)(),
            parallelism: self.request.parallelism,
            interrupted: self.request.interrupted.clone(),
        };
        apply::apply(request, self.sink).await.diagnostics
    }

    /// Destroys what was made; what it cannot destroy stays recorded.
    async fn clean_up(&self, report: &mut Report) {
        let Some(values) = &self.applied else {
            return;
        };
        match self.state() {
            Ok(None) => {}
            Ok(Some(state)) => {
                let (plan, told) = self.propose(Some(&state), values, &How::destroy()).await;
                report.cleanup.extend(told);
                if let Some(plan) = plan {
                    report.cleanup.extend(self.apply(&plan).await);
                }
            }
            Err(wrong) => report.cleanup.extend(wrong),
        }
        match self.state() {
            Ok(state) => {
                let state = state.into_iter();
                let left: Vec<Address> = state.flat_map(|s| s.instances.into_keys()).collect();
                report.left = left;
            }
            Err(wrong) => report.cleanup.extend(wrong),
        }
    }
}

/// How a plan is made.
struct How {
    mode: Mode,
    refresh: Refresh,
    selection: Selection,
}

impl How {
    fn of(run: &Run) -> Result<Self, Diagnostics> {
        let options = &run.options;
        let replace = places(&options.replaces)?.into_iter();
        let selection = Selection {
            targets: places(&options.targets)?,
            replace: replace
                .filter_map(|place| match place {
                    Place::Resource(address) => Some(address),
                    Place::Module(_) => None,
                })
                .collect(),
            ..Selection::default()
        };
        Ok(Self {
            mode: match options.refresh_only {
                true => Mode::RefreshOnly,
                false => Mode::Normal,
            },
            refresh: match options.skip_refresh {
                true => Refresh::Skip,
                false => Refresh::Full,
            },
            selection,
        })
    }

    /// To look at what an apply has made: nothing is read and nothing done.
    fn again() -> Self {
        Self {
            mode: Mode::Normal,
            refresh: Refresh::Skip,
            selection: Selection::default(),
        }
    }

    fn destroy() -> Self {
        Self {
            mode: Mode::Destroy,
            refresh: Refresh::Full,
            selection: Selection::default(),
        }
    }
}

fn places(addresses: &[Located]) -> Result<Vec<Place>, Diagnostics> {
    let mut places = Vec::new();
    let mut found = Diagnostics::new();
    for located in addresses {
        let mut key = |expression: &crate::language::Expression| match &expression.kind {
            crate::language::expression::Kind::Literal(value) => statement::key_of(value),
            _ => None,
        };
        match statement::place(&located.root, &mut key) {
            Some(place) => places.push(place),
            None => found.push(statement::no_address(&located.span())),
        }
    }
    if found.has_errors() {
        Err(found)
    } else {
        Ok(places)
    }
}
