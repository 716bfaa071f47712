//! One instance: what it is, what it should be, and the change between the two.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::deployment::Wire;
use isobar_sdk::provider::PlanChange;
use isobar_sdk::schema::{OnChange, Schema};
use isobar_sdk::{Address, Error, Known, Native, Path, Provider, Type, Value};

use super::ignore;
use crate::change::{Change, Reason};
use crate::language::lifecycle::Ignore;

/// An instance with what its configuration says.
pub struct Configured<'a> {
    /// Which one.
    pub address: &'a Address,
    /// Its provider.
    pub provider: &'a dyn Provider,
    /// The schema of its type.
    pub schema: &'a Schema,
    /// What the configuration sets, null where it sets nothing.
    pub configuration: &'a Value,
    /// What of it does not count once the instance is there.
    pub ignore: &'a Ignore,
}

/// What an instance is planned to be.
pub struct Planned {
    /// What it will be, sensitive parts marked.
    pub after: Value,
    /// What the provider says cannot be changed in place.
    pub replace: Vec<Path>,
}

impl Configured<'_> {
    /// Asks the provider what the instance will be, coming from `prior`.
    ///
    /// Providers get values without marks; the marks are put on again afterwards.
    ///
    /// # Errors
    /// What the provider says is wrong with the configuration.
    pub async fn plan(&self, prior: Option<&Known>) -> Result<Planned, Error> {
        let configuration = match prior {
            Some(prior) => ignore::apply(self.ignore, self.configuration, prior.value()),
            None => self.configuration.clone(),
        };
        let proposed = self
            .schema
            .body
            .propose(prior.map(Known::value), &configuration);
        let marks = proposed.sensitive_paths();
        let request = PlanChange {
            address: self.address.clone(),
            prior: prior.map(plain),
            configuration: configuration.reveal_all(),
            proposed: proposed.reveal_all(),
        };
        let planned = self.provider.plan(request).await?;
        let body = &self.schema.body;
        Ok(Planned {
            after: body.withhold(&body.spread_marks(&planned.after.mark(&marks))),
            replace: planned.replace,
        })
    }

    /// The change that makes the instance what it should be; it is replaced in any case where
    /// `forced` says why.
    ///
    /// # Errors
    /// What the provider says is wrong with the configuration.
    pub async fn classify(
        &self,
        prior: Option<&Known>,
        forced: Option<Reason>,
    ) -> Result<(Change, Option<Reason>), Error> {
        let Some(before) = prior else {
            return Ok((
                Change::Create {
                    after: self.plan(None).await?.after,
                },
                None,
            ));
        };
        let planned = self.plan(prior).await?;
        let changed = changed_attributes(before.value(), &planned.after);
        let mut because = self.forcing(&changed);
        because.extend(planned.replace);
        because.dedup();
        if !because.is_empty() || forced.is_some() {
            // A replacement is a creation: nothing of what was there is carried over.
            let after = self.plan(None).await?.after;
            let reason = forced.unwrap_or(Reason::CannotUpdate);
            return Ok((
                Change::Replace {
                    before: before.clone(),
                    after,
                    because,
                },
                Some(reason),
            ));
        }
        if changed.is_empty() {
            // Equal up to its marks, which may be new.
            let now = Known::new(planned.after).unwrap_or_else(|_| before.clone());
            return Ok((Change::Keep { now }, None));
        }
        Ok((
            Change::Update {
                before: before.clone(),
                after: planned.after,
            },
            None,
        ))
    }

    fn forcing(&self, changed: &[String]) -> Vec<Path> {
        let forces = |name: &&String| {
            let attribute = self.schema.body.attributes.get(name.as_str());
            attribute.is_some_and(|attribute| attribute.on_change == OnChange::Replace)
        };
        changed
            .iter()
            .filter(forces)
            .map(|name| Path::attribute(name))
            .collect()
    }
}

/// The names of the attributes that differ, marks not counted.
pub(super) fn changed_attributes(before: &Value, after: &Value) -> Vec<String> {
    let Some(fields) = after.fields() else {
        return Vec::new();
    };
    fields
        .iter()
        .filter(|(name, value)| {
            before
                .field(name)
                .is_none_or(|was| was != *value && was.reveal_all() != value.reveal_all())
        })
        .map(|(name, _)| name.to_string())
        .collect()
}

/// A value as providers get it.
pub fn plain(known: &Known) -> Known {
    Known::new(known.value().reveal_all()).unwrap_or_else(|_| Known::empty())
}

/// The configuration of a native resource, its wires followed; what they lead to is looked up
/// with `value_of`.
#[must_use]
pub fn configure(
    schema: &Schema,
    wires: &BTreeMap<String, Wire>,
    value_of: &impl Fn(&Native) -> Option<Value>,
) -> Value {
    let Type::Object(shape) = schema.body.value_type() else {
        return Value::NULL;
    };
    let fields = shape.iter().map(|(name, field)| {
        let value = wires
            .get(&**name)
            .map_or(Value::NULL, |wire| follow(wire, value_of));
        (Arc::clone(name), field.ty.convert(&value).unwrap_or(value))
    });
    Value::object(fields)
}

/// What a wire leads to; unknown while that is not there.
#[must_use]
pub fn follow(wire: &Wire, value_of: &impl Fn(&Native) -> Option<Value>) -> Value {
    match wire {
        Wire::Value(value) => value.clone(),
        Wire::From(native, path) => value_of(native)
            .and_then(|value| value.get(path).cloned())
            .unwrap_or_else(Value::unknown),
    }
}
