//! Deployments that share zones: instance types, limits, residency, origins; and what a plan says
//! where they cannot be placed.

use isobar::plan::{Mode, Plan, Selection};
use isobar_sim::World;
use jiff::{SignedDuration, Timestamp};

use crate::workspace::Workspace;

/// Three zones, of which two lie in the west, a model, and what is said of them.
fn configuration(zones: [&str; 3], capacity: &str, deployments: &str) -> String {
    let regions = ["sim-us-east", "sim-us-west", "sim-eu-central"];
    let zones: Vec<String> = ["a", "b", "c"]
        .iter()
        .zip(regions)
        .zip(zones)
        .map(|((name, region), more)| {
            format!("zone \"{name}\" {{\n provider = sim\n region = \"{region}\"\n {more}\n}}\n")
        })
        .collect();
    format!(
        r#"
        {}
        model "m" {{
          version = "1"
          image   = "registry.example/m@sha256:00"
          performance {{
            service_time = "100ms"
            concurrency  = 2
            response     = "100KiB"
          }}
        }}
        capacity "p" {{
          utilization  = 0.6
          min_replicas = 0
          {capacity}
        }}
        {deployments}
        "#,
        zones.concat()
    )
}

fn deployment(name: &str, demand: f64, more: &str) -> String {
    format!(
        r#"
        deployment "{name}" {{
          model    = model.m
          zones    = [zone.a, zone.b, zone.c]
          demand   = {demand}
          capacity = capacity.p
          {more}
        }}
        "#
    )
}

/// Replicas and reasons by zone.
fn placed(plan: &Plan, name: &str) -> Vec<(u32, String)> {
    let zones = plan.deployments[name].sized.zones.iter();
    zones.map(|zone| (zone.after, zone.why.clone())).collect()
}

fn counts(plan: &Plan, name: &str) -> Vec<u32> {
    placed(plan, name)
        .into_iter()
        .map(|(count, _)| count)
        .collect()
}

async fn refusal(workspace: &Workspace) -> Vec<String> {
    let (plan, diagnostics) = workspace.propose(Mode::Normal).await;
    assert!(plan.is_none());
    diagnostics
        .iter()
        .map(|diagnostic| {
            let help = diagnostic.help.clone().unwrap_or_default();
            format!("{} {} {help}", diagnostic.code, diagnostic.detail)
        })
        .collect()
}

#[tokio::test]
async fn deployments_share_the_limits_of_a_zone() {
    let workspace = Workspace::new();
    let limits = ["limits = { \"c1.small\" = 5, \"c1.large\" = 0 }", "", ""];
    let both = deployment("d", 60.0, "") + &deployment("e", 60.0, "");
    workspace.write("main.hcl", &configuration(limits, "", &both));
    let plan = workspace.converge().await;
    // Each of them would run 5 in a, the cheapest zone.
    let (d, e) = (counts(&plan, "d"), counts(&plan, "e"));
    assert_eq!(d[0] + e[0], 5);
    assert_eq!(d.iter().sum::<u32>() + e.iter().sum::<u32>(), 10);
    assert!(!workspace.plan().await.has_changes());
    let quality = plan.deployments["d"].sized.quality.as_ref().unwrap();
    assert_eq!(quality.gap.to_string(), "optimal");
    let shadows: Vec<&str> = quality
        .shadows
        .iter()
        .map(|(what, _)| what.as_str())
        .collect();
    assert!(shadows.contains(&"1 more c1.small in a"), "{shadows:?}");
}

#[tokio::test]
async fn a_deployment_that_rests_on_another_takes_what_is_left() {
    let workspace = Workspace::new();
    let limits = ["limits = { \"c1.small\" = 6, \"c1.large\" = 0 }", "", ""];
    let one = deployment("z", 60.0, "");
    let other = deployment("y", 60.0, "depends_on = [deployment.z]");
    workspace.write("main.hcl", &configuration(limits, "", &(one + &other)));
    let plan = workspace.converge().await;
    assert_eq!(counts(&plan, "z"), [5, 0, 0]);
    assert_eq!(counts(&plan, "y"), [1, 4, 0]);
}

#[tokio::test]
async fn what_is_left_out_keeps_its_place() {
    let mut workspace = Workspace::new();
    let limits = ["limits = { \"c1.small\" = 6, \"c1.large\" = 0 }", "", ""];
    let write = |workspace: &Workspace, demand: f64| {
        let both = deployment("d", 60.0, "") + &deployment("e", demand, "");
        workspace.write("main.hcl", &configuration(limits, "", &both));
    };
    write(&workspace, 0.0);
    let plan = workspace.converge().await;
    assert_eq!(counts(&plan, "d"), [5, 0, 0]);
    write(&workspace, 60.0);
    let targeted = |text: &str| vec![text.parse().unwrap()];
    for selection in [
        Selection {
            targets: targeted("deployment.e"),
            ..Selection::default()
        },
        Selection {
            excludes: targeted("deployment.d"),
            ..Selection::default()
        },
    ] {
        workspace.selection = selection;
        let plan = workspace.plan().await;
        assert!(!plan.deployments.contains_key("d"));
        assert_eq!(counts(&plan, "e"), [1, 4, 0], "{:?}", placed(&plan, "e"));
    }
    let plan = workspace.converge().await;
    assert_eq!(counts(&plan, "e"), [1, 4, 0]);
    workspace.selection = Selection::default();
    assert!(!workspace.plan().await.has_changes());
}

