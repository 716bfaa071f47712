//! Model deployments as processes on this machine.
//!
//! A deployment in a zone becomes a `local_replica_set` per model version and one
//! `local_gateway` in front of them. Both are processes that outlive the command which starts
//! them. In reading order:
//!
//! - [`Runtime`] tells where the program is and where files go; `schema` what can be configured;
//!   `target` turns a deployment into the two resources.
//! - `process` tells processes apart by pid *and* start time; `registration` writes down which
//!   were started; `members` holds both against each other; `launch` starts one and waits until
//!   it is ready.
//! - `replica_set` and `gateway_resource` read, plan and apply the two resource types.
//! - [`gateway`] is what the gateway process runs.
//!
//! The program has to offer two commands, both of which end gracefully at SIGTERM within twelve
//! seconds; after that they are killed:
//!
//! ```text
//! isobar serve --model FILE --name NAME --version VERSION --port PORT --instance ID
//! isobar gateway --config FILE
//! ```
//!
//! They run in a process group of their own with no input, so that neither Ctrl-C nor the end of
//! the terminal that started them reaches them, and carry `PORT` (replicas only) and
//! `ISOBAR_REGISTRATION` in their environment. A replica must listen on 127.0.0.1.
//!
//! Files below `<root>/local/<name>/<zone>/`:
//!
//! ```text
//! <version>/<id>.json           registration of a replica
//! <version>/<id>.log            its output
//! _gateway/<id>.json            registration of the gateway
//! _gateway/<id>.config.json     its routes, replaced as a whole when weights change
//! _gateway/<id>.log             its output
//! ```

mod attributes;
pub mod gateway;
mod gateway_resource;
mod http;
mod launch;
mod members;
mod port;
mod process;
mod provider;
mod registration;
mod replica_set;
mod runtime;
mod schema;
mod target;

pub use provider::factory;
pub use runtime::Runtime;
