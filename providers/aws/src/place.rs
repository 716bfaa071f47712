//! Where a thing is: its region and its name there, which together are its id.

use isobar_sdk::{Error, Path, Value};

/// Region and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) region: String,
    pub(crate) name: String,
}

impl Place {
    /// Where the thing is that is planned.
    ///
    /// # Errors
    /// Region or name are not known, which a plan sees to.
    pub(crate) fn planned(planned: &Value) -> Result<Self, Error> {
        let text = |name: &str| {
            let text = planned.field(name).and_then(Value::as_str);
            text.map(str::to_owned).ok_or_else(|| {
                Error::invalid(Path::attribute(name), format!("{name} is not known"))
            })
        };
        Ok(Self {
            region: text("region")?,
            name: text("name")?,
        })
    }

    /// What an id means: `REGION/NAME`, or the name alone for the region of the provider.
    ///
    /// # Errors
    /// It names no region, and neither does the provider.
    pub(crate) fn parse(id: &str, region: Option<&str>) -> Result<Self, Error> {
        let (region, name) = match (id.split_once('/'), region) {
            (Some((region, name)), _) => (region, name),
            (None, Some(region)) => (region, id),
            (None, None) => {
                let message = format!("{id:?} names no region, and the provider has none");
                return Err(Error::invalid(Path::root(), message)
                    .help("write REGION/NAME, such as \"eu-west-1/reranker\""));
            }
        };
        Ok(Self {
            region: region.to_owned(),
            name: name.to_owned(),
        })
    }

    pub(crate) fn id(&self) -> String {
        format!("{}/{}", self.region, self.name)
    }
}

/// The region of a resource: what is configured, else that of the provider.
///
/// # Errors
/// Neither says one.
pub(crate) fn region(proposed: &Value, provider: Option<&str>) -> Result<Value, Error> {
    match (proposed.field("region"), provider) {
        (Some(region), _) if region.as_str().is_some() => Ok(region.clone()),
        (Some(region), None) if region.is_unknown() => Err(nowhere()),
        (_, Some(provider)) => Ok(provider.into()),
        _ => Err(nowhere()),
    }
}

fn nowhere() -> Error {
    Error::invalid(Path::attribute("region"), "there is no region")
        .help("set region here or in the provider block, or AWS_REGION")
}
