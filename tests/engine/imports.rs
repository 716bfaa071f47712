//! `import`: what is there becomes part of the state.

use isobar::plan::Mode;
use isobar_sdk::Value;

use crate::workspace::{Workspace, actions};

#[tokio::test]
async fn what_is_imported_is_planned_from_what_it_is() {
    let workspace = Workspace::new();
    workspace.write("m/main.hcl", "resource \"isobar_data\" \"x\" {}");
    workspace.write(
        "main.hcl",
        r#"
        locals { ids = { p = "id-p", q = "id-q" } }
        resource "isobar_data" "a" { input = "v" }
        resource "isobar_data" "plain" {}
        resource "isobar_data" "each" { for_each = local.ids }
        module "m" { source = "./m" }
        import {
          to = isobar_data.a
          id = "id-a"
        }
        import {
          to = isobar_data.plain
          id = "id-plain"
        }
        import {
          for_each = local.ids
          to       = isobar_data.each[each.key]
          id       = each.value
        }
        import {
          to = module.m.isobar_data.x
          id = "id-x"
        }
        "#,
    );
    let plan = workspace.converge().await;
    assert_eq!(actions(&plan), ["update isobar_data.a"]);
    let importing: Vec<String> = plan
        .changes
        .iter()
        .filter_map(|(address, p)| Some(format!("{address} {}", p.importing.as_ref()?)))
        .collect();
    assert_eq!(
        importing,
        [
            "isobar_data.a id-a",
            "isobar_data.each[\"p\"] id-p",
            "isobar_data.each[\"q\"] id-q",
            "isobar_data.plain id-plain",
            "module.m.isobar_data.x id-x",
        ]
    );
    let state = workspace.state().unwrap();
    let a = &state.instances[&"isobar_data.a".parse().unwrap()].attributes;
    assert_eq!(a.field("id"), Some(&Value::from("id-a")));
    assert_eq!(a.field("output"), Some(&Value::from("v")));
}

#[tokio::test]
async fn wrong_imports_are_told() {
    for (block, code) in [
        ("to = isobar_data.b\nid = \"x\"", "P0035"),
        ("to = isobar_data.a[0]\nid = \"x\"", "P0035"),
        ("to = isobar_data.a\nid = \"\"", "P0036"),
        ("to = isobar_data.a\nid = isobar_data.c.id", "P0036"),
        ("to = isobar_data.a", "L0005"),
        ("to = zone.z\nid = \"x\"", "P0045"),
    ] {
        let workspace = Workspace::new();
        workspace.write(
            "main.hcl",
            &format!("resource \"isobar_data\" \"a\" {{}}\nresource \"isobar_data\" \"c\" {{}}\nimport {{\n{block}\n}}"),
        );
        let (_, found) = workspace.propose(Mode::Normal).await;
        assert!(found.iter().any(|d| d.code == code), "{block}: {found:#?}");
    }
}
