//! `isobar drift`: what is there against what is wanted, by what it has come away in.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

#[expect(dead_code, reason = "it is shared by tests")]
mod program;

use isobar_sim::{Cloud, ZoneState};
use program::Folder;
use serde_json::{Value as Json, json};

fn configuration(version: u32) -> String {
    format!(
        "zone \"a\" {{\n  provider = sim\n  region = \"sim-us-east\"\n}}\n\
         zone \"b\" {{\n  provider = sim\n  region = \"sim-us-west\"\n}}\n\
         model \"m\" {{\n  version = \"{version}\"\n  image = \"i\"\n  \
         performance {{\n    service_time = \"100ms\"\n  }}\n}}\n\
         deployment \"d\" {{\n  model = model.m\n  zones = [zone.a, zone.b]\n  demand = 20\n}}\n\
         resource \"isobar_data\" \"other\" {{\n  input = {version}\n}}\n"
    )
}

/// The findings without their reasons, and whether something has drifted.
fn findings(folder: &Folder) -> (bool, Json) {
    let run = folder.run(&["drift", "-json"]);
    let told: Json = serde_json::from_str(&run.out).unwrap();
    let drifted = told["drifted"].as_bool().unwrap();
    assert_eq!(run.code, Some(if drifted { 2 } else { 0 }), "{run:?}");
    let mut findings = told["findings"].clone();
    for finding in findings.as_array_mut().unwrap() {
        finding.as_object_mut().unwrap().remove("why");
    }
    (drifted, findings)
}

#[test]
fn each_kind_is_found_and_an_apply_corrects_it() {
    let folder = Folder::new(&[("main.hcl", &configuration(1))]);
    folder.run(&["apply", "-auto-approve"]).ended(0);
    assert_eq!(findings(&folder), (false, json!([])));
    let shown = folder.run(&["drift"]);
    assert!(shown.ended(0).starts_with("No drift."), "{shown:?}");

    let cloud = Cloud::open(folder.path("cloud.json"));

    // A zone is lost: the replicas belong elsewhere.
    let flood = ZoneState::Down("flood".to_owned());
    cloud.set_zone("sim-us-east", flood).unwrap();
    let (drifted, found) = findings(&folder);
    assert!(drifted);
    let kinds: Vec<&str> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["kind"].as_str().unwrap())
        .collect();
    assert!(kinds.contains(&"capacity"), "{found}");
    cloud.set_zone("sim-us-east", ZoneState::Up).unwrap();
    assert_eq!(findings(&folder), (false, json!([])));

    // Another version is wanted, beside a resource that only follows from the configuration.
    folder.write("main.hcl", &configuration(2));
    let (drifted, found) = findings(&folder);
    assert!(drifted);
    let found = found.as_array().unwrap();
    assert!(
        found.iter().all(|finding| finding["kind"] == "version"),
        "{found:?}"
    );
    assert_eq!(found[0]["before"], json!(["1"]));
    assert_eq!(found[0]["after"], json!(["2"]));
    let shown = folder.run(&["drift"]);
    assert!(
        shown
            .out
            .contains("1 other change only follows from the configuration."),
        "{shown:?}"
    );
    folder.run(&["apply", "-auto-approve"]).ended(0);
    assert_eq!(findings(&folder), (false, json!([])));

    // What was made is destroyed behind our back.
    for id in cloud.inventory().unwrap().endpoints.keys() {
        cloud.delete(id).unwrap();
    }
    let (drifted, found) = findings(&folder);
    assert!(drifted);
    let gone = |finding: &&Json| finding["gone"] == true && finding["kind"] == "infrastructure";
    assert!(
        found.as_array().unwrap().iter().any(|f| gone(&f)),
        "{found}"
    );
    folder.run(&["apply", "-auto-approve"]).ended(0);
    assert_eq!(findings(&folder), (false, json!([])));
}
