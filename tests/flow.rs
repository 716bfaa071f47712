//! Plan, apply and destroy from end to end, with resources that exist in the state alone.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

mod program;

use std::path::Path;

use program::{Folder, Run};
use serde_json::Value as Json;

const CONFIGURATION: &str = r#"
variable "greeting" {
  type    = string
  default = "hello"
}

variable "copies" {
  type    = number
  default = 2
}

resource "isobar_data" "first" {
  input = var.greeting
}

resource "isobar_data" "second" {
  count = var.copies
  input = "${isobar_data.first.output} ${count.index}"
}

output "greeting" {
  value = isobar_data.first.output
}

output "id" {
  value     = isobar_data.first.id
  sensitive = true
}
"#;

fn folder() -> Folder {
    Folder::new(&[("main.hcl", CONFIGURATION)])
}

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

fn events(text: &str) -> Vec<Json> {
    text.lines().map(json).collect()
}

#[test]
fn what_is_applied_is_not_planned_again() {
    let folder = folder();
    folder.run(&["plan", "-detailed-exitcode"]).ended(2);
    let run = folder.run(&["apply", "-auto-approve"]);
    assert!(
        run.ended(0).contains("3 added, 0 changed, 0 destroyed"),
        "{}",
        run.out
    );
    let run = folder.run(&["plan", "-detailed-exitcode"]);
    assert!(run.ended(0).contains("No changes"), "{}", run.out);
    let run = folder.run(&["plan", "-detailed-exitcode", "-var", "greeting=hi"]);
    assert!(run.ended(2).contains("isobar_data.first"), "{}", run.out);
    folder
        .run(&["plan", "-refresh=false", "-detailed-exitcode"])
        .ended(0);
    folder
        .run(&["plan", "-refresh-only", "-detailed-exitcode"])
        .ended(0);
}

#[test]
fn a_saved_plan_is_applied_as_it_is() {
    let folder = folder();
    folder
        .run(&["plan", "-out=p.plan", "-var=greeting=saved"])
        .ended(0);
    let shown = json(folder.run(&["show", "-json", "p.plan"]).ended(0));
    assert_eq!(shown["resource_changes"].as_array().unwrap().len(), 3);
    folder.run(&["show", "p.plan"]).ended(0);
    folder.run(&["apply", "p.plan"]).ended(0);
    assert_eq!(
        folder.run(&["output", "-raw", "greeting"]).ended(0),
        "saved"
    );
}

#[test]
fn a_saved_plan_holds_nothing_ephemeral_and_is_given_it_again() {
    const TEXT: &str = r#"
variable "greeting" {
  default = "hello"
}
variable "cloud" {
  default   = "none.json"
  ephemeral = true
}
provider "sim" {
  file = var.cloud
}
resource "sim_endpoint" "one" {
  name          = var.greeting
  zone          = "sim-us-east"
  version       = "1"
  instance_type = "c1.small"
  replicas      = 1
}
"#;
    let folder = Folder::new(&[("main.hcl", TEXT)]);
    let given = "-var=cloud=s3cret.json";
    folder.run(&["plan", "-out=p.plan", given]).ended(0);
    let plan = std::fs::read_to_string(folder.path("p.plan")).unwrap();
    assert!(!plan.contains("s3cret") && plan.contains("given_again"));
    let shown = folder.run(&["show", "-json", "p.plan"]);
    assert!(!shown.ended(0).contains("cloud"));
    folder
        .run(&["apply", "p.plan"])
        .failed_with(&["C0070", "cloud", "Give it again"]);
    folder
        .run(&["apply", "-var=greeting=other", given, "p.plan"])
        .failed_with(&["C0020", "greeting"]);
    assert!(!folder.path("s3cret.json").exists());
    folder
        .run(&["apply", "-var=greeting=hello", given, "p.plan"])
        .ended(0);
    assert!(folder.path("s3cret.json").exists());
    let state = std::fs::read_to_string(folder.path("isobar.state.json")).unwrap();
    assert!(!state.contains("s3cret"));
    folder.run(&["plan", "-out=p.plan"]).ended(0);
    folder
        .run(&["apply", given, "p.plan"])
        .failed_with(&["C0070", "was not given"]);
}

