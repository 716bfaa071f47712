//! A simulated cloud: an engine that behaves as a cloud that hosts models does, and the face of
//! SageMaker over it.
//!
//! It is for tests and demonstrations. Nothing is hosted, nothing answers requests to models, and
//! nothing costs anything. `docs/cloud-simulator.md` tells how it is used and where it differs
//! from what it simulates.
//!
//! Provider `sim` has a cloud of its own on purpose. There a call is over when it returns, the
//! world is a file that processes share, and calls carry the keys and errors of Isobar's own
//! provider contract. Here a call begins something that ends later, a client has to ask how it
//! went, and errors are those of a service that has never heard of Isobar. Of the two engines
//! only the counting of instances against quotas is alike, which is ten lines; one engine for both
//! would have to be told at every operation which of the two it is.

pub mod admin;
pub mod aws;
pub mod engine;
mod server;
mod simulation;

pub use server::{Listening, ServeError};
pub use simulation::{Pace, Simulation};
