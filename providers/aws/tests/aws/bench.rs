//! A server, a provider for it, and an engine just large enough to use it.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use isobar_aws::{AwsFactory, factory};
use isobar_cloud_simulator::aws::{Aws, Key};
use isobar_cloud_simulator::engine::World;
use isobar_cloud_simulator::{Listening, Pace, Simulation};
use isobar_sdk::provider::{Apply, IdempotencyKey, Operation, Outcome, PlanChange, Planned, Read};
use isobar_sdk::{Address, Error, Factory, Known, Provider, Value, conformance};
use serde_json::{Value as Json, json};

use crate::process::{Server, parts, start};

pub(crate) const REGION: &str = "eu-west-1";
pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/models";
pub(crate) const IMAGE: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/digits@sha256:0f";
/// Simulated seconds that pass with each call to the simulator.
const PASS: u32 = 20;

pub(crate) struct Bench {
    pub(crate) address: String,
    pub(crate) factory: AwsFactory,
    pub(crate) provider: Arc<dyn Provider>,
    _server: Option<Server>,
}

impl Bench {
    /// On the simulator.
    pub(crate) async fn new() -> Self {
        Self::on(simulator().await, None).await
    }

    /// On moto, where it is there.
    pub(crate) async fn moto(test: &str) -> Option<Self> {
        let program = parts(test)?.join("moto/bin/moto_server");
        let server = start(|_, port| {
            let mut command = Command::new(program);
            command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
            command
        });
        let address = format!("http://127.0.0.1:{}", server.port);
        Some(Self::on(address, Some(server)).await)
    }

    async fn on(address: String, server: Option<Server>) -> Self {
        let pace = Duration::from_millis(1);
        let factory = factory()
            .with_key("test", "test")
            .with_pace(pace, Duration::from_secs(60));
        let provider = factory.configure(&settings(&address)).await.unwrap();
        Self {
            address,
            factory,
            provider,
            _server: server,
        }
    }

    pub(crate) fn settings(&self) -> Known {
        settings(&self.address)
    }

    /// Tells the simulator what is wrong, or asks it what there is.
    pub(crate) async fn admin(&self, method: &str, path: &str, body: Json) -> Json {
        let url = format!("{}/_simulator/{path}", self.address);
        let method = method.parse().unwrap();
        let request = reqwest::Client::new()
            .request(method, url)
            .body(body.to_string());
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The operations that were called, in order, but for those that only look.
    pub(crate) async fn changes(&self) -> Vec<String> {
        let calls = self.admin("GET", "calls", json!(null)).await;
        let calls = calls.as_array().unwrap().iter();
        let names = calls.map(|call| call["operation"].as_str().unwrap_or_default().to_owned());
        names
            .filter(|name| !name.starts_with("Describe") && !name.starts_with("List"))
            .collect()
    }

    pub(crate) async fn plan(
        &self,
        address: &Address,
        prior: Option<&Known>,
        set: &Value,
    ) -> Result<Planned, Error> {
        let body = &self.factory.schema().resources[&**address.resource_type()].body;
        let configuration = conformance::configuration(body, set).unwrap();
        let proposed = body.propose(prior.map(Known::value), &configuration);
        let prior = prior.cloned();
        self.provider
            .plan(PlanChange {
                address: address.clone(),
                prior,
                configuration,
                proposed,
            })
            .await
    }

    /// Plans and applies under the key.
    pub(crate) async fn apply(
        &self,
        address: &Address,
        prior: Option<&Known>,
        (set, key): (&Value, &str),
    ) -> Outcome {
        let planned = self.plan(address, prior, set).await.unwrap().after;
        let body = &self.factory.schema().resources[&**address.resource_type()].body;
        let operation = match prior {
            None => Operation::Create { planned },
            Some(prior) => Operation::Update {
                prior: prior.clone(),
                planned,
            },
        };
        let request = Apply {
            address: address.clone(),
            operation,
            configuration: conformance::configuration(body, set).unwrap(),
            key: IdempotencyKey::new(key),
        };
        self.provider.apply(request).await
    }

    pub(crate) async fn delete(&self, address: &Address, prior: Known) -> Outcome {
        let request = Apply {
            address: address.clone(),
            operation: Operation::Delete { prior },
            configuration: Value::NULL,
            key: IdempotencyKey::new("delete"),
        };
        self.provider.apply(request).await
    }

    pub(crate) async fn read(&self, address: &Address, prior: &Known) -> Option<Known> {
        let request = Read {
            address: address.clone(),
            prior: prior.clone(),
        };
        self.provider.read(request).await.unwrap()
    }

    /// Model and configuration with a variant on this instance type; the name of the configuration.
    pub(crate) async fn configuration(&self, name: &str, instance: &str) -> String {
        let model = model().with_field("name", name.into());
        done(
            self.apply(
                &at(&format!("aws_sagemaker_model.{name}")),
                None,
                (&model, name),
            )
            .await,
        );
        let set = configuration(name, instance).with_field("name", name.into());
        let address = at(&format!("aws_sagemaker_endpoint_configuration.{name}"));
        let state = done(self.apply(&address, None, (&set, name)).await);
        text(&state, "name")
    }
}

async fn simulator() -> String {
    let key = Key {
        secret: "test".to_owned(),
        token: None,
        expired: false,
    };
    let aws = Aws {
        account: "123456789012".to_owned(),
        keys: BTreeMap::from([("test".to_owned(), key)]),
        contract: None,
    };
    let pace = Pace {
        rate: 0.0,
        per_call: PASS,
    };
    let world = World::new("2026-11-29T00:00:00Z".parse().unwrap(), 0);
    let listening = Listening::on("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = format!("http://{}", listening.address);
    // On a thread of its own, so that it answers while a test begins a call and drops it.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(listening.serve(Simulation::new(world, aws, pace)))
    });
    address
}

fn settings(address: &str) -> Known {
    let settings = Value::object([
        ("region", REGION.into()),
        ("endpoint", address.into()),
        ("profile", Value::NULL),
        ("assume_role", Value::NULL),
    ]);
    Known::new(settings).unwrap()
}

pub(crate) fn at(address: &str) -> Address {
    address.parse().unwrap()
}

pub(crate) fn done(outcome: Outcome) -> Known {
    match outcome {
        Outcome::Done(Some(state)) => state,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn text(state: &Known, name: &str) -> String {
    state
        .field(name)
        .and_then(Value::as_str)
        .unwrap()
        .to_owned()
}

pub(crate) fn model() -> Value {
    Value::object([
        ("image", IMAGE.into()),
        ("artifact", "s3://models/digits/7.tar.gz".into()),
        ("environment", Value::map([("THREADS", Value::from("4"))])),
        ("execution_role_arn", ROLE.into()),
    ])
}

pub(crate) fn configuration(model: &str, instance: &str) -> Value {
    let variant = Value::object([
        ("variant_name", Value::from("main")),
        ("model_name", model.into()),
        ("instance_type", instance.into()),
        ("initial_instance_count", Value::from(2_i64)),
        ("initial_weight", Value::from(1_i64)),
    ]);
    Value::object([("production_variants", Value::list(vec![variant]))])
}

pub(crate) fn endpoint(configuration: &str) -> Value {
    Value::object([
        ("name", Value::from("digits")),
        ("endpoint_config_name", configuration.into()),
    ])
}

pub(crate) fn counts(count: i64) -> Value {
    Value::map([("main", Value::from(count))])
}
