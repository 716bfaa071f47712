//! The flags of `isobar state`.

use std::path::PathBuf;

use clap::Subcommand;
use isobar_sdk::Address;
use isobar_sdk::address::Place;

use super::lock::Locking;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct State {
    #[command(subcommand)]
    pub(in crate::cli) command: StateCommand,
}

/// Which state is meant.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct Which {
    /// The state in this file instead of that of the workspace.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) state: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum StateCommand {
    /// List the resources in the state.
    List {
        /// Only those at or below these addresses, such as module.web or isobar_data.example.
        #[arg(value_name = "ADDRESS")]
        addresses: Vec<Place>,
        /// Only those with this id.
        #[arg(long, value_name = "ID")]
        id: Option<String>,
        #[command(flatten)]
        which: Which,
    },
    /// Show the attributes of one resource.
    Show {
        /// The resource, such as isobar_data.example.
        address: Address,
        /// Print JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        which: Which,
    },
    /// Give resources and modules another address, so that a renamed block keeps what it has.
    Mv(Move),
    /// Forget resources without destroying them.
    Rm {
        /// What to forget: instances, resources, modules.
        #[arg(value_name = "ADDRESS", required = true)]
        addresses: Vec<Place>,
        /// Only say what would be forgotten.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        locking: Locking,
    },
    /// Print the state as it is stored, secrets included.
    Pull,
    /// Replace the state by that in a file.
    Push {
        /// The file; - reads standard input.
        path: PathBuf,
        /// Also where it is older, or of another configuration.
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        locking: Locking,
    },
    /// Hand the resources of one provider over to another one.
    ReplaceProvider {
        /// The local name of the provider that they have.
        from: String,
        /// The local name of the provider that they get.
        to: String,
        /// Do not ask before writing.
        #[arg(long)]
        auto_approve: bool,
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        locking: Locking,
    },
}

impl StateCommand {
    /// How it comes to its lock, if it needs one.
    pub(in crate::cli) const fn locking(&self) -> Option<Locking> {
        match self {
            Self::Mv(args) => Some(args.locking),
            Self::Rm { locking, .. }
            | Self::Push { locking, .. }
            | Self::ReplaceProvider { locking, .. } => Some(*locking),
            Self::List { .. } | Self::Show { .. } | Self::Pull => None,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Move {
    /// What to move: an instance, a resource or a module.
    pub(in crate::cli) source: Place,
    /// The address that it is to have.
    pub(in crate::cli) destination: Place,
    /// Only say what would be moved.
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Move it into the state in this file, which is made where there is none.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) state_out: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) which: Which,
    #[command(flatten)]
    pub(in crate::cli) locking: Locking,
}

/// One instance, for `taint` and `untaint`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Taint {
    /// The instance, such as isobar_data.example[0].
    pub(in crate::cli) address: Address,
    /// Only warn where the state has no such instance.
    #[arg(long)]
    pub(in crate::cli) allow_missing: bool,
    #[command(flatten)]
    pub(in crate::cli) which: Which,
    #[command(flatten)]
    pub(in crate::cli) locking: Locking,
}
