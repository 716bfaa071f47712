//! Kills, interrupts, broken states and rivals.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use isobar::apply::{self, Report};
use isobar::event::Silent;
use isobar::plan::Plan;
use isobar::state::{LocalStore, State, Store};
use isobar_sdk::Value;
use tokio::sync::{Notify, watch};

use crate::workspace::Workspace;
use crate::wrapper::{self, Fuse, Turn};

fn configuration(version: u32) -> String {
    format!(
        r#"
        zone "a" {{
          provider = sim
          region   = "sim-us-east"
        }}
        model "m" {{
          version = "{version}"
          image   = "i"
        }}
        deployment "d" {{
          model    = model.m
          zones    = [zone.a]
          replicas = {{ a = 2 }}
        }}
        resource "isobar_data" "x" {{ input = {version} }}
        resource "isobar_data" "y" {{
          triggers_replace = [isobar_data.x.id, {version}]
          input            = deployment.d.url
        }}
        output "y" {{ value = isobar_data.y.id }}
        "#
    )
}

/// A workspace in which the fuse holds an apply, after the work is done or before.
fn fused(after: bool) -> (Workspace, Fuse, Arc<Notify>) {
    let fuse = Fuse::default();
    let burning = fuse.clone();
    let (workspace, held) = wrapper::ruled(move |_| match (burning.burns_down(), after) {
        (false, _) => Turn::Through,
        (true, false) => Turn::HeldBefore,
        (true, true) => Turn::HeldAfter,
    });
    (workspace, fuse, held)
}

/// Applies until a call is held, and ends there as a kill would. Nothing where the apply came
/// to its end before.
async fn killed(workspace: &Workspace, plan: &Plan, held: &Notify, parallelism: usize) -> bool {
    let (_sender, interrupted) = watch::channel(false);
    tokio::select! {
        biased;
        () = held.notified() => true,
        report = workspace.apply_until(plan, interrupted, parallelism) => {
            assert!(!report.diagnostics.has_errors(), "{:#?}", report.diagnostics);
            false
        }
    }
}

/// The ids of everything recorded, by address.
fn ids(state: &State) -> BTreeMap<String, Value> {
    let id = |attributes: &isobar_sdk::Known| attributes.field("id").unwrap().clone();
    state
        .instances
        .iter()
        .map(|(a, i)| (a.to_string(), id(&i.attributes)))
        .collect()
}

fn cloud_ids(workspace: &Workspace) -> BTreeSet<String> {
    let world = workspace.cloud().inventory().unwrap();
    world
        .endpoints
        .keys()
        .chain(world.routers.keys())
        .cloned()
        .collect()
}

