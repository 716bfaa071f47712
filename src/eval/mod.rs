//! Expressions and a [`Scope`] to values, unknown and sensitive ones included.

mod bounds;
pub mod condition;
pub mod decode;
mod dynamic;
pub mod ephemeral;
mod evaluate;
mod frames;
pub mod functions;
pub mod host;
mod operator;
mod scope;
mod variable;

pub use decode::{decode, decode_passing};
pub use evaluate::evaluate;
pub use frames::{Frames, Instance};
pub use scope::{Ambient, Facts, Scope};
pub use variable::{accept, default_of};
