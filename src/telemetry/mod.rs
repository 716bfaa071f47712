//! Demand as it was measured: a series on a regular grid, and the sources it is read from.

mod csv;
mod features;
mod folder;
mod origins;
mod replay;
mod table;

use std::path::PathBuf;

pub use self::csv::Csv;
pub use self::features::{Column, columns};
pub use self::folder::{SeriesFile, series_files};
pub use self::origins::{Origin, origins};
pub use self::replay::{Cast, Job, Judged, Missed, replay};
pub use self::table::TableError;
pub use isobar_forecast::{LONGEST_HORIZON, MAX_SLOTS, Series, SeriesError, offset};

/// Where a series comes from: one implementation per kind of source.
pub trait Source {
    /// Reads the whole series.
    ///
    /// # Errors
    ///
    /// When the source cannot be read or does not hold a series; the error names the place and
    /// the fix.
    fn load(&self) -> Result<Series, TelemetryError>;
}

/// A source that could not be turned into a series: where, what and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {what}; {help}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct TelemetryError {
    /// The file that was read, as it was named in the settings.
    pub path: PathBuf,
    /// The line of the file, from 1, where one line is at fault.
    pub line: Option<u64>,
    /// What is wrong, with the offending text.
    pub what: String,
    /// What to change so that it works.
    pub help: String,
}
