//! Replacements that are made before what they replace is destroyed, also through failures and
//! kills.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use isobar::apply::Report;
use isobar::change::Action;
use isobar::plan::Mode;
use isobar_sdk::provider::Operation;
use tokio::sync::watch;

use crate::workspace::{Workspace, actions};
use crate::wrapper::{self, Fuse, Turn};

/// Two endpoints, the second one resting on the first.
fn configuration(version: u32, lifecycle: &str) -> String {
    let endpoint = |name: &str, rest: &str| {
        format!(
            r#"
            resource "sim_endpoint" "{name}" {{
              name          = "{name}"
              zone          = "sim-us-east"
              version       = "{version}"
              instance_type = "c1.small"
              replicas      = 1
              {rest}
            }}
            "#
        )
    };
    let top = format!(
        "artifact = sim_endpoint.base.id\nlifecycle {{
{lifecycle}
}}"
    );
    endpoint("base", "") + &endpoint("top", &top)
}

const FIRST: &str = "create_before_destroy = true";

/// What was done, in its order.
fn done(report: &Report) -> Vec<String> {
    let verb = |action: &Action| match action {
        Action::Delete => "-",
        _ => "+",
    };
    let done = report.done.iter();
    done.map(|(address, action)| format!("{}{}", verb(action), address.name))
        .collect()
}

/// The ids of what is in the cloud and of what is recorded, which are the same.
fn everything_is_recorded(workspace: &Workspace) -> BTreeSet<String> {
    let world = workspace.cloud().inventory().unwrap();
    let there: BTreeSet<String> = world.endpoints.keys().cloned().collect();
    let state = workspace.state().unwrap();
    let all = state.instances.values().chain(state.deposed.values());
    let recorded = all.map(|instance| instance.attributes.field("id").unwrap().as_str().unwrap());
    assert_eq!(recorded.map(str::to_owned).collect::<BTreeSet<_>>(), there);
    there
}

async fn applied(workspace: &Workspace, lifecycle: &str) -> Report {
    workspace.write("main.hcl", &configuration(1, lifecycle));
    workspace.converge().await;
    workspace.write("main.hcl", &configuration(2, lifecycle));
    let plan = workspace.plan().await;
    workspace.apply_plan(&plan).await
}

#[tokio::test]
async fn what_is_rested_on_is_replaced_in_the_same_order() {
    let workspace = Workspace::new();
    let report = applied(&workspace, "").await;
    assert_eq!(done(&report), ["-top", "-base", "+base", "+top"]);
    let workspace = Workspace::new();
    let report = applied(&workspace, FIRST).await;
    assert_eq!(done(&report), ["+base", "+top", "-top", "-base"]);
    assert!(!workspace.plan().await.has_changes());
    assert!(workspace.state().unwrap().deposed.is_empty());
    assert_eq!(everything_is_recorded(&workspace).len(), 2);
}

/// Terraform 1.11 ends in a cycle here.
#[tokio::test]
async fn what_was_made_first_can_go_while_what_it_rested_on_is_replaced() {
    let workspace = Workspace::new();
    workspace.write("main.hcl", &configuration(1, FIRST));
    workspace.converge().await;
    let two = configuration(2, FIRST);
    let (base, _) = two.split_at(two.find("resource \"sim_endpoint\" \"top\"").unwrap());
    workspace.write("main.hcl", base);
    let plan = workspace.plan().await;
    assert_eq!(
        actions(&plan),
        ["replace sim_endpoint.base", "delete sim_endpoint.top"]
    );
    let report = workspace.apply_plan(&plan).await;
    assert_eq!(done(&report), ["-top", "-base", "+base"]);
}

/// A workspace in which destroying is refused for a while.
fn stubborn() -> (Workspace, Arc<AtomicBool>) {
    let refuses = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&refuses);
    let (workspace, _) = wrapper::ruled(move |apply| {
        let delete = matches!(apply.operation, Operation::Delete { .. });
        if delete && asked.load(Ordering::SeqCst) {
            Turn::Refused
        } else {
            Turn::Through
        }
    });
    (workspace, refuses)
}

