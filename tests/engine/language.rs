//! What is wrong with a configuration, told all at once.

use isobar::plan::Mode;

use crate::workspace::Workspace;

async fn codes(text: &str) -> Vec<(String, String)> {
    let workspace = Workspace::new();
    workspace.write("main.hcl", text);
    let (plan, diagnostics) = workspace.propose(Mode::Normal).await;
    assert!(plan.is_none());
    assert!(workspace.state().is_none());
    diagnostics
        .iter()
        .map(|d| {
            let place = d
                .subject
                .as_ref()
                .map(|s| text[s.start..s.end.min(text.len())].to_owned());
            (d.code.to_owned(), place.unwrap_or_default())
        })
        .collect()
}

#[tokio::test]
async fn references_to_nothing_and_cycles() {
    let found = codes(
        r#"
        locals {
          a = local.b
          b = local.a
          c = var.nope
        }
        resource "isobar_data" "x" { input = isobar_data.y.id }
        "#,
    )
    .await;
    let found: Vec<(&str, &str)> = found
        .iter()
        .map(|(c, p)| (c.as_str(), p.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("P0001", "var.nope"),
            ("P0001", "isobar_data.y"),
            ("P0002", "a")
        ]
    );
}

#[tokio::test]
async fn unknown_attributes_types_and_missing_settings() {
    let found = codes(
        r#"
        resource "isobar_data" "x" { imput = 1 }
        resource "isobar_date" "y" {}
        zone "z" {
          provider = sim
          limits   = "many"
        }
        model "m" {}
        "#,
    )
    .await;
    let codes: Vec<&str> = found.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, ["L0005", "P0014", "E0010", "E0012"]);
}
