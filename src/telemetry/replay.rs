//! Forecasts of recorded series from many times of their past.

use std::num::NonZeroUsize;
use std::path::Path as File;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use isobar_forecast::{Competitors, ForecastError, Path, Protocol, Scale, in_order};
use jiff::Timestamp;

use super::{Origin, Series, SeriesFile, TableError, offset};

/// From where and how far a series is forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cast {
    /// The last known slot.
    pub origin: usize,
    /// How many steps are forecast.
    pub horizon: usize,
}

/// A file with the origins that its series is forecast from. The series itself is read when it is
/// needed, so that thousands of jobs take little memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The file.
    pub file: SeriesFile,
    /// What the protocol says of this series.
    pub protocol: Protocol,
    /// The forecasts, by origin.
    pub casts: Vec<Cast>,
    step: Option<Duration>,
}

/// A forecast from an origin, and what it is judged by.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The start of the last known slot.
    pub at: Timestamp,
    /// The forecast.
    pub path: Path,
    /// What came then, as far as the file knows.
    pub actual: Vec<Option<f64>>,
    /// What errors are divided by.
    pub scale: Scale,
}

/// Why there is no forecast from an origin.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Missed {
    /// The file could be read before, but not now.
    #[error(transparent)]
    Telemetry(#[from] TableError),
    /// No forecast could be made of what was known.
    #[error("from {at}: {error}")]
    Forecast {
        /// The start of the last known slot.
        at: Timestamp,
        /// Why not.
        error: ForecastError,
    },
}

impl Job {
    /// The job that the protocol gives for a file.
    ///
    /// # Errors
    ///
    /// When the file does not hold a series.
    pub fn of_protocol(file: SeriesFile) -> Result<Self, TableError> {
        let series = file.load(None)?;
        let protocol = Protocol::of(series.values().len(), series.step());
        let cast = |origin: &usize| Cast {
            origin: *origin,
            horizon: protocol.horizon,
        };
        Ok(Self {
            file,
            casts: protocol.origins.iter().map(cast).collect(),
            protocol,
            step: None,
        })
    }

    /// The job that rows of `table` ask for, and what is wrong with the other rows.
    ///
    /// # Errors
    ///
    /// When the file does not hold a series.
    pub fn of_table(
        file: SeriesFile,
        rows: &[Origin],
        table: &File,
    ) -> Result<(Self, Vec<TableError>), TableError> {
        let step = rows.first().map(|row| row.step);
        let series = file.load(step)?;
        let (mut casts, mut wrong) = (Vec::new(), Vec::new());
        for row in rows {
            match row.slot(&series).filter(|_| row.step == series.step()) {
                Some(origin) => casts.push(Cast {
                    origin,
                    horizon: row.horizon,
                }),
                None => wrong.push(TableError {
                    path: table.to_owned(),
                    line: Some(row.line),
                    what: absent(row, &series),
                    help:
                        "name the time of a row of the series; its step must be that of the series"
                            .to_owned(),
                }),
            }
        }
        casts.sort_by_key(|cast| (cast.origin, cast.horizon));
        let protocol = Protocol::of(series.values().len(), series.step());
        let job = Self {
            file,
            protocol,
            casts,
            step,
        };
        Ok((job, wrong))
    }

    /// Keeps each `every`-th origin, counted from the last.
    #[must_use]
    pub fn thinned(mut self, every: NonZeroUsize) -> Self {
        self.casts.reverse();
        self.casts = self.casts.into_iter().step_by(every.get()).collect();
        self.casts.reverse();
        self
    }

    fn judge(&self, cast: Cast, series: &Series, methods: &Competitors) -> Result<Judged, Missed> {
        let at = offset(series.start(), series.step(), cast.origin).unwrap_or(Timestamp::MAX);
        let path = Path::from_origin(series, cast.origin, cast.horizon, methods)
            .map_err(|error| Missed::Forecast { at, error })?;
        let (known, later) = series.values().split_at(cast.origin + 1);
        Ok(Judged {
            at,
            path,
            actual: later.iter().take(cast.horizon).copied().collect(),
            scale: Scale::of(known, self.protocol.season),
        })
    }
}

