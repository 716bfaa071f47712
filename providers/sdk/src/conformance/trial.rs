//! One resource goes through its life, and every law is checked on the way.

use std::pin::pin;
use std::task::{Context, Waker};

use super::{Breach, Case, Home, Law, Report, broken_promise, configuration};
use crate::provider::{Apply, IdempotencyKey, Operation, Outcome, PlanChange, Planned, Read};
use crate::schema::{Body, OnChange, Storage};
use crate::{ErrorKind, Known, Path, Provider, Type, Value};

pub(super) struct Trial<'t> {
    pub(super) provider: &'t dyn Provider,
    pub(super) body: &'t Body,
    pub(super) case: &'t Case,
    pub(super) report: &'t mut Report,
    /// What the configuration sets now.
    pub(super) set: Value,
}

impl Trial<'_> {
    pub(super) async fn run(&mut self) -> Result<(), Breach> {
        self.refuse_invalid().await?;
        self.plan_with_unknowns().await?;
        let case = self.case;
        let mut state = self.create(&case.first, "create").await?;
        let mut set = &case.first;
        if let Some(update) = &case.update {
            state = self.update(state, update, "update").await?;
            set = update;
        }
        if let Some(replace) = &case.replace {
            state = self.replace(state, replace).await?;
            set = replace;
        }
        if case.disturb.is_some() {
            state = self.disturb(state, set).await?;
        }
        self.delete(state, "delete").await
    }

    async fn refuse_invalid(&mut self) -> Result<(), Breach> {
        let case = self.case;
        for (set, path) in &case.invalid {
            let wanted =
                |detail: String| format!("{set} should be refused at {path}, but {detail}");
            let (holds, detail) = match self.propose(None, set).await? {
                Err(error) => {
                    let blamed = matches!(&error.kind, ErrorKind::Invalid { path: p } if p.starts_with(path));
                    (blamed, format!("the error is {:?}: {error}", error.kind))
                }
                Ok(planned) => (false, format!("it is planned as {:?}", planned.after)),
            };
            self.report
                .check(Law::InvalidIsBlamed, holds, || wanted(detail))?;
        }
        Ok(())
    }

    /// Each configured attribute in turn is unknown first and known later.
    async fn plan_with_unknowns(&mut self) -> Result<(), Breach> {
        let case = self.case;
        let later = self.plan(None, &case.first).await?;
        let fields = case.first.fields().cloned().unwrap_or_default();
        let kept = |name: &str| {
            let attribute = self.body.attributes.get(name);
            attribute.is_none_or(|attribute| attribute.storage == Storage::Kept)
        };
        let set = fields
            .iter()
            .filter(|(name, value)| !value.is_null() && kept(name));
        for (name, value) in set {
            let ty = self
                .body
                .attributes
                .get(&**name)
                .map_or_else(|| Type::of(value), |attribute| attribute.ty.clone());
            let set = case.first.with_field(name, Value::unknown_of(ty));
            let planned = self.propose(None, &set).await?.map_err(|error| Breach {
                law: Law::UnknownStaysConsistent,
                detail: format!("with {name} unknown: {error}"),
            })?;
            let unknown = planned.after.field(name).is_some_and(Value::is_unknown);
            let broken = broken_promise(&planned.after, &later.after);
            self.report.check(
                Law::UnknownStaysConsistent,
                unknown && broken.is_none(),
                || {
                    format!(
                        "with {name} unknown the plan is {}; with all known it is {}",
                        planned.after, later.after
                    )
                },
            )?;
        }
        Ok(())
    }

    async fn create(&mut self, set: &Value, step: &str) -> Result<Known, Breach> {
        self.set = self.configuration(set)?;
        let planned = self.plan(None, set).await?.after;
        let operation = Operation::Create {
            planned: planned.clone(),
        };
        self.cut_off(operation.clone(), step);
        let state = self.change(operation.clone(), step).await?;
        let again = self.change(operation, step).await?;
        self.report
            .check(Law::SameKeySameThing, state == again, || {
                format!("the first call gave {state:?}, the second {again:?}")
            })?;
        self.settle(&planned, state, set).await
    }

    async fn update(&mut self, prior: Known, set: &Value, step: &str) -> Result<Known, Breach> {
        self.set = self.configuration(set)?;
        let planned = self.plan(Some(&prior), set).await?;
        let replaced = self.replaced(&prior, &planned);
        let in_place = replaced.is_empty() && planned.after != *prior.value();
        self.report.check(Law::ChangeIsPlanned, in_place, || {
            format!(
                "{prior:?} should change in place to {set}, but the plan is {}, replaced because of {replaced:?}",
                planned.after
            )
        })?;
        let seen = self.read(&prior).await?;
        self.report.check(
            Law::PlanWritesNothing,
            seen.as_ref() == Some(&prior),
            || format!("before the plan {prior:?}, after it {seen:?}"),
        )?;
        let operation = Operation::Update {
            prior,
            planned: planned.after.clone(),
        };
        let state = self.change(operation.clone(), step).await?;
        let again = self.change(operation, step).await?;
        self.report
            .check(Law::SameKeySameThing, state == again, || {
                format!("the first update gave {state:?}, the second {again:?}")
            })?;
        self.settle(&planned.after, state, set).await
    }

    async fn replace(&mut self, prior: Known, set: &Value) -> Result<Known, Breach> {
        let planned = self.plan(Some(&prior), set).await?;
        let replaced = self.replaced(&prior, &planned);
        self.report
            .check(Law::ChangeIsPlanned, !replaced.is_empty(), || {
                format!("{prior:?} should be replaced by {set}, but nothing asks for it")
            })?;
        self.delete(prior, "replace-delete").await?;
        self.create(set, "replace-create").await
    }

    async fn disturb(&mut self, state: Known, set: &Value) -> Result<Known, Breach> {
        if let Some(disturb) = &self.case.disturb {
            disturb(state.clone()).await;
        }
        let drifted = self.read(&state).await?;
        self.report
            .check(Law::DriftIsSeen, drifted.as_ref() != Some(&state), || {
                format!("a read still gives {state:?}")
            })?;
        match drifted {
            None => self.create(set, "heal").await,
            Some(drifted) => self.update(drifted, set, "heal").await,
        }
    }

    async fn delete(&mut self, prior: Known, step: &str) -> Result<(), Breach> {
        for call in 1..=3 {
            // The second call is the first tried again, the third another one.
            let step = format!("{step}-{}", call / 3);
            let operation = Operation::Delete {
                prior: prior.clone(),
            };
            let outcome = self.apply(operation, &step).await;
            self.report
                .check(Law::DeleteRepeats, outcome == Outcome::Done(None), || {
                    format!("delete number {call} of {prior:?} gave {outcome:?}")
                })?;
        }
        if self.case.home == Home::State {
            return Ok(());
        }
        let seen = self.read(&prior).await?;
        self.report.check(Law::DeleteDeletes, seen.is_none(), || {
            format!("a read still gives {seen:?}")
        })
    }

    /// The result fits the plan, and nothing moves any more.
    async fn settle(
        &mut self,
        planned: &Value,
        state: Known,
        set: &Value,
    ) -> Result<Known, Breach> {
        self.fits(Law::ResultFitsSchema, state.value())?;
        let broken = broken_promise(planned, state.value());
        self.report.check(Law::PlanIsKept, broken.is_none(), || {
            format!("planned {planned}, but the result is {state:?}")
        })?;
        let seen = self.read(&state).await?;
        self.report
            .check(Law::ReadSeesResult, seen.as_ref() == Some(&state), || {
                format!("the result is {state:?}, but a read gives {seen:?}")
            })?;
        self.import(&state).await?;
        let again = self.plan(Some(&state), set).await?;
        let same = again.after == *state.value() && again.replace.is_empty();
        self.report.check(Law::PlanIsStable, same, || {
            format!("the state is {state:?}, but the plan is {}", again.after)
        })?;
        Ok(state)
    }

    async fn import(&mut self, state: &Known) -> Result<(), Breach> {
        let id = state.field("id").and_then(Value::as_str);
        let (Some(import), Some(id)) = (self.provider.import(), id) else {
            return Ok(());
        };
        let found = import.import(self.case.address.resource_type(), id).await;
        let same = matches!(&found, Ok(Some(found)) if found.field("id") == state.field("id"));
        self.report.check(Law::ImportSeesResult, same, || {
            format!("the state is {state:?}, but the import of {id} gives {found:?}")
        })?;
        found.ok().flatten().map_or(Ok(()), |found| {
            self.fits(Law::ImportSeesResult, found.value())
        })
    }

    /// A right configuration planned twice, and what every plan owes.
    async fn plan(&mut self, prior: Option<&Known>, set: &Value) -> Result<Planned, Breach> {
        let first = self.propose(prior, set).await?;
        let second = self.propose(prior, set).await?;
        self.report.check(Law::Plans, first == second, || {
            format!("the first plan is {first:?}, the second {second:?}")
        })?;
        let planned = first.map_err(|error| Breach {
            law: Law::Plans,
            detail: format!("{set}: {error}"),
        })?;
        self.fits(Law::PlanFitsSchema, &planned.after)?;
        let configured = self.body.withhold(&self.configuration(set)?);
        for (name, value) in configured.fields().into_iter().flat_map(|f| f.iter()) {
            let kept = planned
                .after
                .field(name)
                .is_some_and(|after| broken_promise(value, after).is_none());
            let holds = value.is_null() || kept;
            self.report.check(Law::PlanKeepsConfiguration, holds, || {
                format!("{name} is {value}, but the plan is {}", planned.after)
            })?;
        }
        Ok(planned)
    }

    async fn propose(
        &self,
        prior: Option<&Known>,
        set: &Value,
    ) -> Result<Result<Planned, crate::Error>, Breach> {
        let configuration = self.configuration(set)?;
        let proposed = self.body.propose(prior.map(Known::value), &configuration);
        let request = PlanChange {
            address: self.case.address.clone(),
            prior: prior.cloned(),
            configuration,
            proposed,
        };
        Ok(self.provider.plan(request).await)
    }

    fn configuration(&self, set: &Value) -> Result<Value, Breach> {
        configuration(self.body, set).map_err(|mismatch| Breach {
            law: Law::PlanFitsSchema,
            detail: format!("the case itself does not fit the schema: {mismatch}"),
        })
    }

    fn fits(&mut self, law: Law, value: &Value) -> Result<(), Breach> {
        let fits = configuration(self.body, value).as_ref() == Ok(value);
        let holds = fits && self.body.withhold(value) == *value;
        self.report.check(law, holds, || format!("{value}"))
    }

    fn replaced(&self, prior: &Known, planned: &Planned) -> Vec<Path> {
        let marked = self.body.attributes.iter().filter(|(name, attribute)| {
            attribute.on_change == OnChange::Replace
                && planned.after.field(name) != prior.field(name)
        });
        marked
            .map(|(name, _)| Path::attribute(name))
            .chain(planned.replace.iter().cloned())
            .collect()
    }

    async fn read(&self, prior: &Known) -> Result<Option<Known>, Breach> {
        let request = Read {
            address: self.case.address.clone(),
            prior: prior.clone(),
        };
        self.provider.read(request).await.map_err(|error| Breach {
            law: Law::ReadSeesResult,
            detail: format!("the read failed: {error}"),
        })
    }

    async fn change(&self, operation: Operation, step: &str) -> Result<Known, Breach> {
        match self.apply(operation, step).await {
            Outcome::Done(Some(state)) => Ok(state),
            other => Err(Breach {
                law: Law::Applies,
                detail: format!("{step} gave {other:?}"),
            }),
        }
    }

    async fn apply(&self, operation: Operation, step: &str) -> Outcome {
        self.provider.apply(self.request(operation, step)).await
    }

    /// Begins an apply and drops it at its first pause, as an engine does that is interrupted.
    fn cut_off(&self, operation: Operation, step: &str) {
        let call = pin!(self.provider.apply(self.request(operation, step)));
        let _ = call.poll(&mut Context::from_waker(Waker::noop()));
    }

    fn request(&self, operation: Operation, step: &str) -> Apply {
        let address = self.case.address.clone();
        let key = IdempotencyKey::new(format!("conformance/{address}/{step}"));
        Apply {
            address,
            operation,
            configuration: self.set.clone(),
            key,
        }
    }
}
