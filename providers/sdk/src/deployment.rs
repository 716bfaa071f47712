//! What a provider is told about a deployment in one of its zones.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::quantity::Micros;
use crate::{Known, Native, Path, Value};

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
    /// How many.
    pub replicas: u32,
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
}

/// What a zone sells.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// Instance type, or another name for the unit a replica occupies.
    pub instance: String,
    /// Virtual processors.
    pub cpu: f64,
    /// Bytes.
    pub memory: u64,
    /// Accelerators: their type and how many.
    pub gpu: Option<(String, u32)>,
    /// On-demand price of one hour.
    pub price: Micros,
    /// How many the account may have; `None` where there is no such limit.
    pub quota: Option<u32>,
}

impl Offer {
    /// Whether one replica fits on it.
    #[must_use]
    pub fn fits(&self, resources: &Resources) -> bool {
        let gpu = resources.gpu.as_ref().is_none_or(|(kind, count)| {
            self.gpu
                .as_ref()
                .is_some_and(|(has, many)| has == kind && many >= count)
        });
        gpu && resources.cpu.is_none_or(|cpu| self.cpu >= cpu)
            && resources.memory.is_none_or(|memory| self.memory >= memory)
    }

    /// The offer that a replica gets: the cheapest that it fits on, ties by name.
    #[must_use]
    pub fn choose<'a>(offers: &'a [Self], resources: &Resources) -> Option<&'a Self> {
        let fitting = offers.iter().filter(|offer| offer.fits(resources));
        fitting.min_by(|a, b| {
            a.price
                .cmp(&b.price)
                .then_with(|| a.instance.cmp(&b.instance))
        })
    }
}

/// What a zone sells now.
#[derive(Debug, Clone, PartialEq)]
pub enum Market {
    /// The zone works and sells these.
    Open(Vec<Offer>),
    /// The zone is down; the text says since when or why.
    Down(String),
}

/// Tells what zones sell.
pub trait Offers: Send + Sync {
    /// Instance types, prices and quotas of one zone.
    fn offers<'a>(
        &'a self,
        zone: &'a Zone,
    ) -> crate::provider::BoxFuture<'a, Result<Market, crate::Error>>;
}
