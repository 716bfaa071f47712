//! The provider `local` as the engine drives it, with real processes and real requests.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in what its cases share as well"
)]

mod bench;
mod conformance;
mod gateway;
mod replica_set;
mod target;
