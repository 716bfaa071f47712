//! Deployments on the simulated cloud: sized, placed, rolled over, disturbed and healed.

use std::collections::BTreeMap;
use std::time::Duration;

use isobar::capacity::{Arrivals, Capacity, Performance, Target};
use isobar::change::{Action, Cause, Change, Reason};
use isobar::deployment::Demand;
use isobar::placement::{self, MaximumCause, Placement, Survive, Zone};
use isobar::plan::{Mode, Plan};
use isobar_sdk::{Address, Value};
use isobar_sim::{Call, World, ZoneState};

use crate::workspace::{Workspace, actions};

/// Dollars an hour of the cheapest instance of a default cloud, by zone of the configuration.
const ZONES: [(&str, &str, u64); 3] = [
    ("a", "sim-us-east", 80_000),
    ("b", "sim-us-west", 83_200),
    ("c", "sim-ap-south", 74_400),
];

/// What a test varies.
#[derive(Clone)]
struct Setup {
    zones: Vec<&'static str>,
    version: &'static str,
    demand: &'static str,
    capacity: &'static str,
    more: &'static str,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            zones: vec!["a", "b", "c"],
            version: "1",
            demand: "demand = 90",
            capacity: "survive = \"zone\"",
            more: "",
        }
    }
}

impl Setup {
    fn write(&self, workspace: &Workspace) {
        let zones: Vec<String> = self
            .zones
            .iter()
            .map(|zone| format!("zone.{zone}"))
            .collect();
        let blocks = ZONES.map(|(name, region, _)| {
            format!("zone \"{name}\" {{\n provider = sim\n region = \"{region}\"\n}}\n")
        });
        let Self {
            version,
            demand,
            capacity,
            more,
            ..
        } = self;
        let text = format!(
            r#"
            {}
            model "m" {{
              version = "{version}"
              image   = "registry.example/m@sha256:00"
              performance {{
                service_time = "100ms"
                concurrency  = 2
              }}
            }}
            capacity "p" {{
              utilization = 0.6
              {capacity}
            }}
            deployment "d" {{
              model    = model.m
              zones    = [{}]
              {demand}
              {}
            }}
            {more}
            "#,
            blocks.concat(),
            zones.join(", "),
            if demand.starts_with("replicas") {
                ""
            } else {
                "capacity = capacity.p"
            },
        );
        workspace.write("main.hcl", &text);
    }
}

/// What the placement alone gives, asked without a plan.
fn place(demand: f64, names: &[&str], (minimum, survive): (u32, Survive)) -> Placement {
    let performance = Performance {
        service_time: Duration::from_millis(100),
        service_p95: None,
        concurrency: 2,
        variability: 1.0,
        startup: Duration::from_secs(180),
    };
    let pool = Capacity::new(performance, Arrivals::default(), Target::Utilisation(0.6)).unwrap();
    let zones = ZONES.iter().map(|(name, _, price)| Zone {
        name: (*name).to_owned(),
        price_micros_per_hour: *price,
        minimum,
        maximum: 100,
        maximum_cause: MaximumCause::Quota,
        available: names.contains(name),
    });
    let request = placement::Request {
        demand,
        zones: zones.collect(),
        survive,
        max_zone_share: None,
    };
    placement::place(&pool, &request).unwrap()
}

fn counts(placement: &Placement) -> BTreeMap<String, u32> {
    placement
        .zones
        .iter()
        .map(|zone| (zone.name.clone(), zone.replicas))
        .collect()
}

fn planned(plan: &Plan) -> BTreeMap<String, u32> {
    let zones = &plan.deployments["d"].sized.zones;
    zones
        .iter()
        .map(|zone| (zone.zone.clone(), zone.after))
        .collect()
}

