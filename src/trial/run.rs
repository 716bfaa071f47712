//! The runs of a file, one after the other, and the destruction of what they have made.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::address::Place;
use isobar_sdk::{Diagnostic, Diagnostics, Fault};

use super::expected::{Expectations, is_failure};
use super::slot::{How, Played, Slot};
use super::stage::Stage;
use super::values::{Given, Values};
use super::{Outcome, Report, Request, Seen, Status, look};
use crate::event::Sink;
use crate::language::Config;
use crate::language::expression::Located;
use crate::language::statement;
use crate::language::trial::{Command, Run, Trial};
use crate::plan::{Mode, Plan, Refresh, Selection};

/// Runs a file of tests. Whatever becomes of it, what it has made is destroyed at the end, or said
/// to be left.
pub async fn run(request: &Request<'_>, trial: &Trial, sink: &dyn Sink) -> Report {
    let mut report = Report::default();
    let mut runner = Runner {
        request,
        trial,
        sink,
        done: BTreeMap::new(),
        told: Vec::new(),
        slots: Vec::new(),
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
    /// What has been said about stand-ins.
    told: Vec<Diagnostic>,
    /// The states, that which was used last at the end.
    slots: Vec<Slot>,
}

impl<'a> Runner<'a> {
    async fn one(&mut self, run: &Run) -> Outcome {
        let mut found = Diagnostics::new();
        let mut result = Seen::Nothing;
        if let Err(wrong) = self.look(run, &mut result, &mut found).await {
            found.extend(wrong);
        }
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

    /// Goes through a run and holds against it what it expects to fail.
    async fn look(
        &mut self,
        run: &Run,
        result: &mut Seen,
        found: &mut Diagnostics,
    ) -> Result<(), Diagnostics> {
        let config = self.config(run)?;
        let mut expectations = Expectations::of(run, config, found);
        let steps = self.steps((run, config), &mut expectations, result, found);
        let ended = steps.await;
        found.extend(expectations.missing(run));
        ended
    }

    /// What a run plans: the configuration, or the module that it names.
    fn config(&self, run: &Run) -> Result<&'a Config, Diagnostics> {
        let Some(source) = &run.module else {
            return Ok(self.request.config);
        };
        self.request.modules.get(&source.text).ok_or_else(|| {
            let detail = format!("{:?} has no configuration.", source.text);
            Diagnostic::error("T0016", "Module of a run cannot be read", detail)
                .at(&source.span)
                .within(&run.header)
                .help("Correct the source; it is relative to the folder of the configuration.")
                .into()
        })
    }

    /// Plans, applies and looks at a run, as far as it goes without an error.
    async fn steps(
        &mut self,
        (run, config): (&Run, &Config),
        expectations: &mut Expectations,
        result: &mut Seen,
        found: &mut Diagnostics,
    ) -> Result<(), Diagnostics> {
        let request = self.request;
        let given = Given::of(request, config, (self.trial, run), &self.done, found)?;
        let nothing = Config::default();
        let scope = given.scope(&nothing, request.facts, &self.done);
        let mut notes = Diagnostics::new();
        let stage = Stage::of(request, config, (self.trial, run), &scope, &mut notes)?;
        // What is said about the file is said once.
        for note in notes.iter().filter(|note| !self.told.contains(note)) {
            found.push(note.clone());
        }
        self.told.extend(notes);
        let played = Arc::new(Played {
            stage,
            variables: given.variables,
        });
        let Some(plan) = self.play(run, &played, expectations, result, found).await? else {
            return Ok(());
        };
        let known = (&given.beside, &self.done);
        found.extend(look::assertions(&played.stage, run, &plan, known));
        self.done
            .insert(Arc::clone(&run.name), look::outputs(&plan));
        if run.command == Command::Plan {
            *result = Seen::Plan(Box::new(plan));
        }
        Ok(())
    }

    /// Plans a run and applies it, if it is to be; gives back the plan in whose values it is looked
    /// at, unless there is nothing to look at.
    async fn play(
        &mut self,
        run: &Run,
        played: &Arc<Played>,
        expectations: &mut Expectations,
        result: &mut Seen,
        found: &mut Diagnostics,
    ) -> Result<Option<Plan>, Diagnostics> {
        let (request, sink) = (self.request, self.sink);
        let slot = self.slot(run).map_err(|fault| *fault)?;
        let how = how(run)?;
        let (plan, told) = slot.propose(request, played, &how, sink).await?;
        found.extend(expectations.take(told));
        let Some(plan) = plan else {
            if run.command == Command::Apply {
                found.extend(expectations.barring(run));
            }
            return Ok(None);
        };
        if found.has_errors() {
            return Ok(None);
        }
        if run.command == Command::Plan {
            return Ok(Some(plan));
        }
        let told = slot.apply(request, played, &plan, sink).await;
        let failed = told.has_errors();
        found.extend(expectations.take(told));
        if failed {
            return Ok(None);
        }
        let (again, told) = slot.propose(request, played, &How::again(), sink).await?;
        if let Some(state) = slot.state()? {
            *result = Seen::State(Box::new(state));
        }
        match again {
            Some(again) => Ok(Some(again)),
            None => Err(expectations.take(told)),
        }
    }

    /// The state of a run: that of its key, else that of its module. It is the last one from now on.
    fn slot(&mut self, run: &Run) -> Result<&mut Slot, Fault> {
        let module = || run.module.as_ref().map(|source| Arc::clone(&source.text));
        let key = run.state_key.clone().or_else(module).unwrap_or_default();
        let there = self.slots.iter().position(|slot| slot.key == key);
        let slot = match there {
            Some(position) => self.slots.remove(position),
            None => Slot::new(key, (self.request.stores)(self.slots.len())?),
        };
        self.slots.push(slot);
        let last = self.slots.len() - 1;
        Ok(&mut self.slots[last])
    }

    /// Destroys what was made, what was used last first; what cannot be destroyed stays recorded.
    async fn clean_up(&self, report: &mut Report) {
        for slot in self.slots.iter().rev() {
            let told = slot.clean_up(self.request, self.sink).await;
            report.cleanup.extend(told);
            match slot.state() {
                Ok(state) => {
                    let state = state.into_iter();
                    report
                        .left
                        .extend(state.flat_map(|s| s.instances.into_keys()));
                }
                Err(wrong) => report.cleanup.extend(wrong),
            }
        }
    }
}

/// How a run is planned.
fn how(run: &Run) -> Result<How, Diagnostics> {
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
    Ok(How {
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

fn places(addresses: &[Located]) -> Result<Vec<Place>, Diagnostics> {
    let mut places = Vec::new();
    let mut found = Diagnostics::new();
    for located in addresses {
        match statement::written_place(&located.root) {
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
