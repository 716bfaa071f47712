//! Deployments: how many replicas in which zone, and why.

mod calendar;
pub mod market;
pub mod offer;
pub mod schedule;
pub mod size;
pub mod spec;

pub use size::{Demand, Sized, ZoneSize, size};
pub use spec::{CapacitySpec, ForecastSpec, Wrong, ZoneSpec};
