//! The flags of `isobar offers`.

use super::Assignments;

/// Without flags it lists the regions of the catalogue.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Offers {
    /// What a zone of the configuration sells: what its provider tells, the catalogue and the
    /// configuration taken together.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["cloud", "region", "managed"])]
    pub(in crate::cli) zone: Option<String>,
    /// A cloud of the catalogue.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) cloud: Option<String>,
    /// A region of this cloud, to see what it sells.
    #[arg(long, value_name = "NAME", requires = "cloud")]
    pub(in crate::cli) region: Option<String>,
    /// Hosts of managed endpoints, instead of machines.
    #[arg(long, requires = "region")]
    pub(in crate::cli) managed: bool,
    /// Only what has accelerators of this type.
    #[arg(long, value_name = "TYPE")]
    pub(in crate::cli) gpu: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[command(flatten)]
    pub(in crate::cli) assignments: Assignments,
}
