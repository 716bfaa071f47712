//! A small model server: one ONNX file over the Open Inference Protocol.
//!
//! [`run`] opens the listener at once, loads the model in the background and
//! answers `/v2/health/ready` with 503 until a first inference has succeeded.
//! It prints nothing, reads no environment and installs no signal handler:
//! the caller says when to stop.
//!
//! ```no_run
//! # async fn example() -> Result<(), isobar_serve::ServeError> {
//! let options = isobar_serve::Options::new("digits.onnx".into(), 8080);
//! let never = std::future::pending();
//! isobar_serve::run(options, never, |address| drop(address)).await
//! # }
//! ```

mod answers;
mod datatype;
mod error;
mod inference;
mod metrics;
mod model;
mod options;
mod problem;
mod protocol;
mod routes;
mod server;
mod service;
mod tensor;

pub use error::ServeError;
pub use options::{Limits, Options};
pub use server::run;
