//! The simulated cloud as a provider.

use std::path::PathBuf;
use std::sync::Arc;

use isobar_sdk::deployment::{self, Form, Listing, Market, Offer, Offers, Target};
use isobar_sdk::provider::{
    Apply, BoxFuture, IdempotencyKey, Import, Operation, Outcome, PlanChange, Planned, Read,
};
use isobar_sdk::quantity::Micros;
use isobar_sdk::schema::{Attribute, Body, ProviderSchema};
use isobar_sdk::{Error, Factory, Known, Path, Provider, Type, Value};

use crate::cloud::{Cloud, CloudError};
use crate::fault::{Call, Reach};
use crate::world::{self, World, describe_outage, listing};
use crate::{endpoint, router, schedule, secret};

/// Makes providers whose files are found from the folder `base`.
#[must_use]
pub fn factory(base: PathBuf) -> impl Factory {
    SimFactory {
        base,
        schema: schema(),
    }
}

struct SimFactory {
    base: PathBuf,
    schema: ProviderSchema,
}

fn schema() -> ProviderSchema {
    let file = Attribute::with_default(
        Type::String,
        "cloud.json",
        "The file that holds the cloud, from the folder of the configuration. It is made with the first change.",
    );
    let instance_type = Attribute::optional(
        Type::String,
        "The instance type of every replica in the zone. Otherwise the cheapest one that has what the model needs.",
    );
    let managed = Attribute::with_default(
        Type::Bool,
        false,
        "Whether a zone of a real cloud sells hosts of managed endpoints at their prices, not machines.",
    );
    ProviderSchema {
        configuration: Body::new().attribute("file", file),
        zone: Body::new()
            .attribute("instance_type", instance_type)
            .attribute("managed", managed),
        resources: [
            (endpoint::TYPE.to_owned(), endpoint::schema()),
            (router::TYPE.to_owned(), router::schema()),
            (schedule::TYPE.to_owned(), schedule::schema()),
            (secret::TYPE.to_owned(), secret::schema()),
        ]
        .into(),
        ..ProviderSchema::default()
    }
}

impl Factory for SimFactory {
    fn name(&self) -> &'static str {
        "sim"
    }

    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    fn configure<'a>(
        &'a self,
        configuration: &'a Known,
    ) -> BoxFuture<'a, Result<Arc<dyn Provider>, Error>> {
        let file = configuration.field("file").and_then(Value::as_str);
        let cloud = Cloud::open(self.base.join(file.unwrap_or("cloud.json")));
        Box::pin(async move {
            cloud.load().map_err(|error| {
                Error::invalid(Path::attribute("file"), error.to_string())
                    .help("mend the file, or delete it to begin with a new cloud")
            })?;
            Ok(Arc::new(Sim { cloud }) as Arc<dyn Provider>)
        })
    }
}

/// The provider. Its calls block on the file for a moment; none of them waits for virtual time.
pub(crate) struct Sim {
    pub(crate) cloud: Cloud,
}

/// The resource types, so that every `match` covers them all.
#[derive(Clone, Copy)]
enum Kind {
    Endpoint,
    Router,
    Schedule,
    Secret,
}

/// What a change is to bring about: as planned, and as configured, with what is kept nowhere.
#[derive(Clone, Copy)]
struct Wish<'a> {
    planned: &'a Value,
    configuration: &'a Value,
}

impl Kind {
    fn of(resource_type: &str) -> Result<Self, Error> {
        match resource_type {
            endpoint::TYPE => Ok(Self::Endpoint),
            router::TYPE => Ok(Self::Router),
            schedule::TYPE => Ok(Self::Schedule),
            secret::TYPE => Ok(Self::Secret),
            other => {
                let message = format!("sim has no resource type {other:?}");
                Err(Error::invalid(Path::root(), message))
            }
        }
    }

    fn view(self, world: &World, id: &str) -> Option<Known> {
        match self {
            Self::Endpoint => endpoint::view(world, id),
            Self::Router => router::view(world, id),
            Self::Schedule => schedule::view(world, id),
            Self::Secret => secret::view(world, id),
        }
    }

    fn plan(self, world: &World, request: &PlanChange) -> Result<Value, Error> {
        match self {
            Self::Endpoint => endpoint::plan(world, &request.proposed),
            Self::Router => router::plan(world, &request.proposed),
            Self::Schedule => schedule::plan(world, request),
            Self::Secret => Ok(secret::plan(request)),
        }
    }

    fn create(
        self,
        world: &mut World,
        key: &IdempotencyKey,
        wish: Wish<'_>,
        reach: Reach,
    ) -> Outcome {
        match self {
            Self::Endpoint => endpoint::create(world, key, wish.planned, reach),
            Self::Router => router::create(world, key, wish.planned),
            Self::Schedule => schedule::create(world, key, wish.planned),
            Self::Secret => secret::create(world, key, (wish.planned, wish.configuration)),
        }
    }

    fn update(
        self,
        world: &mut World,
        names: (&str, &IdempotencyKey),
        wish: Wish<'_>,
        reach: Reach,
    ) -> Outcome {
        match self {
            Self::Endpoint => endpoint::update(world, names, wish.planned, reach),
            Self::Router => router::update(world, names, wish.planned),
            Self::Schedule => schedule::update(world, names, wish.planned),
            Self::Secret => secret::update(world, names, (wish.planned, wish.configuration)),
        }
    }

