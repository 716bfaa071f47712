//! A provider of closures and a clock that only pauses move, for testing what calls them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::deployment::{Market, Offers, Target, Zone};
use crate::provider::{
    Apply, BoxFuture, Import, LookUp, Operation, Outcome, PlanChange, Planned, Read,
};
use crate::{Error, Known, Provider, Value};

type Answer<Q, A> = Box<dyn Fn(Q) -> A + Send + Sync>;

/// A provider whose every method is a closure; without one, a method does the plainest thing
/// that keeps the contract.
pub struct Fake {
    read: Answer<Read, Result<Option<Known>, Error>>,
    plan: Answer<PlanChange, Result<Planned, Error>>,
    apply: Answer<Apply, Outcome>,
    import: Option<Answer<String, Result<Option<Known>, Error>>>,
    offers: Option<Answer<String, Result<Market, Error>>>,
    target: Option<Box<dyn Target>>,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            read: Box::new(|request| Ok(Some(request.prior))),
            plan: Box::new(|request| Ok(request.proposed.into())),
            apply: Box::new(|request| apply_as_planned(&request)),
            import: None,
            offers: None,
            target: None,
        }
    }
}

impl Fake {
    /// Reads what the state holds, plans what is proposed, applies what is planned with every
    /// unknown part as null; has no capabilities.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With this answer to `read`.
    #[must_use]
    pub fn on_read(
        mut self,
        answer: impl Fn(Read) -> Result<Option<Known>, Error> + Send + Sync + 'static,
    ) -> Self {
        self.read = Box::new(answer);
        self
    }

    /// With this answer to `plan`.
    #[must_use]
    pub fn on_plan(
        mut self,
        answer: impl Fn(PlanChange) -> Result<Planned, Error> + Send + Sync + 'static,
    ) -> Self {
        self.plan = Box::new(answer);
        self
    }

    /// With this answer to `apply`.
    #[must_use]
    pub fn on_apply(mut self, answer: impl Fn(Apply) -> Outcome + Send + Sync + 'static) -> Self {
        self.apply = Box::new(answer);
        self
    }

    /// Can import; the closure is given the id.
    #[must_use]
    pub fn on_import(
        mut self,
        answer: impl Fn(String) -> Result<Option<Known>, Error> + Send + Sync + 'static,
    ) -> Self {
        self.import = Some(Box::new(answer));
        self
    }

    /// Has offers; the closure is given the name of the zone.
    #[must_use]
    pub fn on_offers(
        mut self,
        answer: impl Fn(String) -> Result<Market, Error> + Send + Sync + 'static,
    ) -> Self {
        self.offers = Some(Box::new(answer));
        self
    }

    /// Lowers deployments like this.
    #[must_use]
    pub fn with_target(mut self, target: impl Target + 'static) -> Self {
        self.target = Some(Box::new(target));
        self
    }
}

fn apply_as_planned(request: &Apply) -> Outcome {
    let (Operation::Create { planned } | Operation::Update { planned, .. }) = &request.operation
    else {
        return Outcome::Done(None);
    };
    let filled = planned
        .fields()
        .into_iter()
        .flat_map(|fields| fields.iter());
    let filled = filled.map(|(name, value)| {
        let known = value.is_wholly_known();
        (
            name.clone(),
            if known { value.clone() } else { Value::NULL },
        )
    });
    match Known::new(Value::object(filled)) {
        Ok(state) => Outcome::Done(Some(state)),
        Err(paths) => Outcome::Failed(Error::unavailable(format!("still unknown: {paths:?}"))),
    }
}

#[deny(clippy::missing_trait_methods)]
impl Provider for Fake {
    fn read(&self, request: Read) -> BoxFuture<'_, Result<Option<Known>, Error>> {
        Box::pin(async { (self.read)(request) })
    }

    fn plan(&self, request: PlanChange) -> BoxFuture<'_, Result<Planned, Error>> {
        Box::pin(async { (self.plan)(request) })
    }

    fn apply(&self, request: Apply) -> BoxFuture<'_, Outcome> {
        Box::pin(async { (self.apply)(request) })
    }

    fn look_up(&self, request: LookUp) -> BoxFuture<'_, Result<Known, Error>> {
        Box::pin(async { Ok(request.configuration) })
    }

    fn import(&self) -> Option<&dyn Import> {
        self.import.is_some().then_some(self)
    }

    fn offers(&self) -> Option<&dyn Offers> {
        self.offers.is_some().then_some(self)
    }

    fn target(&self) -> Option<&dyn Target> {
        self.target.as_deref()
    }
}

impl Import for Fake {
    fn import<'a>(
        &'a self,
        _resource_type: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Known>, Error>> {
        let answer = self.import.as_ref();
        Box::pin(async move { answer.map_or(Ok(None), |answer| answer(id.to_owned())) })
    }
}

impl Offers for Fake {
    fn offers<'a>(&'a self, zone: &'a Zone) -> BoxFuture<'a, Result<Market, Error>> {
        let answer = self.offers.as_ref();
        let nothing = || Ok(Market::Open(Vec::new()));
        Box::pin(async move { answer.map_or_else(nothing, |answer| answer(zone.name.clone())) })
    }
}

/// A clock that stands still except while someone pauses: then it jumps.
#[derive(Debug, Default)]
pub struct StoppedClock {
    now: Mutex<Duration>,
}

impl Clock for StoppedClock {
    fn now(&self) -> Duration {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pause(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            *self.now.lock().unwrap_or_else(PoisonError::into_inner) += duration;
        })
    }
}
