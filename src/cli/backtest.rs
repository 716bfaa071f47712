//! `isobar forecast backtest`

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use isobar_sdk::diagnostic::{closest, sentence};
use isobar_sdk::{Diagnostic, Diagnostics, Fault};

use super::Exit;
use super::args::Backtest;
use super::delivery::Delivery;
use super::failure::Stopped;
use super::session::Session;
use crate::forecast::{Competitors, Tally};
use crate::language::Sources;
use crate::render::marks::{self, Scored};
use crate::telemetry::{
    Job, Judged, Missed, Origin, SeriesFile, TableError, origins, replay, series_files,
};

pub(super) fn run(session: &Session, args: &Backtest) -> Result<Exit, Stopped> {
    let begun = Instant::now();
    let files = files(session, &args.input)?;
    let (jobs, mut found) = match &args.origins {
        Some(table) => asked(files, &session.path(table))?,
        None => proposed(files),
    };
    let jobs: Vec<_> = jobs
        .into_iter()
        .map(|job| job.thinned(args.every))
        .collect();
    let casts: usize = jobs.iter().map(|job| job.casts.len()).sum();
    if casts == 0 {
        found.push(nothing(args));
        return Err(found.into());
    }
    session.shell.diagnostics(&found, &Sources::default());
    let standard = Path::new("-");
    let out = args
        .out
        .as_deref()
        .or(args.origins.as_ref().map(|_| standard));
    let mut ledger = Ledger {
        rows: out.map(|path| Delivery::open(session, path)).transpose()?,
        tallies: BTreeMap::new(),
        missed: Diagnostics::new(),
        broken: None,
    };
    ledger.write(marks::HEADER);
    let bar = bar(session, casts);
    replay(&jobs, &methods(args), threads(args), |job, judged| {
        ledger.take(job, judged);
        if let Some(bar) = &bar {
            bar.inc(1);
        }
    });
    session.shell.draw(None);
    let complete = !found.has_errors() && !ledger.missed.has_errors();
    let written = finish(session, args, ledger)?;
    let place = written.map_or_else(String::new, |place| format!("; written to {place}"));
    session.shell.say(&format!(
        "Forecast {} series from {casts} origins in {:.1} s{place}.",
        jobs.len(),
        begun.elapsed().as_secs_f64()
    ));
    Ok(if complete {
        Exit::Success
    } else {
        Exit::Failure
    })
}

/// What has been forecast so far.
struct Ledger<'a> {
    rows: Option<Delivery>,
    tallies: BTreeMap<&'a str, (&'a Job, Tally)>,
    missed: Diagnostics,
    /// Why rows could not be written.
    broken: Option<Fault>,
}

impl Ledger<'_> {
    fn write(&mut self, text: &str) {
        if let (Some(rows), None) = (&mut self.rows, &self.broken) {
            self.broken = rows.write(text).err();
        }
    }
}

impl<'a> Ledger<'a> {
    fn take(&mut self, job: &'a Job, judged: Result<Judged, Missed>) {
        match judged {
            Ok(judged) => {
                self.write(&marks::rows(&job.file.name, &judged));
                let tally = self.tallies.entry(&job.file.name);
                let (_, tally) = tally.or_insert_with(|| (job, Tally::default()));
                tally.add(&judged.actual, &judged.path, judged.scale);
            }
            Err(missed) => self.missed.push(not_forecast(job, &missed)),
        }
    }

    fn scored(&self) -> Vec<Scored> {
        let scored = self.tallies.values().filter_map(|(job, tally)| {
            Some(Scored {
                series: job.file.name.clone(),
                family: job.file.family().to_owned(),
                pace: job.protocol.pace,
                origins: tally.origins(),
                marks: tally.marks()?,
            })
        });
        scored.collect()
    }
}

/// Puts the rows in their place and prints the scores; where the rows are.
fn finish(session: &Session, args: &Backtest, ledger: Ledger) -> Result<Option<String>, Stopped> {
    let shell = &session.shell;
    shell.diagnostics(&ledger.missed, &Sources::default());
    let scored = ledger.scored();
    if let Some(broken) = ledger.broken {
        return Err(broken.into());
    }
    let written = ledger.rows.map(Delivery::finish).transpose()?.flatten();
    if args.json {
        shell.document(&marks::json(&scored));
    } else if args.origins.is_none() {
        shell.result(&marks::human(&scored, &shell.style()));
    }
    Ok(written.map(|path| path.display().to_string()))
}

fn methods(args: &Backtest) -> Competitors {
    match args.method.as_slice() {
        [] => Competitors::Usual,
        names => Competitors::Named(names.iter().cloned().collect()),
    }
}

fn threads(args: &Backtest) -> NonZeroUsize {
    let processors = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    args.parallelism.unwrap_or_else(processors)
}

fn bar(session: &Session, origins: usize) -> Option<ProgressBar> {
    if !session.shell.terminal().error {
        return None;
    }
    let bar =
        ProgressBar::with_draw_target(u64::try_from(origins).ok(), ProgressDrawTarget::stderr());
    let template = "{bar:24} {pos} of {len} forecasts, {elapsed} gone, {eta} left";
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    session.shell.draw(Some(bar.clone()));
    Some(bar)
}

