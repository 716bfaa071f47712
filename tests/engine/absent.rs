//! Blocks that are written for imports without one, and what is imported by a command.

use std::process::Command;
use std::sync::Arc;

use isobar::plan::{self, Mode};
use isobar::registry::Registry;
use isobar::render;
use isobar_sdk::fake::Fake;
use isobar_sdk::provider::BoxFuture;
use isobar_sdk::schema::{Attribute, Body, Nesting, ProviderSchema, Schema};
use isobar_sdk::{Error, Factory, Known, Provider, Type, Value};

use crate::workspace::{Workspace, actions};

/// A provider with a resource that has one of everything.
struct Rich {
    schema: ProviderSchema,
}

impl Rich {
    fn registry() -> Registry {
        let text = |doc| Attribute::optional(Type::String, doc);
        let rule = Body::new()
            .attribute("port", Attribute::required(Type::Number, ""))
            .attribute("key", text("").sensitive());
        let disk = Body::new().attribute("size", Attribute::optional(Type::Number, ""));
        let body = Body::new()
            .attribute("name", Attribute::required(Type::String, ""))
            .attribute("note", text(""))
            .attribute("unset", text(""))
            .attribute(
                "password",
                Attribute::required(Type::String, "").sensitive(),
            )
            .attribute("token", text("").sensitive())
            .attribute("size", Attribute::with_default(Type::Number, 1_i64, ""))
            .attribute("on", Attribute::optional(Type::Bool, ""))
            .attribute("zones", Attribute::optional(Type::set(Type::String), ""))
            .attribute("steps", Attribute::optional(Type::list(Type::String), ""))
            .attribute("tags", Attribute::optional(Type::map(Type::String), ""))
            .attribute("spec", Attribute::optional(Type::Any, ""))
            .attribute("region", Attribute::optional_computed(Type::String, ""))
            .attribute("arn", Attribute::computed(Type::String, ""))
            .block("rule", Nesting::List, rule, "")
            .labelled("disk", (Nesting::Optional, "kind"), disk, "");
        let schema = Schema {
            body,
            ..Schema::default()
        };
        let rich = Self {
            schema: ProviderSchema {
                resources: [("rich_thing".to_owned(), schema)].into(),
                ..ProviderSchema::default()
            },
        };
        Registry::new([Arc::new(rich) as Arc<dyn Factory>])
    }
}

impl Factory for Rich {
    fn name(&self) -> &'static str {
        "rich"
    }

    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    fn configure<'a>(
        &'a self,
        _configuration: &'a Known,
    ) -> BoxFuture<'a, Result<Arc<dyn Provider>, Error>> {
        Box::pin(async {
            let provider = Fake::new().on_import(|id| Ok((id == "one").then(one)));
            Ok(Arc::new(provider) as Arc<dyn Provider>)
        })
    }
}

/// What is there under the id `one`.
fn one() -> Known {
    let text = |text: &str| Value::from(text);
    let rule =
        |port: i64, key: &str| Value::object([("port", Value::from(port)), ("key", text(key))]);
    let long = "a long step that does not stand beside others";
    Known::new(Value::object([
        ("name", text("say \"${hi}\" %{if}\\n")),
        ("note", text("two\nlines\n")),
        ("unset", Value::NULL),
        ("password", text("hunter2")),
        ("token", text("hunter3")),
        ("size", Value::from(4_i64)),
        ("on", Value::from(true)),
        ("zones", Value::set(vec![text("a"), text("b")])),
        ("steps", Value::list(vec![text(long), text(long)])),
        (
            "tags",
            Value::map([
                ("owner", text("me")),
                ("a b", text("c")),
                ("null", text("n")),
            ]),
        ),
        (
            "spec",
            Value::object([
                ("deep", Value::object([("x", Value::from(1_i64))])),
                (
                    "list",
                    Value::tuple(vec![Value::object([("y", Value::NULL)])]),
                ),
                ("z", Value::tuple(Vec::new())),
            ]),
        ),
        ("region", text("eu")),
        ("arn", text("arn:one")),
        (
            "rule",
            Value::list(vec![rule(80, "hunter4"), rule(443, "hunter5")]),
        ),
        (
            "disk",
            Value::object([("kind", text("ssd")), ("size", Value::from(10_i64))]),
        ),
    ]))
    .unwrap()
}

fn workspace(configuration: &str) -> Workspace {
    let mut workspace = Workspace::new();
    workspace.registry = Rich::registry();
    workspace.write("main.hcl", configuration);
    workspace
}

