//! Needs of memory, processors and accelerators by forecasts of their own.

use isobar::capacity::Resource;
use isobar::plan::{Mode, Plan};
use jiff::{SignedDuration, Timestamp};

use crate::workspace::Workspace;

/// Three weeks of hours: one value by day, another one by night.
fn series(day: f64, night: f64) -> String {
    let start: Timestamp = "2026-10-31T00:00:00Z".parse().unwrap();
    let row = |hour: i64| {
        let value = if (8..20).contains(&(hour % 24)) {
            day
        } else {
            night
        };
        format!("{},{value}\n", start + SignedDuration::from_hours(hour))
    };
    let rows: String = (0..21 * 24).map(row).collect();
    format!("timestamp,value\n{rows}")
}

/// A model on two zones, for 60 requests/s by day, whose memory is forecast in GiB.
fn workspace(model: &str, resource: &str, capacity: &str) -> Workspace {
    let workspace = Workspace::new();
    workspace.write("requests.csv", &series(60.0, 12.0));
    workspace.write("memory.csv", &series(48.0, 3.0));
    workspace.write("main.hcl", &configuration(model, resource, capacity));
    workspace
}

fn configuration(model: &str, resource: &str, capacity: &str) -> String {
    format!(
        r#"
        zone "a" {{
          provider = sim
          region   = "sim-us-east"
        }}
        zone "b" {{
          provider = sim
          region   = "sim-us-west"
        }}
        model "m" {{
          version = "1"
          image   = "registry.example/m@sha256:00"
          {model}
          performance {{
            service_time = "100ms"
            concurrency  = 2
          }}
        }}
        forecast "requests" {{
          source "csv" {{
            path = "requests.csv"
          }}
        }}
        forecast "memory" {{
          source "csv" {{
            path = "memory.csv"
          }}
        }}
        capacity "c" {{
          utilization  = 0.6
          min_replicas = 0
          {capacity}

          {resource}
        }}
        deployment "d" {{
          model    = model.m
          zones    = [zone.a, zone.b]
          demand   = forecast.requests
          capacity = capacity.c
        }}
        "#
    )
}

fn memory(more: &str) -> String {
    format!("resource \"memory\" {{\n forecast = forecast.memory\n unit = \"GiB\"\n {more}\n }}")
}

fn total(plan: &Plan) -> u32 {
    plan.deployments["d"]
        .sized
        .zones
        .iter()
        .map(|zone| zone.after)
        .sum()
}

fn why(plan: &Plan) -> &str {
    &plan.deployments["d"].sized.zones[0].why
}

#[tokio::test]
async fn the_resource_that_asks_for_most_decides() {
    let sized = workspace(
        "",
        &memory("per_replica = \"8GiB\"\n utilization = 0.75"),
        "",
    );
    let plan = sized.converge().await;
    // 60 requests/s at 12 each ask for 5 replicas, and 48 GiB at 6 each for 8.
    assert_eq!(total(&plan), 8, "{}", why(&plan));
    assert_eq!(
        why(&plan),
        "8 for 60.0 req/s at 7.5 each, bounded by memory"
    );
    let needed = &plan.deployments["d"].sized.needs[0];
    assert_eq!(needed.resource, Resource::Memory);
    assert!(
        (needed.peak / 1_073_741_824.0 - 48.0).abs() < 0.5,
        "{needed:?}"
    );
    assert!(plan.forecasts.contains_key("memory"));
    assert!(!sized.plan().await.has_changes());
    // By night requests ask for 1 replica and memory for 1, and by day the most of both.
    let outline = &plan.deployments["d"].outlines["a"];
    let schedule = outline.schedule.as_ref().unwrap();
    let counts = schedule.shifts.iter().map(|shift| shift.envelope.min);
    let counts: Vec<u32> = counts.collect();
    assert_eq!(
        (counts.iter().min(), counts.iter().max()),
        (Some(&1), Some(&8))
    );

    let enough = workspace("", &memory("per_replica = \"64GiB\""), "");
    let plan = enough.converge().await;
    assert_eq!(
        (total(&plan), why(&plan)),
        (5, "5 for 60.0 req/s at 12.0 each")
    );
}

#[tokio::test]
async fn a_replica_has_what_its_model_or_else_its_instance_has() {
    let resources = "resources {\n memory = \"2GiB\"\n }";
    let of_model = workspace(resources, &memory("utilization = 0.5"), "");
    assert_eq!(total(&of_model.converge().await), 48);
    // A c1.small has 4 GiB for 0.08 $/h and a c1.large 32 GiB for 0.38 $/h: 48 GiB at half use
    // need 24 of the one, and 3 of the other, of which requests need 5.
    let of_instance = workspace("", &memory("utilization = 0.5"), "");
    let plan = of_instance.converge().await;
    let zones = plan.deployments["d"].sized.zones.iter();
    let cost: u64 = zones.map(|zone| zone.cost_after().0).sum();
    assert!(cost <= 24 * 80_000, "{cost}");
    assert!(!of_instance.plan().await.has_changes());
}

#[tokio::test]
async fn what_is_left_after_a_loss_has_enough_of_every_resource() {
    let resource = memory("per_replica = \"8GiB\"\n utilization = 0.75");
    let sized = workspace("", &resource, "survive = \"zone\"");
    let plan = sized.converge().await;
    let zones = plan.deployments["d"].sized.zones.iter();
    let counts: Vec<u32> = zones.map(|zone| zone.after).collect();
    assert_eq!(counts, [8, 8]);
    assert!(!sized.plan().await.has_changes());
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_where_it_stands() {
    let refusals = [
        (memory("per_replica = \"16 parsecs\""), "is not a size"),
        (
            memory("per_replica = \"8GiB\"\n utilization = 1.5"),
            "between 0 and 1",
        ),
        (memory("").replace("GiB", "furlong"), "is not a size"),
        (memory("").replace("unit = \"GiB\"", ""), "peaks at 4"),
        (
            memory("").replace("forecast.memory", "zone.a"),
            "such as forecast.name",
        ),
        (memory("").replace("\"memory\"", "\"disk\""), "disk"),
        (format!("{0}\n{0}", memory("")), "two blocks for memory"),
        (
            memory("")
                .replace("\"memory\"", "\"gpu\"")
                .replace("GiB", "%"),
            "No one says how much gpu a replica has on c1.small in zone \"a\"",
        ),
    ];
    let told = refusals.map(|(resource, expected)| (workspace("", &resource, ""), expected));
    for (workspace, expected) in told {
        let (plan, diagnostics) = workspace.propose(Mode::Normal).await;
        assert!(plan.is_none(), "{expected}");
        let all: Vec<String> = diagnostics
            .iter()
            .map(|d| format!("{} {}", d.detail, d.help.clone().unwrap_or_default()))
            .collect();
        assert!(all.iter().any(|text| text.contains(expected)), "{all:?}");
        assert!(diagnostics.iter().all(|d| d.subject.is_some()), "{all:?}");
    }
}
