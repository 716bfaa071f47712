//! What the regions of clouds sell, at which price, and the power they are run with.
//!
//! Lists of prices of a day, each with its source and date, in a compact form that is compiled in
//! and read when it is asked for. They are for plans that compare; invoices come from the clouds.
//! `docs/catalog.md` has the layout, the sources and their licences.

mod cloud;
mod power;
mod text;

use std::sync::LazyLock;

use isobar_sdk::diagnostic::closest;

pub use cloud::{Accelerator, Basis, Cloud, Instance, Listed, Place, Price, Region, Source};
pub use power::watts;
pub use text::{Flaw, parse};

/// The text of each cloud, and the cloud once someone has asked for it.
static CLOUDS: [(&str, LazyLock<Option<Cloud<'static>>>); 3] = [
    (
        "aws",
        LazyLock::new(|| parse(include_str!("../data/aws.txt")).ok()),
    ),
    (
        "azure",
        LazyLock::new(|| parse(include_str!("../data/azure.txt")).ok()),
    ),
    (
        "gcp",
        LazyLock::new(|| parse(include_str!("../data/gcp.txt")).ok()),
    ),
];

/// Why something is not in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unlisted {
    /// There is no such cloud.
    #[error("the catalogue has no cloud {name:?}; it has {}", clouds().collect::<Vec<_>>().join(", "))]
    Cloud {
        /// What was asked for.
        name: String,
    },
    /// The cloud has no such region.
    #[error("the catalogue lists no region {name:?} of {cloud}{}", meant(near.as_deref()))]
    Region {
        /// The cloud.
        cloud: String,
        /// What was asked for.
        name: String,
        /// What may have been meant.
        near: Option<String>,
    },
}

fn meant(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!("; did you mean {near:?}?"))
}

/// The names of the clouds, in their order.
pub fn clouds() -> impl Iterator<Item = &'static str> {
    CLOUDS.iter().map(|(name, _)| *name)
}

/// The cloud of this name.
///
/// # Errors
/// [`Unlisted::Cloud`].
pub fn cloud(name: &str) -> Result<&'static Cloud<'static>, Unlisted> {
    let found = CLOUDS.iter().find(|(known, _)| *known == name);
    found
        .and_then(|(_, cloud)| cloud.as_ref())
        .ok_or_else(|| Unlisted::Cloud {
            name: name.to_owned(),
        })
}

/// A region of a cloud, both in their own words: `aws`, `eu-central-1`.
///
/// # Errors
/// [`Unlisted`].
pub fn place(cloud_name: &str, region: &str) -> Result<Place<'static>, Unlisted> {
    let found = cloud(cloud_name)?;
    found.place(region).ok_or_else(|| {
        let names = found.regions.iter().map(|region| region.name);
        Unlisted::Region {
            cloud: cloud_name.to_owned(),
            name: region.to_owned(),
            near: closest(region, names).map(str::to_owned),
        }
    })
}

#[cfg(test)]
mod tests {
    use isobar_sdk::deployment::{Form, Offer, Resources};

    use super::{clouds, parse, place};

    #[test]
    fn every_cloud_can_be_read() {
        for text in [
            include_str!("../data/aws.txt"),
            include_str!("../data/azure.txt"),
            include_str!("../data/gcp.txt"),
        ] {
            parse(text).unwrap();
        }
        assert_eq!(clouds().collect::<Vec<_>>(), ["aws", "azure", "gcp"]);
    }

    #[test]
    fn a_place_has_offers_for_machines_and_for_endpoints() {
        let frankfurt = place("aws", "eu-central-1").unwrap();
        let offer = |form, name: &str| {
            let mut offers = frankfurt.offers(form).map(|listed| listed.offer());
            offers.find(|offer| offer.instance == name)
        };
        let machine = offer(Form::Machine, "g5.xlarge").unwrap();
        assert_eq!(machine.price.to_string(), "1.25802");
        assert_eq!(machine.spot.unwrap().to_string(), "0.540949");
        assert_eq!(machine.gpu, Some(("a10g".into(), 1)));
        assert_eq!((machine.cpu, machine.memory), (4.0, 16 << 30));
        let managed = offer(Form::Managed, "ml.g5.xlarge").unwrap();
        assert_eq!(managed.price.to_string(), "1.761228");
        assert_eq!(managed.spot, None, "SageMaker endpoints have no spot price");
        assert_eq!(offer(Form::Managed, "g5.xlarge"), None);
        let grid = frankfurt.grid().unwrap();
        assert_eq!((grid.intensity, grid.pue), (311.0, 1.135));
        assert_eq!(frankfurt.region.jurisdiction(), "EU");
    }

    #[test]
    fn the_cheapest_that_a_replica_fits_on_is_found_in_every_cloud() {
        let needs = Resources {
            cpu: Some(8.0),
            memory: Some(16 << 30),
            ..Resources::default()
        };
        let chosen = |cloud, region| {
            let place = place(cloud, region).unwrap();
            let offers: Vec<Offer> = place.offers(Form::Machine).map(|o| o.offer()).collect();
            let chosen = Offer::choose(&offers, &needs).unwrap();
            format!("{} {}", chosen.instance, chosen.price)
        };
        assert_eq!(chosen("aws", "us-east-1"), "c5.2xlarge 0.34");
        assert_eq!(chosen("azure", "westeurope"), "Standard_F8s_v2 0.388");
        assert_eq!(chosen("gcp", "europe-west1"), "e2-standard-8 0.294862");
    }

    #[test]
    fn what_is_not_listed_is_named_with_what_was_meant() {
        let error = place("asw", "eu-central-1").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the catalogue has no cloud \"asw\"; it has aws, azure, gcp"
        );
        let error = place("aws", "eu-centrl-1").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the catalogue lists no region \"eu-centrl-1\" of aws; did you mean \"eu-central-1\"?"
        );
    }
}
