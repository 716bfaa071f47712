//! The engine through its front door: configurations planned and applied with real providers.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where its case does not hold"
)]

mod absent;
mod conditions;
mod crash;
mod data;
mod deployments;
mod dynamic;
mod faults;
mod fleets;
mod histories;
mod imports;
mod language;
mod lifecycle;
mod minimal;
mod modules;
mod moves;
mod nouns;
mod replacement;
mod resources;
mod secrets;
mod selection;
mod workspace;
mod wrapper;
