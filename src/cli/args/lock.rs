//! The flags of `isobar lock` and `isobar force-unlock`.

use clap::Subcommand;

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
