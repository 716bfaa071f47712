//! Token buckets: how many calls a client may make.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Fills with time, and each call takes one token. A bucket is full when it is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// Tokens that it holds: calls that may come at the same time.
    pub burst: f64,
    /// Tokens that come in a second of simulated time.
    pub per_second: f64,
    /// What it held and when.
    #[serde(skip_deserializing, default)]
    level: Option<(f64, Timestamp)>,
}

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub const fn new(burst: f64, per_second: f64) -> Self {
        Self {
            burst,
            per_second,
            level: None,
        }
    }

    /// Takes a token, if there is one.
    pub fn take(&mut self, now: Timestamp) -> bool {
        let (held, since) = self.level.unwrap_or((self.burst, now));
        let passed = now.duration_since(since).as_secs_f64().max(0.0);
        let held = passed.mul_add(self.per_second, held).min(self.burst);
        let granted = held >= 1.0;
        self.level = Some((if granted { held - 1.0 } else { held }, now));
        granted
    }
}
