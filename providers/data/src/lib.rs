//! The provider `isobar`: what needs no platform.
//!
//! `isobar_data` is a resource that stores a value in the state and nothing else. It behaves as `terraform_data` of Terraform 1.11 does; `tests/terraform.rs` holds the plans
//! that were seen there.

mod decode;
mod encode;
mod functions;

use std::num::NonZeroUsize;
use std::sync::Arc;

use isobar_sdk::limit::{Allowance, Limits};
use isobar_sdk::provider::{
    Apply, BoxFuture, IdempotencyKey, Import, LookUp, Operation, Outcome, PlanChange, Planned, Read,
};
use isobar_sdk::schema::{Attribute, Body, ProviderSchema, Schema};
use isobar_sdk::value::Unknown;
use isobar_sdk::{Error, Factory, Function, Known, Provider, Type, Value};
use uuid::Uuid;

mod remote_state;

pub use remote_state::{ReadOutputs, Source};

/// The one resource type.
const RESOURCE: &str = "isobar_data";

/// Makes the provider, which has no settings; there is no state that it could read.
#[must_use]
pub fn factory() -> impl Factory {
    factory_with(Arc::new(|_| Ok(None)))
}

/// Makes the provider, which reads the outputs of other states with `read_outputs`.
#[must_use]
pub fn factory_with(read_outputs: ReadOutputs) -> impl Factory {
    DataFactory {
        schema: schema(),
        read_outputs,
    }
}

/// How many resources are kept at the same time.
const AT_ONCE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63);

struct DataFactory {
    schema: ProviderSchema,
    read_outputs: ReadOutputs,
}

impl Factory for DataFactory {
    fn name(&self) -> &'static str {
        "isobar"
    }

    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    fn functions(&self) -> &'static [Function] {
        functions::FUNCTIONS
    }

    /// What is kept is kept in the state, so that there is no one to protect.
    fn limits(&self) -> Limits {
        Allowance::at_once(AT_ONCE).into()
    }

    fn configure<'a>(
        &'a self,
        _configuration: &'a Known,
    ) -> BoxFuture<'a, Result<Arc<dyn Provider>, Error>> {
        let read_outputs = Arc::clone(&self.read_outputs);
        Box::pin(async { Ok(Arc::new(Data { read_outputs }) as Arc<dyn Provider>) })
    }
}

fn schema() -> ProviderSchema {
    let body = Body::new()
        .attribute(
            "input",
            Attribute::optional(Type::Any, "A value of any type to store."),
        )
        .attribute(
            "output",
            Attribute::computed(
                Type::Any,
                "The stored value: `input` as it was last applied.",
            )
            .repeats("input"),
        )
        .attribute(
            "triggers_replace",
            Attribute::optional(
                Type::Any,
                "A value of any type; the resource is replaced when it changes.",
            )
            .replaces(),
        )
        .attribute(
            "id",
            Attribute::computed(
                Type::String,
                "A UUID that stays until the resource is replaced.",
            ),
        );
    let schema = Schema {
        version: 0,
        body,
        doc: "Stores a value in the state, and ties the replacement of other resources to it."
            .to_owned(),
    };
    ProviderSchema {
        resources: [(RESOURCE.to_owned(), schema)].into(),
        data_sources: [(remote_state::DATA_SOURCE.to_owned(), remote_state::schema())].into(),
        ..ProviderSchema::default()
    }
}

/// The provider: all it has is what the state hands to it.
struct Data {
    read_outputs: ReadOutputs,
}

impl Provider for Data {
    fn read(&self, request: Read) -> BoxFuture<'_, Result<Option<Known>, Error>> {
        Box::pin(async { Ok(Some(request.prior)) })
    }

    fn plan(&self, request: PlanChange) -> BoxFuture<'_, Result<Planned, Error>> {
        Box::pin(async move { Ok(plan(&request).into()) })
    }

    fn apply(&self, request: Apply) -> BoxFuture<'_, Outcome> {
        Box::pin(async move { apply(&request) })
    }

    fn look_up(&self, request: LookUp) -> BoxFuture<'_, Result<Known, Error>> {
        Box::pin(async move { remote_state::look_up(&request, &self.read_outputs) })
    }

    fn import(&self) -> Option<&dyn Import> {
        Some(self)
    }
}

impl Import for Data {
    /// Any id will do, as there is nothing outside the state.
    fn import<'a>(
        &'a self,
        _resource_type: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Known>, Error>> {
        let imported = Value::object([
            ("id", Value::from(id)),
            ("input", Value::NULL),
            ("output", Value::NULL),
            ("triggers_replace", Value::NULL),
        ]);
        Box::pin(async { Ok(Known::new(imported).ok()) })
    }
}

/// As Terraform plans it: a new or changed input makes the output unknown, even where the input
/// is known. Only a resource that is created without input has its output, null, from the start.
fn plan(request: &PlanChange) -> Value {
    let input = field(&request.proposed, "input").reveal_all();
    let output = match &request.prior {
        Some(prior) if field(prior.value(), "input").reveal_all() == input => {
            return request.proposed.clone();
        }
        None if input.is_null() => Value::NULL,
        Some(_) | None => Value::unknown(),
    };
    let planned = request.proposed.with_field("output", output);
    match request.prior {
        Some(_) => planned,
        None => planned.with_field("id", Value::Unknown(Unknown::text("").into())),
    }
}

fn apply(request: &Apply) -> Outcome {
    let planned = match &request.operation {
        Operation::Create { planned } => {
            planned.with_field("id", Value::from(id(&request.key).to_string()))
        }
        Operation::Update { planned, .. } => planned.clone(),
        Operation::Delete { .. } => return Outcome::Done(None),
    };
    let stored = planned.with_field("output", field(&planned, "input"));
    Known::new(stored).map_or_else(
        |paths| {
            let path = paths.into_iter().next().unwrap_or_default();
            let message = format!("{path} is still unknown, so it cannot be stored");
            Outcome::Failed(Error::invalid(path, message))
        },
        |stored| Outcome::Done(Some(stored)),
    )
}

/// The same key gives the same id, so that a creation that is tried again makes one thing.
fn id(key: &IdempotencyKey) -> Uuid {
    let namespace = Uuid::new_v5(&Uuid::NAMESPACE_OID, RESOURCE.as_bytes());
    Uuid::new_v5(&namespace, key.as_str().as_bytes())
}

fn field(object: &Value, name: &str) -> Value {
    object.field(name).cloned().unwrap_or(Value::NULL)
}
