//! The simulated cloud keeps the laws of the provider contract.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use isobar_sdk::clock::Clock;
use isobar_sdk::conformance::{Case, Law, Subject, run};
use isobar_sdk::deployment::Placed;
use isobar_sdk::fake::StoppedClock;
use isobar_sdk::fault::{Fault, FaultPlan, Faulty};
use isobar_sdk::limit::{Allowance, Limit};
use isobar_sdk::provider::BoxFuture;
use isobar_sdk::retry::{Patience, Retry};
use isobar_sdk::schema::ProviderSchema;
use isobar_sdk::{Error, Factory, Known, Path, Provider, Value};
use isobar_sim::Cloud;

use crate::bench::{Bench, at, done, endpoint, id, router};
use crate::deployments::{a10g, placed};
use crate::schedules::{day, schedule};

/// The same provider behind every decorator of the SDK, with calls that fail in passing.
struct Decorated {
    inner: Box<dyn Factory>,
    seed: u64,
}

impl Factory for Decorated {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn schema(&self) -> &ProviderSchema {
        self.inner.schema()
    }

    fn configure<'a>(
        &'a self,
        configuration: &'a Known,
    ) -> BoxFuture<'a, Result<Arc<dyn Provider>, Error>> {
        Box::pin(async {
            let clock: Arc<dyn Clock> = Arc::new(StoppedClock::default());
            let rates = vec![
                (Fault::Unreachable, 0.1),
                (Fault::AnswerLost, 0.1),
                (Fault::Throttled { after: None }, 0.1),
                (Fault::Delayed(Duration::from_secs(1)), 0.1),
            ];
            let plan = FaultPlan::Rates {
                seed: self.seed,
                rates,
            };
            let allowance = Allowance {
                in_flight: NonZeroUsize::MIN,
                interval: Duration::from_millis(10),
                burst: NonZeroU32::MIN,
            };
            let bare = self.inner.configure(configuration).await?;
            let faulty = Arc::new(Faulty::new(bare, plan, Arc::clone(&clock)));
            let limited = Arc::new(Limit::new(faulty, allowance, Arc::clone(&clock)));
            let patience = Patience {
                attempts: NonZeroU32::MIN.saturating_add(19),
                ..Patience::default()
            };
            Ok(Arc::new(Retry::new(limited, patience, clock)) as Arc<dyn Provider>)
        })
    }
}

#[tokio::test]
async fn it_keeps_the_laws() {
    check(Bench::new().await).await;
}

#[tokio::test]
async fn it_keeps_the_laws_behind_decorators_and_with_faults() {
    for seed in 0..8 {
        let bench = Bench::new().await;
        let inner = bench.factory;
        let factory = Box::new(Decorated { inner, seed });
        check(Bench { factory, ..bench }).await;
    }
}

async fn check(bench: Bench) {
    for version in ["1", "2"] {
        let set = endpoint("sim-us-east", 1).with_field("version", version.into());
        done(
            bench
                .apply(&at("sim_endpoint.fixture"), None, &set, version)
                .await,
        );
    }
    let subject = Subject {
        factory: &*bench.factory,
        configuration: Known::empty(),
        cases: vec![
            endpoint_case(bench.cloud.clone()),
            Case::new(at("sim_endpoint.idle"), endpoint("sim-ap-south", 0))
                .replace(endpoint("sim-eu-central", 0)),
            router_case(bench.cloud.clone()),
            schedule_case(bench.cloud.clone()),
            Case::new(at("sim_secret.a"), secret("token", "one", 1))
                .update(secret("token", "two", 2))
                .replace(secret("key", "two", 2)),
        ],
        placed: vec![
            placed(Some("sim-us-east"), Value::NULL, a10g()),
            Placed {
                schedule: Some(day()),
                ..placed(Some("aws/us-east-1"), Value::NULL, a10g())
            },
        ],
    };
    match run(&subject).await {
        Ok(report) => assert!(report.held.contains_key(&Law::DriftIsSeen), "{report:?}"),
        Err(violation) => panic!("{violation}"),
    }
}

fn secret(name: &str, value: &str, version: i64) -> Value {
    Value::object([
        ("name", Value::from(name)),
        ("value", value.into()),
        ("value_version", version.into()),
    ])
}

fn endpoint_case(cloud: Cloud) -> Case {
    let first = endpoint("sim-us-east", 3);
    let bad = |name, value| (first.with_field(name, value), Path::attribute(name));
    let [(zone, zone_path), (kind, kind_path), (count, count_path)] = [
        bad("zone", "sim-us-eats".into()),
        bad("instance_type", "g9.none".into()),
        bad("replicas", Value::from(-1_i64)),
    ];
    Case::new(
        at("sim_endpoint.a"),
        first.with_field("image", "i@sha256:0".into()),
    )
    .update(endpoint("sim-us-east", 5).with_field("artifact", "a".into()))
    .replace(endpoint("sim-us-west", 5))
    .invalid(zone, zone_path)
    .invalid(kind, kind_path)
    .invalid(count, count_path)
    .disturb(move |state| {
        let cloud = cloud.clone();
        Box::pin(async move { cloud.kill_replicas(id(&state), 2).unwrap() })
    })
}

fn schedule_case(cloud: Cloud) -> Case {
    let first = schedule("1", "2026-03-01T06:00:00Z");
    let bad = |name, value| (first.with_field(name, value), Path::attribute(name));
    let [(until, until_path), (shifts, shifts_path)] = [
        bad("until", "soon".into()),
        bad("shifts", Value::list(Vec::new())),
    ];
    Case::new(at("sim_schedule.a"), first)
        .update(schedule("1", "2026-03-01T07:00:00Z"))
        .replace(schedule("2", "2026-03-01T07:00:00Z"))
        .invalid(until, until_path)
        .invalid(shifts, shifts_path)
        .disturb(move |state| {
            let cloud = cloud.clone();
            Box::pin(async move { cloud.delete(id(&state)).unwrap() })
        })
}

fn router_case(cloud: Cloud) -> Case {
    let routes =
        |one: i64, two: i64| router(Value::map([("1", Value::from(one)), ("2", two.into())]));
    let renamed = routes(1, 1).with_field("routes", Value::map([("1", Value::from(0_i64))]));
    Case::new(at("sim_router.a"), routes(100, 0))
        .update(routes(95, 5))
        .invalid(renamed, Path::attribute("routes"))
        .invalid(routes(-1, 1), Path::attribute("routes"))
        .disturb(move |state| {
            let cloud = cloud.clone();
            Box::pin(async move { cloud.delete(id(&state)).unwrap() })
        })
}
