//! Isobar plans and applies AI model deployments across zones of several clouds.

pub mod eval;
pub mod graph;
pub mod language;
pub mod state;
