//! The flags of `isobar forecast`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Subcommand;
use clap::builder::PossibleValuesParser;

use super::Assignments;
use crate::forecast::METHODS;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct Forecast {
    /// One forecast block; without it, all of them.
    pub(in crate::cli) name: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Write a chart as SVG into this file, or - for the standard output.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) svg: Option<PathBuf>,
    /// Write a page with charts and tables as HTML into this file, or - for the standard output.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) html: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) assignments: Assignments,
    #[command(subcommand)]
    pub(in crate::cli) command: Option<ForecastCommand>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ForecastCommand {
    /// Forecast recorded series from many past times, and say how good that was.
    Backtest(Backtest),
    /// Say whether inputs or predictions of a model are distributed as they were; exits with 2 if
    /// they are not.
    Drift(ForecastDrift),
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Backtest {
    /// The folder of series: CSV files with the columns timestamp and value.
    #[arg(long, value_name = "FOLDER")]
    pub(in crate::cli) input: PathBuf,
    /// A table of what to forecast, with the columns series, origin, step_seconds and horizon;
    /// without it, origins are spread over each series and the forecasts are scored.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) origins: Option<PathBuf>,
    /// Write the forecasts into this file, or - for the standard output; mean is the median.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Use only each K-th origin of a series, counted from the last.
    #[arg(long, value_name = "K", default_value = "1")]
    pub(in crate::cli) every: NonZeroUsize,
    /// How many forecasts are made at the same time; otherwise as many as there are processors.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) parallelism: Option<NonZeroUsize>,
    /// Let only this method forecast; give several times for several, which compete.
    #[arg(long, value_name = "NAME", value_parser = methods())]
    pub(in crate::cli) method: Vec<String>,
    /// Print the scores as JSON.
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

fn methods() -> PossibleValuesParser {
    PossibleValuesParser::new(METHODS.iter().map(|method| method.name()))
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ForecastDrift {
    /// What is normal: a CSV file with a column for each feature and a row for each observation.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) reference: PathBuf,
    /// What is judged: the same columns, in the order in which they were observed.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) current: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub(in crate::cli) json: bool,
}
