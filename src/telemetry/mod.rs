//! Demand as it was measured: what sources tell, as a series on a regular grid.

mod desk;
mod grid;

pub(crate) use self::desk::STEP;
pub use self::desk::{Desk, Engine, Order, Stale, Telemetry, TelemetryError};
pub use self::grid::{Aggregate, Meaning};
pub use isobar_forecast::{MAX_SLOTS, Series, SeriesError, offset};
