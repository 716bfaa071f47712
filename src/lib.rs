//! Isobar plans and applies AI model deployments across zones of several clouds.
//!
//! The modules stand in reading order; each may use those above it and none below it
//! (`docs/architecture.md`, enforced by `tests/architecture.rs`).

pub mod language;

pub mod format;

pub mod package;

pub mod eval;

pub mod graph;

pub mod state;

pub mod change;

pub mod event;

pub mod telemetry;

pub use isobar_forecast as forecast;

pub use isobar_capacity as capacity;

pub use isobar_catalog as catalog;
pub use isobar_placement as placement;

pub mod deployment;

pub mod registry;

pub mod plan;

pub mod apply;

pub mod trial;

pub mod render;

pub mod providers;

pub mod editor;

pub mod cli;
