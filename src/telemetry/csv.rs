//! A series from a CSV file with the columns `timestamp` and `value`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use ::csv::{ReaderBuilder, StringRecord, Trim};
use jiff::Timestamp;

use super::{MAX_SLOTS, Series, SeriesError, Source, TelemetryError};

/// A CSV file: a header with `timestamp` and `value` in any order (other columns are ignored),
/// then one reading a row.
///
/// A timestamp is ISO 8601 with `Z` or an offset and marks the start of its slot. Rows may come in
/// any order; of two with the same timestamp the later row wins. A missing row, or an empty value,
/// is a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Csv {
    /// The file.
    pub path: PathBuf,
    /// The length of a slot; `None` takes the most common distance of two readings.
    pub step: Option<Duration>,
    /// Values are counts per this long and are divided by it; `None` means requests per second.
    pub per: Option<Duration>,
    /// Only the last this much is kept; `None` keeps everything.
    pub history: Option<Duration>,
}

/// One row: when, what, and on which line.
struct Reading {
    at: Timestamp,
    value: Option<f64>,
    line: u64,
}

impl Source for Csv {
    fn load(&self) -> Result<Series, TelemetryError> {
        let file = File::open(&self.path).map_err(|error| {
            self.error(
                None,
                format!("cannot open the file: {error}"),
                "check `path` and its permissions",
            )
        })?;
        let (readings, duplicates) = distinct(self.readings(file)?);
        let step = match self.step {
            Some(step) => step,
            None => self.infer_step(&readings)?,
        };
        let series = self.grid(&readings, step)?.with_duplicates(duplicates);
        Ok(self
            .history
            .map_or_else(|| series.clone(), |history| series.latest(history)))
    }
}

impl Csv {
    fn error(&self, line: Option<u64>, what: String, help: &str) -> TelemetryError {
        TelemetryError {
            path: self.path.clone(),
            line,
            what,
            help: help.to_owned(),
        }
    }

    fn readings(&self, file: impl Read) -> Result<Vec<Reading>, TelemetryError> {
        let mut reader = ReaderBuilder::new()
            .flexible(true)
            .trim(Trim::All)
            .from_reader(file);
        let header = reader
            .headers()
            .map_err(|error| self.unreadable(&error))?
            .clone();
        let timestamp = self.column(&header, "timestamp")?;
        let value = self.column(&header, "value")?;
        let per = self.per.map_or(1.0, |per| per.as_secs_f64());
        if per <= 0.0 {
            return Err(self.error(None, "`per` is zero".to_owned(), "set `per` to the duration that a value counts over, such as 1h, or leave it out for rates per second"));
        }
        let mut readings = Vec::new();
        let mut record = StringRecord::new();
        while reader
            .read_record(&mut record)
            .map_err(|error| self.unreadable(&error))?
        {
            let line = record.position().map_or(0, ::csv::Position::line);
            if readings.len() == MAX_SLOTS {
                return Err(self.error(
                    Some(line),
                    format!("more than {MAX_SLOTS} rows"),
                    "keep fewer rows or aggregate them over a longer step",
                ));
            }
            let at = self.timestamp(cell(&record, timestamp), line)?;
            let value = self
                .value(cell(&record, value), line)?
                .map(|value| value / per);
            readings.push(Reading { at, value, line });
        }
        if readings.is_empty() {
            return Err(self.error(
                None,
                "the file has no rows".to_owned(),
                "add rows of timestamp,value below the header",
            ));
        }
        Ok(readings)
    }

    fn unreadable(&self, error: &::csv::Error) -> TelemetryError {
        let line = error.position().map(::csv::Position::line);
        self.error(
            line,
            format!("not readable as CSV: {error}"),
            "save the file as comma-separated UTF-8 text",
        )
    }

    fn column(&self, header: &StringRecord, name: &str) -> Result<usize, TelemetryError> {
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
        Err(self.error(
            Some(1),
            what,
            "begin the file with the line timestamp,value",
        ))
    }

    fn timestamp(&self, text: &str, line: u64) -> Result<Timestamp, TelemetryError> {
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
            self.error(
                Some(line),
                format!("column timestamp: {} {why}", abbreviate(text)),
                help,
            )
        })
    }

    fn value(&self, text: &str, line: u64) -> Result<Option<f64>, TelemetryError> {
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
        Err(self.error(
            Some(line),
            format!("column value: {} {why}", abbreviate(text)),
            help,
        ))
    }

    /// The most common distance of neighbours; of equally common ones the shortest.
    fn infer_step(&self, readings: &[Reading]) -> Result<Duration, TelemetryError> {
        let mut counts: BTreeMap<Duration, usize> = BTreeMap::new();
        for pair in readings.windows(2) {
            if let Ok(distance) = Duration::try_from(pair[1].at.duration_since(pair[0].at)) {
                *counts.entry(distance).or_default() += 1;
            }
        }
        let mut best = None;
        for (distance, count) in counts {
            if best.is_none_or(|(_, most)| count > most) {
                best = Some((distance, count));
            }
        }
        best.map(|(distance, _)| distance).ok_or_else(|| {
            self.error(
                None,
                "one time alone does not tell the step".to_owned(),
                "set `step`, for example \"5m\", or give more rows",
            )
        })
    }

    fn grid(&self, readings: &[Reading], step: Duration) -> Result<Series, TelemetryError> {
        if step.is_zero() {
            let help = "set `step` to a duration such as \"5m\", or leave it out";
            return Err(self.error(None, "`step` is zero".to_owned(), help));
        }
        let start = readings
            .first()
            .map_or(Timestamp::UNIX_EPOCH, |reading| reading.at);
        let mut values = Vec::new();
        for reading in readings {
            let slot = self.slot(start, step, reading)?;
            values.resize(slot, None);
            values.push(reading.value);
        }
        Series::new(start, step, values).map_err(|error| {
            let help = match error {
                SeriesError::Empty => "give at least one row a value",
                _ => "check the times and values of the file",
            };
            self.error(None, error.to_string(), help)
        })
    }

    /// The place of a reading on the grid.
    fn slot(
        &self,
        start: Timestamp,
        step: Duration,
        reading: &Reading,
    ) -> Result<usize, TelemetryError> {
        let elapsed = reading.at.duration_since(start).as_nanos().unsigned_abs();
        let (slot, beyond) = (elapsed / step.as_nanos(), elapsed % step.as_nanos());
        if slot >= MAX_SLOTS as u128 {
            let what = format!(
                "from {start} to {} there are {slot} slots of {step:?}, more than {MAX_SLOTS}",
                reading.at
            );
            let help = "check for a mistyped date, use a longer `step`, or keep fewer rows";
            return Err(self.error(Some(reading.line), what, help));
        }
        if beyond > 0 {
            let what = format!(
                "column timestamp: {} lies {:?} off the grid of {step:?} that begins at {start}",
                reading.at,
                Duration::from_nanos_u128(beyond)
            );
            let help = "round the times to the step, or set `step` to the distance of the rows";
            return Err(self.error(Some(reading.line), what, help));
        }
        Ok(slot as usize)
    }
}

