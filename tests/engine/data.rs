//! Data sources: asked when the plan is made, or at apply where that is too early.

use isobar::plan::{Deferred, Mode};
use isobar_sdk::{Address, Value};

use crate::workspace::{Workspace, actions};

/// A workspace with the outputs of another one, `one = 1` and a secret, in `other.json`.
async fn beside_another() -> Workspace {
    let other = Workspace::new();
    other.write(
        "main.hcl",
        r#"
        output "one" { value = 1 }
        output "secret" {
          value     = "s3cret"
          sensitive = true
        }
        "#,
    );
    other.converge().await;
    let text = isobar::state::to_json(&other.state().unwrap());
    let workspace = Workspace::new();
    workspace.write("other.json", &text);
    workspace
}

#[tokio::test]
async fn what_is_known_is_asked_for_the_plan() {
    let workspace = beside_another().await;
    workspace.write(
        "m/main.hcl",
        r#"
        variable "v" {}
        output "v" { value = var.v }
        "#,
    );
    workspace.write(
        "main.hcl",
        r#"
        data "isobar_remote_state" "o" {
          for_each = toset(["a", "b"])
          backend  = "local"
          config   = { path = "other.json" }
          defaults = { two = each.key }
        }
        module "m" {
          source = "./m"
          v      = data.isobar_remote_state.o["a"].outputs.one
        }
        resource "isobar_data" "x" {
          count = data.isobar_remote_state.o["b"].outputs.one
          input = [module.m.v, data.isobar_remote_state.o["b"].outputs.two]
        }
        resource "isobar_data" "s" { input = data.isobar_remote_state.o["a"].outputs.secret }
        "#,
    );
    let plan = workspace.converge().await;
    assert_eq!(
        actions(&plan),
        ["create isobar_data.s", "create isobar_data.x[0]"]
    );
    let input = |address: &str| {
        let change = &plan.changes[&address.parse::<Address>().unwrap()].change;
        change.after().unwrap().field("input").unwrap().clone()
    };
    let expected = Value::tuple(vec![Value::from(1_i64), Value::from("b")]);
    assert_eq!(input("isobar_data.x[0]"), expected);
    assert!(input("isobar_data.s").is_sensitive());
}

#[tokio::test]
async fn what_is_unknown_is_asked_at_apply() {
    let workspace = beside_another().await;
    workspace.write(
        "main.hcl",
        r#"
        resource "isobar_data" "path" { input = "other.json" }
        data "isobar_remote_state" "o" {
          backend = "local"
          config  = { path = isobar_data.path.output }
        }
        data "isobar_remote_state" "later" {
          backend    = "local"
          config     = { path = "other.json" }
          depends_on = [isobar_data.path]
        }
        resource "isobar_data" "x" {
          input = [data.isobar_remote_state.o.outputs.one, data.isobar_remote_state.later.outputs.one]
        }
        output "one" { value = data.isobar_remote_state.o.outputs.one }
        "#,
    );
    let plan = workspace.converge().await;
    let deferred: Vec<Option<Deferred>> = plan.reads.values().map(|r| r.deferred).collect();
    assert_eq!(
        deferred,
        [
            Some(Deferred::DependencyPending),
            Some(Deferred::ConfigurationUnknown)
        ]
    );
    let state = workspace.state().unwrap();
    let x = &state.instances[&"isobar_data.x".parse().unwrap()];
    let one = Value::from(1_i64);
    let expected = Value::tuple(vec![one.clone(), one.clone()]);
    assert_eq!(x.attributes.field("output"), Some(&expected));
    assert_eq!(state.outputs["one"].value.value(), &one);
    let again = workspace.plan().await;
    assert!(again.reads.values().all(|read| read.deferred.is_none()));
}

#[tokio::test]
async fn mistakes_are_told() {
    for (text, code) in [
        (r#"data "isobar_remote_stat" "o" {}"#, "P0014"),
        (
            r#"data "isobar_remote_state" "o" { backend = "s3" }"#,
            "P0044",
        ),
        (
            r#"data "isobar_remote_state" "o" {
                 backend = "local"
                 config  = { path = "nowhere.json" }
               }"#,
            "P0044",
        ),
        (
            "output \"x\" { value = data.isobar_remote_state.o.outputs }",
            "P0001",
        ),
    ] {
        let workspace = beside_another().await;
        workspace.write("main.hcl", text);
        let (plan, found) = workspace.propose(Mode::Normal).await;
        assert!(plan.is_none());
        let codes: Vec<&str> = found.iter().map(|d| d.code).collect();
        assert_eq!(codes, [code], "{text}: {found:#?}");
    }
}

