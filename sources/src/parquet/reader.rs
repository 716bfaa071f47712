//! Files to readings.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::schema::types::SchemaDescriptor;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::Deserialize;

use super::columns::{self, NotReadable};
use crate::MAX_READINGS;
use crate::fault::Fault;
use crate::settings::{Problem, Settings};
use crate::source::{Extent, Reading, Source, Window};

#[derive(Debug)]
struct Parquet {
    path: PathBuf,
    shown: String,
    timestamp: String,
    value: String,
}

#[derive(Deserialize)]
struct Told {
    path: String,
    timestamp: Option<String>,
    value: Option<String>,
}

pub(super) fn open(settings: &Settings) -> Result<Box<dyn Source>, Problem> {
    let told: Told = settings.read()?;
    Ok(Box::new(Parquet {
        path: settings.folder.join(&told.path),
        shown: told.path,
        timestamp: told.timestamp.unwrap_or_else(|| "timestamp".to_owned()),
        value: told.value.unwrap_or_else(|| "value".to_owned()),
    }))
}

impl Source for Parquet {
    fn place(&self) -> String {
        self.shown.clone()
    }

    fn extent(&self) -> Extent {
        Extent::Whole
    }

    fn read(&self, _window: Window) -> BoxFuture<'_, Result<Vec<Reading>, Fault>> {
        async move {
            let mut readings = Vec::new();
            for file in self.files()? {
                self.file(&file, &mut readings)?;
            }
            if readings.is_empty() {
                let help = "give at least one row a time and a value";
                return Err(Fault::unusable("there are no rows", help));
            }
            Ok(readings)
        }
        .boxed()
    }
}

impl Parquet {
    /// The file, or those of the folder in the order of their names.
    fn files(&self) -> Result<Vec<PathBuf>, Fault> {
        let failed = |error: std::io::Error| {
            let what = format!("cannot open the file: {error}");
            Fault::question(what, "check `path` and its permissions")
        };
        if !fs::metadata(&self.path).map_err(failed)?.is_dir() {
            return Ok(vec![self.path.clone()]);
        }
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "parquet")
            {
                files.push(path);
            }
        }
        if files.is_empty() {
            let help = "put files whose names end in .parquet into it, or name another folder";
            return Err(Fault::question("the folder has no file .parquet", help));
        }
        files.sort();
        Ok(files)
    }

    fn file(&self, path: &Path, into: &mut Vec<Reading>) -> Result<(), Fault> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let file = File::open(path).map_err(|error| {
            let what = format!("{name}: cannot open the file: {error}");
            Fault::question(what, "check its permissions")
        })?;
        let broken = |error: ParquetError| unreadable(&name, &error);
        let reader = SerializedFileReader::new(file).map_err(broken)?;
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        let timestamp = place(&name, &schema, &self.timestamp)?;
        let value = place(&name, &schema, &self.value)?;
        for group in 0..reader.num_row_groups() {
            let group = reader.get_row_group(group).map_err(broken)?;
            let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(usize::MAX);
            if into.len().saturating_add(rows) > MAX_READINGS {
                let what = format!("{name}: more than {MAX_READINGS} rows");
                let help = "keep fewer rows or aggregate them over a longer step";
                return Err(Fault::unusable(what, help));
            }
            let times = group.get_column_reader(timestamp).map_err(broken)?;
            let times = columns::times(times, &schema.column(timestamp), rows);
            let times = times.map_err(|error| wrong(&name, &self.timestamp, error))?;
            let values = group.get_column_reader(value).map_err(broken)?;
            let values = columns::values(values, &schema.column(value), rows);
            let values = values.map_err(|error| wrong(&name, &self.value, error))?;
            for (row, (time, value)) in times.into_iter().zip(values).enumerate() {
                into.push(reading(&name, row, time, value)?);
            }
        }
        Ok(())
    }
}

fn unreadable(name: &str, error: &ParquetError) -> Fault {
    let what = format!("{name}: not readable as Parquet: {error}");
    let help = "write the file again; snappy, zstd, gzip and lz4 are understood";
    Fault::unusable(what, help)
}

fn wrong(name: &str, column: &str, wrong: NotReadable) -> Fault {
    match wrong {
        NotReadable::Broken(error) => unreadable(name, &error),
        NotReadable::Type { found, help } => {
            Fault::unusable(format!("{name}: the column {column:?} is {found}"), help)
        }
    }
}

/// Where the column of this name is.
fn place(name: &str, schema: &SchemaDescriptor, wanted: &str) -> Result<usize, Fault> {
    let columns = schema.columns().iter().map(|column| column.path().string());
    let columns: Vec<String> = columns.collect();
    let found = columns.iter().position(|column| column == wanted);
    found.ok_or_else(|| {
        let listed: Vec<String> = columns.iter().take(12).map(|c| format!("{c:?}")).collect();
        let what = format!(
            "{name}: there is no column {wanted:?}: {}",
            listed.join(", ")
        );
        Fault::question(what, "name the columns with timestamp and value")
    })
}

fn reading(
    name: &str,
    row: usize,
    time: Option<Timestamp>,
    value: Option<f64>,
) -> Result<Reading, Fault> {
    let row = row + 1;
    let Some(at) = time else {
        let what = format!("{name}: row {row} of a group has no time");
        return Err(Fault::unusable(what, "give every row a time"));
    };
    match value {
        Some(value) if value.is_infinite() || value < 0.0 => Err(Fault::unusable(
            format!("{name}: the value {value} at {at} is negative or infinite"),
            "rates and counts are at least 0; make it null where nothing was measured",
        )),
        value => Ok(Reading {
            at,
            // Data frames write what is missing as not a number.
            value: value.filter(|value| !value.is_nan()),
            line: None,
        }),
    }
}
