//! A provider that calls another no more often than it should be called.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::deployment::{Market, Offers, Target, Zone};
use crate::provider::{Apply, BoxFuture, Import, LookUp, Outcome, PlanChange, Planned, Read};
use crate::{Error, Known, Provider};

/// How many calls a platform may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Calls under way at the same time.
    pub in_flight: NonZeroUsize,
    /// Time in which one more call is earned: 100 ms for ten calls a second. Zero for no limit.
    pub interval: Duration,
    /// Calls that may be saved up and then made at once.
    pub burst: NonZeroU32,
}

impl Allowance {
    /// So many calls at the same time, at any rate.
    #[must_use]
    pub const fn at_once(in_flight: NonZeroUsize) -> Self {
        Self {
            in_flight,
            interval: Duration::ZERO,
            burst: NonZeroU32::MIN,
        }
    }
}

/// How many calls of each kind a platform may get. Each kind is counted by itself, as platforms
/// do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Calls that read: of what is there, of data sources, of what is to be adopted.
    pub reads: Allowance,
    /// Calls that plan and make changes.
    pub changes: Allowance,
    /// Calls that ask what zones sell.
    pub offers: Allowance,
}

impl From<Allowance> for Limits {
    /// The same for each kind.
    fn from(allowance: Allowance) -> Self {
        Self {
            reads: allowance,
            changes: allowance,
            offers: allowance,
        }
    }
}

/// Holds calls back until they are within [`Limits`], those of a kind in the order in which they
/// came.
pub struct Limit {
    inner: Arc<dyn Provider>,
    clock: Arc<dyn Clock>,
    reads: Gate,
    changes: Gate,
    offers: Gate,
}

/// Lets calls of one kind through.
///
/// The rate is a token bucket kept as one number, the theoretical arrival time of the generic
/// cell rate algorithm (ITU-T I.371). A call that is dropped while it waits has used its token.
struct Gate {
    allowance: Allowance,
    places: Semaphore,
    /// When the bucket will be full again.
    full_at: Mutex<Duration>,
}

impl Limit {
    /// `inner`, called within `limits`.
    #[must_use]
    pub fn new(inner: Arc<dyn Provider>, limits: impl Into<Limits>, clock: Arc<dyn Clock>) -> Self {
        let limits = limits.into();
        Self {
            inner,
            clock,
            reads: Gate::new(limits.reads),
            changes: Gate::new(limits.changes),
            offers: Gate::new(limits.offers),
        }
    }
}

impl Gate {
    fn new(allowance: Allowance) -> Self {
        Self {
            allowance,
            places: Semaphore::new(allowance.in_flight.get().min(Semaphore::MAX_PERMITS)),
            full_at: Mutex::default(),
        }
    }

    async fn pass<A>(&self, clock: &dyn Clock, call: impl Future<Output = A>) -> A {
        // The semaphore is never closed; if it were, a call without a place beats no call.
        let place = self.places.acquire().await.ok();
        let wait = self.take_token(clock.now());
        if !wait.is_zero() {
            clock.pause(wait).await;
        }
        let answer = call.await;
        drop(place);
        answer
    }

    /// Takes the next token; the time until it is earned.
    fn take_token(&self, now: Duration) -> Duration {
        let Allowance {
            interval, burst, ..
        } = self.allowance;
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let saved_up = interval.saturating_mul(burst.get() - 1);
        let from = full_at.max(now);
        *full_at = from.saturating_add(interval);
        from.saturating_sub(saved_up).saturating_sub(now)
    }
}

#[deny(clippy::missing_trait_methods)]
impl Provider for Limit {
    fn read(&self, request: Read) -> BoxFuture<'_, Result<Option<Known>, Error>> {
        Box::pin(self.reads.pass(&*self.clock, self.inner.read(request)))
    }

    fn plan(&self, request: PlanChange) -> BoxFuture<'_, Result<Planned, Error>> {
        Box::pin(self.changes.pass(&*self.clock, self.inner.plan(request)))
    }

    fn apply(&self, request: Apply) -> BoxFuture<'_, Outcome> {
        Box::pin(self.changes.pass(&*self.clock, self.inner.apply(request)))
    }

    fn look_up(&self, request: LookUp) -> BoxFuture<'_, Result<Known, Error>> {
        Box::pin(self.reads.pass(&*self.clock, self.inner.look_up(request)))
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
impl Import for Limit {
    fn import<'a>(
        &'a self,
        resource_type: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Known>, Error>> {
        let Some(inner) = self.inner.import() else {
            return Box::pin(async { Ok(None) });
        };
        Box::pin(
            self.reads
                .pass(&*self.clock, inner.import(resource_type, id)),
        )
    }
}