    fn delete(self, world: &mut World, id: &str) -> Outcome {
        match self {
            Self::Endpoint => endpoint::delete(world, id),
            Self::Router => router::delete(world, id),
            Self::Schedule => schedule::delete(world, id),
            Self::Secret => secret::delete(world, id),
        }
    }
}

impl Sim {
    /// A call that only looks. It is counted, and so may write, unless there is no file yet.
    fn look<T>(
        &self,
        call: Call,
        make: impl FnOnce(&World) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if self.cloud.load()?.is_none() {
            return make(&World::default());
        }
        self.cloud.change(|world| world.look(call, make))?
    }

    fn apply_now(&self, request: &Apply) -> Result<Outcome, Error> {
        let kind = Kind::of(request.address.resource_type())?;
        let key = &request.key;
        let wish = |planned| Wish {
            planned,
            configuration: &request.configuration,
        };
        let outcome = match &request.operation {
            Operation::Create { planned } => self.cloud.change(|world| {
                world.write(Call::Create, |world, reach| {
                    kind.create(world, key, wish(planned), reach)
                })
            }),
            Operation::Update { prior, planned } => self.cloud.change(|world| {
                world.write(Call::Update, |world, reach| {
                    kind.update(world, (id(prior), key), wish(planned), reach)
                })
            }),
            Operation::Delete { prior } => self.cloud.change(|world| {
                world.write(Call::Delete, |world, _| kind.delete(world, id(prior)))
            }),
        };
        outcome.map_err(CloudError::into)
    }
}

fn id(state: &Known) -> &str {
    state
        .field("id")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

impl Provider for Sim {
    fn read(&self, request: Read) -> BoxFuture<'_, Result<Option<Known>, Error>> {
        Box::pin(async move {
            let kind = Kind::of(request.address.resource_type())?;
            self.look(Call::Read, |world| Ok(kind.view(world, id(&request.prior))))
        })
    }

    fn plan(&self, request: PlanChange) -> BoxFuture<'_, Result<Planned, Error>> {
        Box::pin(async move {
            let kind = Kind::of(request.address.resource_type())?;
            let world = self.cloud.inventory()?;
            Ok(kind.plan(&world, &request)?.into())
        })
    }

    fn apply(&self, request: Apply) -> BoxFuture<'_, Outcome> {
        Box::pin(async move { self.apply_now(&request).unwrap_or_else(Outcome::Failed) })
    }

    fn import(&self) -> Option<&dyn Import> {
        Some(self)
    }

    fn offers(&self) -> Option<&dyn Offers> {
        Some(self)
    }

    fn target(&self) -> Option<&dyn Target> {
        Some(self)
    }
}

impl Import for Sim {
    fn import<'a>(
        &'a self,
        resource_type: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Known>, Error>> {
        Box::pin(async move {
            let kind = Kind::of(resource_type)?;
            self.look(Call::Import, |world| Ok(kind.view(world, id)))
        })
    }
}

impl Offers for Sim {
    fn offers<'a>(&'a self, zone: &'a deployment::Zone) -> BoxFuture<'a, Result<Market, Error>> {
        Box::pin(async move { self.look(Call::Offers, |world| market(world, zone)) })
    }
}

fn market(world: &World, zone: &deployment::Zone) -> Result<Market, Error> {
    let region = region(zone)?;
    let world::Zone { offers, quotas, .. } = world.zone(region, "region")?;
    if let Some(outage) = world.outage(region) {
        return Ok(Market::Down(describe_outage(region, outage)));
    }
    let setting = |name: &str| zone.settings.field(name);
    let chosen = setting("instance_type").and_then(Value::as_str);
    if let (Some((cloud, region)), true) = (listing(region), offers.is_empty()) {
        let managed = setting("managed").and_then(Value::as_bool) == Some(true);
        return Ok(Market::Listed(Listing {
            cloud: cloud.to_owned(),
            region: region.to_owned(),
            form: if managed {
                Form::Managed
            } else {
                Form::Machine
            },
            only: chosen.map(str::to_owned),
            quotas: quotas.clone(),
        }));
    }
    if let Some(chosen) = chosen {
        world.quota(region, chosen)?;
    }
    let wanted = |name: &String| chosen.is_none_or(|chosen| chosen == name);
    let offers = offers.iter().filter(|(name, _)| wanted(name));
    let offers = offers.map(|(instance, offer)| {
        let dollars = |price: f64| {
            Micros::from_dollars(price).ok_or_else(|| {
                let message =
                    format!("{instance} in {region} has the price {price}, which is none");
                Error::invalid(Path::root(), message)
            })
        };
        let price = dollars(offer.price_per_hour)?;
        Ok(Offer {
            instance: instance.clone(),
            cpu: offer.cpu,
            memory: offer.memory,
            gpu: offer.gpu.clone(),
            architecture: None,
            price,
            spot: offer.spot_per_hour.map(dollars).transpose()?,
            watts: offer.watts,
            quota: offer.quota,
        })
    });
    offers.collect::<Result<_, Error>>().map(Market::Open)
}

/// The simulated zone that a zone of the configuration names.
pub(crate) fn region(zone: &deployment::Zone) -> Result<&str, Error> {
    zone.region.as_deref().ok_or_else(|| {
        let message = format!("zone {} has no region, so it is nowhere", zone.name);
        Error::invalid(Path::attribute("region"), message)
            .help("set region to a zone of sim, such as \"sim-us-east\", or of a real cloud, such as \"aws/us-east-1\"")
    })
}
