//! Zones: what they sell, what happens when one is down and comes back, and the time to come.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

mod program;

use std::fs;
use std::path::Path;

use isobar_sim::{Cloud, Endpoint, ZoneState};
use program::Folder;
use serde_json::Value as Json;

/// The example with five zones on three clouds.
fn five_zones() -> Folder {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    let telemetry = read("quickstart/telemetry.csv");
    Folder::new(&[
        ("five-zones/main.hcl", &read("five-zones/main.hcl")),
        ("quickstart/telemetry.csv", &telemetry),
    ])
}

fn cloud(folder: &Folder) -> Cloud {
    Cloud::open(folder.path("five-zones/cloud.json"))
}

/// The deployment in a plan, without its resources and notes.
fn head(shown: &str) -> String {
    let start = shown.find("deployment.reranker\n");
    let start = start.or_else(|| shown.find("deployment.reranker stays"));
    let text = &shown[start.unwrap_or(0)..];
    let ends = ["\ndeployment.reranker:", "\nNote:"].into_iter();
    let end = ends.filter_map(|end| text.find(end)).min();
    text[..end.unwrap_or(text.len())].to_owned()
}

fn run(folder: &Folder, arguments: &[&str]) -> program::Run {
    folder.run(&[&["-chdir=five-zones"], arguments].concat())
}

fn replicas(folder: &Folder) -> Json {
    serde_json::from_str(run(folder, &["output", "-json", "replicas"]).ended(0)).unwrap()
}

#[test]
fn a_zone_of_five_is_lost_and_comes_back() {
    let folder = five_zones();
    // A better forecast shall not change what is seen here.
    let text = fs::read_to_string(folder.path("five-zones/main.hcl")).unwrap();
    let text = text.replace("demand   = forecast.reranker", "demand   = 63");
    folder.write("five-zones/main.hcl", &text);
    let mut seen = String::new();
    let mut plan = |step: &str, code: i32| {
        let shown = run(&folder, &["plan", "-detailed-exitcode"]);
        let shown = head(shown.ended(code));
        seen.push_str(&format!("# {step}\n{shown}\n"));
    };
    plan("new", 2);
    run(&folder, &["apply", "-auto-approve"]).ended(0);
    let before = replicas(&folder);
    plan("after apply", 0);
    let flood = ZoneState::Down("flood".to_owned());
    cloud(&folder).set_zone("gcp/europe-west1", flood).unwrap();
    plan("belgium is lost", 2);
    run(&folder, &["apply", "-auto-approve"]).ended(0);
    plan("after apply without belgium", 0);
    cloud(&folder)
        .set_zone("gcp/europe-west1", ZoneState::Up)
        .unwrap();
    plan("belgium is back", 2);
    run(&folder, &["apply", "-auto-approve"]).ended(0);
    plan("after apply with belgium", 0);
    insta::assert_snapshot!(seen);
    assert_eq!(replicas(&folder), before);
}

/// Dollars and grams of CO2 equivalent per hour of what is planned.
fn weight(folder: &Folder, price: &str) -> (f64, f64) {
    let price = format!("-var=carbon_price={price}");
    run(folder, &["plan", &price, "-out=p"]).ended(0);
    let document = run(folder, &["show", "-json", "p"]);
    let document: Json = serde_json::from_str(document.ended(0)).unwrap();
    let deployment = &document["deployments"]["reranker"];
    let zones = deployment["zones"].as_array().unwrap().iter();
    let grams = zones.filter_map(|zone| {
        let replicas = zone["replicas_after"].as_f64()?;
        Some(zone["replica_carbon_kg_per_hour"].as_f64()? * replicas * 1000.0)
    });
    let micros = deployment["price_after_micros_per_hour"].as_f64().unwrap();
    (micros / 1e6, grams.sum())
}

#[test]
fn a_price_of_carbon_buys_cleaner_power() {
    let folder = five_zones();
    let (cheap, dirty) = weight(&folder, "0");
    let (dear, clean) = weight(&folder, "10000");
    assert!(clean < 0.7 * dirty, "{clean} {dirty}");
    assert!(cheap < dear, "{cheap} {dear}");
    // What is saved is worth what it costs: 10,000 $/t is a cent a gram.
    assert!(
        dear - cheap <= (dirty - clean) * 0.01,
        "{cheap} {dear} {clean} {dirty}"
    );
}

#[test]
fn the_cloud_follows_the_schedule_and_that_is_no_change() {
    let folder = five_zones();
    run(&folder, &["apply", "-auto-approve"]).ended(0);
    let now = |time: &str| {
        cloud(&folder).set_time(time.parse().unwrap()).unwrap();
        let shown = run(&folder, &["plan", "-detailed-exitcode"]);
        assert!(!shown.ended(0).contains("Changed outside"), "{}", shown.out);
        run(&folder, &["apply", "-auto-approve"]).ended(0);
        let world = cloud(&folder).inventory().unwrap();
        let here = |endpoint: &&Endpoint| endpoint.zone == "gcp/europe-west1";
        world.running(world.endpoints.values().find(here).unwrap())
    };
    let night = now("2026-11-21T03:00:00Z");
    let day = now("2026-11-21T14:30:00Z");
    assert!(0 < night && night < day, "{night} {day}");
}

