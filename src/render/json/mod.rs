//! What programs read: plans, states, outputs and events in the JSON formats of Terraform.
//!
//! What Terraform has no word for stands under keys of its own. Sensitive values are null
//! throughout, with `true` at their place in the keys for marks, where Terraform prints them in
//! clear: machine-readable plans end up in the logs and artefacts of CI systems.

mod check;
mod functions;
mod history;
mod modules;
mod plan;
mod resource;
mod schema;
mod state;
pub mod stream;

pub use functions::signatures;
pub use history::{difference, versions};
pub use plan::plan;
pub use resource::shown;
pub use schema::schemas;
pub use state::{Secrets, instance, locks, outputs, state};

/// The version of Isobar, for files that outlive the process.
const VERSION: &str = env!("CARGO_PKG_VERSION");
