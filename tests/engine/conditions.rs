//! `lifecycle` and conditions: what is protected, ignored and required, in plans and at apply.

use isobar::change::Reason;
use isobar::plan::{CheckStatus, Mode};

use crate::workspace::{Workspace, actions};

async fn applied(text: &str) -> Workspace {
    let workspace = Workspace::new();
    workspace.write("main.hcl", text);
    workspace.converge().await;
    workspace
}

async fn codes(workspace: &Workspace, mode: Mode) -> Vec<&'static str> {
    let (_, found) = workspace.propose(mode).await;
    found.iter().map(|d| d.code).collect()
}

#[tokio::test]
async fn protection_outlives_its_block() {
    let protected = r#"resource "isobar_data" "a" {
             lifecycle { prevent_destroy = true }
           }"#;
    let workspace = applied(protected).await;
    assert_eq!(codes(&workspace, Mode::Destroy).await, ["P0040"]);
    workspace.write("main.hcl", "");
    assert_eq!(codes(&workspace, Mode::Normal).await, ["P0040"]);
    workspace.write(
        "main.hcl",
        r#"removed {
             from = isobar_data.a
             lifecycle { destroy = false }
           }"#,
    );
    assert_eq!(codes(&workspace, Mode::Normal).await, [""; 0]);
    workspace.write(
        "main.hcl",
        r#"variable "keep" { default = false }
           resource "isobar_data" "a" {
             lifecycle { prevent_destroy = var.keep }
           }"#,
    );
    workspace.converge().await;
    workspace.write("main.hcl", "");
    workspace.converge().await;
    assert!(workspace.state().unwrap().instances.is_empty());
}

#[tokio::test]
async fn patterns_are_ignored() {
    let text = |input: &str| {
        format!(
            r#"resource "isobar_data" "a" {{
                 input = {input}
                 lifecycle {{ ignore_changes = ["input.t*s.*", input.list[0]] }}
               }}"#
        )
    };
    let workspace = applied(&text("{ tags = { a = 1 }, list = [1, 2], n = 1 }")).await;
    workspace.write(
        "main.hcl",
        &text("{ tags = { a = 9 }, list = [9, 2], n = 1 }"),
    );
    assert_eq!(actions(&workspace.plan().await), [""; 0]);
    workspace.write(
        "main.hcl",
        &text("{ tags = { a = 9 }, list = [9, 9], n = 1 }"),
    );
    assert_eq!(
        actions(&workspace.converge().await),
        ["update isobar_data.a"]
    );
}

#[tokio::test]
async fn enabled_is_one_or_none() {
    let text = |on: bool| {
        format!(
            r#"resource "isobar_data" "a" {{
                 input = 1
                 lifecycle {{
                   enabled = {on}
                 }}
               }}
               module "m" {{
                 source  = "./m"
                 enabled = "for its own use"
                 lifecycle {{
                   enabled = {on}
                 }}
               }}
               output "a" {{ value = isobar_data.a == null ? "none" : isobar_data.a.output }}"#
        )
    };
    let workspace = Workspace::new();
    workspace.write(
        "m/main.hcl",
        r#"variable "enabled" {}
           resource "isobar_data" "x" { input = var.enabled }"#,
    );
    workspace.write("main.hcl", &text(true));
    workspace.converge().await;
    workspace.write("main.hcl", &text(false));
    let plan = workspace.converge().await;
    assert_eq!(
        actions(&plan),
        ["delete isobar_data.a", "delete module.m.isobar_data.x"]
    );
    let reasons: Vec<_> = plan
        .changes
        .values()
        .map(|planned| planned.reason)
        .collect();
    assert_eq!(reasons, [Some(Reason::NotEnabled), Some(Reason::NoModule)]);
}

#[tokio::test]
async fn what_is_known_late_is_checked_at_apply() {
    let text = r#"
        locals { want = 2 }
        resource "isobar_data" "a" {
          input = 1
          lifecycle {
            postcondition {
              condition     = self.output == local.want
              error_message = "It must be ${local.want}"
            }
          }
        }
        resource "isobar_data" "b" { input = isobar_data.a.output }
        check "late" {
          assert {
            condition     = isobar_data.a.output == local.want
            error_message = "not what was wanted"
          }
        }
        "#;
    let workspace = Workspace::new();
    workspace.write("main.hcl", text);
    let plan = workspace.plan().await;
    let open = plan
        .checks
        .values()
        .flat_map(|instances| instances.values());
    assert!(open.clone().count() == 2 && open.clone().all(|c| c.status == CheckStatus::Unknown));
    let plan = isobar::plan::from_json(&isobar::plan::to_json(&plan)).unwrap();
    let report = workspace.apply_plan(&plan).await;
    let told: Vec<(&str, &str)> = report
        .diagnostics
        .iter()
        .map(|d| (d.code, d.detail.as_str()))
        .collect();
    assert_eq!(told, [("E0016", "It must be 2")]);
    let made: Vec<String> = report.done.iter().map(|(a, _)| a.to_string()).collect();
    assert_eq!(made, ["isobar_data.a"]);

    // The check only warns.
    workspace.write(
        "main.hcl",
        &text.replace("self.output == local.want", "self.output == 1"),
    );
    let plan = workspace.plan().await;
    let report = workspace.apply_plan(&plan).await;
    assert!(
        !report.diagnostics.has_errors(),
        "{:#?}",
        report.diagnostics
    );
    workspace.write("main.hcl", &text.replace("local.want", "1"));
    workspace.converge().await;
}

#[tokio::test]
async fn a_secret_is_not_told_in_a_message() {
    let workspace = Workspace::new();
    workspace.write(
        "main.hcl",
        r#"
        locals { secret = sensitive("s3cret") }
        output "o" {
          value = 1
          precondition {
            condition     = nonsensitive(local.secret) == ""
            error_message = "It is ${local.secret}."
          }
        }
        "#,
    );
    let (_, found) = workspace.propose(Mode::Normal).await;
    assert_eq!(found.iter().next().unwrap().code, "E0015");
    assert!(!format!("{found:?}").contains("s3cret"));
}
