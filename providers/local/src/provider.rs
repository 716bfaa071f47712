//! The provider `local`: dispatch of the contract's calls to resource types.

use std::net::IpAddr;
use std::num::NonZero;
use std::sync::Arc;

use isobar_sdk::deployment::{Market, Offer, Offers, Target, Zone};
use isobar_sdk::provider::{Apply, BoxFuture, Outcome, PlanChange, Planned, Read};
use isobar_sdk::quantity::Micros;
use isobar_sdk::schema::{ProviderSchema, Schema};
use isobar_sdk::{Error, Factory, Known, Path, Provider, Value};

use crate::gateway_resource::{self, Surroundings};
use crate::runtime::Runtime;
use crate::schema::{self, GATEWAY, REPLICA_SET};
use crate::{process, replica_set};

/// Makes the provider `local`.
#[must_use]
pub fn factory(runtime: Runtime) -> impl Factory {
    LocalFactory {
        runtime,
        schema: Arc::new(schema::provider()),
    }
}

struct LocalFactory {
    runtime: Runtime,
    schema: Arc<ProviderSchema>,
}

impl Factory for LocalFactory {
    fn name(&self) -> &'static str {
        "local"
    }

    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    fn configure<'a>(
        &'a self,
        configuration: &'a Known,
    ) -> BoxFuture<'a, Result<Arc<dyn Provider>, Error>> {
        Box::pin(async move {
            let host = configuration.field("host").and_then(Value::as_str);
            let host = host.unwrap_or("127.0.0.1");
            let host: IpAddr = host.parse().map_err(|_| {
                let message = format!("host {host:?} is not an IP address");
                Error::invalid(Path::attribute("host"), message)
                    .help("write 127.0.0.1 for this machine only, or 0.0.0.0 for all interfaces")
            })?;
            let provider: Arc<dyn Provider> = Arc::new(Local {
                surroundings: Surroundings {
                    runtime: self.runtime.clone(),
                    host,
                },
                schema: Arc::clone(&self.schema),
            });
            Ok(provider)
        })
    }
}

struct Local {
    surroundings: Surroundings,
    schema: Arc<ProviderSchema>,
}

/// The resource types of this provider.
#[derive(Clone, Copy)]
enum Kind {
    ReplicaSet,
    Gateway,
}

impl Local {
    fn kind(&self, resource_type: &str) -> Result<(Kind, &Schema), Error> {
        let kind = match resource_type {
            REPLICA_SET => Some(Kind::ReplicaSet),
            GATEWAY => Some(Kind::Gateway),
            _ => None,
        };
        kind.zip(self.schema.resources.get(resource_type))
            .ok_or_else(|| {
                let message = format!("the provider local has no resource type {resource_type:?}");
                Error::invalid(Path::root(), message)
            })
    }
}

impl Provider for Local {
    fn read(&self, request: Read) -> BoxFuture<'_, Result<Option<Known>, Error>> {
        Box::pin(async move {
            match self.kind(request.address.resource_type())?.0 {
                Kind::ReplicaSet => replica_set::read(&self.surroundings.runtime, &request.prior),
                Kind::Gateway => gateway_resource::read(&self.surroundings, &request.prior),
            }
        })
    }

    fn plan(&self, request: PlanChange) -> BoxFuture<'_, Result<Planned, Error>> {
        Box::pin(async move {
            let (kind, schema) = self.kind(request.address.resource_type())?;
            match kind {
                Kind::ReplicaSet => replica_set::plan(&self.surroundings.runtime, schema, &request),
                Kind::Gateway => gateway_resource::plan(&self.surroundings, schema, &request).await,
            }
        })
    }

    fn apply(&self, request: Apply) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let Apply { operation, key, .. } = &request;
            match self.kind(request.address.resource_type()) {
                Ok((Kind::ReplicaSet, _)) => {
                    replica_set::apply(&self.surroundings.runtime, operation, key).await
                }
                Ok((Kind::Gateway, _)) => {
                    gateway_resource::apply(&self.surroundings, operation, key).await
                }
                Err(error) => Outcome::Failed(error),
            }
        })
    }

    fn offers(&self) -> Option<&dyn Offers> {
        Some(self)
    }

    fn target(&self) -> Option<&dyn Target> {
        Some(&self.surroundings.runtime)
    }
}

impl Offers for Local {
    /// One offer: a process. It costs nothing, may use the whole machine, and how many there are
    /// is up to the user.
    fn offers<'a>(&'a self, _zone: &'a Zone) -> BoxFuture<'a, Result<Market, Error>> {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let process = Offer {
            instance: "process".to_owned(),
            cpu: u32::try_from(processors).map_or(f64::MAX, f64::from),
            memory: process::memory_of_machine(),
            gpu: None,
            architecture: None,
            price: Micros(0),
            spot: None,
            watts: None,
            quota: None,
        };
        Box::pin(async move { Ok(Market::Open(vec![process])) })
    }
}
