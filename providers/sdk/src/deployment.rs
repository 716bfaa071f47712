//! What a provider is told about a deployment in one of its zones.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::{Known, Native, Path, Value};

pub use crate::market::{Architecture, Form, Grid, Listing, Market, Offer, Offers};

/// What runs: one contract for every platform.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The name of the `model` block.
    pub name: String,
    /// The version that is deployed.
    pub version: String,
    /// Where the files of the model are: a path or a URL with a scheme.
    pub artifact: Option<String>,
    /// Digest of the artifact as `sha256:…`, where it could be told at plan time.
    pub digest: Option<String>,
    /// The container image, for platforms that run one.
    pub image: Option<String>,
    /// The program and its arguments, for platforms that run processes.
    pub command: Vec<String>,
    /// Environment variables of the server.
    pub environment: BTreeMap<String, Value>,
    /// How it is served.
    pub serve: Serve,
    /// What one replica needs.
    pub resources: Resources,
    /// What one replica was measured to do.
    pub performance: Performance,
}

/// How a model is served.
#[derive(Debug, Clone, PartialEq)]
pub struct Serve {
    /// The port inside the container; a process gets its own port on this machine.
    pub port: u16,
    /// `raw`, `v1`, `oip-v2` or `openai`.
    pub protocol: String,
    /// The path that answers 200 when a replica can take requests.
    pub health_path: String,
}

/// What one replica needs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resources {
    /// Virtual processors.
    pub cpu: Option<f64>,
    /// Bytes.
    pub memory: Option<u64>,
    /// Accelerators: their type and how many.
    pub gpu: Option<(String, u32)>,
    /// What its program is built for.
    pub architecture: Architecture,
}

/// What one replica was measured to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Performance {
    /// Mean time in service of a request.
    pub service_time: Duration,
    /// Requests served at the same time.
    pub concurrency: u32,
    /// From the order to the first request served.
    pub startup: Duration,
}

/// Where it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone {
    /// The name of the `zone` block, with its key where it has one.
    pub name: String,
    /// The region in the provider's own words.
    pub region: Option<String>,
    /// The attributes that only zones of this provider have.
    pub settings: Value,
}

/// One model version in one zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// The name of the `deployment` block.
    pub deployment: String,
    /// Where.
    pub zone: Zone,
    /// What.
    pub model: Model,
    /// How many now.
    pub replicas: u32,
    /// How many of them on spot instances; 0 where the platform has none.
    pub spot: u32,
    /// What each replica runs on, where that was chosen among what the zone sells.
    pub offer: Option<Offer>,
    /// How many at least and at most, for whatever scales between two applies.
    pub envelope: Envelope,
    /// How many later, where that rests on a forecast.
    pub schedule: Option<Schedule>,
}

/// How many replicas there are at least and at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope {
    /// What the forecast asks for.
    pub min: u32,
    /// What may run where more is asked for than was forecast; `min` at least.
    pub max: u32,
}

impl Envelope {
    /// This many, no more and no fewer.
    #[must_use]
    pub const fn fixed(replicas: u32) -> Self {
        Self {
            min: replicas,
            max: replicas,
        }
    }
}

/// The replicas of one zone over a time to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// In the order of their starts, each lasting until the next; neighbours differ.
    pub shifts: Vec<Shift>,
    /// When the last one ends.
    pub until: Timestamp,
}

impl Schedule {
    /// What holds at an instant; `None` before the first shift and from `until` on.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Option<Envelope> {
        let begun = self.shifts.iter().rev().find(|shift| shift.start <= now);
        begun
            .filter(|_| now < self.until)
            .map(|shift| shift.envelope)
    }
}

/// A time in which the bounds of the replicas stay the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// When replicas are to be ordered, so that they are ready when the demand comes.
    pub start: Timestamp,
    /// The bounds from then on.
    pub envelope: Envelope,
}

/// What a platform does with the replicas of a deployment between two applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scaling {
    /// Nothing: as many run as were ordered.
    Fixed,
    /// It scales within the envelope.
    Envelope,
    /// It follows the schedule by its own clock, and scales within the envelope of each shift.
    Schedule,
}

/// The noun that an attribute of a native resource comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Noun {
    /// The `zone` block.
    Zone,
    /// The `model` block.
    Model,
    /// The `deployment` block.
    Deployment,
    /// The replica count that capacity and placement give.
    Capacity,
}

/// Where the value of a native attribute comes from, for diagnostics and causes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The block.
    pub noun: Noun,
    /// The attribute in it.
    pub attribute: Path,
}

/// The configuration of one attribute of a native resource.
#[derive(Debug, Clone, PartialEq)]
pub enum Wire {
    /// A value.
    Value(Value),
    /// What another native resource of this deployment and zone has at this path.
    From(Native, Path),
}

/// One native resource of a deployment in a zone.
#[derive(Debug, Clone, PartialEq)]
pub struct NativeResource {
    /// Its name below the deployment.
    pub native: Native,
    /// Its attributes.
    pub configuration: BTreeMap<String, Wire>,
    /// Where attributes come from; for those that are not listed, from the deployment as such.
    pub origins: BTreeMap<String, Origin>,
    /// Native resources that must be there before it, beside those it takes values from.
    pub depends_on: Vec<Native>,
}

/// A deployment in one zone as native resources.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lowered {
    /// The resources; their order does not matter.
    pub resources: Vec<NativeResource>,
    /// Where clients send requests, where the platform tells.
    pub url: Option<Wire>,
}

/// Turns deployments into native resources, and native resources back into replica counts.
pub trait Target: Send + Sync {
    /// The native resources of one deployment in one zone.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] with the path of the model or zone attribute that this
    /// platform cannot serve.
    fn lower(&self, placed: &Placed) -> Result<Lowered, crate::Error>;

    /// How many replicas the stored or observed native resources run; resources of the
    /// deployment and zone by native name.
    fn replicas(&self, resources: &BTreeMap<Native, Known>) -> u32;

    /// What the stored or observed native resources run replicas on: the name of an offer, where
    /// the platform tells.
    fn instance(&self, resources: &BTreeMap<Native, Known>) -> Option<String> {
        let _ = resources;
        None
    }

    /// How many replicas the stored or observed native resources run on spot instances; `None`
    /// where the platform has none.
    fn spot(&self, resources: &BTreeMap<Native, Known>) -> Option<u32> {
        let _ = resources;
        None
    }

    /// What the platform does with the replicas between two applies.
    fn scaling(&self) -> Scaling {
        Scaling::Fixed
    }
}

#[cfg(test)]
mod tests {
    use super::{Envelope, Schedule, Shift};

    #[test]
    fn a_schedule_holds_from_its_first_shift_until_its_end() {
        let at = |text: &str| text.parse().unwrap();
        let shift = |start, min| Shift {
            start: at(start),
            envelope: Envelope::fixed(min),
        };
        let schedule = Schedule {
            shifts: vec![
                shift("2026-03-01T06:00:00Z", 2),
                shift("2026-03-01T08:00:00Z", 5),
            ],
            until: at("2026-03-01T10:00:00Z"),
        };
        let min = |now| schedule.at(at(now)).map(|envelope| envelope.min);
        assert_eq!(min("2026-03-01T05:59:59Z"), None);
        assert_eq!(min("2026-03-01T06:00:00Z"), Some(2));
        assert_eq!(min("2026-03-01T08:00:00Z"), Some(5));
        assert_eq!(min("2026-03-01T10:00:00Z"), None);
    }
}
