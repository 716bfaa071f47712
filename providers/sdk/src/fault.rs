//! A provider that spoils calls of another by plan, for testing what calls it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Clock;
use crate::deployment::{Market, Offers, Target, Zone};
use crate::provider::{Apply, BoxFuture, Import, LookUp, Outcome, PlanChange, Planned, Read};
use crate::retry::fraction;
use crate::{Error, ErrorKind, Known, Provider};

/// A method of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// [`Provider::read`]
    Read,
    /// [`Provider::plan`]
    Plan,
    /// [`Provider::apply`]
    Apply,
    /// [`Provider::look_up`]
    LookUp,
    /// [`Import::import`]
    Import,
    /// [`Offers::offers`]
    Offers,
}

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The call is not made: there were too many.
    Throttled {
        /// How long the other side asks to wait.
        after: Option<Duration>,
    },
    /// The call is not made: nobody answers.
    Unreachable,
    /// The call is made and its answer is lost.
    AnswerLost,
    /// The call is made, and then said to have ended half-way. Only an apply that leaves
    /// something behind can end like that; other calls lose their answer instead.
    Partial,
    /// The call is made this much later.
    Delayed(Duration),
}

/// Which calls go wrong; the same order of calls gives the same faults.
#[derive(Debug, Clone, PartialEq)]
pub enum FaultPlan {
    /// These: the method, which of its calls, counted from 1, and the fault.
    Script(Vec<(Method, u64, Fault)>),
    /// By chance: each fault with its probability, tried in this order, so that their sum is
    /// the share of calls that go wrong.
    Rates {
        /// The same seed gives the same faults.
        seed: u64,
        /// Probabilities from 0 to 1.
        rates: Vec<(Fault, f64)>,
    },
}

impl FaultPlan {
    fn fault(&self, method: Method, nth: u64) -> Option<Fault> {
        match self {
            Self::Script(script) => script
                .iter()
                .find(|(of, at, _)| (*of, *at) == (method, nth))
                .map(|(_, _, fault)| fault.clone()),
            Self::Rates { seed, rates } => {
                let mut left = fraction(&format!("{seed}/{method:?}/{nth}"));
                let hit = rates.iter().find(|(_, rate)| {
                    left -= rate;
                    left < 0.0
                });
                hit.map(|(fault, _)| fault.clone())
            }
        }
    }
}

/// Spoils calls as a [`FaultPlan`] says.
pub struct Faulty {
    inner: Arc<dyn Provider>,
    plan: FaultPlan,
    clock: Arc<dyn Clock>,
    /// Calls so far by [`Method`].
    calls: [AtomicU64; 5],
}

impl Faulty {
    /// `inner`, spoiled as `plan` says.
    #[must_use]
    pub fn new(inner: Arc<dyn Provider>, plan: FaultPlan, clock: Arc<dyn Clock>) -> Self {
        Self {
            inner,
            plan,
            clock,
            calls: Default::default(),
        }
    }

    fn next_fault(&self, method: Method) -> Option<Fault> {
        let count = self.calls.get(method as usize)?;
        self.plan
            .fault(method, count.fetch_add(1, Ordering::SeqCst) + 1)
    }

    async fn spoil<A>(
        &self,
        method: Method,
        call: BoxFuture<'_, Result<A, Error>>,
    ) -> Result<A, Error> {
        match self.next_fault(method) {
            None => call.await,
            Some(Fault::Throttled { after }) => Err(throttled(after)),
            Some(Fault::Unreachable) => Err(unreachable()),
            Some(Fault::AnswerLost | Fault::Partial) => {
                call.await?;
                Err(answer_lost())
            }
            Some(Fault::Delayed(delay)) => {
                self.clock.pause(delay).await;
                call.await
            }
        }
    }

    async fn spoil_apply(&self, call: BoxFuture<'_, Outcome>) -> Outcome {
        match self.next_fault(Method::Apply) {
            None => call.await,
            Some(Fault::Throttled { after }) => Outcome::Failed(throttled(after)),
            Some(Fault::Unreachable) => Outcome::Failed(unreachable()),
            Some(Fault::AnswerLost) => match call.await {
                Outcome::Done(_) | Outcome::Partial { .. } => Outcome::Failed(answer_lost()),
                failed @ Outcome::Failed(_) => failed,
            },
            Some(Fault::Partial) => match call.await {
                Outcome::Done(Some(state)) => Outcome::Partial {
                    state,
                    error: Error::unavailable("injected fault: the call ended half-way"),
                },
                Outcome::Done(None) => Outcome::Failed(answer_lost()),
                other => other,
            },
            Some(Fault::Delayed(delay)) => {
                self.clock.pause(delay).await;
                call.await
            }
        }
    }
}

fn throttled(after: Option<Duration>) -> Error {
    Error::new(
        ErrorKind::Throttled { after },
        "injected fault: too many calls",
    )
}

fn unreachable() -> Error {
    Error::unavailable("injected fault: nobody answers")
}

fn answer_lost() -> Error {
    Error::unavailable("injected fault: the answer was lost")
}

