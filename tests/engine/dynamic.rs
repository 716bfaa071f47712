//! Blocks that are made of collections.

use isobar_sdk::Value;

use crate::workspace::Workspace;

async fn output(text: &str) -> Value {
    let workspace = Workspace::new();
    workspace.write("main.hcl", text);
    let plan = workspace.plan().await;
    plan.outputs["o"].after.clone().unwrap()
}

#[tokio::test]
async fn a_block_is_there_for_every_element() {
    let text = |sizes: &str| {
        format!(
            r#"
            locals {{ sizes = {sizes} }}
            variable "unit" {{ default = "GiB" }}
            model "m" {{
              version = "1"
              image   = "i"
              dynamic "resources" {{
                for_each = local.sizes
                iterator = size
                content {{
                  cpu    = size.value.cpu
                  memory = "${{size.value.memory}}${{var.unit}}"
                }}
              }}
            }}
            output "o" {{ value = try(model.m.resources.memory, "none") }}
            "#
        )
    };
    assert_eq!(
        output(&text(r#"{ one = { cpu = 2, memory = 16 } }"#)).await,
        Value::from("16GiB")
    );
    assert_eq!(output(&text("[]")).await, Value::from("none"));
}

#[tokio::test]
async fn labels_and_sources_come_from_elements_too() {
    let rows: String = (0..48)
        .map(|hour| {
            format!(
                "2026-11-{:02}T{:02}:00:00Z,{}\n",
                19 + hour / 24,
                hour % 24,
                100
            )
        })
        .collect();
    let text = r#"
        forecast "f" {
          dynamic "source" {
            for_each = { csv = "t.csv" }
            labels   = [source.key]
            content { path = source.value }
          }
          step    = "1h"
          history = "2d"
        }
        output "o" { value = forecast.f.name }
    "#;
    let workspace = Workspace::new();
    workspace.write("t.csv", &format!("timestamp,value\n{rows}"));
    workspace.write("main.hcl", text);
    let plan = workspace.plan().await;
    assert_eq!(plan.outputs["o"].after, Some(Value::from("f")));
}
