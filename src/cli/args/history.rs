//! The flags of `isobar history`.

use clap::Subcommand;

use super::lock::Locking;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct History {
    /// Print JSON.
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[command(subcommand)]
    pub(in crate::cli) command: Option<HistoryCommand>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum HistoryCommand {
    /// Show what the state was in one version.
    Show {
        /// The serial of the version.
        serial: u64,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show what differs between two versions.
    Diff {
        /// The serial of the one.
        from: u64,
        /// The serial of the other.
        to: u64,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make the next version say what an old one said; nothing but the state changes.
    Restore {
        /// The serial of the old version.
        serial: u64,
        /// Print JSON.
        #[arg(long)]
        json: bool,
        /// Do not ask before writing.
        #[arg(long)]
        auto_approve: bool,
        #[command(flatten)]
        locking: Locking,
    },
}

impl History {
    /// How it comes to its lock, if it needs one.
    pub(in crate::cli) const fn locking(&self) -> Option<Locking> {
        match &self.command {
            Some(HistoryCommand::Restore { locking, .. }) => Some(*locking),
            _ => None,
        }
    }
}
