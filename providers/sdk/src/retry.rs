//! A provider that tries calls of another again when they failed in passing.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::clock::Clock;
use crate::deployment::{Market, Offers, Target, Zone};
use crate::provider::{Apply, BoxFuture, Import, LookUp, Outcome, PlanChange, Planned, Read};
use crate::{Error, ErrorKind, Known, Provider};

/// How often and how long to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Tries in all, the first one included.
    pub attempts: NonZeroU32,
    /// The longest wait after the first failure; doubles with each further one.
    pub first: Duration,
    /// Waits do not grow beyond this, unless the other side asks for more.
    pub longest: Duration,
    /// No try begins later than this after the first one.
    pub total: Duration,
}

impl Default for Patience {
    /// Six tries in at most two minutes; waits grow from 500 ms to 20 s.
    fn default() -> Self {
        Self {
            attempts: NonZeroU32::MIN.saturating_add(5),
            first: Duration::from_millis(500),
            longest: Duration::from_secs(20),
            total: Duration::from_secs(120),
        }
    }
}

impl Patience {
    /// The wait after the failure number `attempt`, counted from 1: between half and all of
    /// `first · 2^(attempt−1)`, so that callers that failed together do not return together,
    /// but never less than the other side asked for.
    fn wait(&self, attempt: u32, subject: &str, error: &Error) -> Duration {
        let doubled = 1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX);
        let ceiling = self.first.saturating_mul(doubled).min(self.longest);
        let jitter = fraction(&format!("{subject}/{attempt}"));
        let backoff = ceiling.mul_f64(0.5 + jitter / 2.0);
        match error.kind {
            ErrorKind::Throttled { after: Some(after) } => backoff.max(after),
            _ => backoff,
        }
    }
}

/// A number from 0 up to but not including 1 that depends on the text and nothing else.
pub(crate) fn fraction(text: &str) -> f64 {
    let digest = Sha256::digest(text.as_bytes());
    let bits = digest
        .iter()
        .take(4)
        .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
    f64::from(bits) / 4_294_967_296.0
}

/// Tries calls again that failed with [`Error::is_transient`], each time with the same
/// idempotency key. [`Outcome::Partial`] is never tried again: it changed something, so the
/// next step is a new plan. A call that never ends is not cut off either, as dropping it would
/// leave open what it has done: that is for the provider's own client.
pub struct Retry {
    inner: Arc<dyn Provider>,
    patience: Patience,
    clock: Arc<dyn Clock>,
}

impl Retry {
    /// `inner`, tried again as `patience` says.
    #[must_use]
    pub fn new(inner: Arc<dyn Provider>, patience: Patience, clock: Arc<dyn Clock>) -> Self {
        Self {
            inner,
            patience,
            clock,
        }
    }

    /// Calls until the answer is no transient failure or patience is at its end; then gives the
    /// last answer. `subject` seeds the jitter, where there is one.
    async fn until_settled<'a, A>(
        &'a self,
        subject: impl Fn() -> String,
        mut call: impl FnMut() -> BoxFuture<'a, A>,
        failure: impl Fn(&A) -> Option<&Error>,
    ) -> A {
        let start = self.clock.now();
        let mut attempt = 1;
        loop {
            let answer = call().await;
            let Some(error) = failure(&answer).filter(|error| error.is_transient()) else {
                return answer;
            };
            let wait = self.patience.wait(attempt, &subject(), error);
            let spent = self.clock.now().saturating_sub(start);
            if attempt >= self.patience.attempts.get()
                || spent.saturating_add(wait) > self.patience.total
            {
                return answer;
            }
            self.clock.pause(wait).await;
            attempt += 1;
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl Provider for Retry {
    fn read(&self, request: Read) -> BoxFuture<'_, Result<Option<Known>, Error>> {
        let address = request.address.clone();
        Box::pin(self.until_settled(
            move || address.to_string(),
            move || self.inner.read(request.clone()),
            |answer| answer.as_ref().err(),
        ))
    }

    fn plan(&self, request: PlanChange) -> BoxFuture<'_, Result<Planned, Error>> {
        let address = request.address.clone();
        Box::pin(self.until_settled(
            move || address.to_string(),
            move || self.inner.plan(request.clone()),
            |answer| answer.as_ref().err(),
        ))
    }

    fn apply(&self, request: Apply) -> BoxFuture<'_, Outcome> {
        let key = request.key.clone();
        Box::pin(self.until_settled(
            move || key.to_string(),
            move || self.inner.apply(request.clone()),
            |answer| match answer {
                Outcome::Failed(error) => Some(error),
                Outcome::Done(_) | Outcome::Partial { .. } => None,
            },
        ))
    }

    fn look_up(&self, request: LookUp) -> BoxFuture<'_, Result<Known, Error>> {
        let address = request.address.clone();
        Box::pin(self.until_settled(
            move || address.to_string(),
            move || self.inner.look_up(request.clone()),
            |answer| answer.as_ref().err(),
        ))
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
impl Import for Retry {
    fn import<'a>(
        &'a self,
        resource_type: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Known>, Error>> {
        let Some(inner) = self.inner.import() else {
            return Box::pin(async { Ok(None) });
        };
        Box::pin(self.until_settled(
            move || format!("{resource_type}/{id}"),
            move || inner.import(resource_type, id),
            |answer| answer.as_ref().err(),
        ))
    }
}

