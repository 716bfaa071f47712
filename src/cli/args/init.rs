//! The flags of `isobar init`.

use clap::{ArgAction, ValueEnum};

use super::Assignments;
use crate::package::LockMode;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Init {
    /// Fetch all modules again and record what they are now.
    #[arg(long)]
    pub(in crate::cli) upgrade: bool,
    /// How the lock file is treated: readonly fails where it would have to be changed.
    #[arg(long, value_name = "MODE")]
    pub(in crate::cli) lockfile: Option<LockFile>,
    /// Whether modules are fetched.
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true")]
    pub(in crate::cli) get: bool,
    /// Begin with a copy of this module, in a folder that has no configuration yet.
    #[arg(long, value_name = "SOURCE")]
    pub(in crate::cli) from_module: Option<String>,
    /// Print one JSON event per line.
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Whether questions may be asked.
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true")]
    pub(in crate::cli) input: bool,
    /// Whether the place of the states is prepared.
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true")]
    pub(in crate::cli) backend: bool,
    /// A setting of the backend block, or a file of them; can be repeated.
    #[arg(long, value_name = "NAME=VALUE|FILE")]
    pub(in crate::cli) backend_config: Vec<String>,
    /// Take the states along to another backend.
    #[arg(long, conflicts_with = "reconfigure")]
    pub(in crate::cli) migrate_state: bool,
    /// Take the states along to another backend without asking.
    #[arg(long, conflicts_with = "reconfigure")]
    pub(in crate::cli) force_copy: bool,
    /// Use the backend of the configuration and leave the states of another one where they are.
    #[arg(long)]
    pub(in crate::cli) reconfigure: bool,
    #[command(flatten)]
    pub(in crate::cli) assignments: Assignments,
}

/// `-lockfile=readonly`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum LockFile {
    /// It is not written.
    Readonly,
}

impl Init {
    /// Whether the lock file may be written.
    pub(in crate::cli) const fn lock_mode(&self) -> LockMode {
        match self.lockfile {
            Some(LockFile::Readonly) => LockMode::ReadOnly,
            None => LockMode::Update,
        }
    }
}
