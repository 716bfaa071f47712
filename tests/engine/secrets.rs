//! Secrets and promises between plan and apply.

use isobar::plan::Mode;

use crate::workspace::{Workspace, actions};

const VARIABLE: &str = r#"
variable "secret" {
  default   = "hunter2"
  sensitive = true
}
"#;

async fn codes(workspace: &Workspace) -> Vec<&'static str> {
    let (_, diagnostics) = workspace.propose(Mode::Normal).await;
    diagnostics
        .iter()
        .map(|diagnostic| diagnostic.code)
        .collect()
}

#[tokio::test]
async fn a_secret_that_comes_in_at_apply_is_not_printed() {
    let workspace = Workspace::new();
    workspace.write(
        "main.hcl",
        &format!(
            r#"{VARIABLE}
            resource "isobar_data" "a" {{}}
            resource "isobar_data" "b" {{
              input = isobar_data.a.id != "" ? var.secret : "n"
            }}
            output "o" {{
              value     = isobar_data.b.output
              sensitive = true
            }}
            "#
        ),
    );
    workspace.converge().await;
    assert!(!format!("{:?}", workspace.state()).contains("hunter2"));
}

#[tokio::test]
async fn a_secret_inside_an_attribute_stays_one_in_its_copy() {
    let workspace = Workspace::new();
    let nested = format!(
        r#"{VARIABLE}
        resource "isobar_data" "a" {{ input = {{ p = var.secret, q = 1 }} }}
        "#
    );
    workspace.write("main.hcl", &nested);
    workspace.converge().await;
    assert!(!format!("{:?}", workspace.state()).contains("hunter2"));
    workspace.write(
        "main.hcl",
        &format!("{nested} output \"o\" {{ value = isobar_data.a.output }}"),
    );
    assert_eq!(codes(&workspace).await, ["P0008"]);
}

#[tokio::test]
async fn a_value_that_becomes_secret_later_is_recorded_so() {
    let workspace = Workspace::new();
    let open = VARIABLE.replace("sensitive = true", "");
    let rest = r#"resource "isobar_data" "a" { input = var.secret }"#;
    workspace.write("main.hcl", &format!("{open}{rest}"));
    workspace.converge().await;
    assert!(format!("{:?}", workspace.state()).contains("hunter2"));
    workspace.write("main.hcl", &format!("{VARIABLE}{rest}"));
    assert!(actions(&workspace.converge().await).is_empty());
    assert!(!format!("{:?}", workspace.state()).contains("hunter2"));
}

#[tokio::test]
async fn an_equal_value_elsewhere_is_not_taken_for_a_secret() {
    let workspace = Workspace::new();
    workspace.write(
        "main.hcl",
        &format!(
            r#"{VARIABLE}
            resource "isobar_data" "z" {{}}
            resource "isobar_data" "a" {{ input = "${{var.secret}}${{isobar_data.z.id}}" }}
            output "id" {{ value = isobar_data.a.id }}
            "#
        ),
    );
    workspace.converge().await;
}

#[tokio::test]
async fn settings_of_nouns_hold_no_secrets_but_the_environment() {
    let workspace = Workspace::new();
    workspace.write(
        "main.hcl",
        &format!(
            r#"{VARIABLE}
            model "m" {{
              version     = "1"
              command     = ["serve", var.secret]
              environment = {{ TOKEN = var.secret }}
            }}
            "#
        ),
    );
    assert_eq!(codes(&workspace).await, ["P0017"]);
}

#[tokio::test]
async fn empty_and_mixed_collections_survive_the_state() {
    let workspace = Workspace::new();
    workspace.write(
        "main.hcl",
        r#"
        resource "isobar_data" "a" { input = keys({}) }
        resource "isobar_data" "b" { input = concat([1], ["a", [1]]) }
        resource "isobar_data" "c" { input = concat(tolist([1]), tolist(["a"])) }
        resource "isobar_data" "d" { input = "${path.module} ${isobar.workspace}" }
        "#,
    );
    workspace.converge().await;
}

#[tokio::test]
async fn instances_that_rest_on_what_is_unknown_are_not_guessed() {
    for count in [
        "can(isobar_data.a.output.nope) ? 1 : 0",
        "length(flatten([isobar_data.a.output, [\"z\"]]))",
        "try(isobar_data.a.output.nope, 1)",
    ] {
        let workspace = Workspace::new();
        workspace.write(
            "main.hcl",
            &format!(
                r#"
                resource "isobar_data" "a" {{ input = {{ x = 1 }} }}
                resource "isobar_data" "b" {{ count = {count} }}
                "#
            ),
        );
        assert_eq!(codes(&workspace).await, ["P0005"], "{count}");
    }
}

#[tokio::test]
async fn a_chain_of_doubling_locals_is_evaluated_once_a_link() {
    let workspace = Workspace::new();
    let mut text = String::from(
        "resource \"isobar_data\" \"a\" {}\nlocals {\n  l0 = isobar_data.a.id == \"\" ? 0 : 1\n",
    );
    for link in 1..60 {
        let before = link - 1;
        text.push_str(&format!(
            "  l{link} = (local.l{before} + local.l{before}) % 7\n"
        ));
    }
    text.push_str("}\nresource \"isobar_data\" \"b\" { input = local.l59 }\n");
    workspace.write("main.hcl", &text);
    workspace.converge().await;
}
