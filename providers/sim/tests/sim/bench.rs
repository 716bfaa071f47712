//! A cloud in a folder of its own, with an engine just large enough to use it.

use std::sync::Arc;

use isobar_sdk::clock::Clock;
use isobar_sdk::fake::StoppedClock;
use isobar_sdk::provider::{Apply, IdempotencyKey, Operation, Outcome, PlanChange, Read};
use isobar_sdk::retry::{Patience, Retry};
use isobar_sdk::schema::Body;
use isobar_sdk::{Address, Error, Factory, Known, Provider, Value, conformance};
use isobar_sim::Cloud;
use tempfile::TempDir;

pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    pub(crate) cloud: Cloud,
    pub(crate) factory: Box<dyn Factory>,
    pub(crate) provider: Arc<dyn Provider>,
}

pub(crate) fn endpoint(zone: &str, replicas: i64) -> Value {
    Value::object([
        ("name", Value::from("reranker")),
        ("zone", zone.into()),
        ("version", "7".into()),
        ("instance_type", "g1.a10g".into()),
        ("replicas", replicas.into()),
    ])
}

pub(crate) fn router(routes: Value) -> Value {
    Value::object([
        ("name", "reranker".into()),
        ("zone", "sim-us-east".into()),
        ("routes", routes),
    ])
}

pub(crate) fn id(state: &Known) -> &str {
    state.field("id").and_then(Value::as_str).unwrap()
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let factory = Box::new(isobar_sim::factory(folder.path().to_owned()));
        let provider = factory.configure(&Known::empty()).await.unwrap();
        Self {
            cloud: Cloud::open(folder.path().join("cloud.json")),
            folder,
            factory,
            provider,
        }
    }

    /// The same, but calls that fail in passing are tried again.
    pub(crate) fn retried(mut self) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(StoppedClock::default());
        let inner = Arc::clone(&self.provider);
        self.provider = Arc::new(Retry::new(inner, Patience::default(), clock));
        self
    }

    fn body(&self, address: &Address) -> &Body {
        &self.factory.schema().resources[&**address.resource_type()].body
    }

    pub(crate) async fn plan(
        &self,
        address: &Address,
        prior: Option<&Known>,
        set: &Value,
    ) -> Result<Value, Error> {
        let body = self.body(address);
        let configuration = conformance::configuration(body, set).unwrap();
        let request = PlanChange {
            address: address.clone(),
            prior: prior.cloned(),
            proposed: body.propose(prior.map(Known::value), &configuration),
            configuration,
        };
        Ok(self.provider.plan(request).await?.after)
    }

    /// Creates or updates `name`, with `key`.
    pub(crate) async fn apply(
        &self,
        address: &Address,
        prior: Option<&Known>,
        set: &Value,
        key: &str,
    ) -> Outcome {
        let planned = self.plan(address, prior, set).await.unwrap();
        let operation = match prior.cloned() {
            None => Operation::Create { planned },
            Some(prior) => Operation::Update { prior, planned },
        };
        self.call(address, operation, key).await
    }

    pub(crate) async fn delete(&self, address: &Address, prior: &Known) -> Outcome {
        let operation = Operation::Delete {
            prior: prior.clone(),
        };
        self.call(address, operation, &format!("delete {}", id(prior)))
            .await
    }

    async fn call(&self, address: &Address, operation: Operation, key: &str) -> Outcome {
        let request = Apply {
            address: address.clone(),
            operation,
            configuration: Value::NULL,
            key: IdempotencyKey::new(key),
        };
        self.provider.apply(request).await
    }

    pub(crate) async fn read(
        &self,
        address: &Address,
        prior: &Known,
    ) -> Result<Option<Known>, Error> {
        let request = Read {
            address: address.clone(),
            prior: prior.clone(),
        };
        self.provider.read(request).await
    }
}

pub(crate) fn at(text: &str) -> Address {
    text.parse().unwrap()
}

pub(crate) fn done(outcome: Outcome) -> Known {
    match outcome {
        Outcome::Done(Some(state)) => state,
        other => panic!("not done: {other:?}"),
    }
}

pub(crate) fn failed(outcome: Outcome) -> Error {
    match outcome {
        Outcome::Failed(error) => error,
        other => panic!("not failed: {other:?}"),
    }
}