#[deny(clippy::missing_trait_methods)]
impl Offers for Limit {
    fn offers<'a>(&'a self, zone: &'a Zone) -> BoxFuture<'a, Result<Market, Error>> {
        let Some(inner) = self.inner.offers() else {
            return Box::pin(async { Ok(Market::Open(Vec::new())) });
        };
        Box::pin(self.offers.pass(&*self.clock, inner.offers(zone)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use futures::future::join_all;

    use super::{Allowance, Limit, Limits};
    use crate::clock::Clock;
    use crate::fake::{Fake, StoppedClock};
    use crate::provider::{
        Apply, BoxFuture, IdempotencyKey, Operation, Outcome, PlanChange, Planned, Read,
    };
    use crate::{Address, Error, Known, Provider};

    fn read() -> Read {
        Read {
            address: Address::new("thing", "a"),
            prior: Known::empty(),
        }
    }

    fn apply(number: usize) -> Apply {
        Apply {
            address: Address::new("thing", "a"),
            operation: Operation::Delete {
                prior: Known::empty(),
            },
            configuration: crate::Value::NULL,
            key: IdempotencyKey::new(number.to_string()),
        }
    }

    #[tokio::test]
    async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let clock = Arc::new(StoppedClock::default());
        let times = Arc::new(Mutex::new(Vec::new()));
        let (reader_clock, reader_times) = (Arc::clone(&clock), Arc::clone(&times));
        let fake = Fake::new().on_read(move |request| {
            reader_times.lock().unwrap().push(reader_clock.now());
            Ok(Some(request.prior))
        });
        let allowance = Allowance {
            in_flight: 1.try_into().unwrap(),
            interval: Duration::from_millis(100),
            burst: 3.try_into().unwrap(),
        };
        let limit = Limit::new(
            Arc::new(fake),
            allowance,
            Arc::clone(&clock) as Arc<dyn Clock>,
        );
        for _ in 0..5 {
            limit.read(read()).await.unwrap();
        }
        clock.pause(Duration::from_secs(1)).await;
        for _ in 0..4 {
            limit.read(read()).await.unwrap();
        }
        let millis: Vec<u128> = times
            .lock()
            .unwrap()
            .iter()
            .map(Duration::as_millis)
            .collect();
        assert_eq!(millis, [0, 0, 0, 100, 200, 1200, 1200, 1200, 1300]);
    }

    #[tokio::test]
    async fn each_kind_of_call_has_a_rate_of_its_own() {
        let clock = Arc::new(StoppedClock::default());
        let slow = |millis| Allowance {
            in_flight: 1.try_into().unwrap(),
            interval: Duration::from_millis(millis),
            burst: 1.try_into().unwrap(),
        };
        let limits = Limits {
            reads: slow(100),
            changes: slow(1000),
            offers: slow(0),
        };
        let crowd = Arc::new(Crowd::default());
        let limit = Limit::new(crowd, limits, Arc::clone(&clock) as Arc<dyn Clock>);
        let mut times = Vec::new();
        for _ in 0..3 {
            limit.apply(apply(1)).await;
            limit.read(read()).await.unwrap();
            limit.read(read()).await.unwrap();
            times.push(clock.now().as_millis());
        }
        assert_eq!(times, [100, 1100, 2100]);
    }

    /// Counts how many applies are under way at the same time.
    #[derive(Default)]
    struct Crowd {
        now: AtomicUsize,
        most: AtomicUsize,
    }

    impl Provider for Crowd {
        fn read(&self, _: Read) -> BoxFuture<'_, Result<Option<Known>, Error>> {
            Box::pin(async { Ok(None) })
        }

        fn plan(&self, request: PlanChange) -> BoxFuture<'_, Result<Planned, Error>> {
            Box::pin(async { Ok(request.proposed.into()) })
        }

        fn apply(&self, _: Apply) -> BoxFuture<'_, Outcome> {
            Box::pin(async {
                let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
                self.most.fetch_max(now, Ordering::SeqCst);
                tokio::task::yield_now().await;
                self.now.fetch_sub(1, Ordering::SeqCst);
                Outcome::Done(None)
            })
        }
    }

    #[tokio::test]
    async fn no_more_than_allowed_are_under_way_at_once() {
        let crowd = Arc::new(Crowd::default());
        let allowance = Allowance {
            in_flight: 2.try_into().unwrap(),
            interval: Duration::ZERO,
            burst: 1.try_into().unwrap(),
        };
        let limit = Limit::new(
            Arc::clone(&crowd) as Arc<dyn Provider>,
            allowance,
            Arc::new(StoppedClock::default()),
        );
        let outcomes = join_all((0..20).map(|n| limit.apply(apply(n)))).await;
        assert!(
            outcomes
                .iter()
                .all(|outcome| *outcome == Outcome::Done(None))
        );
        assert_eq!(crowd.most.load(Ordering::SeqCst), 2);
    }
}
