//! The engine through its front door: configurations planned and applied with real providers.

mod crash;
mod deployments;
mod faults;
mod histories;
mod language;
mod lifecycle;
mod workspace;
mod wrapper;
