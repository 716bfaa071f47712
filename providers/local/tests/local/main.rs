//! The provider `local` as the engine drives it, with real processes and real requests.
#![cfg(target_os = "linux")]

mod bench;
mod gateway;
mod replica_set;
mod target;