#[tokio::test]
async fn what_could_not_be_destroyed_is_destroyed_next_time() {
    let (workspace, refuses) = stubborn();
    let report = applied(&workspace, FIRST).await;
    assert_eq!(done(&report), ["+base", "+top"]);
    assert!(report.diagnostics.has_errors());
    assert_eq!(everything_is_recorded(&workspace).len(), 4);

    // A third one while both old ones are still there.
    workspace.write("main.hcl", &configuration(3, FIRST));
    let plan = workspace.plan().await;
    assert_eq!((plan.actions().count(), plan.deposed.len()), (2, 2));
    workspace.apply_plan(&plan).await;
    assert_eq!(everything_is_recorded(&workspace).len(), 6);

    // Under another name they are still known, and so they are to a plan to destroy.
    let moved = "moved {\n from = sim_endpoint.top\n to = sim_endpoint.other\n}";
    let text =
        configuration(3, FIRST).replace(r#""sim_endpoint" "top""#, r#""sim_endpoint" "other""#);
    workspace.write("main.hcl", &(text + moved));
    let plan = workspace.plan().await;
    let mut deposed: Vec<&str> = plan.deposed.keys().map(|(a, _)| &*a.name).collect();
    deposed.dedup();
    assert_eq!(deposed, ["base", "other"]);
    let (destroy, _) = workspace.propose(Mode::Destroy).await;
    assert_eq!(destroy.unwrap().deposed.len(), 4);

    refuses.store(false, Ordering::SeqCst);
    workspace.converge().await;
    assert_eq!(everything_is_recorded(&workspace).len(), 2);
}

#[tokio::test]
async fn a_creation_that_fails_leaves_the_old_one_in_its_place() {
    let refuses = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&refuses);
    let (workspace, _) = wrapper::ruled(move |_| match asked.load(Ordering::SeqCst) {
        true => Turn::Refused,
        false => Turn::Through,
    });
    workspace.write("main.hcl", &configuration(1, FIRST));
    workspace.converge().await;
    let before = everything_is_recorded(&workspace);
    workspace.write("main.hcl", &configuration(2, FIRST));
    let plan = workspace.plan().await;
    refuses.store(true, Ordering::SeqCst);
    let report = workspace.apply_plan(&plan).await;
    assert!(report.done.is_empty() && report.diagnostics.has_errors());
    assert_eq!(everything_is_recorded(&workspace), before);
    assert!(workspace.state().unwrap().deposed.is_empty());
    refuses.store(false, Ordering::SeqCst);
    workspace.converge().await;
}

#[tokio::test]
async fn a_kill_at_any_call_is_caught_up_on() {
    for after in [false, true] {
        for nth in 1..=4 {
            let fuse = Fuse::default();
            let burning = fuse.clone();
            let (workspace, held) = wrapper::ruled(move |_| match (burning.burns_down(), after) {
                (false, _) => Turn::Through,
                (true, false) => Turn::HeldBefore,
                (true, true) => Turn::HeldAfter,
            });
            workspace.write("main.hcl", &configuration(1, FIRST));
            workspace.converge().await;
            workspace.write("main.hcl", &configuration(2, FIRST));
            let plan = workspace.plan().await;
            fuse.set(nth);
            let (_sender, interrupted) = watch::channel(false);
            tokio::select! {
                biased;
                () = held.notified() => {}
                report = workspace.apply_until(&plan, interrupted, 1) => panic!("{report:#?}"),
            }
            fuse.set(0);
            workspace.converge().await;
            let state = workspace.state().unwrap();
            assert!(state.pending.is_empty() && state.deposed.is_empty());
            assert_eq!(everything_is_recorded(&workspace).len(), 2);
        }
    }
}

#[tokio::test]
async fn a_creation_with_an_unknown_end_is_told_of_when_it_is_no_longer_wanted() {
    let fuse = Fuse::default();
    let burning = fuse.clone();
    let (workspace, held) = wrapper::ruled(move |_| match burning.burns_down() {
        true => Turn::HeldAfter,
        false => Turn::Through,
    });
    workspace.write("main.hcl", &configuration(1, FIRST));
    workspace.converge().await;
    workspace.write("main.hcl", &configuration(2, FIRST));
    let plan = workspace.plan().await;
    fuse.set(1);
    let (_sender, interrupted) = watch::channel(false);
    tokio::select! {
        biased;
        () = held.notified() => {}
        report = workspace.apply_until(&plan, interrupted, 1) => panic!("{report:#?}"),
    }
    workspace.write("main.hcl", &configuration(1, FIRST));
    let (_, found) = workspace.propose(Mode::Normal).await;
    assert_eq!(found.iter().map(|d| d.code).collect::<Vec<_>>(), ["P0016"]);
    workspace.write("main.hcl", &configuration(2, FIRST));
    workspace.converge().await;
    assert_eq!(everything_is_recorded(&workspace).len(), 2);
}

#[tokio::test]
async fn a_deployment_has_its_rules_for_all_that_it_makes() {
    let text = |version: &str, lifecycle: &str| {
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
            resource "isobar_data" "r" {{ input = "{version}" }}
            deployment "d" {{
              model    = model.m
              zones    = [zone.a]
              replicas = {{ a = 1 }}
              lifecycle {{
{lifecycle}
}}
            }}
            "#
        )
    };
    let workspace = Workspace::new();
    workspace.write("main.hcl", &text("1", "prevent_destroy = true"));
    workspace.converge().await;
    // Another version is no destruction of the deployment.
    workspace.write("main.hcl", &text("2", "prevent_destroy = true"));
    workspace.converge().await;
    workspace.write("main.hcl", "");
    let (_, found) = workspace.propose(Mode::Normal).await;
    assert!(found.iter().all(|d| d.code == "P0040") && found.has_errors());
    let rule = "replace_triggered_by = [isobar_data.r]";
    workspace.write("main.hcl", &text("2", rule));
    workspace.converge().await;
    let again = text("2", rule).replace("input = \"2\"", "input = \"3\"");
    workspace.write("main.hcl", &again);
    let plan = workspace.plan().await;
    let replaced = actions(&plan)
        .iter()
        .filter(|a| a.starts_with("replace"))
        .count();
    assert_eq!(replaced, 2, "{:?}", actions(&plan));
    workspace.converge().await;
}
