//! The flags of `isobar lock` and `isobar force-unlock`.

use std::time::Duration;

use clap::{ArgAction, Subcommand};

/// How a command that changes the state comes to its lock.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(in crate::cli) struct Locking {
    /// Accepted as Terraform has it: planning never locks the state, and changing it always does.
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true")]
    lock: bool,
    /// How long to wait for a lock that someone else holds, such as 30s or 5m.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = patience)]
    lock_timeout: Duration,
}

impl Locking {
    /// How long to wait for a lock that someone else holds.
    pub(in crate::cli) const fn patience(&self) -> Duration {
        self.lock_timeout
    }
}

fn patience(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<jiff::SignedDuration>();
    let parsed = parsed
        .ok()
        .and_then(|length| Duration::try_from(length).ok());
    parsed.ok_or_else(|| "write a duration, such as 30s or 5m".to_owned())
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Lock {
    #[command(subcommand)]
    pub(in crate::cli) command: LockCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum LockCommand {
    /// List who holds the lock of which workspace.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take the lock of the selected workspace away from its holder, who can no longer write then.
    Break {
        /// The id of the lock, as list shows it.
        id: String,
        /// Do not ask.
        #[arg(long)]
        force: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ForceUnlock {
    /// The id of the lock, as the refused command shows it.
    pub(in crate::cli) id: String,
    /// Do not ask.
    #[arg(long)]
    pub(in crate::cli) force: bool,
}