#[test]
fn what_is_write_only_is_in_no_plan_and_no_state() {
    const TEXT: &str = r#"
variable "token" {
  ephemeral = true
}
variable "round" {
  default = 1
}
resource "sim_secret" "key" {
  name          = "key"
  value         = "token: ${var.token}"
  value_version = var.round
}
output "fingerprint" {
  value = sim_secret.key.fingerprint
}
output "value" {
  value     = sim_secret.key.value == null
  sensitive = true
}
"#;
    let folder = Folder::new(&[("main.hcl", TEXT)]);
    let kept = |name: &str| {
        let text = std::fs::read_to_string(folder.path(name)).unwrap();
        assert!(!text.contains("s3cret"), "{name}: {text}");
        text
    };
    let fingerprint = || {
        folder
            .run(&["output", "-raw", "fingerprint"])
            .ended(0)
            .to_owned()
    };
    let first = "-var=token=s3cret-1";
    let run = folder.run(&["plan", "-out=p.plan", first]);
    assert!(!run.ended(0).contains("s3cret") && !run.err.contains("s3cret"));
    kept("p.plan");
    folder.run(&["apply", first, "p.plan"]).ended(0);
    assert!(kept("isobar.state.json").contains("value_version"));
    assert!(kept("cloud.json").contains(&fingerprint()));
    let written = fingerprint();
    // Another value alone is not seen; another version has it written.
    let second = "-var=token=s3cret-2";
    folder.run(&["plan", "-detailed-exitcode", second]).ended(0);
    folder
        .run(&["apply", "-auto-approve", second, "-var=round=2"])
        .ended(0);
    assert_ne!(fingerprint(), written);
    kept("isobar.state.json");
    let schema = folder.run(&["providers", "schema", "-json"]);
    assert!(schema.ended(0).contains("\"write_only\":true"));
}

#[test]
fn a_saved_plan_that_no_longer_holds_is_refused() {
    let folder = folder();
    folder.run(&["plan", "-out=first.plan"]).ended(0);
    folder
        .run(&["plan", "-out=second.plan", "-var=greeting=other"])
        .ended(0);
    folder.run(&["apply", "first.plan"]).ended(0);
    let state = std::fs::read_to_string(folder.path("isobar.state.json")).unwrap();
    for file in ["first.plan", "second.plan"] {
        folder
            .run(&["apply", file])
            .failed_with(&["A0001", "new plan"]);
    }
    folder
        .run(&["plan", "-out=third.plan", "-var=greeting=third"])
        .ended(0);
    folder.write("more.hcl", "locals {}");
    folder
        .run(&["apply", "third.plan"])
        .failed_with(&["C0018", "more.hcl is new"]);
    let now = std::fs::read_to_string(folder.path("isobar.state.json")).unwrap();
    assert_eq!(now, state);
}

#[test]
fn of_two_applies_at_once_no_work_is_done_twice() {
    let folder = folder();
    let arguments = ["apply", "-auto-approve", "-var=copies=300"];
    let start = || folder.program(&arguments).spawn().unwrap();
    let processes = [start(), start()];
    let runs = processes.map(|process| Run::of(&process.wait_with_output().unwrap()));
    let successes = runs.iter().filter(|run| run.code == Some(0)).count();
    assert!(successes >= 1, "{runs:?}");
    for run in runs.iter().filter(|run| run.code != Some(0)) {
        // Locked out while the other worked, or behind it when its plan was made.
        let told = run.err.contains("locked") || run.err.contains("state");
        assert!(run.code == Some(1) && told, "{run:?}");
    }
    let list = folder.run(&["state", "list"]);
    assert_eq!(list.ended(0).lines().count(), 301);
    folder
        .run(&["plan", "-detailed-exitcode", "-var=copies=300"])
        .ended(0);
}

#[test]
fn the_state_is_listed_and_shown() {
    let folder = folder();
    folder.run(&["apply", "-auto-approve"]).ended(0);
    let list = folder.run(&["state", "list"]);
    let expected = "isobar_data.first\nisobar_data.second[0]\nisobar_data.second[1]\n";
    assert_eq!(list.ended(0), expected);
    let list = folder.run(&["state", "list", "isobar_data.second"]);
    assert_eq!(list.ended(0).lines().count(), 2);
    let show = folder.run(&["state", "show", "isobar_data.second[1]"]);
    assert!(show.ended(0).contains("\"hello 1\""), "{}", show.out);
    folder
        .run(&["state", "show", "isobar_data.frist"])
        .failed_with(&["C0026", "Did you mean isobar_data.first?"]);
    let shown = json(folder.run(&["show", "-json"]).ended(0));
    let resources = &shown["values"]["root_module"]["resources"];
    assert_eq!(resources.as_array().unwrap().len(), 3);
}

#[test]
fn sensitive_outputs_are_shown_when_asked_for_only() {
    let folder = folder();
    let applied = folder.run(&["apply", "-auto-approve"]);
    let id = folder.run(&["output", "-raw", "id"]);
    assert_eq!(id.ended(0).len(), 36);
    assert!(!applied.ended(0).contains(&id.out));
    let all = folder.run(&["output"]);
    assert!(!all.ended(0).contains(&id.out) && all.out.contains("\"hello\""));
    let all = json(folder.run(&["output", "-json"]).ended(0));
    assert_eq!(all["id"]["sensitive"], true);
    assert_eq!(all["greeting"]["value"], "hello");
}

#[test]
fn destroy_leaves_nothing() {
    let folder = folder();
    folder.run(&["apply", "-auto-approve"]).ended(0);
    folder
        .run(&["plan", "-destroy", "-detailed-exitcode"])
        .ended(2);
    let run = folder.run(&["destroy", "-auto-approve"]);
    assert!(run.ended(0).contains("3 destroyed"), "{}", run.out);
    assert_eq!(folder.run(&["state", "list"]).ended(0), "");
    folder
        .run(&["plan", "-destroy", "-detailed-exitcode"])
        .ended(0);
}

