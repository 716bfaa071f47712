//! All that the simulated cloud is: what its file holds.

use std::collections::BTreeMap;

use isobar_sdk::deployment::{Envelope, Schedule, Shift};
use isobar_sdk::diagnostic::closest;
use isobar_sdk::provider::IdempotencyKey;
use isobar_sdk::{Error, Path};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::fault::{Call, Injection};

const GIB: u64 = 1 << 30;

/// The whole cloud. Every map is sorted, so that the same operations give the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    /// Version of the file format: 1.
    pub format: u32,
    /// Virtual seconds since the cloud was made.
    #[serde(default)]
    pub clock: u64,
    /// The time of day at second 0, for schedules.
    #[serde(default, skip_serializing_if = "is_epoch")]
    pub epoch: Timestamp,
    /// How long operations take.
    #[serde(default)]
    pub delays: Delays,
    /// By name.
    pub zones: BTreeMap<String, Zone>,
    /// By id.
    #[serde(default)]
    pub endpoints: BTreeMap<String, Endpoint>,
    /// By id.
    #[serde(default)]
    pub routers: BTreeMap<String, Router>,
    /// By id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub schedules: BTreeMap<String, Timetable>,
    /// By id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, Secret>,
    /// Idempotency keys of changes that were made, and the id of what they made or changed.
    #[serde(default)]
    pub ledger: BTreeMap<String, String>,
    /// How often each call was made.
    #[serde(default)]
    pub calls: BTreeMap<Call, u64>,
    /// Faults to come and faults that were.
    #[serde(default)]
    pub faults: Vec<Injection>,
}

/// How long operations take, in virtual seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Delays {
    /// From the order of an endpoint until its replicas are ready.
    pub create_endpoint: u64,
    /// Until a changed endpoint is ready again.
    pub update_endpoint: u64,
    /// Until an endpoint is gone.
    pub delete_endpoint: u64,
    /// For any change of a router.
    pub router: u64,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            create_endpoint: 180,
            update_endpoint: 60,
            delete_endpoint: 20,
            router: 5,
        }
    }
}

/// A place that sells instances.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// By instance type.
    #[serde(default)]
    pub offers: BTreeMap<String, InstanceOffer>,
    /// Instances that the account may have, by type, in a zone that sells what a catalogue lists.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub quotas: BTreeMap<String, u32>,
    /// The zone is down while one of them lasts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outages: Vec<Outage>,
}

/// A zone that the file says nothing of, as those of real clouds need not be in it.
static UNWRITTEN: Zone = Zone {
    offers: BTreeMap::new(),
    quotas: BTreeMap::new(),
    outages: Vec::new(),
};

/// The cloud and the region that a zone `CLOUD/REGION` takes its name and what it sells from.
pub(crate) fn listing(zone: &str) -> Option<(&str, &str)> {
    let (cloud, region) = zone.split_once('/')?;
    (!cloud.is_empty() && !region.is_empty()).then_some((cloud, region))
}

/// An instance type in one zone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceOffer {
    /// Virtual processors.
    pub cpu: f64,
    /// Bytes.
    pub memory: u64,
    /// Type of accelerator and how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<(String, u32)>,
    /// US dollars for an hour on demand.
    pub price_per_hour: f64,
    /// US dollars for an hour that the cloud may end; none are sold where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spot_per_hour: Option<f64>,
    /// Mean electric power under load in watts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watts: Option<f64>,
    /// Instances that the account may have; no limit where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<u32>,
}

/// A time in which a zone does not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// First virtual second.
    pub from: u64,
    /// First virtual second after it; missing while no end is in sight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// Why.
    pub reason: String,
}

impl Outage {
    pub(crate) fn covers(&self, second: u64) -> bool {
        self.from <= second && self.until.is_none_or(|until| second < until)
    }
}

/// One version of a model, served by replicas in one zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// What it serves; endpoints of one name and zone differ by version.
    pub name: String,
    /// Where.
    pub zone: String,
    /// Which version of it.
    pub version: String,
    /// What each replica runs on.
    pub instance_type: String,
    /// Where the model's files come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
    /// The container image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Replicas that were ordered.
    pub replicas: u32,
    /// How many of them run on spot instances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spot: Option<u32>,
    /// Replicas that run, if the zone works.
    pub running: u32,
}

