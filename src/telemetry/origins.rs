//! Tables of origins: from when, in which step and how far series are to be forecast.

use std::path::Path;
use std::time::Duration;

use ::csv::{ReaderBuilder, StringRecord, Trim};
use jiff::Timestamp;

use super::{Series, TableError};

/// The columns of the table.
const COLUMNS: [&str; 4] = ["series", "origin", "step_seconds", "horizon"];
/// So many broken rows are told; more would say nothing new.
const MOST_TOLD: usize = 10;

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The name of the series.
    pub series: String,
    /// The start of the last known slot.
    pub at: Timestamp,
    /// The length of a slot.
    pub step: Duration,
    /// How many steps are to be forecast.
    pub horizon: usize,
    /// The line of the table, from 1.
    pub line: u64,
}

/// Reads a table with the columns `series`, `origin`, `step_seconds` and `horizon`, in any order.
///
/// # Errors
///
/// What is wrong with the file or its rows, the first few of them; there is at least one error.
pub fn origins(path: &Path) -> Result<Vec<Origin>, Vec<TableError>> {
    let error = |line: Option<u64>, what: String, help: &str| TableError {
        path: path.to_owned(),
        line,
        what,
        help: help.to_owned(),
    };
    let unreadable = |failure: &::csv::Error| {
        let line = failure.position().map(::csv::Position::line);
        let help = "name a table with the columns series,origin,step_seconds,horizon";
        vec![error(line, failure.to_string(), help)]
    };
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .trim(Trim::All)
        .from_path(path)
        .map_err(|failure| unreadable(&failure))?;
    let header = reader.headers().map_err(|failure| unreadable(&failure))?;
    let places = COLUMNS.map(|name| header.iter().position(|title| title == name));
    let [Some(series), Some(origin), Some(step), Some(horizon)] = places else {
        let found: Vec<_> = header.iter().take(8).collect();
        let what = format!("the header is {:?}", found.join(","));
        let help = "begin the table with series,origin,step_seconds,horizon";
        return Err(vec![error(Some(1), what, help)]);
    };
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.map_err(|failure| unreadable(&failure))?;
        match row(&record, [series, origin, step, horizon]) {
            Ok(row) => rows.push(row),
            Err((line, what, help)) => wrong.push(error(Some(line), what, help)),
        }
        if wrong.len() == MOST_TOLD {
            break;
        }
    }
    if wrong.is_empty() {
        Ok(rows)
    } else {
        Err(wrong)
    }
}

fn row(
    record: &StringRecord,
    [series, origin, step, horizon]: [usize; 4],
) -> Result<Origin, (u64, String, &'static str)> {
    let line = record.position().map_or(0, ::csv::Position::line);
    let cell = |place| record.get(place).unwrap_or_default();
    let wrong = |name: &str, place, help| (line, format!("{name} is {:?}", cell(place)), help);
    let at = cell(origin).parse().map_err(|_| {
        let help = "write the time of the last known row as 2024-05-01T09:00:00Z";
        wrong("origin", origin, help)
    })?;
    let seconds = cell(step).parse().ok().filter(|seconds| *seconds > 0.0);
    let length = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let length = length.filter(|length| !length.is_zero()).ok_or_else(|| {
        let help = "write the step as a positive number of seconds, such as 300";
        wrong("step_seconds", step, help)
    })?;
    let steps = cell(horizon).parse().ok();
    let steps = steps.filter(|steps| (1..=crate::telemetry::LONGEST_HORIZON).contains(steps));
    Ok(Origin {
        series: cell(series).to_owned(),
        at,
        step: length,
        horizon: steps.ok_or_else(|| {
            let help = "write the horizon as a whole number of steps from 1 to 100000";
            wrong("horizon", horizon, help)
        })?,
        line,
    })
}

impl Origin {
    /// The slot of `series` that begins at this origin, unless there is none.
    #[must_use]
    pub fn slot(&self, series: &Series) -> Option<usize> {
        let elapsed = Duration::try_from(self.at.duration_since(series.start())).ok()?;
        let step = series.step().as_nanos();
        if !elapsed.as_nanos().is_multiple_of(step) {
            return None;
        }
        let slot = usize::try_from(elapsed.as_nanos() / step).ok()?;
        (slot < series.values().len()).then_some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Origin>, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("origins.csv");
        std::fs::write(&path, text).unwrap();
        let told = |errors: Vec<TableError>| {
            let folder = format!("{}/", folder.path().display());
            let texts = errors
                .iter()
                .map(|error| error.to_string().replace(&folder, ""));
            texts.collect()
        };
        origins(&path).map_err(told)
    }

    #[test]
    fn columns_may_come_in_any_order() {
        let text = "horizon,series,step_seconds,origin\n6,a,300,2024-01-01T00:05:00Z\n";
        let rows = read(text).unwrap();
        assert_eq!(
            rows,
            [Origin {
                series: "a".to_owned(),
                at: "2024-01-01T00:05:00Z".parse().unwrap(),
                step: Duration::from_secs(300),
                horizon: 6,
                line: 2,
            }]
        );
    }

    #[test]
    fn every_broken_row_is_told() {
        let text = "series,origin,step_seconds,horizon\na,today,300,6\na,2024-01-01T00:00:00Z,0,6\n\
                    a,2024-01-01T00:00:00Z,300,0\n";
        assert_eq!(
            read(text).unwrap_err(),
            [
                "origins.csv:2: origin is \"today\"; write the time of the last known row as 2024-05-01T09:00:00Z",
                "origins.csv:3: step_seconds is \"0\"; write the step as a positive number of seconds, such as 300",
                "origins.csv:4: horizon is \"0\"; write the horizon as a whole number of steps from 1 to 100000",
            ]
        );
        let wrong = read("timestamp,value\n1,2\n").unwrap_err();
        assert!(
            wrong[0].contains("the header is \"timestamp,value\""),
            "{wrong:?}"
        );
        assert!(origins(Path::new("none.csv")).is_err());
    }

    #[test]
    fn origins_are_slots_of_the_series() {
        let start: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
        let step = Duration::from_secs(300);
        let series = Series::new(start, step, vec![Some(1.0), None, Some(1.0)]).unwrap();
        let slot = |at: &str| {
            let text = format!("series,origin,step_seconds,horizon\na,2024-01-01T{at}Z,300,1\n");
            read(&text).unwrap()[0].slot(&series)
        };
        assert_eq!(slot("00:00:00"), Some(0));
        assert_eq!(slot("00:10:00"), Some(2));
        assert_eq!(slot("00:12:00"), None);
        assert_eq!(slot("00:15:00"), None);
    }
}
