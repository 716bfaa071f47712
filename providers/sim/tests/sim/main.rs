//! The simulated cloud, through its front door.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

mod bench;
mod conformance;
mod deployments;
mod faults;
mod file;
mod limits;
mod schedules;
