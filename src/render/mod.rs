//! Values in, text out: how everything that Isobar says looks, for people and for programs.

pub mod chart;
mod concise;
mod configuration;
mod console;
pub mod contest;
mod demand;
mod deployment;
pub mod deviation;
pub mod diagnostic;
mod diff;
mod document;
pub mod drift;
pub mod event;
pub mod forecast;
pub mod graph;
pub mod history;
pub mod json;
pub mod marks;
pub mod offers;
mod outlook;
mod package;
pub mod page;
pub mod plan;
mod prospect;
mod providers;
#[cfg(test)]
mod sample;
pub mod state;
mod style;
pub mod svg;
pub mod trial;
pub mod unified;
mod value;

pub use concise::concise;
pub use configuration::configuration;
pub use console::{console, console_type, outputs};
pub use outlook::outlook;
pub use package::package;
pub use prospect::prospects;
pub use providers::providers;
pub use style::{Colour, Role, Style};