#[test]
fn a_saved_plan_keeps_the_replicas_to_come() {
    let folder = five_zones();
    run(&folder, &["plan", "-out=p"]).ended(0);
    let document = run(&folder, &["show", "-json", "p"]);
    let document: Json = serde_json::from_str(document.ended(0)).unwrap();
    let deployment = &document["deployments"]["reranker"];
    let belgium = &deployment["capacity"]["on-belgium"];
    assert_eq!(belgium["scaling"], "schedule");
    let shifts = belgium["schedule"]["shifts"].as_array().unwrap();
    let planned = deployment["zones"].as_array().unwrap().iter();
    let most = shifts.iter().map(|shift| shift["min"].as_u64().unwrap());
    let after = planned
        .filter(|zone| zone["zone"] == "on-belgium")
        .map(|zone| zone["replicas_after"].as_u64().unwrap());
    assert_eq!(most.max(), after.max());
    let shown = run(&folder, &["show", "p"]);
    assert!(shown.ended(0).contains("replicas to come"), "{}", shown.out);
    run(&folder, &["apply", "p"]).ended(0);
    run(&folder, &["plan", "-detailed-exitcode"]).ended(0);
}

#[test]
fn a_plan_that_would_shed_can_be_refused() {
    let folder = five_zones();
    run(&folder, &["plan", "-fail-on-shed", "-out=p"]).ended(0);
    assert!(folder.path("five-zones/p").exists());
    let text = fs::read_to_string(folder.path("five-zones/main.hcl")).unwrap();
    let text = text.replace("survive        = \"zone\"", "survive        = \"nothing\"");
    folder.write("five-zones/main.hcl", &text);
    let refused = run(&folder, &["plan", "-fail-on-shed", "-out=q"]);
    refused.failed_with(&["C0142", "Requests would be shed", "survive = \"zone\""]);
    assert!(!folder.path("five-zones/q").exists());
    assert!(refused.out.contains("shed"), "{}", refused.out);
}

/// Three zones on this machine, any of which can be taken down.
const LOCAL: &str = r#"
variable "down" {
  type    = set(string)
  default = []
}

zone "z" {
  for_each = toset(["a", "b", "c"])
  provider = local
  price    = 0.1
  down     = contains(var.down, each.key)
}

model "digits" {
  version  = "1"
  artifact = "digits.onnx"
  performance {
    service_time = "100ms"
    concurrency  = 1
    startup      = "5s"
  }
}

capacity "p" {
  utilization    = 0.5
  survive        = "zone"
  min_replicas   = 0
  max_zone_share = 0.6
}

deployment "digits" {
  model    = model.digits
  zones    = values(zone.z)
  demand   = 4.5
  capacity = capacity.p
}

output "replicas" {
  value = deployment.digits.replicas
}
"#;

#[test]
fn a_zone_on_this_machine_is_taken_down_and_brought_back() {
    let folder = Folder::new(&[("main.hcl", LOCAL)]);
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart/model/digits.onnx");
    fs::copy(model, folder.path("digits.onnx")).unwrap();
    let counts = || -> Json {
        let shown = folder.run(&["output", "-json", "replicas"]);
        serde_json::from_str(shown.ended(0)).unwrap()
    };
    folder.run(&["apply", "-auto-approve"]).ended(0);
    let whole = counts();
    let (lost, _) = whole
        .as_object()
        .unwrap()
        .iter()
        .find(|(_, n)| **n != 0)
        .unwrap();
    let down = format!("-var=down=[{:?}]", lost.trim_start_matches("z-"));
    let plan = folder.run(&["plan", "-detailed-exitcode", &down]);
    let words: Vec<&str> = plan.ended(2).split_whitespace().collect();
    let text = words.join(" ");
    assert!(
        text.contains("zone is down: the configuration says so"),
        "{text}"
    );
    folder.run(&["apply", "-auto-approve", &down]).ended(0);
    let without = counts();
    assert_eq!(without[lost], 0);
    assert_ne!(without, whole);
    folder.run(&["plan", "-detailed-exitcode", &down]).ended(0);
    folder.run(&["apply", "-auto-approve"]).ended(0);
    assert_eq!(counts(), whole);
    folder.run(&["plan", "-detailed-exitcode"]).ended(0);
    folder.run(&["destroy", "-auto-approve"]).ended(0);
}

