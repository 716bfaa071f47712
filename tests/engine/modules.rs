//! Modules: their instances, what passes between them, and what becomes of them.

use isobar::change::Reason;
use isobar::plan::Mode;
use isobar_sdk::Value;

use crate::workspace::Workspace;

/// Two levels; a value that is known after apply passes down, up and sideways.
fn nested() -> Workspace {
    let workspace = Workspace::new();
    workspace.write(
        "main.hcl",
        r#"
        resource "isobar_data" "base" { input = "b" }
        module "a" {
          source   = "./mod"
          for_each = { x = 1, y = 2 }
          size     = each.value
          from     = isobar_data.base.output
        }
        module "b" {
          source = "./mod"
          count  = 2
          from   = values(module.a)[*].out
        }
        output "folder" { value = module.b[1].folder }
        output "all" { value = [module.a["x"].out, module.b[*].out] }
        "#,
    );
    workspace.write(
        "mod/main.hcl",
        r#"
        variable "size" {
          type    = string
          default = 7
        }
        variable "from" {}
        locals { label = "size ${var.size}" }
        resource "isobar_data" "r" { input = [local.label, var.from] }
        module "inner" {
          source = "./inner"
          v      = isobar_data.r.output
        }
        output "out" { value = module.inner.id }
        output "folder" { value = path.module }
        "#,
    );
    workspace.write(
        "mod/inner/main.hcl",
        r#"
        variable "v" {}
        resource "isobar_data" "i" { input = var.v }
        output "id" { value = isobar_data.i.id }
        "#,
    );
    workspace
}

#[tokio::test]
async fn values_pass_through_modules() {
    let workspace = nested();
    let plan = workspace.converge().await;
    assert_eq!(plan.changes.len(), 9);
    let state = workspace.state().unwrap();
    assert_eq!(state.outputs["folder"].value.value(), &Value::from("mod"));
    let inner = &state.instances[&r#"module.a["y"].module.inner.isobar_data.i"#.parse().unwrap()];
    let label = inner.attributes.field("input").unwrap().items().unwrap()[0].clone();
    assert_eq!(label, Value::from("size 2"));
    let behind: Vec<String> = inner.dependencies.iter().map(ToString::to_string).collect();
    assert_eq!(behind, ["module.a.isobar_data.r"]);

    let (plan, _) = workspace.propose(Mode::Destroy).await;
    let report = workspace.apply_plan(&plan.unwrap()).await;
    assert!(
        !report.diagnostics.has_errors(),
        "{:#?}",
        report.diagnostics
    );
    assert!(workspace.state().unwrap().instances.is_empty());
}

#[tokio::test]
async fn an_instance_of_a_module_that_is_gone_is_deleted() {
    let workspace = nested();
    workspace.converge().await;
    let text = std::fs::read_to_string(workspace.path().join("main.hcl")).unwrap();
    workspace.write("main.hcl", &text.replace(", y = 2", ""));
    let plan = workspace.plan().await;
    let gone = &plan.changes[&r#"module.a["y"].isobar_data.r"#.parse().unwrap()];
    assert_eq!(gone.reason, Some(Reason::NoModule));
    workspace.converge().await;
}

#[tokio::test]
async fn nouns_live_in_modules() {
    let workspace = Workspace::new();
    workspace.write(
        "main.hcl",
        r#"
        module "eu" {
          source = "./region"
          for_each = toset(["a", "b"])
        }
        output "replicas" { value = { for k, m in module.eu : k => m.replicas } }
        "#,
    );
    workspace.write(
        "region/main.hcl",
        r#"
        zone "east" {
          provider = sim
          region   = "sim-us-east"
        }
        model "m" { version = "1" }
        deployment "d" {
          model    = model.m
          zones    = [zone.east]
          replicas = { (zone.east.name) = 2 }
        }
        output "replicas" { value = deployment.d.replicas }
        "#,
    );
    let plan = workspace.converge().await;
    let names: Vec<&String> = plan.deployments.keys().collect();
    assert_eq!(names, ["eu-a-d", "eu-b-d"]);
    let state = workspace.state().unwrap();
    let replicas = state.outputs["replicas"].value.value().clone();
    assert_eq!(
        replicas.field("a").unwrap().field("eu-a-east"),
        Some(&Value::from(2_i64))
    );
}

#[tokio::test]
async fn aliased_providers_are_handed_down() {
    let workspace = Workspace::new();
    workspace.write(
        "main.hcl",
        r#"
        provider "sim" {
          alias    = "by"
          for_each = toset(["one", "two"])
        }
        module "m" {
          source    = "./m"
          for_each  = toset(["one", "two"])
          providers = { sim.here = sim.by[each.key] }
        }
        "#,
    );
    workspace.write(
        "m/main.hcl",
        r#"
        zone "east" {
          provider = sim.here
          region   = "sim-us-east"
        }
        model "m" { version = "1" }
        deployment "d" {
          model    = model.m
          zones    = [zone.east]
          replicas = { (zone.east.name) = 1 }
        }
        "#,
    );
    let plan = workspace.converge().await;
    let providers: std::collections::BTreeSet<&str> =
        plan.changes.values().map(|p| p.provider.as_str()).collect();
    let providers: Vec<&str> = providers.into_iter().collect();
    assert_eq!(providers, [r#"sim.by["one"]"#, r#"sim.by["two"]"#]);

    // Without its provider, what is recorded can neither be read nor destroyed.
    workspace.write("main.hcl", "");
    let (plan, found) = workspace.propose(Mode::Normal).await;
    assert!(plan.is_none());
    assert!(found.iter().all(|d| d.code == "P0021"), "{found:#?}");
}

#[tokio::test]
async fn mistakes_in_modules_are_told_where_they_are() {
    for (call, code, file) in [
        ("source = \"./m\"\nsiez = 1\nsize = 1", "L0005", "main.hcl"),
        ("source = \"./m\"", "L0005", "main.hcl"),
        ("source = \"./m\"\nsize = [1]", "C0013", "main.hcl"),
        ("source = \"./n\"", "L0022", "main.hcl"),
        ("source = \"org/m/aws\"", "L0024", "main.hcl"),
        (
            "source = \"git::https://example.org/m\"",
            "L0020",
            "main.hcl",
        ),
        (
            "source = \"./m\"\nsize = module.x.sise",
            "P0001",
            "main.hcl",
        ),
        ("source = \"./broken\"", "P0001", "broken/main.hcl"),
        (
            "source = \"./m\"\nsize = 1\nproviders = { sim.a = sim.nowhere }",
            "P0021",
            "main.hcl",
        ),
    ] {
        let workspace = Workspace::new();
        workspace.write("main.hcl", &format!("module \"x\" {{\n{call}\n}}\n"));
        workspace.write(
            "m/main.hcl",
            "variable \"size\" {\n type = number\n}\nzone \"z\" {\n provider = sim.a\n region = \"sim-us-east\"\n}\n",
        );
        workspace.write("broken/main.hcl", "locals {\n a = local.b\n}\n");
        let (_, found) = workspace.propose(Mode::Normal).await;
        let first = found.iter().next().unwrap_or_else(|| panic!("{call}"));
        assert_eq!(first.code, code, "{call}: {found:#?}");
        assert_eq!(&*first.subject.as_ref().unwrap().file, file, "{call}");
    }
}