/// The series of the folder.
fn files(session: &Session, folder: &Path) -> Result<Vec<SeriesFile>, Stopped> {
    Ok(series_files(&session.path(folder)).map_err(|error| {
        let detail = format!("{}: {}", folder.display(), sentence(&error.to_string()));
        Diagnostic::error("C0120", "Folder of series cannot be read", detail)
            .help("Name an existing folder of CSV files with -input=FOLDER.")
    })?)
}

/// A job for each file, by the protocol; files that are not series are left out with a warning.
fn proposed(files: Vec<SeriesFile>) -> (Vec<Job>, Diagnostics) {
    let (mut jobs, mut found) = (Vec::new(), Diagnostics::new());
    for file in files {
        match Job::of_protocol(file) {
            Ok(job) if job.casts.is_empty() => {
                let detail = format!("{} has room for no origin.", job.file.path.display());
                let short = "Series is too short for a backtest";
                let help = "Give an hourly series at least nine days, or choose origins with -origins=FILE.";
                found.push(Diagnostic::warning("C0124", short, detail).help(help));
            }
            Ok(job) => jobs.push(job),
            Err(error) => found.push(not_a_series(Diagnostic::warning, &error)),
        }
    }
    (jobs, found)
}

/// The jobs that a table asks for, in its order, and what of it cannot be done.
fn asked(files: Vec<SeriesFile>, table: &Path) -> Result<(Vec<Job>, Diagnostics), Stopped> {
    let unusable = |errors: Vec<TableError>| {
        let mut all = Diagnostics::new();
        errors
            .iter()
            .for_each(|error| all.push(not_an_origin(error)));
        all
    };
    let rows = origins(table).map_err(unusable)?;
    let mut files: BTreeMap<String, SeriesFile> = files
        .into_iter()
        .map(|file| (file.name.clone(), file))
        .collect();
    let names: Vec<String> = files.keys().cloned().collect();
    let (mut jobs, mut found) = (Vec::new(), Diagnostics::new());
    for rows in by_series(rows) {
        let Some(file) = rows.first().and_then(|row| files.remove(&row.series)) else {
            rows.first().into_iter().for_each(|row| {
                found.push(unknown(row, table, &names));
            });
            continue;
        };
        match Job::of_table(file, &rows, table) {
            Ok((job, wrong)) => {
                found.extend(unusable(wrong));
                jobs.push(job);
            }
            Err(error) => found.push(not_a_series(Diagnostic::error, &error)),
        }
    }
    Ok((jobs, found))
}

/// The rows of each series, in the order in which the series are first named.
fn by_series(rows: Vec<Origin>) -> Vec<Vec<Origin>> {
    let mut grouped: indexmap::IndexMap<String, Vec<Origin>> = indexmap::IndexMap::new();
    for row in rows {
        grouped.entry(row.series.clone()).or_default().push(row);
    }
    grouped.into_values().collect()
}

fn unknown(row: &Origin, table: &Path, names: &[String]) -> Diagnostic {
    let names = names.iter().map(String::as_str);
    let help = closest(&row.series, names).map_or_else(
        || format!("Put {}.csv into the folder, or remove the row.", row.series),
        |meant| format!("Did you mean {meant:?}?"),
    );
    let detail = format!(
        "{}:{}: the folder has no series {:?}.",
        table.display(),
        row.line,
        row.series
    );
    Diagnostic::error("C0122", "Origin cannot be used", detail).help(help)
}

/// An error with its place and its way out.
fn described(error: &TableError) -> (String, String) {
    let line = error
        .line
        .map_or_else(String::new, |line| format!(":{line}"));
    let detail = format!("{}{line}: {}.", error.path.display(), error.what);
    (detail, sentence(&error.help))
}

fn not_an_origin(error: &TableError) -> Diagnostic {
    let (detail, help) = described(error);
    Diagnostic::error("C0122", "Origin cannot be used", detail).help(help)
}

fn not_a_series(
    severity: fn(&'static str, &'static str, String) -> Diagnostic,
    error: &TableError,
) -> Diagnostic {
    let (detail, help) = described(error);
    severity("C0121", "Not a series", detail).help(help)
}

fn not_forecast(job: &Job, missed: &Missed) -> Diagnostic {
    let detail = format!("{}: {}", job.file.name, sentence(&missed.to_string()));
    Diagnostic::error("C0123", "No forecast from an origin", detail)
        .help("Give the series more rows before the origin, or leave the origin out.")
}

fn nothing(args: &Backtest) -> Diagnostic {
    let what = match args.origins {
        Some(_) => "The table names no origin that could be used.",
        None => "The folder has no series that is long enough.",
    };
    Diagnostic::error("C0125", "Nothing to forecast", what)
        .help("Give CSV files with the columns timestamp and value, named like web_shop_1h.csv.")
}
