//! Where telemetry is read from: one kind of source a file, all of them behind [`Source`].
//!
//! A source gives [`Reading`]s, which are times and values; what they mean together (a grid,
//! counters, duplicates, gaps) is for the caller to say. [`Kind`] is the table of what each kind
//! can be told, [`Fault`] what can go wrong, [`Cache`] what need not be asked again, and
//! [`fetch`] puts them together.

mod azure_monitor;
mod azure_token;
mod bigquery;
mod cache;
mod cloudwatch;
mod csv;
mod fault;
mod fetch;
mod http_json;
mod json_path;
mod parquet;
mod prometheus;
mod settings;
mod source;
mod web;

pub use cache::{Cache, Kept};
pub use csv::read_csv;
pub use fault::Fault;
pub use fetch::{Demand, Fetched, fetch};
pub use settings::{Kind, Problem, Setting, Settings, Shape};
pub use source::{Bands, Extent, Reading, Source, Window};

/// The most readings that a source may give.
pub const MAX_READINGS: usize = 5_000_000;
