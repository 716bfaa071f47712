//! Values in, text out: how everything that Isobar says looks, for people and for programs.

mod deployment;
pub mod diagnostic;
mod diff;
pub mod plan;
mod style;
mod value;

pub use style::{Colour, Role, Style};
pub use value::{named, value};
