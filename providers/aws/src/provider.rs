//! An account as a provider: what is asked and ordered goes to the module of its type.

use isobar_sdk::deployment::{Offers, Target};
use isobar_sdk::provider::{
    Apply, BoxFuture, Import, LookUp, Operation, Outcome, PlanChange, Planned, Read,
};
use isobar_sdk::{Error, Known, Provider, Value};
use jiff::Timestamp;

use crate::account::Account;
use crate::attribute::text;
use crate::client::Client;
use crate::endpoint::{self, Pace};
use crate::fault::Fault;
use crate::kind::Kind;
use crate::place::Place;
use crate::scalable::Scalable;
use crate::tags;
use crate::{endpoint_configuration, model, scalable_target, scaling_policy, scheduled_action};

pub(crate) struct Aws {
    pub(crate) account: Account,
    pub(crate) pace: Pace,
}

/// Which thing it is: one with a name in its region, or one of what scales a variant.
pub(crate) enum Thing {
    Placed(Place),
    Scaling(Scalable, Option<String>),
}

impl Aws {
    const fn client(&self) -> &Client {
        &self.account.client
    }

    fn now(&self) -> Timestamp {
        Timestamp::try_from((self.client().now)()).unwrap_or_default()
    }

    /// What there is of a thing, seen by what is wished or recorded of it.
    pub(crate) async fn view(
        &self,
        kind: Kind,
        thing: &Thing,
        wish: &Value,
    ) -> Result<Option<Known>, Error> {
        match self.look(kind, thing, wish).await {
            Ok(state) => Ok(state),
            Err(fault) if fault.is_not_found() => Ok(None),
            Err(fault) => Err(fault.into()),
        }
    }

    async fn look(&self, kind: Kind, thing: &Thing, wish: &Value) -> Result<Option<Known>, Fault> {
        let client = self.client();
        match (kind, thing) {
            (Kind::Model, Thing::Placed(place)) => {
                let found = model::find(client, place).await?;
                let tags = tags::read(client, &place.region, &found.arn).await?;
                Ok(model::view(place, &found, &tags, wish))
            }
            (Kind::Configuration, Thing::Placed(place)) => {
                let found = endpoint_configuration::find(client, place).await?;
                let tags = tags::read(client, &place.region, &found.arn).await?;
                Ok(endpoint_configuration::view(place, &found, &tags, wish))
            }
            (Kind::Endpoint, Thing::Placed(place)) => {
                let found = endpoint::find(client, place).await?;
                let tags = tags::read(client, &place.region, &found.arn).await?;
                let adopted = match wish.is_null() {
                    true => Some(endpoint::adopted(client, place, &found).await?),
                    false => None,
                };
                let wish = adopted.as_ref().unwrap_or(wish);
                Ok(endpoint::view(place, &found, &tags, wish))
            }
            (Kind::Target, Thing::Scaling(target, _)) => {
                let found = scalable_target::find(client, target).await?;
                Ok(found.and_then(|found| scalable_target::view(target, &found, wish)))
            }
            (Kind::Policy, Thing::Scaling(target, Some(name))) => {
                let found = scaling_policy::find(client, target, name).await?;
                Ok(found.and_then(|found| scaling_policy::view(target, &found, wish)))
            }
            (Kind::Action, Thing::Scaling(target, Some(name))) => {
                scheduled_action::view(client, (target, self.now()), (name, wish)).await
            }
            _ => Ok(None),
        }
    }

    async fn make(&self, kind: Kind, request: &Apply, planned: &Value) -> Outcome {
        let done = match kind {
            Kind::Endpoint => {
                return endpoint::create(self.client(), self.pace, request, planned).await;
            }
            Kind::Model | Kind::Configuration => self.make_once(kind, request, planned).await,
            Kind::Target | Kind::Policy | Kind::Action => self.put(kind, planned).await,
        };
        self.outcome(kind, planned, done).await
    }

    /// Makes what has a name, unless this change has made it before.
    async fn make_once(&self, kind: Kind, request: &Apply, planned: &Value) -> Result<(), Error> {
        let place = Place::planned(planned)?;
        let client = self.client();
        let arn = match kind {
            Kind::Model => model::find(client, &place).await.map(|found| found.arn),
            _ => endpoint_configuration::find(client, &place)
                .await
                .map(|found| found.arn),
        };
        match arn {
            Ok(arn) => {
                let found = tags::read(client, &place.region, &arn).await?;
                if tags::made_by(&found, &request.key) {
                    return Ok(());
                }
                return Err(taken(kind, &place));
            }
            Err(fault) if fault.is_not_found() => {}
            Err(fault) => return Err(fault.into()),
        }
        let tags = tags::of_creation(planned, &request.address, &request.key);
        let made = match kind {
            Kind::Model => model::create(client, planned, &tags).await,
            _ => {
                let wish = (planned, &request.configuration);
                endpoint_configuration::create(client, wish, &tags).await
            }
        };
        made.map_err(|fault| match fault.is_conflict() {
            true => taken(kind, &place),
            false => fault.into(),
        })
    }

    async fn put(&self, kind: Kind, planned: &Value) -> Result<(), Error> {
        let target = Scalable::of(planned);
        let target =
            target.ok_or_else(|| Error::unavailable("region or resource_id is not known"))?;
        let client = self.client();
        let put = match kind {
            Kind::Target => scalable_target::put(client, &target, planned).await,
            Kind::Policy => scaling_policy::put(client, &target, planned).await,
            _ => scheduled_action::put(client, (&target, self.now()), planned).await,
        };
        Ok(put?)
    }

