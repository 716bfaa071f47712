//! Deployments: how many replicas in which zone, and why.

mod calendar;
pub mod fleet;
pub mod market;
pub mod offer;
pub mod policy;
pub mod resource;
pub mod schedule;
pub mod size;
pub mod spec;

pub use fleet::{Taken, size};
pub use policy::CapacitySpec;
pub use resource::{Needed, ResourceNeed, ResourceSpec};
pub use size::{Demand, Inputs, Quality, Site, Sized, Was, ZoneSize};
pub use spec::{ForecastSpec, Wrong, ZoneSpec};
