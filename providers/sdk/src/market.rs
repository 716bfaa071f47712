//! What a zone sells: instance types with prices, and the power they are run with.

use std::collections::BTreeMap;

use crate::Error;
use crate::deployment::{Resources, Zone};
use crate::provider::BoxFuture;
use crate::quantity::Micros;

/// What the programs of a machine are built for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Architecture {
    /// x86-64.
    #[default]
    Amd64,
    /// 64-bit Arm.
    Arm64,
}

impl Architecture {
    /// Its name in container images and configurations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// The architecture of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Amd64, Self::Arm64]
            .into_iter()
            .find(|architecture| architecture.name() == name)
    }
}

/// An instance type that a zone sells.
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
    /// What its programs must be built for; `None` where it takes any.
    pub architecture: Option<Architecture>,
    /// On-demand price of one hour.
    pub price: Micros,
    /// Price of one hour that the platform may end; `None` where none are sold.
    pub spot: Option<Micros>,
    /// Mean electric power of one under load in watts, without cooling and the like; `None` where
    /// it is not known.
    pub watts: Option<f64>,
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
                .is_some_and(|(has, many)| has.eq_ignore_ascii_case(kind) && many >= count)
        });
        let built = self
            .architecture
            .is_none_or(|architecture| architecture == resources.architecture);
        gpu && built
            && resources.cpu.is_none_or(|cpu| self.cpu >= cpu)
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

/// The power that a zone is run with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// Grams of CO2 equivalent for one kWh from the grid.
    pub intensity: f64,
    /// Power of the whole data centre for each watt of its machines: 1 at least.
    pub pue: f64,
}

impl Grid {
    /// Kilograms of CO2 equivalent for one hour at this many watts.
    #[must_use]
    pub fn kilograms_per_hour(self, watts: f64) -> f64 {
        watts / 1000.0 * self.pue * self.intensity / 1000.0
    }
}

/// In which form instances are sold; the price depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// Machines, which the user or a cluster runs.
    Machine,
    /// Hosts of endpoints that the platform runs.
    Managed,
}

/// Where in the catalogue it is listed what a zone sells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The cloud in the words of the catalogue: `aws`, `azure`, `gcp`.
    pub cloud: String,
    /// The region in the cloud's own words.
    pub region: String,
    /// What is sold there.
    pub form: Form,
    /// The only instance type that the zone takes, where its user chose one.
    pub only: Option<String>,
    /// How many instances of a type the account may have, where the provider can tell.
    pub quotas: BTreeMap<String, u32>,
}

/// What a zone sells now.
#[derive(Debug, Clone, PartialEq)]
pub enum Market {
    /// The zone works and sells these at the prices of today.
    Open(Vec<Offer>),
    /// The zone works and sells what the catalogue lists.
    Listed(Listing),
    /// The zone is down; the text says since when or why.
    Down(String),
}

/// Tells what zones sell.
pub trait Offers: Send + Sync {
    /// Instance types, prices and quotas of one zone.
    fn offers<'a>(&'a self, zone: &'a Zone) -> BoxFuture<'a, Result<Market, Error>>;
}

#[cfg(test)]
mod tests {
    use super::{Architecture, Grid, Offer};
    use crate::deployment::Resources;
    use crate::quantity::Micros;

    fn offer(instance: &str, architecture: Architecture, price: u64) -> Offer {
        Offer {
            instance: instance.into(),
            cpu: 4.0,
            memory: 16 << 30,
            gpu: Some(("a10g".into(), 1)),
            architecture: Some(architecture),
            price: Micros(price),
            spot: None,
            watts: None,
            quota: None,
        }
    }

    #[test]
    fn the_cheapest_that_can_run_the_program_is_chosen() {
        let offers = [
            offer("arm", Architecture::Arm64, 1),
            offer("dear", Architecture::Amd64, 3),
            offer("cheap", Architecture::Amd64, 2),
        ];
        let chosen = |resources: &Resources| {
            Offer::choose(&offers, resources).map(|offer| offer.instance.as_str())
        };
        let any = Resources::default();
        let arm = Resources {
            architecture: Architecture::Arm64,
            ..Resources::default()
        };
        let gpu = |kind: &str, count| Resources {
            gpu: Some((kind.into(), count)),
            ..Resources::default()
        };
        assert_eq!(chosen(&any), Some("cheap"));
        assert_eq!(chosen(&arm), Some("arm"));
        assert_eq!(chosen(&gpu("A10G", 1)), Some("cheap"));
        assert_eq!(chosen(&gpu("a10g", 2)), None);
        assert_eq!(chosen(&gpu("h100", 1)), None);
    }

    #[test]
    fn carbon_is_power_by_overhead_by_intensity() {
        let grid = Grid {
            intensity: 400.0,
            pue: 1.25,
        };
        assert!((grid.kilograms_per_hour(500.0) - 0.25).abs() < 1e-12);
    }
}
