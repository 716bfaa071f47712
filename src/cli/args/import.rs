//! The flags of `isobar import`.

use clap::ArgAction;
use isobar_sdk::Address;

use super::Assignments;
use super::lock::Locking;
use super::state::Which;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Import {
    /// What it becomes, such as isobar_data.example; the configuration must have a block for it.
    #[arg(value_name = "ADDRESS")]
    pub(in crate::cli) address: Address,
    /// What the provider calls it.
    #[arg(value_name = "ID")]
    pub(in crate::cli) id: String,
    #[command(flatten)]
    pub(in crate::cli) which: Which,
    #[command(flatten)]
    pub(in crate::cli) assignments: Assignments,
    /// Accepted as Terraform has it: no question is ever asked.
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true")]
    input: bool,
    #[command(flatten)]
    pub(in crate::cli) locking: Locking,
}
