//! A deterministic cloud kept in one file, for tests, demos and trying plans out.
//!
//! The provider (`provider "sim" { file = "cloud.json" }`) sells instances in zones and runs
//! model endpoints on them; [`Cloud`] is the hand that disturbs it from outside. The file, which
//! every process shares, holds the [`World`]; the crate's README documents its format. Time is
//! virtual: it moves by the delays of the operations that are made, and by [`Cloud::advance`].
//! Zones, prices and delays are the simulator's own invention and stand for no real cloud.

mod cloud;
mod endpoint;
mod fault;
mod provider;
mod router;
mod schedule;
mod secret;
mod target;
mod world;

pub use cloud::{Cloud, CloudError, ZoneState};
pub use fault::{Call, Fault, Injection};
pub use provider::factory;
pub use world::{Delays, Endpoint, InstanceOffer, Outage, Router, Secret, Timetable, World, Zone};
