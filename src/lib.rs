//! Isobar plans and applies AI model deployments across zones of several clouds.

pub mod language;
pub mod eval;
pub mod graph;
pub mod state;
