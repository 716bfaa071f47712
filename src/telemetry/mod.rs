//! Demand as it was measured: what sources tell, as a series on a regular grid.

mod desk;
mod grid;
mod order;

pub use self::desk::Desk;
pub use self::grid::{Aggregate, Meaning};
pub(crate) use self::order::STEP;
pub use self::order::{Engine, Order, Stale, Telemetry, TelemetryError};
pub use isobar_forecast::{MAX_SLOTS, Series, SeriesError, offset};