#[tokio::test]
async fn a_schedule_does_not_count_on_what_others_run() {
    let workspace = Workspace::new();
    let limits = ["limits = { \"c1.small\" = 9, \"c1.large\" = 0 }", "", ""];
    let value = |hour: i64| 50 + hour * 7919 % 31;
    let start: Timestamp = "2026-10-31T00:00:00Z".parse().unwrap();
    let row = |hour: i64| {
        format!(
            "{},{}\n",
            start + SignedDuration::from_hours(hour),
            value(hour)
        )
    };
    let rows: String = (0..21 * 24).map(row).collect();
    workspace.write("requests.csv", &format!("timestamp,value\n{rows}"));
    let forecast = "forecast \"r\" {\n source \"csv\" {\n path = \"requests.csv\"\n }\n }\n";
    let follows = deployment("d", 0.0, "").replace("= 0\n", "= forecast.r\n");
    let most = |plan: &Plan| {
        let outlines = plan.deployments["d"].outlines.get("a");
        outlines.map(|outline| (outline.envelope.min, outline.envelope.max))
    };
    let write = |others: &str| {
        let capacity = "quantile = 0.5";
        workspace.write(
            "main.hcl",
            &(configuration(limits, capacity, &follows) + forecast + others),
        );
    };
    write("");
    let (min, max) = most(&workspace.plan().await).unwrap();
    assert!(min < max && 6 < max, "{min} {max}");
    let fixed =
        deployment("e", 0.0, "").replace("demand   = 0\n", "replicas = { a = 3, b = 0, c = 0 }\n");
    write(&fixed);
    let with_others = workspace.plan().await;
    assert_eq!(counts(&with_others, "e"), [3, 0, 0]);
    let (min, max) = most(&with_others).unwrap();
    assert!(min <= max && max <= 6, "{min} {max}");
}

#[tokio::test]
async fn another_instance_type_is_taken_where_the_cheapest_has_no_room() {
    let workspace = Workspace::new();
    let small = "limits = { \"c1.small\" = 2 }";
    let text = configuration(
        [small; 3],
        "max_zone_share = 0.5",
        &deployment("d", 90.0, ""),
    );
    workspace.write("main.hcl", &text);
    let plan = workspace.converge().await;
    let zones = &plan.deployments["d"].sized.zones;
    assert!(zones.iter().map(|zone| zone.after).sum::<u32>() >= 8);
    assert!(
        zones
            .iter()
            .any(|zone| zone.instance.as_deref() == Some("c1.large") && zone.after > 0),
        "{zones:?}"
    );
    assert!(!workspace.plan().await.has_changes());
}

#[tokio::test]
async fn residency_keeps_replicas_where_they_may_be() {
    let workspace = Workspace::new();
    let places = ["jurisdiction = \"US\"", "", "jurisdiction = \"EU\""];
    let capacity = "residency = [\"EU\"]";
    let text = configuration(places, capacity, &deployment("d", 60.0, ""));
    workspace.write("main.hcl", &text);
    let plan = workspace.converge().await;
    let zones = placed(&plan, "d");
    assert_eq!((zones[0].0, zones[1].0, zones[2].0), (0, 0, 5));
    assert_eq!(zones[0].1, "not permitted: US is not in the residency");
    assert!(zones[1].1.contains("its jurisdiction is not known"));
    let nowhere = text.replace("[\"EU\"]", "[\"MARS\"]");
    workspace.write("main.hcl", &nowhere);
    let told = refusal(&workspace).await;
    assert!(
        told[0].contains("No zone can run it: a: not permitted: US"),
        "{told:?}"
    );
}

