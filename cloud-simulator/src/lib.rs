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
//! went, and errors are those of a service that has never heard of Isobar
//! (`docs/decisions/0013-two-simulated-clouds.md`).
//!
//! A test has a cloud of its own like this:
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use isobar_cloud_simulator::aws::{Aws, Key};
//! use isobar_cloud_simulator::engine::World;
//! use isobar_cloud_simulator::{Listening, Pace, Simulation};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = Key { secret: "test".to_owned(), token: None, expired: false };
//! let aws = Aws {
//!     account: "123456789012".to_owned(),
//!     keys: BTreeMap::from([("test".to_owned(), key)]),
//!     contract: None,
//! };
//! // Whoever asks how far something is sees it half a minute later each time.
//! let pace = Pace { rate: 0.0, per_call: 30 };
//! let world = World::new("2030-01-01T00:00:00Z".parse()?, 0);
//! let listening = Listening::on("127.0.0.1:0".parse()?).await?;
//! let endpoint_url = format!("http://{}", listening.address);
//! tokio::spawn(listening.serve(Simulation::new(world, aws, pace)));
//! # let _ = endpoint_url;
//! # Ok(())
//! # }
//! ```

pub mod admin;
pub mod aws;
pub mod engine;
mod server;
mod simulation;

pub use server::{Listening, ServeError};
pub use simulation::{Pace, Simulation};