/// The address that clients use in one zone, and how it splits requests between versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Router {
    /// The name of the endpoints that it routes to.
    pub name: String,
    /// Where.
    pub zone: String,
    /// Weight by version.
    pub routes: BTreeMap<String, f64>,
}

/// The replicas of an endpoint by the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timetable {
    /// The name of the endpoint.
    pub name: String,
    /// Its zone.
    pub zone: String,
    /// Its version.
    pub version: String,
    /// When how many run.
    pub schedule: Schedule,
}

impl Timetable {
    pub(crate) fn is_of(&self, endpoint: &Endpoint) -> bool {
        (&self.name, &self.zone, &self.version)
            == (&endpoint.name, &endpoint.zone, &endpoint.version)
    }

    pub(crate) fn is_of_the_same(&self, other: &Self) -> bool {
        (&self.name, &self.zone, &self.version) == (&other.name, &other.zone, &other.version)
    }
}

/// A timetable as the file has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TimetableDocument {
    name: String,
    zone: String,
    version: String,
    /// Start, least and most.
    shifts: Vec<(Timestamp, u32, u32)>,
    until: Timestamp,
}

impl Serialize for Timetable {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shifts = self.schedule.shifts.iter();
        TimetableDocument {
            name: self.name.clone(),
            zone: self.zone.clone(),
            version: self.version.clone(),
            shifts: shifts
                .map(|shift| (shift.start, shift.envelope.min, shift.envelope.max))
                .collect(),
            until: self.schedule.until,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Timetable {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let document = TimetableDocument::deserialize(deserializer)?;
        let shifts = document.shifts.into_iter();
        let shift = |(start, min, max)| Shift {
            start,
            envelope: Envelope { min, max },
        };
        Ok(Self {
            name: document.name,
            zone: document.zone,
            version: document.version,
            schedule: Schedule {
                shifts: shifts.map(shift).collect(),
                until: document.until,
            },
        })
    }
}

fn is_epoch(time: &Timestamp) -> bool {
    *time == Timestamp::UNIX_EPOCH
}

/// A text that the cloud keeps; this file has only what tells it from others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// What was said of its version when it was written last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// SHA-256 of the text.
    pub fingerprint: String,
}

impl Default for World {
    /// Four zones, each with two sizes of plain instances and two with accelerators.
    fn default() -> Self {
        let zones = [
            ("sim-us-east", 1.0),
            ("sim-us-west", 1.04),
            ("sim-eu-central", 1.16),
            ("sim-ap-south", 0.93),
        ];
        Self {
            format: 1,
            clock: 0,
            epoch: Timestamp::UNIX_EPOCH,
            delays: Delays::default(),
            zones: zones
                .into_iter()
                .map(|(name, level)| (name.to_owned(), default_zone(level)))
                .collect(),
            endpoints: BTreeMap::new(),
            routers: BTreeMap::new(),
            schedules: BTreeMap::new(),
            secrets: BTreeMap::new(),
            ledger: BTreeMap::new(),
            calls: BTreeMap::new(),
            faults: Vec::new(),
        }
    }
}

/// `level` times the base prices, to a hundredth of a cent.
fn default_zone(level: f64) -> Zone {
    let offer = |cpu, gib, gpu: Option<&str>, price: f64, quota| InstanceOffer {
        cpu,
        memory: gib * GIB,
        gpu: gpu.map(|kind| (kind.to_owned(), 1)),
        price_per_hour: (price * level * 1e4).round() / 1e4,
        spot_per_hour: None,
        watts: None,
        quota: Some(quota),
    };
    let offers = [
        ("c1.small", offer(2.0, 4, None, 0.08, 100)),
        ("c1.large", offer(8.0, 32, None, 0.38, 40)),
        ("g1.a10g", offer(8.0, 32, Some("a10g"), 1.21, 16)),
        ("g1.a100", offer(12.0, 85, Some("a100"), 3.67, 4)),
    ];
    Zone {
        offers: offers
            .into_iter()
            .map(|(name, offer)| (name.to_owned(), offer))
            .collect(),
        quotas: BTreeMap::new(),
        outages: Vec::new(),
    }
}

