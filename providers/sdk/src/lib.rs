//! The vocabulary that the engine and every provider share.
//!
//! Reading order: a [`Value`] has a [`Type`] and lives at a [`Path`]; an [`Address`] names a
//! resource; a [`Schema`] says which attributes it has; a [`Provider`] reads, plans and applies
//! it; what goes wrong for the user is a [`Diagnostic`], what goes wrong in a call an [`Error`].

pub mod address;
pub mod artifact;
pub mod clock;
pub mod conformance;
pub mod deployment;
pub mod diagnostic;
pub mod error;
pub mod fake;
pub mod fault;
pub mod function;
pub mod json;
pub mod limit;
pub mod market;
pub mod number;
pub mod path;
pub mod provider;
pub mod quantity;
pub mod retry;
pub mod schema;
pub mod shared;
pub mod span;
pub mod types;
pub mod value;

pub use address::{Address, Key, Native};
pub use diagnostic::{Diagnostic, Diagnostics, Fault, Severity};
pub use error::{Error, ErrorKind};
pub use function::Function;
pub use number::Number;
pub use path::{Path, Step};
pub use provider::{Factory, Provider};
pub use schema::Schema;
pub use span::Span;
pub use types::Type;
pub use value::{Known, Value};
