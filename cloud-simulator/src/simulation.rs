//! A world, its face and how its time goes by.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::aws::{Answer, Aws, Exchange, Request};
use crate::engine::World;

/// Calls that are remembered.
const REMEMBERED: usize = 10_000;

/// How simulated time goes by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pace {
    /// Simulated seconds in a real one; 0 is a clock that stands still.
    pub rate: f64,
    /// Simulated seconds that pass before each call.
    pub per_call: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            rate: 1.0,
            per_call: 0,
        }
    }
}

/// A call that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// In simulated time.
    pub at: Timestamp,
    /// What it was about.
    #[serde(flatten)]
    pub exchange: Exchange,
}

/// A world, its face and how its time goes by. Real time is told to it as what has passed since
/// it was made.
#[derive(Debug)]
pub struct Simulation {
    /// All there is.
    pub world: World,
    /// How it is spoken to.
    pub aws: Aws,
    /// Calls, oldest first.
    pub calls: VecDeque<Call>,
    pace: Pace,
    /// Simulated and real time at which the pace last changed or the clock was set.
    anchor: (Timestamp, Duration),
}

impl Simulation {
    /// A world at its beginning.
    #[must_use]
    pub const fn new(world: World, aws: Aws, pace: Pace) -> Self {
        let anchor = (world.clock, Duration::ZERO);
        Self {
            world,
            aws,
            calls: VecDeque::new(),
            pace,
            anchor,
        }
    }

    /// How time goes by.
    #[must_use]
    pub const fn pace(&self) -> Pace {
        self.pace
    }

    /// Lets the simulated time pass that belongs to the real time that has.
    pub fn catch_up(&mut self, passed: Duration) {
        let (since, real) = self.anchor;
        let simulated = passed.saturating_sub(real).as_secs_f64() * self.pace.rate;
        let simulated = SignedDuration::try_from_secs_f64(simulated).unwrap_or(SignedDuration::MAX);
        let now = since.checked_add(simulated).unwrap_or(Timestamp::MAX);
        self.world.advance(now);
    }

    /// Goes on from `clock` at another pace.
    pub fn set_pace(&mut self, pace: Pace, clock: Timestamp, passed: Duration) {
        self.world.advance(clock);
        self.pace = pace;
        self.anchor = (self.world.clock, passed);
    }

    /// Begins anew, with the time as it is.
    pub fn reset(&mut self, passed: Duration) {
        self.world = World::new(self.world.clock, self.world.seed);
        self.calls.clear();
        self.anchor = (self.world.clock, passed);
    }

    /// Answers a request.
    pub fn answer(&mut self, request: &Request, passed: Duration) -> Answer {
        self.catch_up(passed);
        if self.pace.per_call > 0 {
            let step = SignedDuration::from_secs(i64::from(self.pace.per_call));
            let (since, real) = self.anchor;
            self.anchor = (since.checked_add(step).unwrap_or(Timestamp::MAX), real);
            self.catch_up(passed);
        }
        let (answer, exchange) = self.aws.answer(&mut self.world, request);
        let at = self.world.clock;
        self.calls.push_back(Call { at, exchange });
        if self.calls.len() > REMEMBERED {
            self.calls.pop_front();
        }
        answer
    }
}