    async fn change(&self, kind: Kind, planned: &Value) -> Outcome {
        let done = match kind {
            Kind::Endpoint => return endpoint::update(self.client(), self.pace, planned).await,
            Kind::Model | Kind::Configuration => self.retag(planned).await,
            Kind::Target | Kind::Policy | Kind::Action => self.put(kind, planned).await,
        };
        self.outcome(kind, planned, done).await
    }

    /// The tags are all that can be changed of what cannot be changed.
    async fn retag(&self, planned: &Value) -> Result<(), Error> {
        let place = Place::planned(planned)?;
        let arn = text(planned, "arn").unwrap_or_default();
        Ok(tags::write(self.client(), (&place.region, arn), planned).await?)
    }

    async fn outcome(&self, kind: Kind, planned: &Value, done: Result<(), Error>) -> Outcome {
        if let Err(error) = done {
            return Outcome::Failed(error);
        }
        let Some(thing) = thing(kind, planned) else {
            return Outcome::Failed(Error::unavailable("its name is not known"));
        };
        match self.view(kind, &thing, planned).await {
            Ok(Some(state)) => Outcome::Done(Some(state)),
            Ok(None) => {
                let message = "it was made, but cannot be seen yet";
                Outcome::Failed(Error::unavailable(message))
            }
            Err(error) => Outcome::Failed(error),
        }
    }

    async fn remove(&self, kind: Kind, prior: &Known) -> Result<(), Error> {
        let client = self.client();
        let gone = match (kind, thing(kind, prior.value())) {
            (Kind::Endpoint, Some(Thing::Placed(place))) => {
                return endpoint::delete(client, self.pace, &place).await;
            }
            (Kind::Model, Some(Thing::Placed(place))) => model::delete(client, &place).await,
            (Kind::Configuration, Some(Thing::Placed(place))) => {
                endpoint_configuration::delete(client, &place).await
            }
            (Kind::Target, Some(Thing::Scaling(target, _))) => {
                scalable_target::delete(client, &target).await
            }
            (Kind::Policy, Some(Thing::Scaling(target, Some(name)))) => {
                scaling_policy::delete(client, &target, &name).await
            }
            (Kind::Action, Some(Thing::Scaling(target, Some(name)))) => {
                scheduled_action::delete(client, &target, &name).await
            }
            _ => Ok(()),
        };
        match gone {
            Err(fault) if !fault.is_not_found() => Err(fault.into()),
            _ => Ok(()),
        }
    }
}

/// What is there under a name that this change would have used.
fn taken(kind: Kind, place: &Place) -> Error {
    let message = format!(
        "there is an {} {} in {} already",
        kind.name(),
        place.name,
        place.region
    );
    Error::conflict(message).help(format!("import {}, or choose another name", place.id()))
}

/// Which thing a state or a plan is about.
pub(crate) fn thing(kind: Kind, value: &Value) -> Option<Thing> {
    let name = || text(value, "name").map(str::to_owned);
    match kind {
        Kind::Model | Kind::Configuration | Kind::Endpoint => {
            Place::planned(value).ok().map(Thing::Placed)
        }
        Kind::Target => Some(Thing::Scaling(Scalable::of(value)?, None)),
        Kind::Policy | Kind::Action => Some(Thing::Scaling(Scalable::of(value)?, Some(name()?))),
    }
}

impl Provider for Aws {
    fn read(&self, request: Read) -> BoxFuture<'_, Result<Option<Known>, Error>> {
        Box::pin(async move {
            let kind = Kind::of(request.address.resource_type())?;
            let prior = request.prior.value();
            match thing(kind, prior) {
                Some(thing) => self.view(kind, &thing, prior).await,
                None => Ok(None),
            }
        })
    }

    fn plan(&self, request: PlanChange) -> BoxFuture<'_, Result<Planned, Error>> {
        let region = self.account.region.as_deref();
        Box::pin(async move {
            match Kind::of(request.address.resource_type())? {
                Kind::Model => model::plan(&request, region),
                Kind::Configuration => endpoint_configuration::plan(&request, region),
                Kind::Endpoint => endpoint::plan(&request, region),
                Kind::Target => scalable_target::plan(&request, region),
                Kind::Policy => scaling_policy::plan(&request, region),
                Kind::Action => scheduled_action::plan(&request, region),
            }
        })
    }

    fn apply(&self, request: Apply) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let kind = match Kind::of(request.address.resource_type()) {
                Ok(kind) => kind,
                Err(error) => return Outcome::Failed(error),
            };
            match &request.operation {
                Operation::Create { planned } => self.make(kind, &request, planned).await,
                Operation::Update { planned, .. } => self.change(kind, planned).await,
                Operation::Delete { prior } => match self.remove(kind, prior).await {
                    Ok(()) => Outcome::Done(None),
                    Err(error) => Outcome::Failed(error),
                },
            }
        })
    }

    fn look_up(&self, request: LookUp) -> BoxFuture<'_, Result<Known, Error>> {
        Box::pin(async move { self.data(&request).await })
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

impl Import for Aws {
    fn import<'a>(
        &'a self,
        resource_type: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Known>, Error>> {
        Box::pin(async move {
            let kind = Kind::of(resource_type)?;
            let thing = match kind {
                Kind::Model | Kind::Configuration | Kind::Endpoint => Some(Thing::Placed(
                    Place::parse(id, self.account.region.as_deref())?,
                )),
                Kind::Target | Kind::Policy | Kind::Action => Scalable::parse(id)
                    .map(|(target, name)| Thing::Scaling(target, name.map(str::to_owned))),
            };
            match thing {
                Some(thing) => self.view(kind, &thing, &Value::NULL).await,
                None => Ok(None),
            }
        })
    }
}