#[test]
fn events_are_one_json_object_per_line() {
    let folder = folder();
    let planned = events(folder.run(&["plan", "-json"]).ended(0));
    let kinds: Vec<_> = planned
        .iter()
        .filter_map(|event| event["type"].as_str())
        .collect();
    assert_eq!(kinds.first(), Some(&"version"));
    assert_eq!(
        kinds
            .iter()
            .filter(|kind| **kind == "planned_change")
            .count(),
        3
    );
    let applied = events(folder.run(&["apply", "-json", "-auto-approve"]).ended(0));
    let count = |kind: &str| applied.iter().filter(|event| event["type"] == kind).count();
    assert_eq!((count("apply_start"), count("apply_complete")), (3, 3));
    assert!(applied.iter().all(|event| event["@timestamp"].is_string()));
}

#[test]
fn mistakes_are_told_before_anything_is_made() {
    let folder = folder();
    for (text, words) in [
        ("resource \"isobar_data\" \"a\" {", &["bad.hcl"][..]),
        (
            "resource \"isobar_data\" \"a\" {\n  imput = 1\n}",
            &["bad.hcl", "imput", "input"],
        ),
        (
            "output \"a\" {\n  value = isobar_data.none.id\n}",
            &["bad.hcl", "none"],
        ),
        (
            "resource \"isobar_dat\" \"a\" {}",
            &["bad.hcl", "isobar_dat"],
        ),
    ] {
        folder.write("bad.hcl", text);
        folder.run(&["apply", "-auto-approve"]).failed_with(words);
        assert!(!folder.path("isobar.state.json").exists(), "{text}");
    }
}

#[test]
fn the_simulated_cloud_takes_three_zones_and_gives_them_back() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/sim/main.hcl");
    let text = std::fs::read_to_string(example).unwrap();
    let folder = Folder::new(&[("main.hcl", &text)]);
    let plan = folder.run(&["plan", "-detailed-exitcode"]);
    let shown = plan.ended(2);
    assert!(shown.contains("+1 to survive loss of"), "{shown}");
    folder.run(&["apply", "-auto-approve"]).ended(0);
    let again = folder.run(&["plan", "-detailed-exitcode"]);
    again.ended(0);
    let replicas = folder.run(&["output", "-json", "replicas"]);
    let replicas: Json = serde_json::from_str(replicas.ended(0)).unwrap();
    let counts: Vec<u64> = replicas
        .as_object()
        .unwrap()
        .values()
        .map(|count| count.as_u64().unwrap())
        .collect();
    assert_eq!(counts.len(), 3);
    // With the largest zone gone, the others still carry 412 req/s at no more than 50 each.
    let rest = counts.iter().sum::<u64>() - counts.iter().max().unwrap();
    assert!(rest * 50 >= 412, "{counts:?}");
    folder.run(&["destroy", "-auto-approve"]).ended(0);
    let cloud = std::fs::read_to_string(folder.path("cloud.json")).unwrap();
    let cloud: Json = serde_json::from_str(&cloud).unwrap();
    let left = cloud["endpoints"]
        .as_object()
        .map_or(0, serde_json::Map::len);
    assert_eq!(left, 0, "{cloud}");
}

#[test]
fn files_are_read_in_every_command_and_chance_waits_for_the_apply() {
    let folder = Folder::new(&[
        (
            "main.hcl",
            r#"
            resource "isobar_data" "file" { input = file("${path.module}/hello.txt") }
            resource "isobar_data" "chance" { input = { at = timestamp(), id = uuid() } }
            resource "isobar_data" "planned" { input = plantimestamp() }
            output "filled" {
              value = templatefile("id.tftpl", { id = isobar_data.chance.output.id })
            }
            "#,
        ),
        ("hello.txt", "hello"),
        ("id.tftpl", "id ${id}"),
    ]);
    folder.run(&["validate"]).ended(0);
    let plan = folder.run(&["plan", "-out=saved.plan"]);
    let text = plan.ended(0).to_owned();
    assert!(text.contains(r#"input  = "hello""#), "{text}");
    assert_eq!(text.matches("(known after apply)").count(), 9, "{text}");
    folder.run(&["apply", "saved.plan"]).ended(0);
    let document: Json =
        serde_json::from_str(folder.run(&["show", "-json", "saved.plan"]).ended(0)).unwrap();
    let planned = &document["planned_values"]["root_module"]["resources"];
    let planned = planned.as_array().unwrap().iter();
    let of = |name: &str| {
        let mut found = planned.clone().filter(|resource| resource["name"] == name);
        found.next().unwrap()["values"]["input"].clone()
    };
    let state = folder.run(&["show", "-json"]);
    let recorded = state.ended(0);
    assert!(
        recorded.contains(of("planned").as_str().unwrap()),
        "{recorded}"
    );
    let filled = folder.run(&["output", "-raw", "filled"]);
    assert_eq!(filled.ended(0).len(), "id ".len() + 36);
    std::fs::remove_file(folder.path("hello.txt")).unwrap();
    folder
        .run(&["validate"])
        .failed_with(&["E0001", "hello.txt", "main.hcl"]);
}
