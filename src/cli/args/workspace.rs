//! The flags of `isobar workspace`.

use std::path::PathBuf;

use clap::{ArgAction, Subcommand};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Workspace {
    #[command(subcommand)]
    pub(in crate::cli) command: WorkspaceCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum WorkspaceCommand {
    /// List the workspaces; the selected one has a star.
    List,
    /// Show the name of the selected workspace.
    Show,
    /// Make a workspace and select it.
    New {
        /// Its name.
        name: String,
        /// Begin with the resources and outputs of the state in this file.
        #[arg(long, value_name = "FILE")]
        state: Option<PathBuf>,
    },
    /// Select a workspace.
    Select {
        /// Its name.
        name: String,
        /// Make it where there is none.
        #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true")]
        or_create: bool,
    },
    /// Delete a workspace with its state.
    Delete {
        /// Its name.
        name: String,
        /// Also where its state has resources, which are then forgotten, not destroyed.
        #[arg(long)]
        force: bool,
    },
}