/// Replicas that run in the cloud, by zone of the configuration; zones without any left out.
fn running(world: &World) -> BTreeMap<String, u32> {
    let zone = |region: &str| {
        ZONES
            .iter()
            .find(|zone| zone.1 == region)
            .unwrap()
            .0
            .to_owned()
    };
    world
        .endpoints
        .values()
        .map(|endpoint| (zone(&endpoint.zone), endpoint.running))
        .collect()
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn endpoint_id(workspace: &Workspace, at: &str) -> String {
    let state = workspace.state().unwrap();
    state.instances[&address(at)]
        .attributes
        .field("id")
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned()
}

/// An hourly series of two weeks with a daily wave.
fn telemetry(workspace: &Workspace, times: f64) {
    let start: jiff::Timestamp = "2026-11-07T09:00:00Z".parse().unwrap();
    let mut text = String::from("timestamp,value\n");
    for hour in 0..(14 * 24) {
        let at = start + jiff::SignedDuration::from_hours(hour);
        let wave =
            (f64::from(u32::try_from(hour % 24).unwrap()) / 24.0 * std::f64::consts::TAU).sin();
        let noise = f64::from(u32::try_from(hour * 7919 % 11).unwrap()) / 5.0;
        text.push_str(&format!(
            "{at},{:.3}\n",
            times * (60.0 + 25.0 * wave + noise)
        ));
    }
    workspace.write("telemetry.csv", &text);
}

const FORECAST: &str = r#"
    forecast "f" {
      source "csv" { path = "telemetry.csv" }
      horizon = "24h"
    }
"#;

#[tokio::test]
async fn a_number_of_requests_is_sized_and_placed() {
    let workspace = Workspace::new();
    Setup::default().write(&workspace);
    let plan = workspace.converge().await;
    let expected = place(90.0, &["a", "b", "c"], (1, Survive::Zone));
    assert_eq!(planned(&plan), counts(&expected));
    assert_eq!(
        running(&workspace.cloud().inventory().unwrap()),
        counts(&expected)
    );
    assert_eq!(plan.count(Action::Create), 6);
    let losses = &plan.deployments["d"].sized.losses;
    assert_eq!(losses, &expected.n_minus_one);
    // With any one zone gone the others still carry the demand at 60 %.
    for lost in expected.zones.iter().map(|zone| &zone.name) {
        let left = expected.zones.iter().filter(|zone| zone.name != *lost);
        assert!(left.map(|zone| zone.capacity).sum::<f64>() >= 90.0 - 1e-6);
    }
}

#[tokio::test]
async fn doubling_the_series_raises_the_replicas_and_says_why() {
    let workspace = Workspace::new();
    telemetry(&workspace, 1.0);
    Setup {
        demand: "demand = forecast.f",
        more: FORECAST,
        ..Setup::default()
    }
    .write(&workspace);
    let before = workspace.converge().await;
    telemetry(&workspace, 2.0);
    let after = workspace.converge().await;
    let mut totals = Vec::new();
    for plan in [&before, &after] {
        let Demand::Forecast { level, peak, .. } = plan.deployments["d"].sized.demand else {
            panic!("{:?}", plan.deployments)
        };
        let frozen = &plan.forecasts["f"];
        let row = frozen
            .levels
            .iter()
            .position(|l| l.to_bits() == level.to_bits())
            .unwrap();
        let highest = frozen.quantiles[row].iter().copied().fold(0.0, f64::max);
        assert_eq!(peak.to_bits(), highest.to_bits());
        let expected = place(peak, &["a", "b", "c"], (1, Survive::Zone));
        assert_eq!(planned(plan), counts(&expected));
        for (zone, expected) in plan.deployments["d"]
            .sized
            .zones
            .iter()
            .zip(&expected.zones)
        {
            let reasons: Vec<String> = expected.reasons.iter().map(ToString::to_string).collect();
            assert_eq!(zone.why, reasons.join(", "));
        }
        totals.push((peak, counts(&expected).values().sum::<u32>()));
    }
    let [(low, few), (high, many)] = totals[..] else {
        panic!()
    };
    assert!((high / low - 2.0).abs() < 0.05, "{low} → {high}");
    assert!(many > few);
    assert!(
        after
            .actions()
            .all(|(_, planned)| planned.change.action() == Action::Update)
    );
    let of_capacity = |cause: &&Cause| matches!(cause, Cause::Capacity { zone, .. } if zone == "a");
    let mut causes = after.actions().flat_map(|(_, planned)| &planned.causes);
    assert!(causes.any(|cause| of_capacity(&cause)), "{after:#?}");
}

#[tokio::test]
async fn replicas_can_be_fixed_by_hand() {
    let workspace = Workspace::new();
    let fixed = Setup {
        demand: "replicas = { a = 3, c = 1 }",
        ..Setup::default()
    };
    fixed.write(&workspace);
    let plan = workspace.converge().await;
    let expected: BTreeMap<String, u32> = [("a".to_owned(), 3), ("c".to_owned(), 1)].into();
    assert_eq!(running(&workspace.cloud().inventory().unwrap()), expected);
    assert_eq!(planned(&plan)["b"], 0);
    Setup {
        demand: "replicas = { a = 2, x = 1 }",
        ..fixed
    }
    .write(&workspace);
    let (plan, diagnostics) = workspace.propose(Mode::Normal).await;
    assert!(plan.is_none());
    let detail = &diagnostics.iter().next().unwrap().detail;
    assert!(detail.contains("\"x\" is not among the zones"), "{detail}");
}

#[tokio::test]
async fn the_cheaper_zone_is_filled_first() {
    let workspace = Workspace::new();
    let cheap = Setup {
        capacity: "min_replicas = 0",
        ..Setup::default()
    };
    cheap.write(&workspace);
    let plan = workspace.converge().await;
    let expected = place(90.0, &["a", "b", "c"], (0, Survive::Nothing));
    assert_eq!(planned(&plan), counts(&expected));
    assert_eq!((planned(&plan)["a"], planned(&plan)["b"]), (0, 0));
    // What the configuration says about a price goes before what the cloud says.
    let text = std::fs::read_to_string(workspace.path().join("main.hcl")).unwrap();
    let dear = text.replace(
        "region = \"sim-ap-south\"",
        "region = \"sim-ap-south\"\n price = 1",
    );
    workspace.write("main.hcl", &dear);
    let plan = workspace.converge().await;
    assert_eq!((planned(&plan)["b"], planned(&plan)["c"]), (0, 0));
    assert!(planned(&plan)["a"] > 0);
    assert_eq!(plan.count(Action::Delete), 2);
}

#[tokio::test]
async fn zones_can_be_written_with_for_each() {
    let workspace = Workspace::new();
    workspace.write(
        "main.hcl",
        r#"
        locals { regions = { east = "sim-us-east", west = "sim-us-west" } }
        zone "us" {
          for_each = local.regions
          provider = sim
          region   = each.value
        }
        model "m" {
          version = "1"
          image   = "i"
        }
        deployment "d" {
          model    = model.m
          zones    = values(zone.us)
          replicas = { for key, zone in zone.us : zone.name => key == "east" ? 2 : 1 }
        }
        output "replicas" { value = deployment.d.replicas }
        "#,
    );
    let plan = workspace.converge().await;
    assert_eq!(
        planned(&plan),
        [("us-east".to_owned(), 2), ("us-west".to_owned(), 1)].into()
    );
    let replicas = workspace.state().unwrap().outputs["replicas"].value.clone();
    assert_eq!(replicas.field("us-east"), Some(&Value::from(2_i64)));
}

#[tokio::test]
async fn what_a_deployment_is_can_be_used_elsewhere() {
    let workspace = Workspace::new();
    let more = r#"
        output "replicas" { value = deployment.d.replicas }
        output "url" { value = deployment.d.url }
        resource "isobar_data" "seen" {
          input = "${deployment.d.urls["b"]} runs ${deployment.d.replicas["b"]}"
        }
    "#;
    Setup {
        demand: "replicas = { a = 1, b = 2 }",
        more,
        ..Setup::default()
    }
    .write(&workspace);
    let plan = workspace.converge().await;
    let known = plan.outputs["replicas"].after.as_ref().unwrap();
    assert!(known.is_wholly_known());
    let seen = &plan.changes[&address("isobar_data.seen")];
    assert_eq!(seen.dependencies, [address("deployment.d")]);
    let state = workspace.state().unwrap();
    assert_eq!(
        state.outputs["url"].value.value(),
        &Value::from("https://d.sim-us-east.sim.invalid")
    );
    assert_eq!(
        state.outputs["replicas"].value.field("c"),
        Some(&Value::from(0_i64))
    );
    let seen = &state.instances[&address("isobar_data.seen")];
    let expected = Value::from("https://d.sim-us-west.sim.invalid runs 2");
    assert_eq!(seen.attributes.field("output"), Some(&expected));
}

#[tokio::test]
async fn a_new_version_is_made_before_requests_move_and_the_old_one_goes() {
    let workspace = Workspace::new();
    let setup = Setup::default();
    setup.write(&workspace);
    workspace.converge().await;
    let old = endpoint_id(&workspace, r#"deployment.d["a"].sim_endpoint["1"]"#);
    Setup {
        version: "2",
        ..setup
    }
    .write(&workspace);
    let plan = workspace.plan().await;
    let gone = &plan.changes[&address(r#"deployment.d["a"].sim_endpoint["1"]"#)];
    assert_eq!(
        (gone.change.action(), gone.reason),
        (Action::Delete, Some(Reason::NotDeployed))
    );
    let report = workspace.apply_plan(&plan).await;
    // A cloud that still had requests for the old version would have refused to delete it.
    assert!(
        !report.diagnostics.has_errors(),
        "{:#?}",
        report.diagnostics
    );
    let done: Vec<(String, Action)> = report
        .done
        .iter()
        .map(|(address, action)| (address.to_string(), *action))
        .collect();
    assert_eq!(done.len(), 9);
    for zone in ["a", "b", "c"] {
        let place = |native: &str, action| {
            let step = (format!("deployment.d[\"{zone}\"].{native}"), action);
            done.iter().position(|done| *done == step).unwrap()
        };
        let made = place("sim_endpoint[\"2\"]", Action::Create);
        let moved = place("sim_router", Action::Update);
        let deleted = place("sim_endpoint[\"1\"]", Action::Delete);
        assert!(made < moved && moved < deleted, "{done:?}");
    }
    let world = workspace.cloud().inventory().unwrap();
    assert!(!world.endpoints.contains_key(&old));
    assert!(
        world
            .endpoints
            .values()
            .all(|endpoint| endpoint.version == "2")
    );
    assert!(!workspace.plan().await.has_changes());
}

#[tokio::test]
async fn a_replica_that_died_is_drift_and_is_healed() {
    let workspace = Workspace::new();
    Setup::default().write(&workspace);
    workspace.converge().await;
    let at = r#"deployment.d["b"].sim_endpoint["1"]"#;
    workspace
        .cloud()
        .kill_replicas(&endpoint_id(&workspace, at), 1)
        .unwrap();
    let plan = workspace.converge().await;
    assert_eq!(actions(&plan), [format!("update {at}")]);
    assert_eq!(plan.drift.keys().collect::<Vec<_>>(), [&address(at)]);
    let drifted: Vec<&str> = plan.changes[&address(at)]
        .causes
        .iter()
        .map(|cause| match cause {
            Cause::Drift { attribute, .. } => attribute.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(drifted, ["ready_replicas", "status"]);
    let zone = plan.deployments["d"]
        .sized
        .zones
        .iter()
        .find(|zone| zone.zone == "b")
        .unwrap();
    assert_eq!(zone.before + 1, zone.after);
    assert!(
        zone.why.starts_with("1 replica gone since the last apply"),
        "{}",
        zone.why
    );
    assert_eq!(
        running(&workspace.cloud().inventory().unwrap()),
        planned(&plan)
    );
}

#[tokio::test]
async fn what_was_deleted_outside_is_made_again() {
    let workspace = Workspace::new();
    Setup::default().write(&workspace);
    workspace.converge().await;
    let at = r#"deployment.d["c"].sim_endpoint["1"]"#;
    let old = endpoint_id(&workspace, at);
    workspace.cloud().delete(&old).unwrap();
    let plan = workspace.converge().await;
    assert_eq!(actions(&plan), [format!("create {at}")]);
    assert_eq!(plan.changes[&address(at)].causes, [Cause::Gone]);
    assert_ne!(endpoint_id(&workspace, at), old);

    let at = r#"deployment.d["c"].sim_router"#;
    workspace
        .cloud()
        .delete(&endpoint_id(&workspace, at))
        .unwrap();
    assert_eq!(
        actions(&workspace.converge().await),
        [format!("create {at}")]
    );
    assert_eq!(workspace.cloud().inventory().unwrap().routers.len(), 3);
}

#[tokio::test]
async fn a_zone_that_is_down_is_left_alone_until_it_is_back() {
    let workspace = Workspace::new();
    Setup {
        capacity: "",
        ..Setup::default()
    }
    .write(&workspace);
    let first = workspace.converge().await;
    workspace
        .cloud()
        .set_zone("sim-ap-south", ZoneState::Down("a flood".to_owned()))
        .unwrap();
    // What runs there cannot even be read: its two reads come last.
    let reads = workspace.cloud().inventory().unwrap().calls[&Call::Read];
    let recorded = workspace.state().unwrap().instances.len() as u64;
    assert!(reads >= recorded);
    for nth in recorded - 1..=recorded {
        let fault = isobar_sim::Fault::ServerError;
        workspace.cloud().inject(Call::Read, nth, fault).unwrap();
    }
    let without = workspace.converge().await;
    let expected = place(90.0, &["a", "b"], (1, Survive::Nothing));
    assert_eq!(planned(&without), counts(&expected));
    let zone = without.deployments["d"]
        .sized
        .zones
        .iter()
        .find(|zone| zone.zone == "c")
        .unwrap();
    assert!(
        zone.why.contains("zone is down") && zone.why.contains("a flood"),
        "{}",
        zone.why
    );
    let there = r#"deployment.d["c"].sim_endpoint["1"]"#;
    assert!(matches!(
        without.changes[&address(there)].change,
        Change::Keep { .. }
    ));
    let kept = endpoint_id(&workspace, there);

    workspace
        .cloud()
        .set_zone("sim-ap-south", ZoneState::Up)
        .unwrap();
    let back = workspace.converge().await;
    assert_eq!(planned(&back), planned(&first));
    assert!(
        back.actions()
            .all(|(_, planned)| planned.change.action() == Action::Update)
    );
    assert_eq!(endpoint_id(&workspace, there), kept);
    assert_eq!(
        running(&workspace.cloud().inventory().unwrap()),
        planned(&first)
    );
}

#[tokio::test]
async fn a_loss_that_cannot_be_survived_any_more_is_said() {
    let workspace = Workspace::new();
    Setup {
        zones: vec!["a", "b"],
        ..Setup::default()
    }
    .write(&workspace);
    workspace.converge().await;
    let cloud = workspace.cloud();
    cloud
        .set_zone("sim-us-west", ZoneState::Down("a flood".to_owned()))
        .unwrap();
    let (plan, diagnostics) = workspace.propose(Mode::Normal).await;
    assert!(plan.is_none());
    let detail = &diagnostics.iter().next().unwrap().detail;
    assert!(detail.contains("only a"), "{detail}");
    cloud
        .set_zone("sim-us-east", ZoneState::Down("a storm".to_owned()))
        .unwrap();
    let (plan, diagnostics) = workspace.propose(Mode::Normal).await;
    assert!(plan.is_none());
    assert!(
        diagnostics
            .iter()
            .next()
            .unwrap()
            .detail
            .starts_with("No zone is available")
    );
    for region in ["sim-us-west", "sim-us-east"] {
        cloud.set_zone(region, ZoneState::Up).unwrap();
    }
    assert!(!workspace.plan().await.has_changes());
}

#[tokio::test]
async fn a_quota_that_is_too_small_is_named() {
    let workspace = Workspace::new();
    let mut world = World::default();
    for region in ["sim-us-east", "sim-us-west"] {
        let zone = world.zones.get_mut(region).unwrap();
        for offer in zone.offers.values_mut() {
            offer.quota = Some(2);
        }
    }
    workspace.write("cloud.json", &serde_json::to_string(&world).unwrap());
    Setup {
        zones: vec!["a", "b"],
        capacity: "",
        ..Setup::default()
    }
    .write(&workspace);
    let (plan, diagnostics) = workspace.propose(Mode::Normal).await;
    assert!(plan.is_none());
    let diagnostic = diagnostics.iter().next().unwrap();
    assert_eq!(diagnostic.code, "P0006");
    for part in ["quota 2 in a", "quota 2 in b", "of 90.0 req/s"] {
        assert!(diagnostic.detail.contains(part), "{}", diagnostic.detail);
    }
    assert!(workspace.state().is_none());
    assert!(workspace.cloud().inventory().unwrap().endpoints.is_empty());
}

#[tokio::test]
async fn a_zone_that_is_taken_out_is_emptied_and_destroy_empties_all() {
    let workspace = Workspace::new();
    Setup::default().write(&workspace);
    workspace.converge().await;
    Setup {
        zones: vec!["a", "b"],
        ..Setup::default()
    }
    .write(&workspace);
    let plan = workspace.converge().await;
    let deleted: Vec<(String, Option<Reason>)> = plan
        .actions()
        .filter(|(_, planned)| planned.change.action() == Action::Delete)
        .map(|(address, planned)| (address.to_string(), planned.reason))
        .collect();
    let not_deployed = Some(Reason::NotDeployed);
    assert_eq!(
        deleted,
        [
            (
                r#"deployment.d["c"].sim_endpoint["1"]"#.to_owned(),
                not_deployed
            ),
            (r#"deployment.d["c"].sim_router"#.to_owned(), not_deployed),
        ]
    );
    let world = workspace.cloud().inventory().unwrap();
    assert!(
        world
            .endpoints
            .values()
            .all(|endpoint| endpoint.zone != "sim-ap-south")
    );

    let (plan, _) = workspace.propose(Mode::Destroy).await;
    let report = workspace.apply_plan(&plan.unwrap()).await;
    assert!(
        !report.diagnostics.has_errors(),
        "{:#?}",
        report.diagnostics
    );
    let world = workspace.cloud().inventory().unwrap();
    assert!(world.endpoints.is_empty() && world.routers.is_empty());
    assert!(workspace.state().unwrap().instances.is_empty());
}
