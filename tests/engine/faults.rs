//! Providers that fail in passing, and providers that refuse.

use std::collections::BTreeSet;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use isobar::apply::Report;
use isobar::change::Action;
use isobar::plan::{self, Mode, Refresh};
use isobar::state::{self, State};
use isobar_sdk::clock::Clock;
use isobar_sdk::fake::StoppedClock;
use isobar_sdk::fault::{Fault, FaultPlan, Faulty, Method};
use isobar_sdk::limit::{Allowance, Limit};
use isobar_sdk::provider::IdempotencyKey;
use isobar_sdk::retry::{Patience, Retry};
use isobar_sdk::{Address, Provider, Value};
use tokio::sync::watch;

use crate::workspace::Workspace;
use crate::wrapper::{self, Turn};

/// Every run of the engine gets other faults, but each test run the same ones.
///
/// Of all calls, `share` are spoiled; each is tried `attempts` times.
fn spoiled(seed: u64, share: f64, attempts: u32) -> Workspace {
    let runs = AtomicU64::new(seed * 10_000);
    wrapper::workspace(move |inner| {
        let clock: Arc<dyn Clock> = Arc::new(StoppedClock::default());
        let rates = vec![
            (
                Fault::Throttled {
                    after: Some(Duration::from_secs(3)),
                },
                share / 4.0,
            ),
            (Fault::Unreachable, share / 4.0),
            (Fault::AnswerLost, share / 4.0),
            (Fault::Partial, share / 4.0),
        ];
        let plan = FaultPlan::Rates {
            seed: runs.fetch_add(1, Ordering::SeqCst),
            rates,
        };
        let faulty: Arc<dyn Provider> = Arc::new(Faulty::new(inner, plan, Arc::clone(&clock)));
        let allowance = Allowance {
            in_flight: NonZeroUsize::MIN.saturating_add(1),
            interval: Duration::from_millis(100),
            burst: NonZeroU32::MIN,
        };
        let limited = Arc::new(Limit::new(faulty, allowance, Arc::clone(&clock)));
        let attempts = NonZeroU32::new(attempts).unwrap();
        Arc::new(Retry::new(
            limited,
            Patience {
                attempts,
                ..Patience::default()
            },
            clock,
        ))
    })
}

fn configuration(version: u32, zones: &str, replicas: u32) -> String {
    format!(
        r#"
        zone "a" {{
          provider = sim
          region   = "sim-us-east"
        }}
        zone "b" {{
          provider = sim
          region   = "sim-us-west"
        }}
        model "m" {{
          version = "{version}"
          image   = "i"
        }}
        deployment "d" {{
          model    = model.m
          zones    = {zones}
          replicas = {{ a = {replicas} }}
        }}
        deployment "e" {{
          model    = model.m
          zones    = [zone.a, zone.b]
          replicas = {{ a = 1, b = {replicas} }}
        }}
        resource "isobar_data" "after" {{
          count = 2
          input = "${{deployment.d.url}} ${{count.index}} {version}"
        }}
        output "after" {{ value = isobar_data.after[*].output }}
        "#
    )
}

/// The ids of what the state says is in the cloud.
fn recorded(state: &State) -> BTreeSet<String> {
    let sim = state
        .instances
        .values()
        .filter(|instance| instance.provider == "sim");
    sim.map(|instance| {
        instance
            .attributes
            .field("id")
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
    })
    .collect()
}

/// The state can be read back, and all there is in the cloud is recorded, or the key that it was
/// made with is.
fn check(workspace: &Workspace) {
    let state = workspace.state().unwrap();
    assert_eq!(state::from_json(&state::to_json(&state)).unwrap(), state);
    let world = workspace.cloud().inventory().unwrap();
    let pending: BTreeSet<&str> = state.pending.values().map(IdempotencyKey::as_str).collect();
    let recorded = recorded(&state);
    for id in world.endpoints.keys().chain(world.routers.keys()) {
        let known = recorded.contains(id)
            || world
                .ledger
                .iter()
                .any(|(key, made)| made == id && pending.contains(key.as_str()));
        assert!(known, "{id} is an orphan");
    }
}

