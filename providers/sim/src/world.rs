//! All that the simulated cloud is: what its file holds.

use std::collections::BTreeMap;

use isobar_sdk::diagnostic::closest;
use isobar_sdk::provider::IdempotencyKey;
use isobar_sdk::{Error, Path};
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
    pub offers: BTreeMap<String, InstanceOffer>,
    /// The zone is down while one of them lasts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outages: Vec<Outage>,
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
            delays: Delays::default(),
            zones: zones
                .into_iter()
                .map(|(name, level)| (name.to_owned(), default_zone(level)))
                .collect(),
            endpoints: BTreeMap::new(),
            routers: BTreeMap::new(),
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
        outages: Vec::new(),
    }
}

impl World {
    /// The zone `name`; the error blames the attribute `attribute`.
    pub(crate) fn zone(&self, name: &str, attribute: &str) -> Result<&Zone, Error> {
        self.zones.get(name).ok_or_else(|| {
            let names = self.zones.keys().map(String::as_str);
            let message = format!("sim has no zone {name:?}");
            let error = Error::invalid(Path::attribute(attribute), message);
            match closest(name, names.clone()) {
                Some(near) => error.help(format!("did you mean {near:?}?")),
                None => error.help(format!("its zones are {}", list(names))),
            }
        })
    }

    /// The offer of `instance_type` in `zone`.
    pub(crate) fn offer(&self, zone: &str, instance_type: &str) -> Result<&InstanceOffer, Error> {
        let offers = &self.zone(zone, "zone")?.offers;
        offers.get(instance_type).ok_or_else(|| {
            Error::invalid(
                Path::attribute("instance_type"),
                format!("{zone} does not sell instances of type {instance_type:?}"),
            )
            .help(format!(
                "it sells {}",
                list(offers.keys().map(String::as_str))
            ))
        })
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

    /// The id that this key has made already, if that is still there.
    pub(crate) fn made_by(&self, key: &IdempotencyKey) -> Option<&String> {
        self.ledger.get(key.as_str()).filter(|id| {
            self.endpoints.contains_key(*id)
                || self.routers.contains_key(*id)
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