/// All that is in the cloud is recorded, and the other way round.
fn nothing_lost(workspace: &Workspace) {
    let state = workspace.state().unwrap();
    assert!(state.pending.is_empty(), "{:?}", state.pending);
    let recorded = ids(&state)
        .into_iter()
        .filter(|(address, _)| address.starts_with("deployment"));
    let recorded: BTreeSet<String> = recorded
        .map(|(_, id)| id.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(recorded, cloud_ids(workspace));
    assert!(!workspace.path().join(".isobar/journal").exists());
}

#[tokio::test]
async fn a_kill_at_any_call_loses_and_doubles_nothing() {
    for parallelism in [1, 10] {
        for after in [false, true] {
            for nth in 1..=4 {
                let (workspace, fuse, held) = fused(after);
                workspace.write("main.hcl", &configuration(1));
                let plan = workspace.plan().await;
                fuse.set(nth);
                assert!(killed(&workspace, &plan, &held, parallelism).await);
                let left = workspace.state().unwrap();
                assert!(!left.pending.is_empty());
                let made = cloud_ids(&workspace);
                workspace.converge().await;
                nothing_lost(&workspace);
                // What was made before is what is there now, and not made anew.
                assert!(made.is_subset(&cloud_ids(&workspace)));
                let end = ids(&workspace.state().unwrap());
                for (address, id) in ids(&left) {
                    assert_eq!(end[&address], id, "{address}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_kill_in_the_middle_of_a_rollout_is_caught_up_on() {
    for after in [false, true] {
        for nth in 1.. {
            let (workspace, fuse, held) = fused(after);
            workspace.write("main.hcl", &configuration(1));
            workspace.converge().await;
            workspace.write("main.hcl", &configuration(2));
            let plan = workspace.plan().await;
            fuse.set(nth);
            let was_killed = killed(&workspace, &plan, &held, 1).await;
            fuse.set(0);
            workspace.converge().await;
            nothing_lost(&workspace);
            let world = workspace.cloud().inventory().unwrap();
            assert!(
                world
                    .endpoints
                    .values()
                    .all(|endpoint| endpoint.version == "2")
            );
            assert_eq!(world.endpoints.len(), 1);
            if !was_killed {
                assert_eq!(nth, 7, "x, y twice, and the three steps of the rollout");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_second_kill_does_not_lose_what_the_first_has_left() {
    let (workspace, fuse, held) = fused(false);
    workspace.write("main.hcl", "resource \"isobar_data\" \"x\" { input = 0 }");
    workspace.converge().await;
    workspace.write("main.hcl", &configuration(1));
    let plan = workspace.plan().await;
    fuse.set(3);
    assert!(killed(&workspace, &plan, &held, 1).await);
    let first = ids(&workspace.state().unwrap());
    assert_eq!(
        first.keys().collect::<Vec<_>>(),
        ["deployment.d[\"a\"].sim_endpoint[\"1\"]", "isobar_data.x"]
    );

    let plan = workspace.plan().await;
    fuse.set(1);
    assert!(killed(&workspace, &plan, &held, 1).await);
    assert_eq!(ids(&workspace.state().unwrap()), first);
    workspace.converge().await;
    nothing_lost(&workspace);
    let end = ids(&workspace.state().unwrap());
    assert!(first.iter().all(|(address, id)| end[address] == *id));
}

#[tokio::test]
async fn a_plan_from_before_a_kill_is_refused() {
    let (workspace, fuse, held) = fused(true);
    workspace.write("main.hcl", &configuration(0));
    workspace.converge().await;
    workspace.write("main.hcl", &configuration(1));
    let (one, other) = (workspace.plan().await, workspace.plan().await);
    fuse.set(2);
    assert!(killed(&workspace, &one, &held, 1).await);
    let (before, world) = (workspace.state(), workspace.cloud().inventory().unwrap());
    let report = workspace.apply_plan(&other).await;
    assert_eq!(codes(&report), ["A0001"]);
    assert_eq!(workspace.state(), before);
    assert_eq!(workspace.cloud().inventory().unwrap(), world);
    workspace.converge().await;
    nothing_lost(&workspace);
}

#[tokio::test]
async fn a_journal_of_another_serial_is_ignored() {
    let (workspace, fuse, held) = fused(true);
    workspace.write("main.hcl", &configuration(1));
    workspace.converge().await;
    workspace.write("main.hcl", &configuration(2));
    let plan = workspace.plan().await;
    fuse.set(2);
    assert!(killed(&workspace, &plan, &held, 1).await);
    let journal = workspace.path().join(".isobar/journal");
    let left = std::fs::read(&journal).unwrap();
    workspace.converge().await;
    let state = workspace.state();
    std::fs::write(&journal, left).unwrap();
    assert_eq!(workspace.state(), state);
    assert!(!workspace.plan().await.has_changes());
}

#[tokio::test]
async fn after_an_interrupt_what_runs_is_recorded_and_nothing_begins() {
    let (sender, interrupted) = watch::channel(false);
    let (workspace, _) = wrapper::ruled(move |_| {
        sender.send_replace(true);
        Turn::Through
    });
    workspace.write("main.hcl", &configuration(1));
    let plan = workspace.plan().await;
    let report = workspace.apply_until(&plan, interrupted, 1).await;
    assert!(report.interrupted && !report.diagnostics.has_errors());
    assert_eq!((report.done.len(), report.skipped.len()), (1, 3));
    let state = workspace.state().unwrap();
    assert_eq!(
        state.instances.keys().collect::<Vec<_>>(),
        [&report.done[0].0]
    );
    assert!(state.pending.is_empty() && !state.outputs.contains_key("y"));
    assert_eq!(workspace.converge().await.actions().count(), 3);
    nothing_lost(&workspace);
}

#[tokio::test(start_paused = true)]
async fn after_an_interrupt_what_never_ends_is_broken_off_and_taken_up_again() {
    let (sender, interrupted) = watch::channel(false);
    let (workspace, fuse, held) = fused(true);
    workspace.write("main.hcl", &configuration(1));
    let plan = workspace.plan().await;
    fuse.set(1);
    let mut apply = pin!(workspace.apply_until(&plan, interrupted, 1));
    tokio::select! {
        biased;
        () = held.notified() => {}
        report = &mut apply => panic!("{report:?}"),
    }
    sender.send_replace(true);
    let report = apply.await;
    assert!(report.interrupted && report.done.is_empty());
    assert_eq!(codes(&report), ["A0006"]);
    assert_eq!(workspace.state().unwrap().pending.len(), 1);
    workspace.converge().await;
    nothing_lost(&workspace);
}

#[tokio::test]
async fn of_two_applies_at_once_one_is_told_who_has_the_lock() {
    let (workspace, fuse, held) = fused(false);
    workspace.write("main.hcl", &configuration(1));
    let plan = workspace.plan().await;
    fuse.set(1);
    let mut first = pin!(workspace.apply_plan(&plan));
    tokio::select! {
        biased;
        () = held.notified() => {}
        report = &mut first => panic!("{report:?}"),
    }
    let report = workspace.apply_plan(&plan).await;
    assert_eq!(codes(&report), ["S0001"]);
    let detail = &report.diagnostics.iter().next().unwrap().detail;
    let holder = workspace.holder();
    let who = format!(
        "apply by test (process {}) has held the lock since {}",
        holder.pid, holder.since
    );
    assert!(detail.contains(&who), "{detail}");
    assert!(report.state.is_none() && cloud_ids(&workspace).is_empty());
}

fn codes(report: &Report) -> Vec<&'static str> {
    report
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.code)
        .collect()
}

#[tokio::test]
async fn a_state_that_cannot_be_read_is_not_acted_on() {
    let workspace = Workspace::new();
    workspace.write("main.hcl", &configuration(1));
    workspace.converge().await;
    workspace.write("main.hcl", &configuration(2));
    let plan = workspace.plan().await;
    let good = std::fs::read_to_string(workspace.store().place()).unwrap();
    let world = workspace.cloud().inventory().unwrap();
    let newer = good.replacen("\"version\": 1", "\"version\": 2", 1);
    assert_ne!(newer, good);
    let cut: String = good.chars().take(good.len() / 2).collect();
    for (broken, code, said) in [
        (newer, "S0006", "newer"),
        (cut, "S0003", "not a state"),
        (String::new(), "S0003", "not a state"),
    ] {
        std::fs::write(workspace.store().place(), &broken).unwrap();
        let report = workspace.apply_plan(&plan).await;
        assert_eq!(codes(&report), [code]);
        let detail = &report.diagnostics.iter().next().unwrap().detail;
        assert!(
            detail.contains(said) && detail.contains("isobar.state.json"),
            "{detail}"
        );
        assert_eq!(
            std::fs::read_to_string(workspace.store().place()).unwrap(),
            broken
        );
        assert_eq!(workspace.cloud().inventory().unwrap(), world);
    }
    std::fs::write(workspace.store().place(), good).unwrap();
    assert!(!workspace.apply_plan(&plan).await.diagnostics.has_errors());
}

#[tokio::test]
async fn a_state_that_cannot_be_written_is_said_before_anything_is_made() {
    let workspace = Workspace::new();
    workspace.write("main.hcl", &configuration(1));
    let plan = workspace.plan().await;
    // Permissions do not hold a superuser back; a folder that is missing does.
    let missing = workspace.path().join("missing");
    let report = apply_to(&workspace, &LocalStore::new(&missing).into(), &plan).await;
    assert_eq!(codes(&report), ["S0002"]);
    // Nor can a journal be begun where a folder has its name.
    std::fs::create_dir_all(workspace.path().join(".isobar/journal")).unwrap();
    let report = workspace.apply_plan(&plan).await;
    assert_eq!(codes(&report), ["S0004"]);
    std::fs::remove_dir(workspace.path().join(".isobar/journal")).unwrap();
    // Nor a lock taken where a file has the name of its folder.
    let other = workspace.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join(".isobar"), "").unwrap();
    let report = apply_to(&workspace, &LocalStore::new(&other).into(), &plan).await;
    assert_eq!(codes(&report), ["S0002"]);
    assert!(!missing.exists() && cloud_ids(&workspace).is_empty());
    workspace.converge().await;
    nothing_lost(&workspace);
}

async fn apply_to(workspace: &Workspace, store: &Store, plan: &Plan) -> Report {
    let (_sender, interrupted) = watch::channel(false);
    let holder = workspace.holder();
    let request = apply::Request {
        plan,
        config: None,
        registry: &workspace.registry,
        store,
        holder: &holder,
        guard: None,
        patience: Duration::ZERO,
        now: workspace.now,
        new_lineage: "lineage".to_owned(),
        parallelism: NonZeroUsize::new(10),
        interrupted,
    };
    apply::apply(request, &Silent).await
}

#[tokio::test]
async fn a_record_that_was_cut_off_is_made_up_for() {
    let (workspace, fuse, held) = fused(false);
    workspace.write("main.hcl", &configuration(1));
    let plan = workspace.plan().await;
    fuse.set(3);
    assert!(killed(&workspace, &plan, &held, 1).await);
    let made = cloud_ids(&workspace);
    let journal = workspace.path().join(".isobar/journal");
    let text = std::fs::read_to_string(&journal).unwrap();
    // From the last line back, every line is lost, and so is half of the one before it.
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    for end in ends.into_iter().rev() {
        std::fs::write(&journal, &text[..end - 5]).unwrap();
        assert!(workspace.state().is_some());
        assert!(workspace.plan().await.has_changes());
    }
    std::fs::write(&journal, &text[..text.trim_end().len() - 5]).unwrap();
    workspace.converge().await;
    nothing_lost(&workspace);
    assert!(made.is_subset(&cloud_ids(&workspace)));
}