/// Nothing but injected faults went wrong.
fn only_injected(report: &Report) {
    for diagnostic in report.diagnostics.iter() {
        assert_eq!(diagnostic.code, "A0003", "{diagnostic:#?}");
        assert!(
            diagnostic.detail.starts_with("Injected fault"),
            "{diagnostic:#?}"
        );
    }
}

/// Plans and applies until nothing is left to do; how many applies failed.
async fn converge(workspace: &Workspace, mode: Mode) -> u32 {
    let mut failed = 0;
    for _ in 0..80 {
        let (Some(plan), _) = workspace.propose(mode).await else {
            continue;
        };
        // A plan without changes still records what was found, such as a deletion whose answer
        // was lost.
        if !plan.has_changes() && plan.drift.is_empty() {
            return failed;
        }
        let plan = plan::from_json(&plan::to_json(&plan)).unwrap();
        let report = workspace.apply_plan(&plan).await;
        only_injected(&report);
        check(workspace);
        failed += u32::from(report.diagnostics.has_errors());
    }
    panic!("it does not converge")
}

/// How many applies failed on the way.
async fn a_life_with_faults(workspace: &Workspace) -> u32 {
    let mut failed = 0;
    for text in [
        configuration(1, "[zone.a]", 2),
        configuration(1, "[zone.a]", 3),
        configuration(2, "[zone.a, zone.b]", 3),
    ] {
        workspace.write("main.hcl", &text);
        failed += converge(workspace, Mode::Normal).await;
        let state = workspace.state().unwrap();
        let world = workspace.cloud().inventory().unwrap();
        let there: BTreeSet<String> = world
            .endpoints
            .keys()
            .chain(world.routers.keys())
            .cloned()
            .collect();
        assert_eq!(recorded(&state), there);
        assert!(state.pending.is_empty(), "{:?}", state.pending);
        assert_eq!((world.endpoints.len(), world.routers.len()), (3, 3));
        let output = state.outputs["after"].value.value().items().unwrap().len();
        assert_eq!(output, 2);
    }
    failed += converge(workspace, Mode::Destroy).await;
    let world = workspace.cloud().inventory().unwrap();
    assert!(world.endpoints.is_empty() && world.routers.is_empty());
    failed
}

#[tokio::test]
async fn faults_that_reach_the_engine_delay_and_nothing_else() {
    let mut failed = 0;
    for seed in 0..8 {
        failed += a_life_with_faults(&spoiled(seed, 0.06, 1)).await;
    }
    assert!(failed > 8, "the faults did not reach the engine");
}

#[tokio::test]
async fn faults_behind_retries_are_hardly_seen() {
    for seed in 100..104 {
        // What ends half-way is never tried again, so that some rounds still fail.
        a_life_with_faults(&spoiled(seed, 0.3, 12)).await;
    }
}

