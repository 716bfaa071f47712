//! Checks a configuration without any provider, state or telemetry.

use isobar_sdk::Diagnostics;

use crate::language::Config;
use crate::registry::Registry;

/// All that can be told wrong about a configuration alone.
#[must_use]
pub fn validate(config: &Config, registry: &Registry) -> Diagnostics {
    let _ = (config, registry);
    Diagnostics::new()
}
