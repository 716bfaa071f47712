//! A cloud of the catalogue: its regions, its instance types and their prices.

use isobar_sdk::deployment::{Architecture, Form, Grid, Offer};
use isobar_sdk::quantity::Micros;

use crate::power::watts;

const GIB: f64 = 1_073_741_824.0;

/// One cloud, as its text lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct Cloud<'t> {
    /// What the figures were taken from.
    pub sources: Vec<Source<'t>>,
    /// In the order of the text, which is that of names.
    pub regions: Vec<Region<'t>>,
    pub(crate) types: Vec<Priced<'t>>,
}

/// Where figures come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source<'t> {
    /// What it tells: `on-demand`, `spot`, `managed`, or a source of carbon intensities by its name.
    pub of: &'t str,
    /// The day that its figures are of, as `2026-07-20`.
    pub date: &'t str,
    /// Project, file and version.
    pub text: &'t str,
}

/// A region of a cloud.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region<'t> {
    /// In the cloud's own words.
    pub name: &'t str,
    /// ISO 3166-1 alpha-2.
    pub country: &'t str,
    /// The power that it is run with, where a source tells.
    pub grid: Option<Grid>,
    /// The source of the intensity, by the name it has among the sources.
    pub source: Option<&'t str>,
    /// What the intensity is of: `region`, `country`, `NERC-region`, `same-country`.
    pub scope: Option<&'t str>,
}

impl Region<'_> {
    /// Whose law holds there: `EU` for the members of the European Union, otherwise the country.
    #[must_use]
    pub fn jurisdiction(&self) -> &str {
        const EUROPEAN_UNION: [&str; 27] = [
            "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
            "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
        ];
        match EUROPEAN_UNION.contains(&self.country) {
            true => "EU",
            false => self.country,
        }
    }
}

/// An instance type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Instance<'t> {
    /// Its name as a machine.
    pub name: &'t str,
    /// Its name as a host of managed endpoints, where it can be one.
    pub managed: Option<&'t str>,
    /// Virtual processors.
    pub vcpu: f64,
    /// GiB.
    pub memory: f64,
    /// What it has beside processors.
    pub accelerator: Option<Accelerator<'t>>,
    /// What its programs are built for.
    pub architecture: Architecture,
}

/// Accelerators of an instance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accelerator<'t> {
    /// Its type in lower case: `a10g`, `l4`, `h100`.
    pub kind: &'t str,
    /// How many; less than one where an instance has a share of one.
    pub count: f64,
    /// GiB of each, or of the share.
    pub memory: f64,
}

/// Whether a price was read or computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Read in a list of prices.
    List,
    /// Computed from other prices; how, the source says.
    Derived,
}

/// A price for one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// The amount.
    pub amount: Micros,
    /// Where it comes from.
    pub basis: Basis,
}

/// An instance type with its prices, each in the order of the regions.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Priced<'t> {
    pub(crate) instance: Instance<'t>,
    pub(crate) on_demand: Vec<Option<Price>>,
    pub(crate) spot: Vec<Option<Price>>,
    pub(crate) managed: Vec<Option<Price>>,
}

/// A region of a cloud, to ask what it sells.
#[derive(Debug, Clone, Copy)]
pub struct Place<'c> {
    /// The cloud.
    pub cloud: &'c Cloud<'c>,
    /// The region.
    pub region: &'c Region<'c>,
    column: usize,
}

/// What a region sells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Listed<'c> {
    /// What it is.
    pub instance: &'c Instance<'c>,
    /// The form that it is sold in.
    pub form: Form,
    /// On demand.
    pub price: Price,
    /// Where the cloud may end it.
    pub spot: Option<Price>,
}

impl<'t> Cloud<'t> {
    /// The region of this name.
    #[must_use]
    pub fn place<'c>(&'c self, region: &str) -> Option<Place<'c>>
    where
        't: 'c,
    {
        let column = self.regions.iter().position(|known| known.name == region)?;
        Some(Place {
            cloud: self,
            region: self.regions.get(column)?,
            column,
        })
    }

    /// Its instance types, in the order of the text.
    pub fn instances(&self) -> impl Iterator<Item = &Instance<'t>> {
        self.types.iter().map(|priced| &priced.instance)
    }
}

impl<'c> Place<'c> {
    /// What is sold there in this form. Hosts of managed endpoints have no spot price.
    pub fn offers(self, form: Form) -> impl Iterator<Item = Listed<'c>> {
        let at = move |prices: &[Option<Price>]| prices.get(self.column).copied().flatten();
        self.cloud.types.iter().filter_map(move |priced| {
            let (price, spot) = match form {
                Form::Machine => (at(&priced.on_demand)?, at(&priced.spot)),
                Form::Managed => (at(&priced.managed)?, None),
            };
            Some(Listed {
                instance: &priced.instance,
                form,
                price,
                spot,
            })
        })
    }

    /// The power that it is run with, where a source tells.
    #[must_use]
    pub fn grid(self) -> Option<Grid> {
        self.region.grid
    }
}

impl<'c> Listed<'c> {
    /// Its name in the form that it is sold in.
    #[must_use]
    pub fn name(&self) -> &'c str {
        match self.form {
            Form::Machine => self.instance.name,
            Form::Managed => self.instance.managed.unwrap_or(self.instance.name),
        }
    }

    /// As the planner takes it. A share of an accelerator counts as none.
    #[must_use]
    pub fn offer(&self) -> Offer {
        let gpu = self.instance.accelerator.and_then(|accelerator| {
            let count = whole(accelerator.count)?;
            Some((accelerator.kind.to_owned(), count))
        });
        Offer {
            instance: self.name().to_owned(),
            cpu: self.instance.vcpu,
            memory: bytes(self.instance.memory),
            gpu,
            architecture: Some(self.instance.architecture),
            price: self.price.amount,
            spot: self.spot.map(|spot| spot.amount),
            watts: watts(self.instance),
            quota: None,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float is cast to the nearest number that there is"
)]
fn whole(count: f64) -> Option<u32> {
    (count >= 1.0).then_some(count as u32)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float is cast to the nearest number that there is"
)]
fn bytes(gib: f64) -> u64 {
    (gib * GIB) as u64
}
