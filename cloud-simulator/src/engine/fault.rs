//! Faults of calls, by rule.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// The cloud fails, says so and carries nothing out.
    ServerError,
    /// The connection breaks, and nothing is carried out.
    ResetBefore,
    /// The call is carried out, and the connection breaks before its answer.
    ResetAfter,
    /// The call is carried out, and its answer takes this long, in milliseconds of real time.
    Slow(u32),
    /// The call is carried out; half of its answer comes at once, the rest after this many
    /// milliseconds of real time.
    SlowBody(u32),
    /// The call is refused: there were too many.
    Throttled,
    /// The call is refused: its credentials have expired.
    Expired,
    /// The call is refused: who makes it may not.
    Denied,
    /// The call is refused as if what it is about were not there, as happens where a cloud has not
    /// seen yet what was made a moment ago. Calls that are about nothing are not touched.
    Unseen,
}

/// Which of the calls that a rule is about are hit. Counts start when the rule is made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum When {
    /// The next so many.
    Next(u64),
    /// Only the one with this number; 1 is the next one.
    Nth(u64),
    /// Each one whose number can be divided by this.
    Every(u64),
    /// Each one with this probability, decided by the seed of the world.
    Share(f64),
}

/// Spoils calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The name of the operation as the face calls it; any operation where it is missing.
    #[serde(default)]
    pub operation: Option<String>,
    /// Which calls.
    pub when: When,
    /// What goes wrong.
    pub fault: Fault,
    /// Calls that it was asked about.
    #[serde(skip_deserializing, default)]
    pub calls: u64,
    /// Calls that it spoiled.
    #[serde(skip_deserializing, default)]
    pub hits: u64,
}

impl Rule {
    /// Counts a call, and says what becomes of it. `index` is the number of the rule.
    pub(super) fn meet(&mut self, operation: &str, seed: u64, index: usize) -> Option<Fault> {
        if self.operation.as_deref().is_some_and(|of| of != operation) {
            return None;
        }
        self.calls += 1;
        let hit = match self.when {
            When::Next(count) => self.calls <= count,
            When::Nth(nth) => self.calls == nth,
            When::Every(every) => every > 0 && self.calls.is_multiple_of(every),
            When::Share(share) => chance(seed, index, self.calls) < share,
        };
        self.hits += u64::from(hit);
        hit.then_some(self.fault)
    }
}

/// A number from 0 to 1 that depends on nothing else.
fn chance(seed: u64, index: usize, call: u64) -> f64 {
    let digest = Sha256::digest(format!("{seed}/{index}/{call}"));
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&digest[..4]);
    f64::from(u32::from_be_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
}