async fn generated(workspace: &Workspace) -> String {
    workspace
        .asked(async |request| render::configuration(&plan::absent(&request).await.unwrap()))
        .await
}

const IMPORT: &str = "import {\n  to = rich_thing.a\n  id = \"one\"\n}\n";

#[tokio::test]
async fn what_is_generated_is_what_is_there() {
    let workspace = workspace(&format!(
        "{IMPORT}output \"o\" {{\n  value = rich_thing.a.arn\n}}\n"
    ));
    let text = generated(&workspace).await;
    insta::assert_snapshot!(text);
    assert!(!text.contains("hunter"), "{text}");
    workspace.write("generated.hcl", &text);
    let (planned, found) = workspace.propose(Mode::Normal).await;
    let planned = planned.unwrap_or_else(|| panic!("{found:#?}"));
    assert_eq!(actions(&planned), Vec::<String>::new());
    let shown = render::plan::human(&planned, &render::Style::plain(80));
    assert!(
        shown.contains("Plan: 1 to import") && !shown.contains("hunter"),
        "{shown}"
    );
    workspace.converge().await;
    assert!(generated(&workspace).await.lines().count() < 4);
}

#[tokio::test]
async fn what_is_generated_is_formatted() {
    let workspace = workspace(IMPORT);
    let text = generated(&workspace).await;
    workspace.write("generated.tf", &text);
    let mut terraform = Command::new("terraform");
    terraform.args(["fmt", "-diff", "-check", "generated.tf"]);
    terraform
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .env("CHECKPOINT_DISABLE", "1");
    // Where there is no Terraform, there is nothing to hold the layout against.
    if let Ok(output) = terraform.current_dir(workspace.path()).output() {
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
}

#[tokio::test]
async fn what_cannot_be_generated_is_told() {
    for (import, code, word) in [
        (
            "to = rich_thing.a[0]\nid = \"one\"",
            "P0037",
            "several instances",
        ),
        (
            "to = module.m.rich_thing.a\nid = \"one\"",
            "P0037",
            "in a module",
        ),
        ("to = poor_thing.a\nid = \"one\"", "P0037", "no provider"),
        ("to = rich_thing.a\nid = \"two\"", "P0038", "\"two\""),
        (
            "to = rich_thing.a\nid = rich_thing.b.arn",
            "P0036",
            "known at plan time",
        ),
    ] {
        let block = "resource \"rich_thing\" \"b\" {\n  name = \"n\"\n  password = \"p\"\n}\n";
        let workspace = workspace(&format!("{block}import {{\n{import}\n}}\n"));
        let found = workspace
            .asked(async |request| plan::absent(&request).await.unwrap_err())
            .await;
        let told = found
            .iter()
            .any(|d| d.code == code && d.detail.contains(word));
        assert!(told, "{import}: {found:#?}");
    }
}

#[tokio::test]
async fn an_import_needs_a_block_but_nothing_in_it() {
    let workspace = workspace(
        r#"
        resource "rich_thing" "a" {
          lifecycle {
            prevent_destroy = true
          }
        }
        resource "rich_thing" "each" {
          for_each = toset(["x"])
        }
        "#,
    );
    let intake = async |address: &str, id: &str| {
        let address = address.parse().unwrap();
        workspace
            .asked(async |request| plan::intake(&request, &address, id).await)
            .await
    };
    let instance = intake("rich_thing.a", "one").await.unwrap();
    assert!(instance.life.protected);
    assert_eq!(instance.provider, "rich");
    assert!(!format!("{:?}", instance.attributes.value()).contains("hunter2"));
    assert_eq!(instance.attributes.value().reveal_all(), *one().value());
    intake("rich_thing.each[\"x\"]", "one").await.unwrap();
    for (address, id, word) in [
        ("rich_thing.a", "two", "\"two\""),
        ("rich_thing.a[0]", "one", "rich_thing.a[0] is not"),
        ("rich_thing.each", "one", "rich_thing.each is not"),
        ("rich_thing.c", "one", "no block for rich_thing.c"),
        ("module.m.rich_thing.a", "one", "stands in a module"),
    ] {
        let found = intake(address, id).await.unwrap_err();
        assert!(found.iter().any(|d| d.detail.contains(word)), "{found:#?}");
    }
    let found = intake("rich_thing.c[\"k\"]", "one").await.unwrap_err();
    let help = found.iter().find_map(|d| d.help.clone()).unwrap();
    insta::assert_snapshot!(help);
}
