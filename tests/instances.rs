//! Deployments with `count` and `for_each`: configurations that follow on one another, a folder a case.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

mod program;

use std::fs;
use std::path::{Path, PathBuf};

use program::Folder;
use serde_json::Value as Json;

fn steps(case: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/instances");
    let files = fs::read_dir(folder.join(case)).unwrap();
    let mut steps: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    steps.sort();
    assert!(!steps.is_empty());
    steps
}

/// What a plan does, without attributes.
fn told(out: &str) -> String {
    let words = [" will be ", " must be ", " has become ", " stays at "];
    let lines = out.lines().take_while(|line| !line.starts_with("Plan: "));
    let lines = lines.filter(|line| words.iter().any(|word| line.contains(word)));
    lines.map(|line| format!("{line}\n")).collect()
}

fn state(folder: &Folder) -> Json {
    let text = fs::read_to_string(folder.path("isobar.state.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Applies one step after the other, and plans nothing after each; then destroys everything in the
/// order that the state asks for.
fn follow(case: &str, folder: &Folder) -> String {
    let mut seen = String::new();
    for step in steps(case) {
        folder.write("main.hcl", &fs::read_to_string(&step).unwrap());
        folder.run(&["validate"]).ended(0);
        let run = folder.run(&["apply", "-auto-approve"]);
        let name = step.file_name().unwrap().to_str().unwrap();
        seen.push_str(&format!("# {name}\n{}", told(run.ended(0))));
        folder.run(&["plan", "-detailed-exitcode"]).ended(0);
        let list = folder.run(&["state", "list"]);
        seen.push_str(&format!("\n{}\n", list.ended(0)));
        seen.push_str(&format!("{}\n", folder.run(&["output"]).ended(0)));
    }
    let before = state(folder);
    let run = folder.run(&["destroy", "-auto-approve"]);
    run.ended(0);
    let out = &run.err;
    let mut orders = 0;
    for resource in before["resources"].as_array().unwrap() {
        let dependencies = resource["dependencies"].as_array();
        for below in dependencies.into_iter().flatten() {
            let above = resource["address"].as_str().unwrap();
            let gone = out.find(&format!("{above}: Destruction complete"));
            let goes = out.find(&format!("{}: Destroying", below.as_str().unwrap()));
            if let Some(goes) = goes {
                orders += 1;
                assert!(gone.unwrap() < goes, "{above} rests on {below}\n{out}");
            }
        }
    }
    assert!(orders > 0, "{out}");
    assert!(state(folder)["resources"].as_array().unwrap().is_empty());
    seen
}

#[test]
fn instances_come_change_and_go() {
    insta::assert_snapshot!(follow("each", &Folder::new(&[])));
}

#[test]
fn deployments_are_moved_into_instances_between_them_and_back() {
    insta::assert_snapshot!(follow("moved", &Folder::new(&[])));
}

#[test]
fn adding_and_removing_count_moves_the_first() {
    insta::assert_snapshot!(follow("count", &Folder::new(&[])));
}

#[test]
fn instances_run_on_this_machine() {
    let folder = Folder::new(&[]);
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart/model/digits.onnx");
    fs::copy(model, folder.path("digits.onnx")).unwrap();
    insta::assert_snapshot!(follow("local", &folder));
}

/// Two zones, and a deployment of two instances.
const FLEET: &str = r#"
variable "release" {
  default = "1"
}

zone "z" {
  for_each = toset(["east", "west"])
  provider = sim
  region   = "sim-us-${each.key}"
}

model "m" {
  version = var.release
  image   = "registry/m"
}

deployment "llm" {
  for_each = toset(["chat", "code"])
  model    = model.m
  zones    = values(zone.z)
  replicas = { z-east = 1, z-west = each.key == "chat" ? 1 : 0 }
}

output "url" {
  value = deployment.llm["chat"].url
}
"#;

fn fleet() -> Folder {
    let folder = Folder::new(&[("main.hcl", FLEET)]);
    folder.run(&["apply", "-auto-approve"]).ended(0);
    folder
}

const CHAT: &str = "deployment.llm[\"chat\"]";

#[test]
fn a_plan_is_restricted_to_an_instance() {
    let folder = fleet();
    let newer = ["plan", "-concise", "-var=release=2"];
    let mut seen = String::new();
    for (option, address) in [
        ("target", CHAT),
        ("exclude", CHAT),
        ("target", "deployment.llm[\"code\"][\"z-east\"]"),
    ] {
        let option = format!("-{option}={address}");
        let run = folder.run(&[newer.as_slice(), &[&option]].concat());
        seen.push_str(&format!("# {option}\n{}\n", run.ended(0)));
    }
    let option = format!("-replace={CHAT}");
    let run = folder.run(&["plan", "-concise", &option]);
    seen.push_str(&format!("# {option}\n{}", run.ended(0)));
    insta::assert_snapshot!(seen);
}

#[test]
fn the_state_knows_instances_with_all_their_zones() {
    let folder = fleet();
    let listed = |place: &str| {
        let run = folder.run(&["state", "list", place]);
        run.ended(0).lines().count()
    };
    assert_eq!((listed(CHAT), listed("deployment.llm")), (4, 6));
    assert_eq!(listed("deployment.llm[\"chat\"][\"z-west\"]"), 2);
    folder
        .run(&["state", "list", "deployment.llm[\"z-west\"]"])
        .failed_with(&["C0026"]);
    let shown = folder.run(&["state", "show", CHAT]);
    assert_eq!(shown.ended(0).matches("# deployment.llm").count(), 4);
    let tainted = folder.run(&["taint", CHAT]);
    assert_eq!(tainted.ended(0).matches("is tainted").count(), 4);
    folder.run(&["untaint", CHAT]).ended(0);
    folder.run(&["untaint", CHAT]).failed_with(&["C0053"]);
    folder
        .run(&["state", "mv", CHAT, "deployment.api"])
        .ended(0);
    assert_eq!(listed("deployment.api[\"z-west\"]"), 2);
    folder
        .run(&[
            "state",
            "mv",
            "deployment.api[\"z-west\"]",
            "deployment.llm",
        ])
        .failed_with(&["C0041", "the zone is"]);
    folder
        .run(&["state", "mv", "deployment.api", "deployment.llm[\"code\"]"])
        .failed_with(&["already has"]);
    folder
        .run(&["state", "mv", "deployment.api", CHAT])
        .ended(0);
    folder.run(&["plan", "-detailed-exitcode"]).ended(0);
    folder.run(&["state", "rm", CHAT]).ended(0);
    assert_eq!(listed("deployment.llm"), 2);
}

#[test]
fn instances_whose_state_is_lost_are_imported() {
    let folder = fleet();
    let lost = state(&folder);
    fs::remove_file(folder.path("isobar.state.json")).unwrap();
    let (one, rest) = lost["resources"].as_array().unwrap().split_first().unwrap();
    let named = |one: &Json| {
        let text = |value: &Json| value.as_str().unwrap().to_owned();
        (text(&one["address"]), text(&one["value"]["id"]))
    };
    let (address, id) = named(one);
    folder.run(&["import", &address, &id]).ended(0);
    folder.run(&["import", CHAT, "x"]).failed_with(&["P0045"]);
    let blocks: String = rest
        .iter()
        .map(named)
        .map(|(address, id)| format!("import {{\n  to = {address}\n  id = {id:?}\n}}\n"))
        .collect();
    folder.write("imports.hcl", &blocks);
    let run = folder.run(&["apply", "-auto-approve"]);
    assert!(
        run.ended(0).contains("5 imported, 0 added, 0 changed"),
        "{}",
        run.out
    );
    assert_eq!(state(&folder)["resources"], lost["resources"]);
}

#[test]
fn tests_override_what_an_instance_is_made_of() {
    let folder = Folder::new(&[("main.hcl", FLEET)]);
    folder.write(
        "tests/fleet.test.hcl",
        r#"
override_resource {
  target = deployment.llm["chat"].sim_router
  values = { url = "http://chat" }
}

override_resource {
  target = deployment.llm["chat"]["z-west"].sim_router
  values = { url = "http://west" }
}

run "all" {
  assert {
    condition     = deployment.llm["chat"].urls == tomap({ z-east = "http://chat", z-west = "http://west" })
    error_message = "They are ${jsonencode(deployment.llm["chat"].urls)}."
  }
  assert {
    condition     = deployment.llm["code"].urls["z-east"] == "https://llm-code.sim-us-east.sim.invalid"
    error_message = "It is ${deployment.llm["code"].url}."
  }
}
"#,
    );
    let run = folder.run(&["test"]);
    assert!(run.ended(0).contains("1 passed"), "{}{}", run.out, run.err);
}
