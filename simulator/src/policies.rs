//! Who decides how many replicas run: one file per policy, one row in the table.

mod fixed;
mod hpa;
mod none;
mod oracle;
mod planned;
mod predictive;
mod tracking;

use std::sync::Arc;

use isobar_capacity::CapacityError;

use self::planned::{Learned, Placements};
use super::fleet::Start;
use super::scenario::Scenario;
use super::sizes::Sizes;
use super::trace::Trace;

pub use self::planned::{Foresight, LEVELS, Stance};

/// What a policy may know.
#[derive(Debug)]
pub struct View<'a> {
    /// The slot that is about to begin.
    pub slot: usize,
    /// The measured rates of all slots so far, as old as measurements are.
    pub rates: &'a [f64],
    /// The newest of them; at the start what comes first.
    pub now: f64,
    /// That as a number of replicas that are busy all the time.
    pub load: f64,
    /// The zones.
    pub zones: &'a [ZoneView],
}

impl View<'_> {
    /// What an autoscaler with this target begins with in every zone.
    fn first(&self, target: f64) -> u32 {
        (self.load / self.zones.len() as f64 / target)
            .ceil()
            .max(1.0) as u32
    }
}

/// What a policy may know of a zone.
#[derive(Debug, Clone, Copy)]
pub struct ZoneView {
    /// Replicas that serve.
    pub ready: u32,
    /// Replicas that start.
    pub starting: u32,
    /// Whether the zone is there, as far as has been noticed.
    pub up: bool,
    /// The measured share of busy slots.
    pub busy: f64,
}

/// Decides how many replicas run.
pub trait Policy {
    /// Sets the replicas wanted in each zone, those that start included; `wanted` holds what was
    /// wanted last.
    fn decide(&mut self, view: &View<'_>, wanted: &mut [u32]);

    /// How its replicas start.
    fn start(&self) -> Start {
        Start::Cold
    }

    /// What people had to do so far.
    fn interventions(&self) -> u32 {
        0
    }
}

/// What a policy is made from.
#[derive(Debug, Clone)]
pub struct Setting<'a> {
    /// Where it is to decide.
    pub scenario: &'a Scenario,
    /// The demand. Only the oracle looks at what is to come.
    pub trace: &'a Trace,
    /// What is measured of it: the only demand that others see.
    pub(crate) measured: Arc<[f64]>,
    /// What pools carry.
    pub(crate) sizes: Sizes,
    pub(crate) placements: Placements,
    pub(crate) learned: Learned,
}

impl<'a> Setting<'a> {
    /// A scenario and its demand.
    ///
    /// # Errors
    ///
    /// When the objective is out of reach, or the demand more than can be sized for.
    pub fn new(scenario: &'a Scenario, trace: &'a Trace) -> Result<Self, CapacityError> {
        let greatest = trace.rates.iter().copied().fold(0.0, f64::max);
        Ok(Self {
            scenario,
            trace,
            measured: trace.measured(scenario.seed).into(),
            sizes: Sizes::new(scenario.capacity()?, greatest)?.reaching(greatest),
            placements: Placements::default(),
            learned: Learned::default(),
        })
    }

    /// The same service in the same zones with another demand, or with other chances and faults;
    /// what was computed for the one serves for the other.
    #[must_use]
    pub fn with<'b>(&self, scenario: &'b Scenario, trace: &'b Trace) -> Setting<'b> {
        let greatest = trace.rates.iter().copied().fold(0.0, f64::max);
        Setting {
            scenario,
            trace,
            measured: trace.measured(scenario.seed).into(),
            sizes: self.sizes.reaching(greatest),
            placements: self.placements.clone(),
            learned: Learned::default(),
        }
    }

    /// The same, but for what goes wrong: what planners learned from the demand serves again.
    #[must_use]
    pub fn amid<'b>(&self, scenario: &'b Scenario) -> Setting<'b>
    where
        'a: 'b,
    {
        Setting {
            scenario,
            trace: self.trace,
            measured: self.measured.clone(),
            sizes: self.sizes.clone(),
            placements: self.placements.clone(),
            learned: self.learned.clone(),
        }
    }
}

/// Makes a policy, or says why there can be none.
pub type Build = fn(&Setting<'_>) -> Result<Box<dyn Policy>, CapacityError>;

/// A row of the table.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name in arguments and reports.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// Makes it.
    pub build: Build,
}

/// All policies.
pub static POLICIES: [Kind; 9] = [
    none::NONE,
    fixed::STATIC_PEAK,
    fixed::STATIC_P99,
    hpa::HPA,
    tracking::TARGET_TRACKING,
    predictive::AWS_PREDICTIVE,
    planned::PLANNED,
    planned::PLANNED_GUARD,
    oracle::ORACLE,
];

/// The policy of this name.
#[must_use]
pub fn policy(name: &str) -> Option<&'static Kind> {
    POLICIES.iter().find(|kind| kind.name == name)
}

/// An autoscaler with this target of utilisation, in every zone.
#[must_use]
pub fn swept_hpa(target: f64) -> Box<dyn Policy> {
    Box::new(hpa::Hpa::new(target))
}

/// The planner with a fixed stance.
#[must_use]
pub fn planned_with(
    setting: &Setting<'_>,
    foresight: &Foresight,
    stance: Stance,
) -> Box<dyn Policy> {
    Box::new(planned::Planned::new(setting, foresight.clone(), stance))
}

/// Shares `total` evenly over the zones that are up; all of it at home where none is.
fn spread(view: &View<'_>, total: u32, wanted: &mut [u32]) {
    let up = view.zones.iter().filter(|zone| zone.up).count();
    let up = u32::try_from(up).unwrap_or(u32::MAX);
    for (zone, wanted) in view.zones.iter().zip(wanted) {
        *wanted = if zone.up && up > 0 {
            total.div_ceil(up)
        } else {
            0
        };
    }
}
