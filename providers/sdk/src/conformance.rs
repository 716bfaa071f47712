//! The laws of the provider contract as one suite, which every provider passes.
//!
//! A provider's test describes itself as a [`Subject`] and calls [`run`]. The suite creates,
//! updates, replaces, disturbs and deletes each [`Case`] for real and stops at the first broken
//! [`Law`].

mod law;
mod lowering;
mod trial;

use std::collections::BTreeMap;
use std::fmt;

pub use law::{Law, broken_promise};

use crate::deployment::Placed;
use crate::provider::BoxFuture;
use crate::schema::{Attribute, Body, Schema};
use crate::{Address, Factory, Known, Path, Value};
use trial::Trial;

/// A provider to put on trial.
pub struct Subject<'a> {
    /// Makes the provider.
    pub factory: &'a dyn Factory,
    /// Its settings, in the shape of the provider configuration.
    pub configuration: Known,
    /// At least one for each resource type.
    pub cases: Vec<Case>,
    /// Deployments that it can serve; empty where it has no [`crate::deployment::Target`].
    pub placed: Vec<Placed>,
}

/// Something that disturbs a live resource behind the provider's back, given what it is now.
pub type Disturbance = Box<dyn Fn(Known) -> BoxFuture<'static, ()> + Send + Sync>;

/// Where a resource is, beside the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// On a platform, so that a read can tell when it is gone.
    Platform,
    /// Nowhere: the state is all there is.
    State,
}

/// The life of one resource.
pub struct Case {
    /// Names the resource; its type names the schema.
    pub address: Address,
    /// What it is created with; attributes that are not set may be missing.
    pub first: Value,
    /// What it is then changed to in place.
    pub update: Option<Value>,
    /// What it is then changed to by replacement.
    pub replace: Option<Value>,
    /// Configurations that must be refused, and the attribute to blame.
    pub invalid: Vec<(Value, Path)>,
    /// What makes it drift.
    pub disturb: Option<Disturbance>,
    /// Where it is.
    pub home: Home,
}

impl Case {
    /// A resource that is created and deleted.
    #[must_use]
    pub fn new(address: Address, first: Value) -> Self {
        Self {
            address,
            first,
            update: None,
            replace: None,
            invalid: Vec::new(),
            disturb: None,
            home: Home::Platform,
        }
    }

    /// That is nowhere but in the state, so that a read cannot tell when it is gone.
    #[must_use]
    pub fn only_in_state(mut self) -> Self {
        self.home = Home::State;
        self
    }

    /// That is also changed in place to this.
    #[must_use]
    pub fn update(mut self, configuration: Value) -> Self {
        self.update = Some(configuration);
        self
    }

    /// That is also changed to this by replacement.
    #[must_use]
    pub fn replace(mut self, configuration: Value) -> Self {
        self.replace = Some(configuration);
        self
    }

    /// Whose provider refuses this and blames `path`.
    #[must_use]
    pub fn invalid(mut self, configuration: Value, path: Path) -> Self {
        self.invalid.push((configuration, path));
        self
    }

    /// That also drifts.
    #[must_use]
    pub fn disturb(
        mut self,
        disturbance: impl Fn(Known) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> Self {
        self.disturb = Some(Box::new(disturbance));
        self
    }
}

/// How often each law was put to the test and held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Laws that were never tested are missing.
    pub held: BTreeMap<Law, usize>,
}

impl Report {
    fn check(
        &mut self,
        law: Law,
        holds: bool,
        detail: impl FnOnce() -> String,
    ) -> Result<(), Breach> {
        if !holds {
            return Err(Breach {
                law,
                detail: detail(),
            });
        }
        *self.held.entry(law).or_default() += 1;
        Ok(())
    }
}

/// A broken law, before it is known of which resource.
#[derive(Debug)]
struct Breach {
    law: Law,
    detail: String,
}

/// A broken law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The resource, or the name of the provider.
    pub subject: String,
    /// The law.
    pub law: Law,
    /// How it was broken.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            subject,
            law,
            detail,
        } = self;
        write!(f, "{subject} breaks the law {law:?} ({law}): {detail}")
    }
}

impl std::error::Error for Violation {}

/// The attributes that are set, as the engine hands them to a provider: converted to their
/// types, with null for those that are missing.
///
/// # Errors
/// The attribute that does not fit its type.
pub fn configuration(body: &Body, set: &Value) -> Result<Value, crate::types::Mismatch> {
    body.value_type().convert(set)
}

/// Puts a provider on trial.
///
/// # Errors
/// The first broken law.
pub async fn run(subject: &Subject<'_>) -> Result<Report, Violation> {
    let name = subject.factory.name();
    let blame = |who: String| {
        move |Breach { law, detail }: Breach| Violation {
            subject: who,
            law,
            detail,
        }
    };
    let mut report = Report::default();
    check_documentation(subject, &mut report).map_err(blame(name.to_owned()))?;
    let provider = subject
        .factory
        .configure(&subject.configuration)
        .await
        .map_err(|error| Breach {
            law: Law::Configurable,
            detail: error.to_string(),
        })
        .map_err(blame(name.to_owned()))?;
    let schema = subject.factory.schema();
    for case in &subject.cases {
        let resource_type = &**case.address.resource_type();
        let blame = || blame(case.address.to_string());
        let schema = schema.resources.get(resource_type).ok_or_else(|| {
            blame()(Breach {
                law: Law::Documented,
                detail: format!("there is no schema of {resource_type}"),
            })
        })?;
        let mut trial = Trial {
            provider: &*provider,
            body: &schema.body,
            case,
            report: &mut report,
            set: Value::NULL,
        };
        trial.run().await.map_err(blame())?;
    }
    for placed in &subject.placed {
        let target = provider.target().ok_or_else(|| Breach {
            law: Law::Lowers,
            detail: "it has no target".to_owned(),
        });
        target
            .and_then(|target| lowering::check(target, schema, placed, &mut report))
            .map_err(blame(format!(
                "{name}: {} in {}",
                placed.deployment, placed.zone.name
            )))?;
    }
    Ok(report)
}

fn check_documentation(subject: &Subject<'_>, report: &mut Report) -> Result<(), Breach> {
    let schema = subject.factory.schema();
    document_body("provider", &schema.configuration, report)?;
    document_body("zone", &schema.zone, report)?;
    for (name, Schema { body, doc, .. }) in schema.resources.iter().chain(&schema.data_sources) {
        report.check(Law::Documented, !doc.is_empty(), || {
            format!("{name} has no documentation")
        })?;
        document_body(name, body, report)?;
    }
    for name in schema.resources.keys() {
        let tried = |case: &Case| **case.address.resource_type() == **name;
        report.check(Law::Tried, subject.cases.iter().any(tried), || {
            format!("{name} has no case")
        })?;
    }
    Ok(())
}

fn document_body(name: &str, body: &Body, report: &mut Report) -> Result<(), Breach> {
    for (attribute, Attribute { doc, .. }) in &body.attributes {
        report.check(Law::Documented, !doc.is_empty(), || {
            format!("{name}.{attribute} has no documentation")
        })?;
    }
    for (block, inner) in &body.blocks {
        let name = format!("{name}.{block}");
        report.check(Law::Documented, !inner.doc.is_empty(), || {
            format!("{name} has no documentation")
        })?;
        document_body(&name, &inner.body, report)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