impl World {
    /// The zone `name`; the error blames the attribute `attribute`.
    pub(crate) fn zone(&self, name: &str, attribute: &str) -> Result<&Zone, Error> {
        let unwritten = || listing(name).map(|_| &UNWRITTEN);
        self.zones.get(name).or_else(unwritten).ok_or_else(|| {
            let names = self.zones.keys().map(String::as_str);
            let message = format!("sim has no zone {name:?}");
            let error = Error::invalid(Path::attribute(attribute), message);
            match closest(name, names.clone()) {
                Some(near) => error.help(format!("did you mean {near:?}?")),
                None => error.help(format!("its zones are {}", list(names))),
            }
        })
    }

    /// How many instances of `instance_type` the account may have in `zone`, if that sells them.
    /// What a catalogue lists is not known here, so a zone with its name sells whatever is asked for.
    pub(crate) fn quota(&self, zone: &str, instance_type: &str) -> Result<Option<u32>, Error> {
        let Zone { offers, quotas, .. } = self.zone(zone, "zone")?;
        if let Some(offer) = offers.get(instance_type) {
            return Ok(offer.quota);
        }
        match listing(zone) {
            Some(_) => Ok(quotas.get(instance_type).copied()),
            None => Err(Error::invalid(
                Path::attribute("instance_type"),
                format!("{zone} does not sell instances of type {instance_type:?}"),
            )
            .help(format!(
                "it sells {}",
                list(offers.keys().map(String::as_str))
            ))),
        }
    }

    /// The outage that the zone suffers now, if it exists and does.
    pub(crate) fn outage(&self, zone: &str) -> Option<&Outage> {
        let outages = &self.zones.get(zone)?.outages;
        outages.iter().find(|outage| outage.covers(self.clock))
    }

    /// Fails if the zone does not work now.
    pub(crate) fn require_up(&self, zone: &str) -> Result<(), Error> {
        self.outage(zone).map_or(Ok(()), |outage| {
            Err(Error::unavailable(describe_outage(zone, outage)))
        })
    }

    /// The time of day.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let clock = i64::try_from(self.clock).unwrap_or(i64::MAX);
        let passed = SignedDuration::from_secs(clock);
        self.epoch.checked_add(passed).unwrap_or(Timestamp::MAX)
    }

    /// The replicas of an endpoint that run now: those that its schedule asks for, where it has one
    /// that holds now, of those that it was ordered to run and that were not lost.
    #[must_use]
    pub fn running(&self, endpoint: &Endpoint) -> u32 {
        if self.outage(&endpoint.zone).is_some() {
            return 0;
        }
        let timetable = self.schedules.values().find(|table| table.is_of(endpoint));
        let shift = timetable.and_then(|table| table.schedule.at(self.now()));
        match shift {
            None => endpoint.running.min(endpoint.replicas),
            Some(bounds) if endpoint.running >= endpoint.replicas => bounds.min,
            Some(bounds) => bounds.min.min(endpoint.running),
        }
    }

    /// The id that this key has made already, if that is still there.
    pub(crate) fn made_by(&self, key: &IdempotencyKey) -> Option<&String> {
        self.ledger.get(key.as_str()).filter(|id| {
            self.endpoints.contains_key(*id)
                || self.routers.contains_key(*id)
                || self.schedules.contains_key(*id)
                || self.secrets.contains_key(*id)
        })
    }

    /// Notes that this key has made or changed `id`.
    pub(crate) fn record(&mut self, key: &IdempotencyKey, id: &str) {
        self.ledger.insert(key.to_string(), id.to_owned());
    }

    /// Drops what the ledger says about `id`, which is gone.
    pub(crate) fn forget(&mut self, id: &str) {
        self.ledger.retain(|_, made| made != id);
    }
}

/// The zone, since when it is down, and why.
pub(crate) fn describe_outage(zone: &str, outage: &Outage) -> String {
    format!(
        "zone {zone} is down since second {}: {}",
        outage.from, outage.reason
    )
}

/// An id that depends on the key and nothing else.
pub(crate) fn id(prefix: &str, key: &IdempotencyKey) -> String {
    let digest = Sha256::digest(key.as_str().as_bytes());
    digest
        .iter()
        .take(6)
        .fold(format!("{prefix}-"), |id, byte| format!("{id}{byte:02x}"))
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
