//! The arguments of `test`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::Assignments;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Test {
    /// Only this file of tests; can be repeated.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) filter: Vec<PathBuf>,
    /// The folder for files of tests, beside that of the configuration.
    #[arg(long, value_name = "DIR", default_value = "tests")]
    pub(in crate::cli) test_directory: PathBuf,
    /// Show the plan or the state of every run.
    #[arg(long)]
    pub(in crate::cli) verbose: bool,
    /// Print one JSON event per line.
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Write the results into this file, in the format of JUnit.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) junit_xml: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) assignments: Assignments,
    /// How many resources are read or changed at the same time [default: what their providers
    /// take].
    #[arg(long, value_name = "N")]
    pub(in crate::cli) parallelism: Option<NonZeroUsize>,
}
