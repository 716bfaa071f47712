//! Create, update, replace, delete: what a plan says and what an apply leaves.

use isobar::change::Reason;
use isobar::language::Sources;
use isobar::plan::Mode;

use crate::workspace::{Workspace, actions};

#[tokio::test]
async fn the_life_of_a_resource() {
    let workspace = Workspace::new();
    workspace.write("main.hcl", r#"resource "isobar_data" "a" { input = "x" }"#);
    let plan = workspace.converge().await;
    assert_eq!(actions(&plan), ["create isobar_data.a"]);
    assert_eq!(workspace.state().unwrap().serial, 1);

    workspace.write("main.hcl", r#"resource "isobar_data" "a" { input = "y" }"#);
    assert_eq!(
        actions(&workspace.converge().await),
        ["update isobar_data.a"]
    );

    workspace.write(
        "main.hcl",
        r#"resource "isobar_data" "a" {
             input            = "y"
             triggers_replace = 1
           }"#,
    );
    let plan = workspace.converge().await;
    assert_eq!(actions(&plan), ["replace isobar_data.a"]);
    assert_eq!(
        plan.changes.values().next().unwrap().reason,
        Some(Reason::CannotUpdate)
    );

    workspace.write("main.hcl", "locals { a = 1 }");
    let plan = workspace.converge().await;
    assert_eq!(actions(&plan), ["delete isobar_data.a"]);
    assert_eq!(
        plan.changes.values().next().unwrap().reason,
        Some(Reason::NoBlock)
    );
    assert!(workspace.state().unwrap().instances.is_empty());
}

#[tokio::test]
async fn what_is_unknown_in_the_plan_becomes_known_in_the_apply() {
    let workspace = Workspace::new();
    workspace.write(
        "main.hcl",
        r#"
        resource "isobar_data" "a" { input = "x" }
        locals { from_a = "${isobar_data.a.id}-suffix" }
        resource "isobar_data" "b" { input = local.from_a }
        output "b" { value = isobar_data.b.output }
        "#,
    );
    let plan = workspace.converge().await;
    assert!(!plan.outputs["b"].after.as_ref().unwrap().is_wholly_known());
    let state = workspace.state().unwrap();
    let id = state.instances[&"isobar_data.a".parse().unwrap()]
        .attributes
        .field("id")
        .unwrap()
        .clone();
    let output = state.outputs["b"]
        .value
        .value()
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(output, format!("{}-suffix", id.as_str().unwrap()));
    let recorded = &state.instances[&"isobar_data.b".parse().unwrap()].dependencies;
    assert_eq!(recorded, &["isobar_data.a".parse().unwrap()]);
}

#[tokio::test]
async fn count_and_for_each_make_and_remove_instances() {
    let workspace = Workspace::new();
    let write = |count: u32, keys: &str| {
        workspace.write(
            "main.hcl",
            &format!(
                r#"
                resource "isobar_data" "c" {{
                  count = {count}
                  input = count.index
                }}
                resource "isobar_data" "e" {{
                  for_each = toset({keys})
                  input    = "${{each.key}} ${{isobar_data.c[0].id}}"
                }}
                output "all" {{ value = {{ for k, e in isobar_data.e : k => e.output }} }}
                "#
            ),
        );
    };
    write(2, r#"["x", "y"]"#);
    let plan = workspace.converge().await;
    assert_eq!(
        actions(&plan),
        [
            "create isobar_data.c[0]",
            "create isobar_data.c[1]",
            "create isobar_data.e[\"x\"]",
            "create isobar_data.e[\"y\"]"
        ]
    );
    write(1, r#"["y", "z"]"#);
    let plan = workspace.converge().await;
    assert_eq!(
        actions(&plan),
        [
            "delete isobar_data.c[1]",
            "delete isobar_data.e[\"x\"]",
            "create isobar_data.e[\"z\"]"
        ]
    );
    let reasons: Vec<_> = plan.actions().map(|(_, planned)| planned.reason).collect();
    assert_eq!(
        reasons,
        [Some(Reason::CountIndex), Some(Reason::EachKey), None]
    );
}

#[tokio::test]
async fn destroy_leaves_nothing() {
    let workspace = Workspace::new();
    workspace.write(
        "main.hcl",
        r#"
        resource "isobar_data" "a" { input = 1 }
        resource "isobar_data" "b" { input = isobar_data.a.id }
        output "o" { value = isobar_data.b.id }
        "#,
    );
    workspace.converge().await;
    let (plan, _) = workspace.propose(Mode::Destroy).await;
    let plan = plan.unwrap();
    assert_eq!(
        actions(&plan),
        ["delete isobar_data.a", "delete isobar_data.b"]
    );
    let report = workspace.apply_plan(&plan).await;
    assert!(
        !report.diagnostics.has_errors(),
        "{:#?}",
        report.diagnostics
    );
    let order: Vec<String> = report
        .done
        .iter()
        .map(|(address, _)| address.to_string())
        .collect();
    assert_eq!(order, ["isobar_data.b", "isobar_data.a"]);
    let state = workspace.state().unwrap();
    assert!(state.instances.is_empty() && state.outputs.is_empty());
}

#[tokio::test]
async fn a_plan_is_refused_once_the_state_has_moved_on() {
    let workspace = Workspace::new();
    workspace.write("main.hcl", r#"resource "isobar_data" "a" { input = "x" }"#);
    let plan = workspace.plan().await;
    assert!(!workspace.apply_plan(&plan).await.diagnostics.has_errors());
    let before = std::fs::read(workspace.store().place()).unwrap();
    let report = workspace.apply_plan(&plan).await;
    let codes: Vec<&str> = report.diagnostics.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["A0001"]);
    assert_eq!(std::fs::read(workspace.store().place()).unwrap(), before);
}

#[tokio::test]
async fn secrets_stay_secret_in_plan_and_state() {
    let workspace = Workspace::new();
    workspace.write(
        "main.hcl",
        r#"
        variable "token" {
          default   = "hunter2"
          sensitive = true
        }
        resource "isobar_data" "a" { input = "Bearer ${var.token}" }
        output "o" {
          value     = isobar_data.a.output
          sensitive = true
        }
        "#,
    );
    let mut plan = workspace.converge().await;
    // The text of the configuration holds the default in the clear; nothing else may.
    plan.sources = Sources::default();
    assert!(!format!("{plan:?}").contains("hunter2"));
    let state = workspace.state().unwrap();
    assert!(!format!("{state:?}").contains("hunter2"));
    workspace.write(
        "main.hcl",
        &std::fs::read_to_string(workspace.path().join("main.hcl"))
            .unwrap()
            .replace("sensitive = true\n        }\n        \"", "}")
            .replace(
                "value     = isobar_data.a.output\n          sensitive = true",
                "value = isobar_data.a.output",
            ),
    );
    let (_, diagnostics) = workspace.propose(Mode::Normal).await;
    assert_eq!(
        diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(),
        ["P0008"]
    );
}