/// Readings by time, of equal times the one furthest down the file; and how many were dropped.
fn distinct(mut readings: Vec<Reading>) -> (Vec<Reading>, usize) {
    let all = readings.len();
    readings.sort_by_key(|reading| (reading.at, std::cmp::Reverse(reading.line)));
    readings.dedup_by_key(|reading| reading.at);
    let duplicates = all - readings.len();
    (readings, duplicates)
}

fn cell(record: &StringRecord, column: usize) -> &str {
    record.get(column).unwrap_or_default()
}

/// The text in quotes, cut to what fits into a message.
fn abbreviate(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.chars().count() <= LONGEST {
        return format!("{text:?}");
    }
    let head: String = text.chars().take(LONGEST).collect();
    format!("{head:?}…")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn cases() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/telemetry")
    }

    fn source(path: PathBuf) -> Csv {
        Csv {
            path,
            step: None,
            per: None,
            history: None,
        }
    }

    /// One line a slot: the time and the value, or `-` for a gap.
    fn listing(series: &Series) -> String {
        let mut text = format!(
            "step {:?} duplicates {}\n",
            series.step(),
            series.duplicates()
        );
        for (slot, value) in series.values().iter().enumerate() {
            let at = crate::telemetry::offset(series.start(), series.step(), slot).unwrap();
            let value = value.map_or("-".to_owned(), |value| value.to_string());
            text += &format!("{at} {value}\n");
        }
        text
    }

    /// Every folder below `testdata/telemetry` holds `input.csv` and what it must give:
    /// `expected.txt`, the slots, or `error.txt`, the message.
    #[test]
    fn files_give_the_series_or_the_error_beside_them() {
        let mut names: Vec<_> = fs::read_dir(cases())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        names.sort();
        assert!(names.len() >= 10, "the cases are missing");
        for case in names {
            let input = case.join("input.csv");
            let (file, actual) = match source(input.clone()).load() {
                Ok(series) => ("expected.txt", listing(&series)),
                Err(error) => (
                    "error.txt",
                    error
                        .to_string()
                        .replace(&input.display().to_string(), "input.csv")
                        + "\n",
                ),
            };
            let expected = fs::read_to_string(case.join(file)).unwrap_or_default();
            assert_eq!(actual, expected, "{}", case.join(file).display());
        }
    }

    #[test]
    fn counts_become_rates_and_only_the_history_is_kept() {
        let mut source = source(cases().join("plain/input.csv"));
        let whole = source.load().unwrap();
        source.per = Some(Duration::from_secs(300));
        source.history = Some(whole.step() * 2);
        let series = source.load().unwrap();
        let slots = whole.values().len();
        let expected: Vec<_> = whole.values()[slots - 2..]
            .iter()
            .map(|value| value.map(|value| value / 300.0))
            .collect();
        assert_eq!(series.values(), expected);
        assert_eq!(series.end(), whole.end());
    }

    #[test]
    fn a_step_may_be_finer_than_the_rows_but_not_coarser() {
        let mut source = source(cases().join("plain/input.csv"));
        let step = source.load().unwrap().step();
        source.step = Some(step / 2);
        assert!(source.load().unwrap().gaps() > 0);
        source.step = Some(step * 2);
        let error = source.load().unwrap_err();
        assert!(error.what.contains("off the grid"), "{error}");
        source.step = Some(Duration::ZERO);
        assert!(source.load().unwrap_err().what.contains("zero"));
        source.step = None;
        source.per = Some(Duration::ZERO);
        assert!(source.load().unwrap_err().what.contains("zero"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = source(cases().join("none.csv")).load().unwrap_err();
        assert_eq!(error.line, None);
        assert!(
            error.to_string().contains("none.csv: cannot open the file"),
            "{error}"
        );
    }

    #[test]
    fn bytes_that_are_not_text_are_refused_with_their_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bytes.csv");
        fs::write(
            &path,
            b"timestamp,value\n2024-01-01T00:00:00Z,1\n\xff\xfe,2\n",
        )
        .unwrap();
        let error = source(path).load().unwrap_err();
        assert_eq!(error.line, Some(3));
        assert!(error.what.contains("not readable as CSV"), "{error}");
    }
}
