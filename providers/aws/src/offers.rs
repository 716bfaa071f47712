//! What a zone sells: the hosts of endpoints that the catalogue lists for its region.

use std::collections::BTreeMap;

use isobar_sdk::deployment::{Form, Listing, Market, Offers, Zone};
use isobar_sdk::provider::BoxFuture;
use isobar_sdk::{Error, Path, Value};

use crate::contract;
use crate::provider::Aws;

impl Offers for Aws {
    fn offers<'a>(&'a self, zone: &'a Zone) -> BoxFuture<'a, Result<Market, Error>> {
        Box::pin(async move { listing(zone).map(Market::Listed) })
    }
}

fn listing(zone: &Zone) -> Result<Listing, Error> {
    let only = zone.settings.field("instance_type").and_then(Value::as_str);
    if let Some(only) = only {
        contract::instance(only, "instance_type")?;
    }
    Ok(Listing {
        cloud: "aws".to_owned(),
        region: region(zone)?.to_owned(),
        form: Form::Managed,
        only: only.map(str::to_owned),
        quotas: BTreeMap::new(),
    })
}

/// The region of a zone.
pub(crate) fn region(zone: &Zone) -> Result<&str, Error> {
    zone.region.as_deref().ok_or_else(|| {
        let message = format!("zone {} has no region", zone.name);
        Error::invalid(Path::attribute("region"), message)
            .help("set region to one of AWS, such as \"eu-west-1\"")
    })
}
