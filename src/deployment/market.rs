//! What a zone sells: what its provider tells, completed by the catalogue, corrected by the
//! configuration.

use isobar_catalog::{Place, Unlisted};
use isobar_sdk::deployment::{self as told, Grid, Listing, Offer};

use super::spec::ZoneSpec;

/// Why a zone is down of which the configuration says it.
pub const SAID: &str = "the configuration says so";

/// What a zone sells now.
#[derive(Debug, Clone, PartialEq)]
pub enum Market {
    /// The zone works and sells these, in name order.
    Open(Vec<Offer>),
    /// The zone is down; the text says since when or why.
    Down(String),
}

/// What holds in a zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Conditions {
    /// What it sells.
    pub market: Market,
    /// The power that it is run with; `None` where no one tells.
    pub grid: Option<Grid>,
    /// Whose law holds there; `None` where no one tells.
    pub jurisdiction: Option<String>,
}

impl Conditions {
    /// What holds in a zone whose provider tells this.
    ///
    /// # Errors
    /// The provider points to a part of the catalogue that is not there.
    pub fn of(zone: &ZoneSpec, told: told::Market) -> Result<Self, Unlisted> {
        let (market, place) = match told {
            told::Market::Open(offers) => (Market::Open(offers), None),
            told::Market::Down(reason) => (Market::Down(reason), None),
            told::Market::Listed(listing) => {
                let place = isobar_catalog::place(&listing.cloud, &listing.region)?;
                (Market::Open(listed(place, &listing)), Some(place))
            }
        };
        let market = match market {
            Market::Open(_) if zone.down => Market::Down(SAID.to_owned()),
            Market::Open(offers) => Market::Open(corrected(offers, zone)),
            down @ Market::Down(_) => down,
        };
        Ok(Self {
            market,
            grid: grid(zone, place.and_then(Place::grid)),
            jurisdiction: place.map(|place| place.region.jurisdiction().to_owned()),
        })
    }
}

fn listed(place: Place<'_>, listing: &Listing) -> Vec<Offer> {
    let only = |name: &str| listing.only.as_ref().is_none_or(|only| only == name);
    let offers = place.offers(listing.form);
    let offers = offers.filter(|listed| only(listed.name()));
    offers
        .map(|listed| listed.offer())
        .map(|offer| Offer {
            quota: listing.quotas.get(&offer.instance).copied(),
            ..offer
        })
        .collect()
}

fn corrected(mut offers: Vec<Offer>, zone: &ZoneSpec) -> Vec<Offer> {
    for offer in &zone.offers {
        offer.correct(&mut offers);
    }
    offers.sort_by(|a, b| a.instance.cmp(&b.instance));
    offers
}

/// Half of a grid that only the configuration tells is completed by the mildest assumption: all
/// power goes into the machines.
fn grid(zone: &ZoneSpec, listed: Option<Grid>) -> Option<Grid> {
    let intensity = zone
        .carbon_intensity
        .or(listed.map(|grid| grid.intensity))?;
    let pue = zone.pue.or(listed.map(|grid| grid.pue)).unwrap_or(1.0);
    Some(Grid { intensity, pue })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use isobar_sdk::Value;
    use isobar_sdk::deployment::{Form, Zone};
    use isobar_sdk::quantity::Micros;

    use super::*;
    use crate::deployment::offer::OfferSpec;
    use crate::deployment::policy::Reach;

    fn zone(offers: Vec<OfferSpec>) -> ZoneSpec {
        ZoneSpec {
            zone: Zone {
                name: "frankfurt".into(),
                region: None,
                settings: Value::NULL,
            },
            provider: "sim".into(),
            price: None,
            limits: BTreeMap::new(),
            reach: Reach::default(),
            down: false,
            offers,
            carbon_intensity: None,
            pue: None,
        }
    }

    fn frankfurt(region: &str) -> told::Market {
        told::Market::Listed(Listing {
            cloud: "aws".into(),
            region: region.into(),
            form: Form::Managed,
            only: None,
            quotas: [("ml.g5.xlarge".to_owned(), 4)].into(),
        })
    }

    fn sold(conditions: &Conditions, instance: &str) -> Option<Offer> {
        let Market::Open(offers) = &conditions.market else {
            return None;
        };
        offers.iter().find(|o| o.instance == instance).cloned()
    }

    #[test]
    fn the_configuration_wins_over_the_catalogue() {
        let plain = Conditions::of(&zone(Vec::new()), frankfurt("eu-central-1")).unwrap();
        let listed = sold(&plain, "ml.g5.xlarge").unwrap();
        assert_eq!((listed.price, listed.quota), (Micros(1_761_228), Some(4)));
        assert_eq!(plain.grid.map(|grid| grid.intensity), Some(311.0));
        assert_eq!(plain.jurisdiction.as_deref(), Some("EU"));
        let own = |instance: &str| OfferSpec {
            instance: instance.into(),
            price: Some(Micros(1_410_000)),
            ..OfferSpec::default()
        };
        let mut zone = zone(vec![own("ml.g5.xlarge"), own("box")]);
        zone.carbon_intensity = Some(20.0);
        let corrected = Conditions::of(&zone, frankfurt("eu-central-1")).unwrap();
        let offer = sold(&corrected, "ml.g5.xlarge").unwrap();
        assert_eq!(
            offer,
            Offer {
                price: Micros(1_410_000),
                ..listed
            }
        );
        assert_eq!(
            sold(&corrected, "box").map(|offer| offer.memory),
            Some(u64::MAX)
        );
        assert_eq!(
            corrected.grid,
            Some(Grid {
                intensity: 20.0,
                pue: 1.135
            })
        );
    }

    #[test]
    fn what_the_provider_tells_needs_no_catalogue() {
        let down = told::Market::Down("flood".into());
        let conditions = Conditions::of(&zone(Vec::new()), down).unwrap();
        assert_eq!(conditions.market, Market::Down("flood".into()));
        assert_eq!(conditions.grid, None);
        let drained = ZoneSpec {
            down: true,
            ..zone(Vec::new())
        };
        let conditions = Conditions::of(&drained, frankfurt("eu-central-1")).unwrap();
        assert_eq!(sold(&conditions, "ml.g5.xlarge"), None);
        assert!(conditions.grid.is_some());
        let error = Conditions::of(&zone(Vec::new()), frankfurt("mars")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the catalogue lists no region \"mars\" of aws"
        );
    }
}