/// Why a row of a table is not a slot of the series.
fn absent(row: &Origin, series: &Series) -> String {
    let step = isobar_sdk::quantity::format_duration;
    let last = series.values().len() - 1;
    let last = offset(series.start(), series.step(), last).unwrap_or(Timestamp::MAX);
    format!(
        "{} with steps of {} is not a row of {:?}, which has one every {} from {} to {last}",
        row.at,
        step(row.step),
        row.series,
        step(series.step()),
        series.start()
    )
}

/// Makes all forecasts of `jobs` by `methods` on up to `threads` threads and gives them to `take` in order.
///
/// A series is read when its first origin is due and forgotten with its last one.
pub fn replay<'a>(
    jobs: &'a [Job],
    methods: &Competitors,
    threads: NonZeroUsize,
    mut take: impl FnMut(&'a Job, Result<Judged, Missed>),
) {
    let tasks = jobs.iter().flat_map(|job| {
        let series: Arc<OnceLock<_>> = Arc::default();
        let casts = job.casts.iter();
        casts.map(move |cast| (job, *cast, Arc::clone(&series)))
    });
    let work = |(job, cast, series): (&'a Job, Cast, Arc<OnceLock<Result<_, TableError>>>)| {
        let series = series.get_or_init(|| job.file.load(job.step));
        let judged = match series {
            Ok(series) => job.judge(cast, series, methods),
            Err(error) => Err(error.clone().into()),
        };
        (job, judged)
    };
    in_order(tasks, threads, work, |(job, judged)| take(job, judged));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with one hourly series of `days` days, and its file.
    fn recorded(days: usize) -> (tempfile::TempDir, SeriesFile) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web_shop_1h.csv");
        let start: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
        let mut text = "timestamp,value\n".to_owned();
        for hour in 0..days * 24 {
            let at = offset(start, Duration::from_secs(3600), hour).unwrap();
            text += &format!("{at},{}\n", 100 + hour % 24 + hour % 5);
        }
        std::fs::write(&path, text).unwrap();
        let name = "web_shop_1h".to_owned();
        (folder, SeriesFile { name, path })
    }

    fn threads(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).unwrap()
    }

    fn row(at: &str, step: u64) -> Origin {
        Origin {
            series: "web_shop_1h".to_owned(),
            at: at.parse().unwrap(),
            step: Duration::from_secs(step),
            horizon: 3,
            line: 2,
        }
    }

    #[test]
    fn jobs_give_the_same_on_any_number_of_threads() {
        let (_folder, file) = recorded(10);
        let job = Job::of_protocol(file).unwrap().thinned(threads(3));
        let origins: Vec<_> = job.casts.iter().map(|cast| cast.origin).collect();
        assert_eq!(origins.len(), 3);
        assert_eq!(origins.last(), job.protocol.origins.last());
        let jobs = [job.clone(), job];
        let made = |count| {
            let mut made = Vec::new();
            replay(&jobs, &Competitors::Usual, threads(count), |_, judged| {
                made.push(judged.unwrap());
            });
            made
        };
        let (one, three) = (made(1), made(3));
        assert_eq!(one.len(), 6);
        assert_eq!(one, three);
        assert!(one.iter().all(|judged| judged.actual.len() == 24));
    }

    #[test]
    fn rows_that_are_not_in_the_file_are_named() {
        let (_folder, file) = recorded(3);
        let rows = [
            row("2024-01-02T12:00:00Z", 3600),
            row("2024-01-02T12:30:00Z", 3600),
            row("2024-02-01T00:00:00Z", 3600),
            row("2024-01-02T12:00:00Z", 300),
        ];
        let (job, wrong) = Job::of_table(file, &rows, File::new("o.csv")).unwrap();
        let cast = Cast {
            origin: 36,
            horizon: 3,
        };
        assert_eq!(job.casts, [cast]);
        assert_eq!(wrong.len(), 3);
        assert_eq!(
            wrong[0].what,
            "2024-01-02T12:30:00Z with steps of 1h is not a row of \"web_shop_1h\", which has one every 1h from 2024-01-01T00:00:00Z to 2024-01-03T23:00:00Z"
        );
    }

    #[test]
    fn a_file_that_goes_away_is_told() {
        let (folder, file) = recorded(10);
        let job = Job::of_protocol(file).unwrap();
        drop(folder);
        let mut missed = 0;
        replay(&[job], &Competitors::Usual, threads(1), |_, judged| {
            missed += usize::from(matches!(judged, Err(Missed::Telemetry(_))));
        });
        assert_eq!(missed, 8);
    }
}
