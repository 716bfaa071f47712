//! The flags of `isobar drift`.

use std::num::NonZeroUsize;

use isobar_sdk::address::Place;

use super::Assignments;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Drift {
    /// Only this and what it rests on: a resource, an instance or a module; can be repeated.
    #[arg(long, value_name = "ADDRESS")]
    pub(in crate::cli) target: Vec<Place>,
    /// Everything but this and what rests on it; can be repeated.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "target")]
    pub(in crate::cli) exclude: Vec<Place>,
    /// How many resources are read at the same time [default: what their providers take].
    #[arg(long, value_name = "N")]
    pub(in crate::cli) parallelism: Option<NonZeroUsize>,
    /// Print JSON.
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[command(flatten)]
    pub(in crate::cli) assignments: Assignments,
}