#[deny(clippy::missing_trait_methods)]
impl Offers for Retry {
    fn offers<'a>(&'a self, zone: &'a Zone) -> BoxFuture<'a, Result<Market, Error>> {
        let Some(inner) = self.inner.offers() else {
            return Box::pin(async { Ok(Market::Open(Vec::new())) });
        };
        Box::pin(self.until_settled(
            || zone.name.clone(),
            move || inner.offers(zone),
            |answer| answer.as_ref().err(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::{Patience, Retry, fraction};
    use crate::clock::Clock;
    use crate::deployment::Zone;
    use crate::fake::{Fake, StoppedClock};
    use crate::provider::{Apply, IdempotencyKey, Operation, Outcome, Read};
    use crate::{Address, Error, ErrorKind, Known, Provider, Value};

    fn deletion() -> Apply {
        Apply {
            address: Address::new("thing", "a"),
            operation: Operation::Delete {
                prior: Known::empty(),
            },
            configuration: Value::NULL,
            key: IdempotencyKey::new("key"),
        }
    }

    fn patience() -> Patience {
        Patience {
            attempts: 4.try_into().unwrap(),
            first: Duration::from_secs(1),
            longest: Duration::from_secs(3),
            total: Duration::from_secs(60),
        }
    }

    /// Applies once against these answers; the outcome, the keys seen and the time taken.
    async fn apply(
        answers: Vec<Outcome>,
        patience: Patience,
    ) -> (Outcome, Vec<IdempotencyKey>, Duration) {
        let keys = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&keys);
        let fake = Fake::new().on_apply(move |request| {
            let mut seen = seen.lock().unwrap();
            seen.push(request.key);
            answers[seen.len() - 1].clone()
        });
        let clock = Arc::new(StoppedClock::default());
        let retry = Retry::new(
            Arc::new(fake),
            patience,
            Arc::clone(&clock) as Arc<dyn Clock>,
        );
        let outcome = retry.apply(deletion()).await;
        let keys = keys.lock().unwrap().clone();
        (outcome, keys, clock.now())
    }

    fn lost() -> Outcome {
        Outcome::Failed(Error::unavailable("no answer"))
    }

    fn throttled(seconds: u64) -> Outcome {
        let after = Some(Duration::from_secs(seconds));
        Outcome::Failed(Error::new(ErrorKind::Throttled { after }, "slow down"))
    }

    #[tokio::test]
    async fn a_passing_failure_is_tried_again_with_the_same_key() {
        let answers = vec![lost(), lost(), Outcome::Done(None)];
        let (outcome, keys, time) = apply(answers, patience()).await;
        assert_eq!(outcome, Outcome::Done(None));
        assert_eq!(keys, vec![IdempotencyKey::new("key"); 3]);
        assert!(
            time >= Duration::from_millis(1500) && time <= Duration::from_secs(3),
            "half to all of 1 s + 2 s, but {time:?}"
        );
    }

    #[tokio::test]
    async fn the_wait_that_the_other_side_asks_for_is_kept() {
        let answers = vec![throttled(30), Outcome::Done(None)];
        let (outcome, _, time) = apply(answers, patience()).await;
        assert_eq!(
            (outcome, time),
            (Outcome::Done(None), Duration::from_secs(30))
        );
    }

    #[tokio::test]
    async fn patience_ends_by_attempts_and_by_time() {
        let (outcome, keys, _) = apply(vec![lost(); 9], patience()).await;
        assert_eq!((outcome, keys.len()), (lost(), 4));
        let (outcome, keys, time) = apply(vec![throttled(61); 9], patience()).await;
        assert_eq!(
            (outcome, keys.len(), time),
            (throttled(61), 1, Duration::ZERO)
        );
    }

    #[tokio::test]
    async fn what_is_partial_or_final_is_not_tried_again() {
        let partial = Outcome::Partial {
            state: Known::empty(),
            error: Error::unavailable("half"),
        };
        for answer in [partial, Outcome::Failed(Error::quota("20 of 20 used"))] {
            let (outcome, keys, _) = apply(vec![answer.clone()], patience()).await;
            assert_eq!((outcome, keys.len()), (answer, 1));
        }
    }

    #[tokio::test]
    async fn reads_and_offers_are_tried_again_too() {
        let calls = Arc::new(Mutex::new(0));
        let fail_first = {
            let calls = Arc::clone(&calls);
            move || {
                let mut calls = calls.lock().unwrap();
                *calls += 1;
                (*calls % 2 == 0)
                    .then_some(())
                    .ok_or(Error::unavailable("no answer"))
            }
        };
        let again = fail_first.clone();
        let fake = Fake::new()
            .on_read(move |request| fail_first().map(|()| Some(request.prior)))
            .on_offers(move |_| again().map(|()| crate::deployment::Market::Open(Vec::new())));
        let retry = Retry::new(
            Arc::new(fake),
            patience(),
            Arc::new(StoppedClock::default()),
        );
        let read = Read {
            address: Address::new("thing", "a"),
            prior: Known::empty(),
        };
        assert_eq!(retry.read(read).await, Ok(Some(Known::empty())));
        let zone = Zone {
            name: "east".into(),
            region: None,
            settings: Value::NULL,
        };
        assert!(retry.offers().unwrap().offers(&zone).await.is_ok());
        assert_eq!(*calls.lock().unwrap(), 4);
        assert!(retry.import().is_none() && retry.target().is_none());
    }

    #[test]
    fn jitter_is_spread_and_repeats() {
        let draws: Vec<f64> = (0..1000).map(|n| fraction(&n.to_string())).collect();
        let mean = draws.iter().sum::<f64>() / 1000.0;
        assert!(draws.iter().all(|draw| (0.0..1.0).contains(draw)));
        assert!((mean - 0.5).abs() < 0.05, "{mean}");
        assert_eq!(fraction("a").to_bits(), fraction("a").to_bits());
    }
}