#[tokio::test]
async fn a_failure_stops_what_rests_on_it_and_nothing_else() {
    let refuse = Arc::new(AtomicBool::new(false));
    let refusing = Arc::clone(&refuse);
    let (workspace, _) = wrapper::ruled(move |request| {
        let hit = request.address.to_string() == "isobar_data.a";
        if hit && refusing.load(Ordering::SeqCst) {
            Turn::Refused
        } else {
            Turn::Through
        }
    });
    let write = |value: &str| {
        workspace.write(
            "main.hcl",
            &format!(
                r#"
                resource "isobar_data" "a" {{ input = "{value}" }}
                resource "isobar_data" "b" {{ input = isobar_data.a.output }}
                resource "isobar_data" "c" {{ input = "{value}" }}
                resource "isobar_data" "d" {{ input = isobar_data.b.id }}
                output "a" {{ value = isobar_data.a.input }}
                output "b" {{ value = isobar_data.b.output }}
                output "c" {{ value = isobar_data.c.output }}
                "#
            ),
        );
    };
    write("old");
    workspace.converge().await;
    refuse.store(true, Ordering::SeqCst);
    write("new");
    let plan = workspace.plan().await;
    let report = workspace.apply_plan(&plan).await;
    let named = |changes: &[(Address, Action)]| -> Vec<String> {
        changes
            .iter()
            .map(|(address, _)| address.to_string())
            .collect()
    };
    assert_eq!(named(&report.done), ["isobar_data.c"]);
    assert_eq!(named(&report.skipped), ["isobar_data.b"]);
    assert_eq!(
        report
            .diagnostics
            .iter()
            .map(|d| d.code)
            .collect::<Vec<_>>(),
        ["A0003"]
    );
    let state = workspace.state().unwrap();
    let output = |name: &str| state.outputs[name].value.value().clone();
    assert_eq!(
        [output("a"), output("b"), output("c")],
        [Value::from("old"), "old".into(), "new".into()]
    );
    refuse.store(false, Ordering::SeqCst);
    workspace.converge().await;
    assert_eq!(
        workspace.state().unwrap().outputs["b"].value.value(),
        &Value::from("new")
    );
}

#[tokio::test]
async fn a_deployment_that_failed_shows_no_replicas_that_are_not_there() {
    let refuse = Arc::new(AtomicBool::new(false));
    let refusing = Arc::clone(&refuse);
    let (workspace, _) = wrapper::ruled(move |request| {
        let hit = &**request.address.resource_type() == "sim_endpoint";
        if hit && refusing.load(Ordering::SeqCst) {
            Turn::Refused
        } else {
            Turn::Through
        }
    });
    let write = |replicas: u32| {
        let text = configuration(1, "[zone.a]", replicas);
        workspace.write(
            "main.hcl",
            &(text + "output \"n\" { value = deployment.d.replicas }"),
        );
    };
    write(2);
    workspace.converge().await;
    refuse.store(true, Ordering::SeqCst);
    write(4);
    let plan = workspace.plan().await;
    assert!(workspace.apply_plan(&plan).await.diagnostics.has_errors());
    let shown = || {
        workspace.state().unwrap().outputs["n"]
            .value
            .field("a")
            .cloned()
    };
    assert_eq!(shown(), Some(2_i64.into()));
    refuse.store(false, Ordering::SeqCst);
    workspace.converge().await;
    assert_eq!(shown(), Some(4_i64.into()));
}

#[tokio::test]
async fn a_key_is_not_used_for_another_change() {
    let lose = Arc::new(AtomicBool::new(false));
    let losing = Arc::clone(&lose);
    let mut workspace = wrapper::workspace(move |inner| {
        let script = vec![(Method::Apply, 1, Fault::AnswerLost)];
        let script = if losing.load(Ordering::SeqCst) {
            script
        } else {
            Vec::new()
        };
        let clock = Arc::new(StoppedClock::default());
        Arc::new(Faulty::new(inner, FaultPlan::Script(script), clock))
    });
    // What was read since would settle what became of the update.
    workspace.refresh = Refresh::Skip;
    let write =
        |replicas: u32| workspace.write("main.hcl", &configuration(1, "[zone.a]", replicas));
    write(1);
    workspace.converge().await;
    write(2);
    let plan = workspace.plan().await;
    lose.store(true, Ordering::SeqCst);
    assert!(workspace.apply_plan(&plan).await.diagnostics.has_errors());
    lose.store(false, Ordering::SeqCst);
    assert!(!workspace.state().unwrap().pending.is_empty());
    // The update was made; the next one is another change and must not be taken for it.
    write(3);
    workspace.converge().await;
    let world = workspace.cloud().inventory().unwrap();
    assert!(
        world
            .endpoints
            .values()
            .filter(|e| e.name == "d")
            .all(|e| e.replicas == 3)
    );
    assert!(workspace.state().unwrap().pending.is_empty());
}

