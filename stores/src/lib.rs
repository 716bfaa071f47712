//! A state that several machines share: kept in a bucket, a database or behind a web server,
//! written by one of them at a time.
//!
//! [`Documents`] is all that is asked of a place: named documents that can be written on a
//! condition. On it stands [`Shared`], the protocol (docs/stores.md): a [`Head`] that is only
//! ever replaced by who knows it, a lease with a fencing number in it, a log of what is being
//! done that a successor can seal, and versions of the state that are never written over.
//! [`Web`] is the other protocol, that of Terraform's `http` backend.

#[cfg(feature = "azblob")]
mod azblob;
mod documents;
#[cfg(feature = "gcs")]
mod gcs;
mod head;
mod keep;
mod log;
mod memory;
#[cfg(any(feature = "s3", feature = "azblob", feature = "gcs"))]
mod object;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "s3")]
mod s3;
mod settings;
mod shared;
mod versions;
#[cfg(feature = "http")]
mod web;
mod within;
mod writer;

pub use documents::{Condition, Document, Documents, Fault, Tag};
pub use head::{Changes, Entry, Head, Holder, Version};
pub use keep::Keep;
pub use memory::Memory;
pub use settings::{Kind, Opened, Problem, Setting, Settings};
pub use shared::{AcquireError, Lease, Shared, Snapshot, Waiting};
#[cfg(feature = "http")]
pub use web::{Info, LockFault, Web};
pub use within::Within;
pub use writer::{WriteError, Writer};

/// The time of the machine, which only who runs the program may read.
pub type Clock = std::sync::Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;
