//! A place that telemetry comes from.

use std::fmt;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};

use crate::fault::Fault;

/// What was measured at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The start of the time that the value is about; of a counter, when it was read.
    pub at: Timestamp,
    /// Finite and not negative; `None` where nothing was measured.
    pub value: Option<f64>,
    /// Where it stands in a file of lines, from 1.
    pub line: Option<u64>,
}

/// Which readings are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The start of the first slot.
    pub from: Timestamp,
    /// The end of the last slot.
    pub until: Timestamp,
    /// The length of a slot; more than zero.
    pub step: Duration,
}

impl Window {
    /// The window that ends with the last whole slot before `now`; its slots are multiples of the
    /// step from the epoch, so that two windows of one step share theirs.
    #[must_use]
    pub fn ending(now: Timestamp, step: Duration, history: Duration) -> Self {
        let until = floor(now, step);
        let history = SignedDuration::try_from(history).unwrap_or(SignedDuration::MAX);
        let from = until.checked_sub(history).unwrap_or(Timestamp::MIN);
        Self {
            from: floor(from, step),
            until,
            step,
        }
    }

    /// The number of slots.
    #[must_use]
    pub fn slots(&self) -> u128 {
        let length = self.until.duration_since(self.from).as_nanos();
        length.unsigned_abs() / self.step.as_nanos().max(1)
    }

    /// The same window in parts of at most this many slots, in order.
    #[must_use]
    pub fn parts(&self, slots: u32) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut from = self.from;
        while from < self.until {
            let length = self.step.checked_mul(slots);
            let length = length.and_then(|length| SignedDuration::try_from(length).ok());
            let until = length.and_then(|length| from.checked_add(length).ok());
            let until = until.map_or(self.until, |until| until.min(self.until));
            parts.push(Self {
                from,
                until,
                step: self.step,
            });
            from = until;
        }
        parts
    }
}

/// The last multiple of a step that is not after a time.
pub(crate) fn floor(at: Timestamp, step: Duration) -> Timestamp {
    let step = i128::try_from(step.as_nanos()).unwrap_or(i128::MAX).max(1);
    let nanoseconds = at.as_nanosecond().div_euclid(step) * step;
    Timestamp::from_nanosecond(nanoseconds).unwrap_or(Timestamp::MIN)
}

/// How a source is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// As a whole, each time: a file.
    Whole,
    /// A window of time; what is long past does not change and may be kept.
    Windows,
}

/// A forecast that a source makes itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Bands {
    /// The start of the first slot.
    pub start: Timestamp,
    /// The length of a slot.
    pub step: Duration,
    /// What made it, for people.
    pub method: &'static str,
    /// The levels of the quantiles, rising.
    pub levels: Vec<f64>,
    /// For every level the quantile in every slot.
    pub quantiles: Vec<Vec<f64>>,
}

/// A place that telemetry comes from.
pub trait Source: fmt::Debug + Send + Sync {
    /// Where it is, for people; without anything secret.
    fn place(&self) -> String;

    /// How it is read.
    fn extent(&self) -> Extent {
        Extent::Windows
    }

    /// Whether a value counts what happened in one step, so that divided by the step it is a rate.
    fn counts_steps(&self) -> bool {
        false
    }

    /// Whether its readings begin at multiples of the step that is asked for.
    fn keeps_step(&self) -> bool {
        self.extent() == Extent::Windows
    }

    /// The readings of a window, in any order. A source of [`Extent::Whole`] gives all it has.
    ///
    /// # Errors
    /// Why there are none, told apart by what is to be done about it.
    fn read(&self, window: Window) -> BoxFuture<'_, Result<Vec<Reading>, Fault>>;

    /// The forecast that the source makes itself for this many steps behind a window, at these
    /// levels; `None` if it makes none.
    fn forecast<'a>(
        &'a self,
        window: Window,
        horizon: usize,
        levels: &'a [f64],
    ) -> Option<BoxFuture<'a, Result<Bands, Fault>>> {
        let _ = (window, horizon, levels);
        None
    }
}
