//! Nouns with instances.

use isobar::plan::Mode;

use crate::workspace::Workspace;

const FLEET: &str = r#"
    locals { models = { small = "1", large = "7" } }
    zone "z" {
      for_each = toset(["east", "west"])
      provider = sim
      region   = "sim-us-${each.key}"
    }
    model "m" {
      for_each = local.models
      version  = each.value
      image    = "registry/${each.key}"
      lifecycle {
        postcondition {
          condition     = self.name == "m-${each.key}"
          error_message = "It is ${self.name}."
        }
      }
    }
    capacity "c" {
      count        = 2
      utilization  = 0.5
      min_replicas = count.index + 1
    }
    deployment "small" {
      model    = model.m["small"]
      zones    = values(zone.z)
      replicas = { z-east = 1, z-west = 1 }
    }
    deployment "large" {
      model    = model.m["large"]
      zones    = [zone.z["east"]]
      replicas = { z-east = capacity.c[1].min_replicas }
    }
    output "versions" { value = { for name, model in model.m : name => model.version } }
"#;

#[tokio::test]
async fn models_and_capacities_have_instances() {
    let workspace = Workspace::new();
    workspace.write("main.hcl", FLEET);
    let plan = workspace.converge().await;
    let addresses: Vec<String> = plan.changes.keys().map(ToString::to_string).collect();
    assert_eq!(
        addresses,
        [
            "deployment.large[\"z-east\"].sim_endpoint[\"7\"]",
            "deployment.large[\"z-east\"].sim_router",
            "deployment.small[\"z-east\"].sim_endpoint[\"1\"]",
            "deployment.small[\"z-east\"].sim_router",
            "deployment.small[\"z-west\"].sim_endpoint[\"1\"]",
            "deployment.small[\"z-west\"].sim_router",
        ]
    );
    let large = &plan.deployments["large"].sized.zones;
    assert_eq!(large.iter().map(|zone| zone.after).sum::<u32>(), 2);
}

#[tokio::test]
async fn two_of_one_label_are_refused() {
    let workspace = Workspace::new();
    let model = |name: &str, each: &str| {
        format!("model \"{name}\" {{\n {each}\n version = \"1\"\n image = \"i\"\n}}\n")
    };
    let text = model("m", "for_each = toset([\"x\"])") + &model("m-x", "");
    workspace.write("main.hcl", &text);
    let (_, found) = workspace.propose(Mode::Normal).await;
    assert_eq!(found.iter().map(|d| d.code).collect::<Vec<_>>(), ["P0007"]);
}