#[tokio::test]
async fn requests_go_where_they_cost_least() {
    let workspace = Workspace::new();
    let zones = [
        "egress_price = 0.9\n latency = { europe = \"120ms\" }",
        "egress_price = 0.9\n latency = { europe = \"140ms\" }",
        "latency = { europe = \"10ms\" }",
    ];
    let capacity = "objective {\n latency_price = 1\n carbon_price = 50\n }";
    let more = "origins = { europe = 1 }";
    let text = configuration(zones, capacity, &deployment("d", 60.0, more));
    workspace.write("main.hcl", &text);
    let plan = workspace.converge().await;
    assert_eq!(counts(&plan, "d"), [0, 0, 5]);
    assert!(
        placed(&plan, "d")[0]
            .1
            .starts_with("not needed: a replica here costs")
    );
    let text = text.replace("{ europe = 1 }", "{ europe = -1 }");
    workspace.write("main.hcl", &text);
    let told = refusal(&workspace).await;
    assert!(
        told[0].contains("The share of europe must be a number from 0 on"),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_zone_too_far_for_the_latency_is_left_out() {
    let workspace = Workspace::new();
    let zones = ["latency = { us = \"190ms\" }", "", ""];
    let capacity = "slo {\n latency = \"250ms\"\n }";
    let text = configuration(
        zones,
        capacity,
        &deployment("d", 20.0, "origins = { us = 1 }"),
    );
    let text = text.replace("utilization  = 0.6", "");
    workspace.write("main.hcl", &text);
    let plan = workspace.converge().await;
    assert_eq!(
        placed(&plan, "d")[0],
        (
            0,
            "too far: 190 ms from us and 100 ms of service are not below 250 ms".to_owned()
        )
    );
}

#[tokio::test]
async fn the_loss_of_a_region_or_provider_is_survived() {
    let workspace = Workspace::new();
    let survive = |what: &str| {
        let capacity = format!("survive = \"{what}\"");
        configuration([""; 3], &capacity, &deployment("d", 60.0, ""))
    };
    workspace.write("main.hcl", &survive("region"));
    let plan = workspace.converge().await;
    // Every zone is a region of its own: any two of them carry 60 req/s.
    let counts = counts(&plan, "d");
    let total: u32 = counts.iter().sum();
    assert!(counts.iter().all(|count| total - count >= 5), "{counts:?}");
    assert!(
        plan.deployments["d"]
            .sized
            .losses
            .iter()
            .all(|loss| loss.shed == 0.0)
    );
    workspace.write("main.hcl", &survive("provider"));
    let told = refusal(&workspace).await;
    assert!(
        told[0]
            .contains("needs zones of at least two providers, and all available ones are of sim"),
        "{told:?}"
    );
    workspace.write("main.hcl", &survive("planet"));
    let told = refusal(&workspace).await;
    assert!(
        told[0].contains("\"zone\", \"region\" or \"provider\", or of \"nothing\", not \"planet\""),
        "{told:?}"
    );
}

#[tokio::test]
async fn what_a_zone_sells_must_be_known() {
    let workspace = Workspace::new();
    let mut world = World::default();
    for zone in world.zones.values_mut() {
        zone.offers.clear();
    }
    workspace.write("cloud.json", &serde_json::to_string(&world).unwrap());
    let text = configuration([""; 3], "", &deployment("d", 60.0, ""));
    workspace.write("main.hcl", &text);
    let told = refusal(&workspace).await;
    assert!(
        told[0]
            .contains("a: nothing is known to be sold there: set a price in the zone, or an offer"),
        "{told:?}"
    );
}

#[tokio::test]
async fn no_demand_needs_no_replicas() {
    let workspace = Workspace::new();
    let text = configuration([""; 3], "survive = \"zone\"", &deployment("d", 0.0, ""));
    workspace.write("main.hcl", &text);
    let plan = workspace.converge().await;
    assert_eq!(counts(&plan, "d"), [0, 0, 0]);
}

#[tokio::test]
async fn a_demand_that_goes_up_and_down_a_little_moves_nothing() {
    let workspace = Workspace::new();
    let write = |demand: f64| {
        let deployment = deployment("d", demand, "");
        workspace.write(
            "main.hcl",
            &configuration([""; 3], "survive = \"zone\"", &deployment),
        );
    };
    write(92.0);
    let before = counts(&workspace.converge().await, "d");
    for demand in [90.2, 93.8, 91.0, 92.0] {
        write(demand);
        let plan = workspace.converge().await;
        assert_eq!(counts(&plan, "d"), before, "{demand}");
    }
    // A real drop is followed.
    write(40.0);
    let after = counts(&workspace.converge().await, "d");
    assert!(after.iter().sum::<u32>() < before.iter().sum::<u32>());
}

#[tokio::test]
async fn what_need_not_survive_may_run_on_spot_instances() {
    let workspace = Workspace::new();
    let mut world = World::default();
    for zone in world.zones.values_mut() {
        for offer in zone.offers.values_mut() {
            offer.spot_per_hour = Some(offer.price_per_hour / 4.0);
        }
    }
    workspace.write("cloud.json", &serde_json::to_string(&world).unwrap());
    let capacity = "spot {\n max_share = 0.5\n }";
    let text = configuration([""; 3], capacity, &deployment("d", 60.0, ""));
    workspace.write("main.hcl", &text);
    let plan = workspace.converge().await;
    let zone = &plan.deployments["d"].sized.zones[0];
    // Of the 5 replicas in the cheapest zone at most 2.5 may be on spot instances.
    assert_eq!((zone.after, zone.spot), (5, 2), "{zone:?}");
    assert_eq!(
        zone.why,
        "5 for 60.0 req/s at 12.0 each, 2 on spot instances"
    );
    assert_eq!(zone.cost_after().0, 3 * 80_000 + 2 * 20_000);
    let again = workspace.plan().await;
    assert!(!again.has_changes());
    let zone = &again.deployments["d"].sized.zones[0];
    assert_eq!(
        (zone.spot_before, zone.cost_before()),
        (2, zone.cost_after())
    );
}