#[tokio::test]
async fn what_is_asked_too_late_fails_only_what_rests_on_it() {
    let workspace = beside_another().await;
    workspace.write(
        "main.hcl",
        r#"
        resource "isobar_data" "path" { input = "other.json" }
        data "isobar_remote_state" "o" {
          backend = "local"
          config  = { path = isobar_data.path.output }
          lifecycle {
            postcondition {
              condition     = self.outputs.one == 2
              error_message = "It is ${self.outputs.one}."
            }
          }
        }
        locals { one = data.isobar_remote_state.o.outputs.one }
        resource "isobar_data" "rests" { input = local.one }
        resource "isobar_data" "also" { input = isobar_data.rests.output }
        resource "isobar_data" "apart" { input = isobar_data.path.output }
        output "one" { value = local.one }
        "#,
    );
    let plan = workspace.plan().await;
    let report = workspace.apply_plan(&plan).await;
    let codes: Vec<&str> = report.diagnostics.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["E0016"], "{:#?}", report.diagnostics);
    let done: Vec<String> = report.done.iter().map(|(a, _)| a.to_string()).collect();
    assert_eq!(done, ["isobar_data.path", "isobar_data.apart"]);
    let mut skipped: Vec<String> = report.skipped.iter().map(|(a, _)| a.to_string()).collect();
    skipped.sort();
    assert_eq!(skipped, ["isobar_data.also", "isobar_data.rests"]);
    assert!(workspace.state().unwrap().outputs.is_empty());
}

#[tokio::test]
async fn a_check_asks_for_itself_and_only_warns() {
    let workspace = beside_another().await;
    workspace.write(
        "main.hcl",
        r#"
        resource "isobar_data" "a" { input = "other.json" }
        check "told" {
          data "isobar_remote_state" "o" {
            backend = "local"
            config  = { path = isobar_data.a.output }
          }
          assert {
            condition     = data.isobar_remote_state.o.outputs.one == 2
            error_message = "It is ${data.isobar_remote_state.o.outputs.one}."
          }
        }
        check "silent" {
          data "isobar_remote_state" "s" {
            backend = "local"
            config  = { path = "nowhere.json" }
          }
          assert {
            condition     = data.isobar_remote_state.s.outputs.one == 1
            error_message = "No."
          }
        }
        "#,
    );
    let warnings = |found: &isobar_sdk::Diagnostics| -> Vec<(&str, String)> {
        assert!(!found.has_errors());
        found.iter().map(|d| (d.code, d.detail.clone())).collect()
    };
    let silent = "There is no state at nowhere.json.".to_owned();
    let (plan, found) = workspace.propose(Mode::Normal).await;
    assert_eq!(warnings(&found), [("P0044", silent.clone())]);
    let report = workspace.apply_plan(&plan.unwrap()).await;
    let is_one = "It is 1.".to_owned();
    let at_the_end = [("A0007", silent.clone()), ("E0016", is_one.clone())];
    assert_eq!(warnings(&report.diagnostics), at_the_end);
    let (again, found) = workspace.propose(Mode::Normal).await;
    assert!(!again.unwrap().has_changes());
    assert_eq!(warnings(&found), [("P0044", silent), ("E0016", is_one)]);
}

#[tokio::test]
async fn what_stands_in_a_check_belongs_to_it() {
    let workspace = Workspace::new();
    let text = |more: &str, inside: &str| {
        format!(
            r#"check "c" {{
                 data "isobar_remote_state" "o" {{
                   backend = "local"
                   {inside}
                 }}
                 assert {{
                   condition     = data.isobar_remote_state.o.outputs.one == 1
                   error_message = "No."
                 }}
               }}
               {more}"#
        )
    };
    let output = "output \"o\" { value = data.isobar_remote_state.o.outputs }";
    for (more, inside, code) in [
        (output, "", "P0043"),
        ("", "count = 1", "L0008"),
        ("", "lifecycle {\n}", "L0034"),
    ] {
        workspace.write("main.hcl", &text(more, inside));
        let (plan, found) = workspace.propose(Mode::Normal).await;
        assert!(plan.is_none());
        let codes: Vec<&str> = found.iter().map(|d| d.code).collect();
        assert_eq!(codes, [code], "{found:#?}");
    }
}
