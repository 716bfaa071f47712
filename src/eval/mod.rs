//! Expressions and a [`Scope`] to values, unknown and sensitive ones included.

pub mod decode;
mod evaluate;
pub mod functions;
mod operator;
mod scope;

pub use decode::decode;
pub use evaluate::evaluate;
pub use scope::{Ambient, Facts, Scope};
