//! Parquet files with a column of times and one of values: one file, or a folder of them.

use crate::csv::AGGREGATE;
use crate::settings::{Problem, Setting, Settings};
use crate::source::Source;

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new(
        "path",
        "The file, or the folder of files, relative to the configuration.",
    )
    .required(),
    Setting::new(
        "timestamp",
        "The column of the times; timestamp by default.",
    ),
    Setting::new("value", "The column of the values; value by default."),
    AGGREGATE,
];

#[cfg(feature = "parquet")]
mod columns;
#[cfg(feature = "parquet")]
mod reader;

#[cfg(feature = "parquet")]
pub(crate) fn open(settings: &Settings) -> Result<Box<dyn Source>, Problem> {
    reader::open(settings)
}

#[cfg(not(feature = "parquet"))]
pub(crate) fn open(_settings: &Settings) -> Result<Box<dyn Source>, Problem> {
    Err(Problem::NotBuilt {
        kind: "parquet",
        feature: "parquet",
    })
}
