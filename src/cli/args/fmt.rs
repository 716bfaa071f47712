//! The arguments of `fmt`.

use std::path::PathBuf;

use clap::ArgAction;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Fmt {
    /// Files and folders to format, or - for the standard input; without any, this folder.
    #[arg(value_name = "FILE|FOLDER|-")]
    pub(in crate::cli) paths: Vec<PathBuf>,
    /// Change nothing; the exit status is 3 if a file would change.
    #[arg(long)]
    pub(in crate::cli) check: bool,
    /// Show what changes, as a unified diff.
    #[arg(long)]
    pub(in crate::cli) diff: bool,
    /// Format folders with everything below them.
    #[arg(long)]
    pub(in crate::cli) recursive: bool,
    /// Whether to list the files that change.
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true")]
    pub(in crate::cli) list: bool,
    /// Whether to write the files that change.
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true")]
    pub(in crate::cli) write: bool,
}
