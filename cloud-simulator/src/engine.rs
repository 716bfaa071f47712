//! What a cloud that hosts models does, whatever language it is spoken to: resources, states that
//! take time, limits and what goes wrong.
//!
//! Nothing here reads a clock, draws a random number or knows of HTTP. Time enters with
//! [`World::advance`], chance with the seed of the world.

mod bucket;
mod endpoint;
mod fault;
mod phase;
mod refusal;
mod region;
mod scaling;
mod schedule;
mod world;

pub use bucket::Bucket;
pub use endpoint::{Capacity, Endpoint, Kept, Role, Rollout, Variant, Wish};
pub use fault::{Fault, Rule, When};
pub use phase::{Move, Phase, Trouble};
pub use refusal::{Noun, Refusal};
pub use region::{Conditions, Configuration, Container, Model, Region, Tags};
pub use scaling::{Action, Activity, Bounds, Envelope, Policy, Suspension, Target, TargetKey};
pub use schedule::{Schedule, Timed};
pub use world::{Delays, World};

/// What the operations of a region need to know of the world around it.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The time of day.
    pub now: jiff::Timestamp,
    /// How long operations take.
    pub delays: Delays,
}

impl Moment {
    /// The time so many seconds from now.
    #[must_use]
    pub fn after(&self, seconds: u32) -> jiff::Timestamp {
        let later = jiff::SignedDuration::from_secs(i64::from(seconds));
        self.now.checked_add(later).unwrap_or(jiff::Timestamp::MAX)
    }
}
