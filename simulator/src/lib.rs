//! A trace of demand replayed against policies that set replicas: what each costs, and how often
//! requests are too slow.

mod contest;
mod engine;
mod fleet;
mod fluid;
mod policies;
mod queue;
mod scenario;
mod sizes;
mod stream;
mod tally;
mod targets;
mod trace;
mod waiting;

pub use self::contest::{Contest, Entrant, Ratio, SWEEP, Sum, matched, mean, ratio, violations};
pub use self::engine::{Engine, run};
pub use self::fleet::Start;
pub use self::policies::{
    Build, Foresight, Kind, LEVELS, POLICIES, Policy, Setting, Stance, View, ZoneView,
    planned_with, policy, swept_hpa,
};
pub use self::scenario::{
    LAG, Outage, STARTUP_SPREAD, Scenario, Service, Spot, Zone, outage_at_peak, random_outages,
};
pub use self::sizes::Sizes;
pub use self::stream::{Purpose, Stream};
pub use self::tally::{Day, Totals};
pub use self::targets::{Grounds, PROMISED, Standing, home_alone, standing};
pub use self::trace::{DAY, HOUR, MINUTE, SLOT, Trace, TraceError};

#[cfg(test)]
mod tests;
