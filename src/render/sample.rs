//! Plans made by hand, which the tests draw.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use isobar_sdk::address::{Key, Native};
use isobar_sdk::deployment::{Envelope, Scaling, Schedule, Shift};
use isobar_sdk::quantity::Micros;
use isobar_sdk::{Address, Known, Path, Type, Value};
use jiff::Timestamp;

use crate::change::{Action, Cause, Change, Reason};
use crate::deployment::schedule::Outline;
use crate::deployment::{Demand, Sized, ZoneSize};
use crate::event::Event;
use crate::forecast::{self, Candidate, Outcome, Score, Unfit};
use crate::language::Sources;
use crate::placement::Loss;
use crate::plan::{
    Base, Drift, FrozenForecast, Mode, Need, OutputChange, Plan, PlannedChange, PlannedDeployment,
    Prediction, Stage,
};
use crate::telemetry::Series;

/// Stands in every plan with sensitive values, and must stand in no text.
pub(super) const SECRET: &str = "hunter2-correct-horse";

pub(super) fn known(value: Value) -> Known {
    Known::new(value).unwrap()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn empty(mode: Mode) -> Plan {
    Plan {
        deposed: crate::state::Deposed::new(),
        id: "0196".to_owned(),
        mode,
        refresh: crate::plan::Refresh::Full,
        created: time("2026-11-21T07:00:00Z"),
        base: Base {
            lineage: "4c1f".to_owned(),
            serial: 3,
        },
        facts: crate::eval::Facts::default(),
        sources: Sources::default(),
        variables: BTreeMap::new(),
        given_again: BTreeSet::new(),
        changes: BTreeMap::new(),
        checks: BTreeMap::new(),
        reads: BTreeMap::new(),
        moves: BTreeMap::new(),
        selection: crate::plan::Selection::default(),
        drift: BTreeMap::new(),
        outputs: BTreeMap::new(),
        nouns: BTreeMap::new(),
        forecasts: BTreeMap::new(),
        deployments: BTreeMap::new(),
    }
}

pub(super) fn planned(change: Change, reason: Option<Reason>, causes: Vec<Cause>) -> PlannedChange {
    PlannedChange {
        importing: None,
        life: crate::state::Life::default(),
        provider: "sim".to_owned(),
        schema_version: 0,
        change,
        reason,
        causes,
        dependencies: Vec::new(),
        wires: None,
    }
}

pub(super) fn data(name: &str) -> Address {
    Address::new("isobar_data", name)
}

pub(super) fn endpoint(zone: &str, version: &str) -> Address {
    Address::new("deployment", "reranker")
        .in_zone(zone)
        .native(Native {
            kind: "sim_endpoint".into(),
            key: Some(Key::Text(version.into())),
        })
}

fn zone(name: &str, (before, after): (u32, u32), price: u64, why: &str) -> ZoneSize {
    ZoneSize {
        zone: name.to_owned(),
        provider: "sim".to_owned(),
        region: Some(format!("{name}-1")),
        before,
        after,
        spot_before: 0,
        spot: 0,
        price: Micros(price),
        spot_price: Micros(price),
        instance: Some("g1.a10g".to_owned()),
        carbon: Some(0.042),
        was: None,
        why: why.to_owned(),
    }
}

fn outlines() -> BTreeMap<String, Outline> {
    let outline = |scaling, counts: [u32; 3]| {
        let starts = [
            "2026-11-21T07:57:00Z",
            "2026-11-22T08:57:00Z",
            "2026-11-22T19:00:00Z",
        ];
        let shifts = starts.into_iter().zip(counts).map(|(start, min)| Shift {
            start: time(start),
            envelope: Envelope { min, max: min + 2 },
        });
        Outline {
            scaling,
            envelope: Envelope { min: 5, max: 7 },
            rates: counts.map(|count| 50.0 * f64::from(count)).into(),
            schedule: Some(Schedule {
                shifts: shifts.collect(),
                until: time("2026-11-24T07:00:00Z"),
            }),
        }
    };
    [
        (
            "frankfurt".to_owned(),
            outline(Scaling::Schedule, [2, 5, 3]),
        ),
        ("virginia".to_owned(), outline(Scaling::Fixed, [2, 6, 3])),
    ]
    .into()
}

pub(super) fn reranker(virginia: (u32, u32)) -> PlannedDeployment {
    let why = "206.0 req/s at 50.0 req/s each, +1 to survive loss of frankfurt";
    PlannedDeployment {
        outlines: outlines(),
        sized: Sized {
            demand: Demand::Forecast {
                name: "reranker".to_owned(),
                level: 0.95,
                peak: 412.0,
                at: time("2026-11-24T09:00:00Z"),
            },
            quality: None,
            needs: Vec::new(),
            previous: Some(206.0),
            zones: vec![
                zone(
                    "frankfurt",
                    (5, 5),
                    1_220_000,
                    "206.0 req/s at 50.0 req/s each",
                ),
                zone("virginia", virginia, 1_407_500, why),
            ],
            losses: vec![
                Loss {
                    zone: "frankfurt".to_owned(),
                    remaining_capacity: 300.0,
                    shed: 112.0,
                    close_micros_per_hour: Some(4_222_500),
                },
                Loss {
                    zone: "virginia".to_owned(),
                    remaining_capacity: 450.0,
                    shed: 0.0,
                    close_micros_per_hour: None,
                },
            ],
        },
        urls: BTreeMap::new(),
    }
}

pub(super) fn forecast() -> FrozenForecast {
    let day = |peak: f64| -> Vec<f64> {
        (0..24)
            .map(|hour| peak * (1.0 - (f64::from(hour) - 12.0).abs() / 16.0))
            .collect()
    };
    FrozenForecast {
        source: "csv telemetry.csv".to_owned(),
        series_digest: "ab12".to_owned(),
        observations: 672,
        gaps: 0,
        method: "AutoETS".to_owned(),
        wape: Some(0.079),
        folds: 8,
        start: time("2026-11-21T07:00:00Z"),
        step: Duration::from_secs(3600),
        levels: vec![0.5, 0.95],
        quantiles: vec![day(300.0), day(412.0)],
        history: day(280.0)[12..].iter().map(|value| Some(*value)).collect(),
        notes: vec!["the history has room for one test only".to_owned()],
        expires: time("2026-11-21T13:00:00Z"),
    }
}

/// A forecast on its own: two weeks of hours with a gap, and figures made by hand.
pub(super) fn prediction() -> Prediction {
    let frozen = forecast();
    let value = |hour: u32| match hour {
        300..304 => None,
        hour => Some(150.0 + 50.0 * f64::from((hour % 24).abs_diff(12)) / 12.0),
    };
    let start = frozen.start - jiff::SignedDuration::from_hours(21 * 24);
    let values = (0..21 * 24).map(value).collect();
    let series = Series::new(start, frozen.step, values).unwrap();
    let mut request = forecast::Request::steps(24);
    request.levels.clone_from(&frozen.levels);
    let score = |loss: f64| Score {
        pinball: loss,
        wape: loss / 50.0,
        coverage: vec![0.51, 0.945],
    };
    let candidate = |method, outcome| Candidate { method, outcome };
    let mut made = forecast::forecast(&series, &request).unwrap();
    made.quantiles.clone_from(&frozen.quantiles);
    made.method = "mstl_ets";
    made.wape = Some(0.082);
    made.folds = 8;
    made.candidates = vec![
        candidate("naive", Outcome::Beaten(score(12.5))),
        candidate(
            "seasonal_mean_week",
            Outcome::Unfit(Unfit::NoPeriod { period: "week" }),
        ),
        candidate("mstl_ets", Outcome::Chosen(score(4.1))),
    ];
    made.notes = Vec::new();
    let drift = forecast::drift::recent(&series);
    Prediction {
        series,
        forecast: made,
        needs: vec![Need {
            deployment: "web".to_owned(),
            stages: [(0, 4), (6, 6), (9, 8), (17, 5)]
                .map(|(hour, replicas)| Stage {
                    start: frozen.start + jiff::SignedDuration::from_hours(hour),
                    replicas,
                    rate: 50.0 * f64::from(replicas),
                })
                .into(),
        }],
        frozen,
        drift,
    }
}

fn replicas(count: i64) -> Value {
    Value::object([
        ("id", Value::from("sim-1")),
        ("image", Value::from("registry/reranker@sha256:1")),
        ("name", Value::from("reranker-virginia")),
        ("replicas", Value::from(count)),
    ])
}

/// A deployment that is made, with its table.
pub(super) fn create() -> Plan {
    let mut plan = empty(Mode::Normal);
    plan.deployments
        .insert("reranker".to_owned(), reranker((0, 6)));
    plan.forecasts.insert("reranker".to_owned(), forecast());
    let after = replicas(6)
        .with_field("id", Value::unknown_of(Type::String))
        .with_field("labels", Value::map([("team", Value::from("search"))]))
        .with_field("node", Value::NULL);
    plan.changes.insert(
        endpoint("virginia", "2"),
        planned(Change::Create { after }, None, Vec::new()),
    );
    plan.changes.insert(
        data("kept"),
        planned(
            Change::Keep {
                now: known(replicas(1)),
            },
            None,
            Vec::new(),
        ),
    );
    plan.outputs.insert(
        "url".to_owned(),
        OutputChange {
            before: None,
            after: Some(Value::unknown_of(Type::String)),
        },
    );
    plan
}

/// A replica that is gone, and is made again together with those that the forecast wants.
pub(super) fn heal() -> Plan {
    let mut plan = empty(Mode::Normal);
    plan.deployments
        .insert("reranker".to_owned(), reranker((3, 6)));
    plan.forecasts.insert("reranker".to_owned(), forecast());
    let capacity = Cause::Capacity {
        attribute: "replicas".to_owned(),
        zone: "virginia".to_owned(),
    };
    let drift = Cause::Drift {
        attribute: "replicas".to_owned(),
        recorded: 4_i64.into(),
        observed: 3_i64.into(),
    };
    let update = |from| Change::Update {
        before: known(replicas(from)),
        after: replicas(6),
    };
    let (healed, scaled) = (endpoint("virginia", "1"), endpoint("virginia", "2"));
    plan.changes.insert(
        healed.clone(),
        planned(update(3), None, vec![drift, capacity.clone()]),
    );
    plan.changes
        .insert(scaled, planned(update(4), None, vec![capacity]));
    plan.drift.insert(
        healed,
        Drift {
            recorded: known(replicas(4)),
            observed: Some(known(replicas(3))),
        },
    );
    plan.drift.insert(
        data("lost"),
        Drift {
            recorded: known(replicas(1)),
            observed: None,
        },
    );
    plan.changes.insert(
        data("lost"),
        planned(
            Change::Create { after: replicas(1) },
            None,
            vec![Cause::Gone],
        ),
    );
    plan
}

/// A resource with nested values, before and after.
fn document(words: [&str; 3], text: &str, limit: i64) -> Value {
    Value::object([
        ("command", Value::list(words.map(Value::from).to_vec())),
        ("id", Value::from("d-1")),
        (
            "limits",
            Value::object([("cpu", limit.into()), ("memory", "1GiB".into())]),
        ),
        ("labels", Value::map([("team", Value::from("search"))])),
        ("model", Value::from(format!("model-{limit}"))),
        ("text", Value::from(text)),
        ("zones", Value::set(vec![words[2].into(), "x".into()])),
    ])
}

/// A replacement, an update of nested values and destructions of several reasons.
pub(super) fn replace() -> Plan {
    let mut plan = empty(Mode::Normal);
    let before = document(["run", "--fast", "--old"], "one\ntwo\nthree\n", 1);
    let after = document(["run", "--new", "--old"], "one\n2\nthree", 2).with_field(
        "labels",
        Value::map([("team", Value::from("ads")), ("tier", "b".into())]),
    );
    let replace = Change::Replace {
        before: known(before.clone()),
        after: after.with_field("id", Value::unknown_of(Type::String)),
        because: vec![Path::attribute("model")],
    };
    plan.changes.insert(
        data("document"),
        planned(replace, Some(Reason::CannotUpdate), Vec::new()),
    );
    let update = Change::Update {
        before: known(before.clone()),
        after: after
            .with_field("text", Value::NULL)
            .with_field("limits", Value::unknown()),
    };
    plan.changes
        .insert(data("updated"), planned(update, None, Vec::new()));
    plan.deployments
        .insert("reranker".to_owned(), reranker((6, 6)));
    let small = || known(replicas(1));
    for (address, reason) in [
        (data("old"), Reason::NoBlock),
        (
            data("some").instance(Some(Key::Number(2))),
            Reason::CountIndex,
        ),
        (
            data("each").instance(Some(Key::Text("a".into()))),
            Reason::EachKey,
        ),
        (data("single"), Reason::WrongRepetition),
        (data("off"), Reason::NotEnabled),
        (data("target"), Reason::NoMoveTarget),
        (endpoint("virginia", "1"), Reason::NotDeployed),
        (endpoint("tokyo", "1"), Reason::NotDeployed),
    ] {
        let delete = Change::Delete { before: small() };
        plan.changes
            .insert(address, planned(delete, Some(reason), Vec::new()));
    }
    plan
}

/// Everything is destroyed.
pub(super) fn destroy() -> Plan {
    let mut plan = empty(Mode::Destroy);
    for address in [data("one"), endpoint("virginia", "1")] {
        let delete = Change::Delete {
            before: known(document(["a", "b", "c"], "x", 1)),
        };
        plan.changes.insert(
            address,
            planned(delete, Some(Reason::Requested), Vec::new()),
        );
    }
    plan.outputs.insert(
        "url".to_owned(),
        OutputChange {
            before: Some(known("http://there".into())),
            after: None,
        },
    );
    plan
}

fn hidden(more: &str) -> Value {
    Value::from(format!("{SECRET}{more}")).sensitive()
}

/// A resource with sensitive parts at every level.
fn credentials(more: &str, plain: &str) -> Value {
    Value::object([
        ("id", Value::from("s-1")),
        ("list", Value::list(vec![hidden(more), plain.into()])),
        (
            "nested",
            Value::object([("token", hidden(more)), ("user", plain.into())]),
        ),
        ("password", hidden(more)),
        (
            "whole",
            Value::object([("a", hidden("")), ("b", plain.into())]).sensitive(),
        ),
    ])
}

/// Sensitive values wherever values can be.
pub(super) fn secret() -> Plan {
    let mut plan = empty(Mode::Normal);
    let (before, after) = (credentials("1", "x"), credentials("2", "y"));
    let open = after.with_field("password", "open now".into());
    let shut = before.with_field("password", "was open".into());
    let forgotten = after.with_field("nested", Value::unknown());
    for (name, change) in [
        (
            "created",
            Change::Create {
                after: after.clone(),
            },
        ),
        (
            "deleted",
            Change::Delete {
                before: known(before.clone()),
            },
        ),
        (
            "opened",
            Change::Update {
                before: known(before.clone()),
                after: open,
            },
        ),
        (
            "shut",
            Change::Update {
                before: known(shut),
                after: after.clone(),
            },
        ),
        (
            "forgotten",
            Change::Update {
                before: known(before.clone()),
                after: forgotten,
            },
        ),
        (
            "kept",
            Change::Keep {
                now: known(before.clone()),
            },
        ),
    ] {
        plan.changes
            .insert(data(name), planned(change, None, Vec::new()));
    }
    let drift = Cause::Drift {
        attribute: "password".to_owned(),
        recorded: hidden("1"),
        observed: hidden("3"),
    };
    let replace = Change::Replace {
        before: known(before.clone()),
        after,
        because: vec![Path::attribute("password")],
    };
    plan.changes.insert(
        data("replaced"),
        planned(replace, Some(Reason::CannotUpdate), vec![drift]),
    );
    plan.drift.insert(
        data("replaced"),
        Drift {
            recorded: known(before),
            observed: Some(known(credentials("3", "z"))),
        },
    );
    secret_settings(&mut plan);
    plan
}

/// Sensitive values in what is not a resource.
fn secret_settings(plan: &mut Plan) {
    plan.variables.insert("password".into(), hidden(""));
    plan.outputs.insert(
        "password".to_owned(),
        OutputChange {
            before: Some(known(hidden("1"))),
            after: Some(hidden("2")),
        },
    );
    plan.nouns.insert(
        Address::new("model", "m"),
        Value::object([("key", hidden(""))]),
    );
}

/// One event of every variant.
pub(super) fn events() -> Vec<Event> {
    let address = endpoint("virginia", "1");
    let complete = |action, id| Event::ApplyComplete {
        address: data("a"),
        action,
        id,
    };
    let name = "reranker".to_owned();
    vec![
        Event::RefreshStart {
            address: address.clone(),
        },
        Event::RefreshComplete {
            address: address.clone(),
        },
        Event::ForecastStart { name: name.clone() },
        Event::ForecastComplete {
            name,
            method: "AutoETS",
        },
        Event::ApplyStart {
            address: address.clone(),
            action: Action::Create,
        },
        complete(Action::Create, Some("i-1".into())),
        complete(Action::Update, Some(Value::from(SECRET).sensitive())),
        complete(Action::Delete, None),
        Event::ApplyErrored {
            address: address.clone(),
            action: Action::Replace,
            message: "quota\u{1b} reached".to_owned(),
        },
        Event::ApplySkipped {
            address,
            action: Action::Delete,
        },
    ]
}

pub(super) fn all() -> [Plan; 6] {
    [
        create(),
        heal(),
        replace(),
        destroy(),
        secret(),
        empty(Mode::RefreshOnly),
    ]
}