#[tokio::test]
async fn a_creation_whose_end_is_unknown_is_not_forgotten() {
    let lose = Arc::new(AtomicBool::new(true));
    let losing = Arc::clone(&lose);
    let workspace = wrapper::workspace(move |inner| {
        let script = vec![(Method::Apply, 1, Fault::AnswerLost)];
        let script = if losing.load(Ordering::SeqCst) {
            script
        } else {
            Vec::new()
        };
        let clock = Arc::new(StoppedClock::default());
        Arc::new(Faulty::new(inner, FaultPlan::Script(script), clock))
    });
    let with = configuration(1, "[zone.a]", 1);
    workspace.write("main.hcl", &with);
    let plan = workspace.plan().await;
    assert!(workspace.apply_plan(&plan).await.diagnostics.has_errors());
    lose.store(false, Ordering::SeqCst);
    let (lost, _) = workspace.state().unwrap().pending.pop_first().unwrap();
    workspace.write("main.hcl", "locals { nothing = 0 }");
    for mode in [Mode::Normal, Mode::Destroy] {
        let (plan, diagnostics) = workspace.propose(mode).await;
        // A destroy that would leave something behind is refused.
        assert_eq!(plan.is_some(), mode == Mode::Normal);
        let said: Vec<_> = diagnostics
            .iter()
            .map(|d| (d.code, d.address.clone()))
            .collect();
        assert_eq!(said, [("P0016", Some(lost.clone()))]);
    }
    workspace.write("main.hcl", &with);
    workspace.converge().await;
    workspace.write("main.hcl", "locals { nothing = 0 }");
    workspace.converge().await;
    assert!(workspace.cloud().inventory().unwrap().endpoints.is_empty());
    assert!(
        workspace
            .propose(Mode::Normal)
            .await
            .1
            .iter()
            .next()
            .is_none()
    );
}

/// How many changes are under way at once when none of them gets done.
async fn at_once(text: &str, parallelism: usize) -> usize {
    let begun = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&begun);
    let (workspace, held) = wrapper::ruled(move |_| {
        counting.fetch_add(1, Ordering::SeqCst);
        Turn::HeldBefore
    });
    workspace.write("main.hcl", text);
    let plan = workspace.plan().await;
    let (_sender, interrupted) = watch::channel(false);
    tokio::select! {
        biased;
        () = held.notified() => begun.load(Ordering::SeqCst),
        report = workspace.apply_until(&plan, interrupted, parallelism) => panic!("{report:?}"),
    }
}

#[tokio::test]
async fn as_many_changes_are_made_at_once_as_the_providers_take() {
    let wide = "resource \"isobar_data\" \"w\" { count = 200 }\n";
    assert_eq!(at_once(wide, 0).await, 64);
    // The simulated cloud takes fewer calls than what is kept in the state only.
    let beside = format!("{wide}{}", configuration(1, "[zone.a]", 1));
    assert_eq!(at_once(&beside, 0).await, 10);
    assert_eq!(at_once(&beside, 20).await, 20);
}

#[tokio::test]
async fn plans_and_look_ups_go_on_at_the_same_time_up_to_the_parallelism() {
    let (workspace, crowd) = wrapper::slow();
    workspace.write(
        "main.hcl",
        r#"
        resource "isobar_data" "base" { input = 1 }
        resource "isobar_data" "wide" {
          count = 40
          input = isobar_data.base.input + count.index
        }
        "#,
    );
    let plan = workspace.plan().await;
    assert_eq!(plan.changes.len(), 41);
    // That is what the workspace asks for.
    assert_eq!(crowd.most(), 10);
    let (workspace, crowd) = wrapper::slow();
    workspace.write("other/main.hcl", "output \"x\" {\n  value = 1\n}\n");
    let text: String = (0..5)
        .map(|number| {
            format!(
                "data \"isobar_remote_state\" \"d{number}\" {{\n  backend = \"local\"\n  config = {{ path = \"none\" }}\n  defaults = {{ x = {number} }}\n}}\n"
            )
        })
        .collect();
    workspace.write("main.hcl", &text);
    workspace.propose(Mode::Normal).await;
    assert_eq!(crowd.most(), 5);
}
