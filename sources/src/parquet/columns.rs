//! Columns of a row group to times and numbers.

use ::parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::DataType;
use ::parquet::errors::ParquetError;
use ::parquet::schema::types::ColumnDescriptor;
use jiff::Timestamp;

/// Why a column cannot be used.
pub(super) enum NotReadable {
    /// The file is broken.
    Broken(ParquetError),
    /// The column is of another type.
    Type { found: String, help: &'static str },
}

impl From<ParquetError> for NotReadable {
    fn from(error: ParquetError) -> Self {
        Self::Broken(error)
    }
}

/// All rows of a column; `None` where it is null.
fn all<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    column: &ColumnDescriptor,
    rows: usize,
) -> Result<Vec<Option<T::T>>, NotReadable> {
    if column.max_rep_level() > 0 {
        return Err(NotReadable::Type {
            found: "a list".to_owned(),
            help: "name a column with one value in each row",
        });
    }
    let mut values = Vec::new();
    let mut levels = Vec::new();
    let most = column.max_def_level();
    let mut read = 0;
    while read < rows {
        let defined = (most > 0).then_some(&mut levels);
        let (records, _, _) = reader.read_records(rows - read, defined, None, &mut values)?;
        if records == 0 {
            return Err(ParquetError::EOF(format!("{read} of {rows} rows")).into());
        }
        read += records;
    }
    if most == 0 {
        return Ok(values.into_iter().map(Some).collect());
    }
    let mut values = values.into_iter();
    let levels = levels.into_iter();
    Ok(levels
        .map(|level| if level == most { values.next() } else { None })
        .collect())
}

/// Nanoseconds that one of a column's numbers stands for.
fn unit(column: &ColumnDescriptor) -> Option<i128> {
    match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Timestamp(timestamp)), _) => Some(match timestamp.unit {
            TimeUnit::MILLIS => 1_000_000,
            TimeUnit::MICROS => 1_000,
            TimeUnit::NANOS => 1,
        }),
        (_, ConvertedType::TIMESTAMP_MILLIS) => Some(1_000_000),
        (_, ConvertedType::TIMESTAMP_MICROS) => Some(1_000),
        _ => None,
    }
}

/// A column of times. Those that are not said to be UTC are taken as UTC: that is how data frames
/// without zones are written.
pub(super) fn times(
    reader: ColumnReader,
    column: &ColumnDescriptor,
    rows: usize,
) -> Result<Vec<Option<Timestamp>>, NotReadable> {
    let help = "write the times as a timestamp in milliseconds, microseconds or nanoseconds";
    let beyond = |at: i128| NotReadable::Type {
        found: format!("a time beyond the calendar, {at} ns from 1970"),
        help,
    };
    let time = |at: i128| Timestamp::from_nanosecond(at).map_err(|_| beyond(at));
    match (reader, unit(column)) {
        (ColumnReader::Int64ColumnReader(reader), Some(unit)) => {
            let times = all(reader, column, rows)?.into_iter();
            let times = times.map(|at| at.map(|at| time(i128::from(at) * unit)).transpose());
            times.collect()
        }
        // What older Spark and Hive write.
        (ColumnReader::Int96ColumnReader(reader), _) => {
            let times = all(reader, column, rows)?.into_iter();
            let times = times.map(|at| at.map(|at| time(i128::from(at.to_nanos()))).transpose());
            times.collect()
        }
        _ => Err(NotReadable::Type {
            found: format!("no timestamp but {}", kind(column)),
            help,
        }),
    }
}

/// A column of numbers.
pub(super) fn values(
    reader: ColumnReader,
    column: &ColumnDescriptor,
    rows: usize,
) -> Result<Vec<Option<f64>>, NotReadable> {
    fn to<T>(values: Vec<Option<T>>, float: impl Fn(T) -> f64) -> Vec<Option<f64>> {
        let values = values.into_iter();
        values.map(|value| value.map(&float)).collect()
    }
    let decimal = match column.logical_type_ref() {
        Some(LogicalType::Decimal(decimal)) => 10_f64.powi(-decimal.scale),
        _ => 1.0,
    };
    let plain = unit(column).is_none() && column.logical_type_ref() != Some(&LogicalType::Date);
    match reader {
        ColumnReader::Int32ColumnReader(reader) if plain => {
            Ok(to(all(reader, column, rows)?, |v| f64::from(v) * decimal))
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "counts beyond 2^53 are no telemetry"
        )]
        ColumnReader::Int64ColumnReader(reader) if plain => {
            Ok(to(all(reader, column, rows)?, |v| v as f64 * decimal))
        }
        ColumnReader::FloatColumnReader(reader) => Ok(to(all(reader, column, rows)?, f64::from)),
        ColumnReader::DoubleColumnReader(reader) => Ok(to(all(reader, column, rows)?, |v| v)),
        _ => Err(NotReadable::Type {
            found: format!("no number but {}", kind(column)),
            help: "name a column of integers or floating-point numbers with value",
        }),
    }
}

fn kind(column: &ColumnDescriptor) -> String {
    let logical = column
        .logical_type_ref()
        .map(|logical| format!("{logical:?}"));
    logical.unwrap_or_else(|| column.physical_type().to_string())
}
