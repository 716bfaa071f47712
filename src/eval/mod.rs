//! Expressions and a [`Scope`] to values, unknown and sensitive ones included.

pub mod decode;
mod evaluate;
pub mod functions;
mod operator;
mod scope;

pub use decode::decode;
pub use evaluate::evaluate;
pub use scope::{Ambient, Facts, Scope};

use isobar_sdk::Diagnostic;

/// A diagnostic that ends an evaluation; boxed, because it is rare and large.
pub type Fault = Box<Diagnostic>;
