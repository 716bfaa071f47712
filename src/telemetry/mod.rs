//! Demand as it was measured: what sources tell, as a series on a regular grid.

mod desk;
mod features;
mod folder;
mod grid;
mod memo;
mod order;
mod origins;
mod replay;
mod requests;
mod table;

pub use self::desk::Desk;
pub use self::features::{Column, columns};
pub use self::folder::{SeriesFile, series_files};
pub use self::grid::{Aggregate, Meaning};
pub(crate) use self::order::STEP;
pub use self::order::{Engine, Order, Stale, Telemetry, TelemetryError};
pub use self::origins::{Origin, origins};
pub use self::replay::{Cast, Job, Judged, Missed, replay};
pub use self::requests::request_times;
pub use self::table::TableError;
pub use isobar_forecast::{LONGEST_HORIZON, MAX_SLOTS, Series, SeriesError, offset};
