//! Faults that are written into the file, to hit whichever process makes the call.

use std::time::Duration;

use isobar_sdk::provider::Outcome;
use isobar_sdk::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use crate::world::World;

/// A call to the cloud's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Reads one resource.
    Read,
    /// Makes one.
    Create,
    /// Changes one in place.
    Update,
    /// Destroys one.
    Delete,
    /// Finds one by its id.
    Import,
    /// Asks what a zone sells.
    Offers,
}

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// It is refused: there were too many.
    Throttled {
        /// Seconds to wait, where the cloud says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<u64>,
    },
    /// The cloud has a failure of its own, says so and carries nothing out, as with a status of
    /// 500 and above.
    ServerError,
    /// It never arrives.
    TimeoutBefore,
    /// It is carried out, but its answer never arrives.
    TimeoutAfter,
    /// It ends when this many replicas run; other calls than the creation or update of an
    /// endpoint are not touched.
    Partial {
        /// Replicas that run then.
        replicas: u32,
    },
}

/// A fault and the call that it hits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Injection {
    /// The kind of call.
    pub call: Call,
    /// Which of these calls since the file was made, counted from 1.
    pub nth: u64,
    /// What goes wrong.
    pub fault: Fault,
}

/// How far a call gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// To its end.
    Whole,
    /// Until this many replicas run.
    Replicas(u32),
}

impl Reach {
    pub(crate) fn of(self, replicas: u32) -> u32 {
        match self {
            Self::Whole => replicas,
            Self::Replicas(limit) => replicas.min(limit),
        }
    }
}

impl World {
    /// Counts a call; the fault that hits it, if any.
    fn meter(&mut self, call: Call) -> Option<Fault> {
        let count = self.calls.entry(call).or_default();
        *count += 1;
        let nth = *count;
        let hit = |injection: &&Injection| (injection.call, injection.nth) == (call, nth);
        self.faults.iter().find(hit).map(|hit| hit.fault.clone())
    }

    /// Makes a call that changes the world, unless a fault says otherwise.
    pub(crate) fn write(
        &mut self,
        call: Call,
        make: impl FnOnce(&mut Self, Reach) -> Outcome,
    ) -> Outcome {
        match self.meter(call) {
            None => make(self, Reach::Whole),
            Some(Fault::Throttled { after }) => Outcome::Failed(throttled(after)),
            Some(Fault::ServerError) => Outcome::Failed(server_error(call)),
            Some(Fault::TimeoutBefore) => Outcome::Failed(timeout(call)),
            Some(Fault::TimeoutAfter) => match make(self, Reach::Whole) {
                Outcome::Done(_) | Outcome::Partial { .. } => Outcome::Failed(timeout(call)),
                failed @ Outcome::Failed(_) => failed,
            },
            Some(Fault::Partial { replicas }) => make(self, Reach::Replicas(replicas)),
        }
    }

    /// Makes a call that only looks, unless a fault says otherwise.
    pub(crate) fn look<T>(
        &mut self,
        call: Call,
        make: impl FnOnce(&Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self.meter(call) {
            None | Some(Fault::Partial { .. }) => make(self),
            Some(Fault::Throttled { after }) => Err(throttled(after)),
            Some(Fault::ServerError) => Err(server_error(call)),
            Some(Fault::TimeoutBefore | Fault::TimeoutAfter) => Err(timeout(call)),
        }
    }
}

fn throttled(after: Option<u64>) -> Error {
    let after = after.map(Duration::from_secs);
    Error::new(ErrorKind::Throttled { after }, "too many calls to sim")
}

fn server_error(call: Call) -> Error {
    Error::unavailable(format!("sim failed in a call ({call:?}): internal error"))
}

fn timeout(call: Call) -> Error {
    Error::unavailable(format!("sim did not answer a call ({call:?}) in time"))
}
