//! Isobar plans and applies AI model deployments across zones of several clouds.

pub mod telemetry;

pub mod forecast;

pub mod capacity;

pub mod placement;
