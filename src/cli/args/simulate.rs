//! The flags of `isobar simulate`.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, RangedU64ValueParser};
use isobar_sdk::quantity::parse_duration;
use isobar_simulator::POLICIES;

use super::Assignments;

/// How requests are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Engine {
    /// As a flow in slots of 15 seconds.
    Slot,
    /// Every request by itself.
    Des,
}

/// When a zone is lost, for half an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Outage {
    /// Never.
    None,
    /// The home zone, around the greatest demand.
    Peak,
    /// Any zone, about once in thirty days.
    Random,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Simulate {
    /// The demand: a CSV file with the columns timestamp and value, or with one request per row.
    #[arg(long, value_name = "FILE", required_unless_present = "suite")]
    pub(in crate::cli) trace: Option<PathBuf>,
    /// Hold the planner against its targets on every series of this folder instead.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["trace", "policy", "svg", "deployment", "outage", "engine"])]
    pub(in crate::cli) suite: Option<PathBuf>,
    /// Who decides about replicas; several with commas between.
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = policies(), default_value = "none,hpa,planned,planned+guard,oracle")]
    pub(in crate::cli) policy: Vec<String>,
    /// Add autoscalers with targets from 35 to 80 % busy, which is the frontier to beat.
    #[arg(long)]
    pub(in crate::cli) sweep: bool,
    /// The first seed of chance.
    #[arg(long, value_name = "N", default_value = "0")]
    pub(in crate::cli) seed: u64,
    /// So many seeds, one after another.
    #[arg(long, value_name = "N", default_value = "20", value_parser = RangedU64ValueParser::<u64>::new().range(1..=10_000))]
    pub(in crate::cli) seeds: u64,
    /// How requests are served.
    #[arg(long, value_enum, default_value = "slot")]
    pub(in crate::cli) engine: Engine,
    /// The part of the trace that is for learning and does not count.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "7d")]
    pub(in crate::cli) warmup: Duration,
    /// Only so much of the trace, the warm-up included.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(in crate::cli) horizon: Option<Duration>,
    /// Requests per second that the trace has on average.
    #[arg(long, value_name = "RATE", default_value = "200")]
    pub(in crate::cli) scale: f64,
    /// The deviation of the noise that is put on the trace, as a share.
    #[arg(long, value_name = "SHARE", default_value = "0.03")]
    pub(in crate::cli) noise: f64,
    /// The share of requests that the planner may let be too slow [default: that of the objective].
    #[arg(long, value_name = "SHARE")]
    pub(in crate::cli) budget: Option<f64>,
    /// When a zone is lost.
    #[arg(long, value_enum, default_value = "none")]
    pub(in crate::cli) outage: Outage,
    /// Take the model, the zones and the objective from this deployment of the configuration.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["service_time", "concurrency", "latency", "violations", "zones"])]
    pub(in crate::cli) deployment: Option<String>,
    /// How long a replica takes for a request.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "100ms")]
    pub(in crate::cli) service_time: Duration,
    /// How many requests a replica serves at once.
    #[arg(long, value_name = "N", default_value = "1")]
    pub(in crate::cli) concurrency: NonZeroU32,
    /// How long a replica takes to start; several with commas between for -suite.
    #[arg(long, value_name = "DURATION", value_delimiter = ',', value_parser = duration, default_value = "180s")]
    pub(in crate::cli) startup: Vec<Duration>,
    /// Requests must not take longer.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "300ms")]
    pub(in crate::cli) latency: Duration,
    /// The share of requests that may take longer.
    #[arg(long, value_name = "SHARE", default_value = "0.01")]
    pub(in crate::cli) violations: f64,
    /// How many zones there are; with more than one the planner survives the loss of any.
    #[arg(long, value_name = "N", default_value = "1", value_parser = zones())]
    pub(in crate::cli) zones: u64,
    /// The level of the demand that is carried without any one of several zones.
    #[arg(long, value_name = "LEVEL", value_parser = level, default_value = "0.9", conflicts_with = "deployment")]
    pub(in crate::cli) survive: f64,
    /// How many simulations run at the same time; otherwise as many as there are processors.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) parallelism: Option<NonZeroUsize>,
    /// Print JSON.
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Write a chart of demand and replicas as SVG into this file, or - for the standard output.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) svg: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) assignments: Assignments,
}

fn policies() -> PossibleValuesParser {
    PossibleValuesParser::new(POLICIES.iter().map(|policy| policy.name))
}

fn zones() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(1..=64)
}

fn level(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(level) if level > 0.0 && level < 1.0 => Ok(level),
        _ => Err("give a number above 0 and below 1".to_owned()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text)
}
