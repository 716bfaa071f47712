//! `moved` and `removed`: new names, and what is left where it is.

use isobar::change::Action;
use isobar::plan::Mode;

use crate::workspace::{Workspace, actions};

const MODULE: &str = r#"resource "isobar_data" "x" { input = "v" }"#;

/// Applies `first`, then plans `second`: what is done, and what was moved.
async fn after(first: &str, second: &str) -> (Workspace, Vec<String>, Vec<String>) {
    let workspace = Workspace::new();
    workspace.write("m/main.hcl", MODULE);
    workspace.write("main.hcl", first);
    workspace.converge().await;
    workspace.write("main.hcl", second);
    let plan = workspace.plan().await;
    let moves = plan.moves.iter().map(|(new, old)| format!("{old} > {new}"));
    let moves = moves.collect();
    (workspace, actions(&plan), moves)
}

#[tokio::test]
async fn what_is_moved_stays_as_it_is() {
    let one = r#"resource "isobar_data" "a" { input = 1 }"#;
    let three = r#"resource "isobar_data" "a" {
      count = 3
      input = 1
    }"#;
    let call = r#"module "a" { source = "./m" }"#;
    for (first, second, expected) in [
        (
            one,
            r#"resource "isobar_data" "b" { input = 1 }
               moved {
                 from = isobar_data.a
                 to   = isobar_data.b
               }"#,
            vec!["isobar_data.a > isobar_data.b"],
        ),
        (
            one,
            r#"resource "isobar_data" "c" { input = 1 }
               moved {
                 from = isobar_data.b
                 to   = isobar_data.c
               }
               moved {
                 from = isobar_data.a
                 to   = isobar_data.b
               }"#,
            vec!["isobar_data.a > isobar_data.c"],
        ),
        (one, three, vec!["isobar_data.a > isobar_data.a[0]"]),
        (three, one, vec!["isobar_data.a[0] > isobar_data.a"]),
        (
            one,
            r#"resource "isobar_data" "a" {
                 for_each = toset(["k"])
                 input    = 1
               }
               moved {
                 from = isobar_data.a
                 to   = isobar_data.a["k"]
               }"#,
            vec![r#"isobar_data.a > isobar_data.a["k"]"#],
        ),
        (
            call,
            r#"module "b" {
                 source = "./m"
                 count  = 1
               }
               moved {
                 from = module.a
                 to   = module.b[0]
               }"#,
            vec!["module.a.isobar_data.x > module.b[0].isobar_data.x"],
        ),
        (
            r#"resource "isobar_data" "a" { input = "v" }"#,
            r#"module "b" { source = "./m" }
               moved {
                 from = isobar_data.a
                 to   = module.b.isobar_data.x
               }"#,
            vec!["isobar_data.a > module.b.isobar_data.x"],
        ),
    ] {
        let (workspace, actions, moves) = after(first, second).await;
        assert_eq!(moves, expected, "{second}");
        let kept = |action: &String| !action.contains("isobar_data.a[");
        assert!(!actions.iter().any(kept), "{second}: {actions:?}");
        workspace.converge().await;
    }
}

#[tokio::test]
async fn a_move_to_what_is_there_is_told_and_not_made() {
    let two = r#"resource "isobar_data" "a" { input = 1 }
                 resource "isobar_data" "b" { input = 1 }"#;
    let second = r#"resource "isobar_data" "b" { input = 1 }
                    moved {
                      from = isobar_data.a
                      to   = isobar_data.b
                    }"#;
    let (workspace, actions, moves) = after(two, second).await;
    assert_eq!(moves, [""; 0]);
    assert_eq!(actions, ["delete isobar_data.a"]);
    let (_, found) = workspace.propose(Mode::Normal).await;
    let codes: Vec<&str> = found.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["P0031"]);
}

#[tokio::test]
async fn contradictions_are_refused() {
    for (text, code) in [
        (
            r#"resource "isobar_data" "a" {}
               moved {
                 from = isobar_data.a
                 to   = isobar_data.b
               }"#,
            "P0030",
        ),
        (
            r#"moved {
                 from = isobar_data.a
                 to   = isobar_data.b
               }
               moved {
                 from = isobar_data.a
                 to   = isobar_data.c
               }"#,
            "P0030",
        ),
        (
            r#"moved {
                 from = isobar_data.a
                 to   = module.b
               }"#,
            "L0030",
        ),
        ("removed { from = isobar_data.a[0] }", "L0031"),
        ("removed { from = \"isobar_data.a\" }", "L0032"),
        (
            r#"resource "isobar_data" "a" {}
               removed { from = isobar_data.a }"#,
            "P0032",
        ),
    ] {
        let workspace = Workspace::new();
        workspace.write("main.hcl", text);
        let (_, found) = workspace.propose(Mode::Normal).await;
        assert!(found.iter().any(|d| d.code == code), "{text}: {found:#?}");
    }
}

#[tokio::test]
async fn what_is_removed_is_destroyed_or_forgotten() {
    let first = r#"resource "isobar_data" "a" { input = 1 }
                   module "m" { source = "./m" }"#;
    let forget = r#"
        removed {
          from = isobar_data.a
          lifecycle { destroy = false }
        }
        removed {
          from = module.m
        }"#;
    let (workspace, actions, _) = after(first, forget).await;
    assert_eq!(
        actions,
        ["forget isobar_data.a", "delete module.m.isobar_data.x"]
    );
    let plan = workspace.converge().await;
    assert_eq!(plan.count(Action::Forget), 1);
    assert!(workspace.state().unwrap().instances.is_empty());
}

#[tokio::test]
async fn a_renamed_deployment_is_replaced_in_order() {
    let text = |name: &str, more: &str| {
        format!(
            r#"zone "z" {{
                 provider = sim
                 region   = "sim-us-east"
               }}
               model "m" {{
                 version = "1"
                 image   = "registry/m"
               }}
               deployment "{name}" {{
                 model    = model.m
                 zones    = [zone.z]
                 replicas = {{ z = 1 }}
               }}
               {more}"#
        )
    };
    let workspace = Workspace::new();
    workspace.write("main.hcl", &text("a", ""));
    workspace.converge().await;
    workspace.write(
        "main.hcl",
        &text("b", "moved {\n from = deployment.a\n to = deployment.b\n }"),
    );
    let plan = workspace.converge().await;
    assert_eq!(plan.moves.len(), 2);
    let state = workspace.state().unwrap();
    assert!(state.instances.keys().all(|a| a.block().label() == "b"));
}

#[tokio::test]
async fn another_one_is_made_where_something_was_moved_away() {
    let text = |keys: &str, more: &str| {
        format!(
            "resource \"isobar_data\" \"a\" {{\n for_each = toset([{keys}])\n input = each.key\n}}\n{more}"
        )
    };
    let workspace = Workspace::new();
    workspace.write("main.hcl", &text("\"x\"", ""));
    workspace.converge().await;
    let moved = "moved {\n from = isobar_data.a[\"x\"]\n to = isobar_data.a[\"y\"]\n}\n";
    workspace.write("main.hcl", &text("\"x\", \"y\"", moved));
    let plan = workspace.converge().await;
    assert_eq!(
        actions(&plan),
        ["create isobar_data.a[\"x\"]", "update isobar_data.a[\"y\"]"]
    );
}