#[deny(clippy::missing_trait_methods)]
impl Provider for Faulty {
    fn read(&self, request: Read) -> BoxFuture<'_, Result<Option<Known>, Error>> {
        Box::pin(self.spoil(Method::Read, self.inner.read(request)))
    }

    fn plan(&self, request: PlanChange) -> BoxFuture<'_, Result<Planned, Error>> {
        Box::pin(self.spoil(Method::Plan, self.inner.plan(request)))
    }

    fn apply(&self, request: Apply) -> BoxFuture<'_, Outcome> {
        Box::pin(self.spoil_apply(self.inner.apply(request)))
    }

    fn look_up(&self, request: LookUp) -> BoxFuture<'_, Result<Known, Error>> {
        Box::pin(self.spoil(Method::LookUp, self.inner.look_up(request)))
    }

    fn import(&self) -> Option<&dyn Import> {
        self.inner.import().is_some().then_some(self)
    }

    fn offers(&self) -> Option<&dyn Offers> {
        self.inner.offers().is_some().then_some(self)
    }

    fn target(&self) -> Option<&dyn Target> {
        self.inner.target()
    }
}

#[deny(clippy::missing_trait_methods)]
impl Import for Faulty {
    fn import<'a>(
        &'a self,
        resource_type: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Known>, Error>> {
        let Some(inner) = self.inner.import() else {
            return Box::pin(async { Ok(None) });
        };
        Box::pin(self.spoil(Method::Import, inner.import(resource_type, id)))
    }
}

#[deny(clippy::missing_trait_methods)]
impl Offers for Faulty {
    fn offers<'a>(&'a self, zone: &'a Zone) -> BoxFuture<'a, Result<Market, Error>> {
        let Some(inner) = self.inner.offers() else {
            return Box::pin(async { Ok(Market::Open(Vec::new())) });
        };
        Box::pin(self.spoil(Method::Offers, inner.offers(zone)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::{Fault, FaultPlan, Faulty, Method};
    use crate::clock::Clock;
    use crate::fake::{Fake, StoppedClock};
    use crate::provider::{Apply, IdempotencyKey, Operation, Outcome, Read};
    use crate::{Address, ErrorKind, Known, Provider, Value};

    fn faulty(plan: FaultPlan) -> (Faulty, Arc<AtomicUsize>, Arc<StoppedClock>) {
        let applied = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&applied);
        let fake = Fake::new().on_apply(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            Outcome::Done(Some(Known::empty()))
        });
        let clock = Arc::new(StoppedClock::default());
        let faulty = Faulty::new(Arc::new(fake), plan, Arc::clone(&clock) as Arc<dyn Clock>);
        (faulty, applied, clock)
    }

    fn creation() -> Apply {
        Apply {
            address: Address::new("thing", "a"),
            operation: Operation::Create {
                planned: Value::object::<&str>([]),
            },
            configuration: Value::NULL,
            key: IdempotencyKey::new("key"),
        }
    }

    /// `.` for done, `t` for throttled, `u` for unavailable, `p` for partial.
    fn letter(outcome: &Outcome) -> char {
        match outcome {
            Outcome::Done(_) => '.',
            Outcome::Partial { .. } => 'p',
            Outcome::Failed(error) if error.kind == ErrorKind::Unavailable => 'u',
            Outcome::Failed(_) => 't',
        }
    }

    #[tokio::test]
    async fn a_script_spoils_just_the_calls_it_names() {
        let script = vec![
            (Method::Apply, 2, Fault::AnswerLost),
            (Method::Apply, 3, Fault::Unreachable),
            (Method::Apply, 4, Fault::Throttled { after: None }),
            (Method::Apply, 5, Fault::Partial),
            (Method::Apply, 6, Fault::Delayed(Duration::from_secs(7))),
            (Method::Read, 1, Fault::AnswerLost),
        ];
        let (faulty, applied, clock) = faulty(FaultPlan::Script(script));
        let mut seen = Vec::new();
        for _ in 0..6 {
            let letter = letter(&faulty.apply(creation()).await);
            seen.push((letter, applied.load(Ordering::SeqCst)));
        }
        let expected = [('.', 1), ('u', 2), ('u', 2), ('t', 2), ('p', 3), ('.', 4)];
        assert_eq!(seen, expected);
        assert_eq!(clock.now(), Duration::from_secs(7));
        let read = || Read {
            address: Address::new("thing", "a"),
            prior: Known::empty(),
        };
        assert!(faulty.read(read()).await.is_err());
        assert!(faulty.read(read()).await.is_ok());
    }

    #[tokio::test]
    async fn rates_hold_on_average_and_a_seed_repeats() {
        let run = async |seed| {
            let rates = vec![(Fault::Unreachable, 0.2), (Fault::Partial, 0.1)];
            let (faulty, ..) = faulty(FaultPlan::Rates { seed, rates });
            let mut letters = String::new();
            for _ in 0..1000 {
                letters.push(letter(&faulty.apply(creation()).await));
            }
            letters
        };
        let first = run(1).await;
        let share = |wanted| first.chars().filter(|c| *c == wanted).count();
        assert!((150..250).contains(&share('u')), "{}", share('u'));
        assert!((60..140).contains(&share('p')), "{}", share('p'));
        assert_eq!(first, run(1).await);
        assert_ne!(first, run(2).await);
    }
}
