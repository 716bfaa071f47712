//! A CSV file with the columns `timestamp` and `value`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use ::csv::{ReaderBuilder, StringRecord, Trim};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::Deserialize;

use crate::MAX_READINGS;
use crate::fault::{Fault, abbreviate};
use crate::settings::{Problem, Setting, Settings};
use crate::source::{Extent, Reading, Source, Window};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("path", "The file, relative to the configuration.").required(),
    AGGREGATE,
];

/// What files and pages of readings can be told.
pub(crate) const AGGREGATE: Setting = Setting::new(
    "aggregate",
    "What becomes of several readings in one step: sum, mean, max or last; without it there can be only one.",
);

/// A CSV file: a header with `timestamp` and `value` in any order (other columns are ignored),
/// then one reading a row.
///
/// A timestamp is ISO 8601 with `Z` or an offset. Rows may come in any order. An empty value is a
/// gap.
#[derive(Debug)]
struct Csv {
    path: PathBuf,
    shown: String,
}

#[derive(Deserialize)]
struct Told {
    path: String,
}

pub(crate) fn open(settings: &Settings) -> Result<Box<dyn Source>, Problem> {
    let Told { path } = settings.read()?;
    Ok(Box::new(Csv {
        path: settings.folder.join(&path),
        shown: path,
    }))
}

impl Source for Csv {
    fn place(&self) -> String {
        self.shown.clone()
    }

    fn extent(&self) -> Extent {
        Extent::Whole
    }

    fn read(&self, _window: Window) -> BoxFuture<'_, Result<Vec<Reading>, Fault>> {
        async move { read_csv(&self.path) }.boxed()
    }
}

/// The readings of a file with the columns `timestamp` and `value`, in the order of its rows.
///
/// # Errors
/// Why it holds none, with the line where one is at fault.
pub fn read_csv(path: &Path) -> Result<Vec<Reading>, Fault> {
    let file = File::open(path).map_err(|error| {
        Fault::question(
            format!("cannot open the file: {error}"),
            "check `path` and its permissions",
        )
    })?;
    readings(file)
}

fn wrong(line: Option<u64>, what: String, help: &str) -> Fault {
    Fault::Unusable {
        line,
        what,
        help: help.to_owned(),
    }
}

fn readings(file: impl Read) -> Result<Vec<Reading>, Fault> {
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .trim(Trim::All)
        .from_reader(file);
    let header = reader.headers().map_err(|error| unreadable(&error))?;
    let header = header.clone();
    let timestamp = column(&header, "timestamp")?;
    let value = column(&header, "value")?;
    let mut readings = Vec::new();
    let mut record = StringRecord::new();
    while reader
        .read_record(&mut record)
        .map_err(|error| unreadable(&error))?
    {
        let line = record.position().map_or(0, ::csv::Position::line);
        if readings.len() == MAX_READINGS {
            return Err(wrong(
                Some(line),
                format!("more than {MAX_READINGS} rows"),
                "keep fewer rows or aggregate them over a longer step",
            ));
        }
        readings.push(Reading {
            at: time(cell(&record, timestamp), line)?,
            value: number(cell(&record, value), line)?,
            line: Some(line),
        });
    }
    if readings.is_empty() {
        return Err(wrong(
            None,
            "the file has no rows".to_owned(),
            "add rows of timestamp,value below the header",
        ));
    }
    Ok(readings)
}

fn unreadable(error: &::csv::Error) -> Fault {
    wrong(
        error.position().map(::csv::Position::line),
        format!("not readable as CSV: {error}"),
        "save the file as comma-separated UTF-8 text",
    )
}

fn column(header: &StringRecord, name: &str) -> Result<usize, Fault> {
    let mut places = header
        .iter()
        .enumerate()
        .filter(|(_, title)| title.eq_ignore_ascii_case(name));
    let what = match (places.next(), places.next()) {
        (Some((place, _)), None) => return Ok(place),
        (Some(_), Some(_)) => format!("the header names the column \"{name}\" twice"),
        (None, _) if header.iter().all(str::is_empty) => "the file is empty".to_owned(),
        (None, _) => {
            let found: Vec<_> = header.iter().take(8).map(abbreviate).collect();
            format!("the header has no column \"{name}\": {}", found.join(","))
        }
    };
    let help = "begin the file with the line timestamp,value";
    Err(wrong(Some(1), what, help))
}

fn time(text: &str, line: u64) -> Result<Timestamp, Fault> {
    text.parse().map_err(|_| {
        let zoneless = text.parse::<jiff::civil::DateTime>().is_ok();
        let (why, help) = match (text.is_empty(), zoneless) {
            (true, _) => (
                "is empty",
                "give every row a time such as 2024-05-01T09:00:00Z",
            ),
            (_, true) => (
                "has no time zone",
                "append Z for UTC or an offset such as +02:00",
            ),
            _ => (
                "is not an ISO 8601 time",
                "write it as 2024-05-01T09:00:00Z",
            ),
        };
        let what = format!("column timestamp: {} {why}", abbreviate(text));
        wrong(Some(line), what, help)
    })
}

fn number(text: &str, line: u64) -> Result<Option<f64>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    let (why, help) = match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => return Ok(Some(value)),
        Ok(value) if value.is_finite() => (
            "is negative",
            "rates and counts are at least 0; correct the row or leave the value empty",
        ),
        Ok(_) => (
            "is not a finite number",
            "leave the value empty where nothing was measured",
        ),
        Err(_) => (
            "is not a number",
            "write a plain number such as 12.5, or leave the value empty where nothing was measured",
        ),
    };
    let what = format!("column value: {} {why}", abbreviate(text));
    Err(wrong(Some(line), what, help))
}

fn cell(record: &StringRecord, column: usize) -> &str {
    record.get(column).unwrap_or_default()
}
