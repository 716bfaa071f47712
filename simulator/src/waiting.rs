//! How likely requests wait how long in a pool, as tables.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use isobar_capacity::Capacity;

/// Waiting times that shares are told for, in milliseconds.
pub(super) const TIMES: [u64; 12] = [0, 5, 10, 20, 50, 100, 200, 300, 500, 1_000, 2_000, 5_000];

/// Loads per pool in a table, from none to just below full.
const LOADS: usize = 400;

/// Beyond this share of busy slots a pool does not reach its stationary state within a slot; the
/// chances at this share are used, and the queue is followed instead.
const STATIONARY: f64 = 0.98;

/// Pools that are kept in tables.
const MOST: usize = 4096;

/// The shares of requests that wait longer than the objective leaves, and than each of [`TIMES`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Shares {
    pub(super) late: f64,
    pub(super) longer: [f32; TIMES.len()],
}

/// The waiting times of pools of one service at one slack, each computed when first asked for.
#[derive(Debug)]
pub(super) struct Waiting {
    capacity: Capacity,
    slack: Duration,
    pools: Vec<OnceLock<Vec<Shares>>>,
}

/// The tables of all slacks that a run met: shared by all runs of a service.
#[derive(Debug, Clone, Default)]
pub(super) struct Tables(Arc<Mutex<BTreeMap<Duration, Arc<Waiting>>>>);

impl Tables {
    /// The table of a slack.
    pub(super) fn of(&self, capacity: Capacity, slack: Duration) -> Arc<Waiting> {
        let new = || Arc::new(Waiting::new(capacity, slack));
        // A panic elsewhere leaves whole tables behind.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(slack).or_insert_with(new).clone()
    }
}

impl Waiting {
    fn new(capacity: Capacity, slack: Duration) -> Self {
        Self {
            capacity,
            slack,
            pools: (0..MOST).map(|_| OnceLock::new()).collect(),
        }
    }

    /// At a pool of `replicas` of which this share of the slots is busy: on the line between the
    /// entries of the table for what is late, and the nearest entry for the rest.
    pub(super) fn shares(&self, replicas: u32, busy: f64) -> Shares {
        let Some(pool) = self.pools.get(replicas as usize) else {
            return self.exactly(replicas, busy.min(STATIONARY));
        };
        let table = pool.get_or_init(|| self.table(replicas));
        let place = busy.clamp(0.0, STATIONARY) / STATIONARY * LOADS as f64;
        let below = (place as usize).min(LOADS - 1);
        let share = place - below as f64;
        let (low, high) = (&table[below], &table[below + 1]);
        let nearest = if share < 0.5 { low } else { high };
        Shares {
            late: low.late + share * (high.late - low.late),
            longer: nearest.longer,
        }
    }

    fn table(&self, replicas: u32) -> Vec<Shares> {
        let busy = |place: usize| place as f64 / LOADS as f64 * STATIONARY;
        (0..=LOADS)
            .map(|place| self.exactly(replicas, busy(place)))
            .collect()
    }

    fn exactly(&self, replicas: u32, busy: f64) -> Shares {
        let performance = self.capacity.performance();
        let slots = f64::from(replicas) * f64::from(performance.concurrency);
        let demand = busy * slots / performance.service_time.as_secs_f64();
        let waiting = self.capacity.waiting(replicas, demand);
        Shares {
            late: waiting.exceeds(self.slack.as_secs_f64()),
            longer: TIMES.map(|time| waiting.exceeds(time as f64 / 1e3) as f32),
        }
    }
}