#[test]
fn offers_of_regions_and_zones_are_shown() {
    let folder = five_zones();
    let json = |arguments: &[&str]| -> Json {
        serde_json::from_str(run(&folder, arguments).ended(0)).unwrap()
    };
    let listed = ["offers", "-cloud=aws", "-region=eu-central-1", "-json"];
    let region = json(&listed);
    let zone = json(&["offers", "-zone=on-frankfurt", "-json"]);
    assert_eq!(region["carbon_intensity"], 311.0);
    let price = |document: &Json, instance: &str| {
        let offers = document["offers"].as_array().unwrap().iter();
        let mut offers = offers.filter(|offer| offer["instance"] == instance);
        offers.next().unwrap()["price_micros_per_hour"]
            .as_u64()
            .unwrap()
    };
    let instance = "c5.2xlarge";
    assert_eq!(price(&region, instance), price(&zone, instance));
    let text = fs::read_to_string(folder.path("five-zones/main.hcl")).unwrap();
    let own =
        "  region   = each.value\n  pue = 1.5\n  offer \"c5.2xlarge\" {\n    price = 0.1\n  }\n";
    let text = text.replace("  region   = each.value\n", own);
    folder.write("five-zones/main.hcl", &text);
    let zone = json(&["offers", "-zone=on-frankfurt", "-json"]);
    assert_eq!(price(&zone, instance), 100_000);
    assert_eq!(zone["pue"], 1.5);
    run(&folder, &["offers", "-zone=frankfurt"]).failed_with(&["C0141", "on-frankfurt"]);
    run(&folder, &["offers", "-cloud=aws", "-region=eu-centrl-1"])
        .failed_with(&["C0140", "eu-central-1"]);
    let all = json(&["offers", "-json"]);
    assert_eq!(all["gcp"]["regions"].as_array().unwrap().len(), 45);
}

#[test]
fn another_instance_is_told_with_what_it_cost_before() {
    let folder = five_zones();
    run(&folder, &["apply", "-auto-approve"]).ended(0);
    let plan = || -> Json {
        run(&folder, &["plan", "-out=p"]).ended(0);
        let shown = run(&folder, &["show", "-json", "p"]);
        let document: Json = serde_json::from_str(shown.ended(0)).unwrap();
        document["deployments"]["reranker"].clone()
    };
    let price = |plan: &Json, when: &str| plan[format!("price_{when}_micros_per_hour")].as_u64();
    let paid = price(&plan(), "after");
    let text = fs::read_to_string(folder.path("five-zones/main.hcl")).unwrap();
    let offer = "  region   = each.value\n  offer \"box\" {\n    price = 0.05\n  }\n";
    let text = text.replace("  region   = each.value\n", offer);
    folder.write("five-zones/main.hcl", &text);
    let cheaper = plan();
    assert_eq!(price(&cheaper, "before"), paid);
    assert!(price(&cheaper, "after") < paid);
    let zones = cheaper["zones"].as_array().unwrap().iter();
    let belgium = zones.clone().find(|zone| zone["zone"] == "on-belgium");
    let belgium = belgium.unwrap();
    assert_eq!(belgium["instance_before"], "e2-standard-8");
    assert_eq!(belgium["instance"], "box");
    let shown = run(&folder, &["show", "p"]);
    assert!(
        shown.ended(0).contains("e2-standard-8 → box"),
        "{}",
        shown.out
    );
    run(&folder, &["apply", "p"]).ended(0);
    run(&folder, &["plan", "-detailed-exitcode"]).ended(0);
}

#[test]
fn a_region_that_is_not_in_the_catalogue_is_named() {
    let folder = five_zones();
    let text = fs::read_to_string(folder.path("five-zones/main.hcl")).unwrap();
    folder.write(
        "five-zones/main.hcl",
        &text.replace("gcp/europe-west1", "gcp/europe-wset1"),
    );
    run(&folder, &["plan"]).failed_with(&["europe-wset1", "europe-west1"]);
}

#[test]
fn a_plan_is_drawn_into_a_folder_or_a_file() {
    let folder = five_zones();
    let file = |name: &str| fs::read_to_string(folder.path("five-zones").join(name));
    run(&folder, &["plan", "-svg=charts"]).ended(0);
    let chart = file("charts/reranker.svg").unwrap();
    for shown in [
        "Plan: deployment.reranker",
        "history",
        "p50 to p90",
        "carried by",
        " replicas",
    ] {
        assert!(chart.contains(shown), "{shown}");
    }
    run(&folder, &["plan", "-svg=one.svg"]).ended(0);
    assert_eq!(file("one.svg").unwrap(), chart);
    let text = file("main.hcl").unwrap();
    let fixed = text.replace("demand   = forecast.reranker", "demand   = 63");
    folder.write("five-zones/main.hcl", &fixed);
    let refused = run(&folder, &["plan", "-svg=two.svg"]);
    refused.failed_with(&["C0143", "No deployment of the plan follows a forecast"]);
    assert!(file("two.svg").is_err());
}
