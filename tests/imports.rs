//! `isobar import` and `isobar plan -generate-config-out`.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

mod program;

use std::fs;
use std::process::Command;

use program::Folder;
use serde_json::Value as Json;

const STATE: &str = "isobar.state.json";

const CONFIGURATION: &str = r#"
variable "keys" {
  type    = set(string)
  default = ["k"]
}

module "m" {
  source   = "./m"
  for_each = var.keys
}

resource "isobar_data" "plain" {
  input = isobar_data.base.output
}

resource "isobar_data" "base" {}

resource "isobar_data" "counted" {
  count = 2
}
"#;

const IMPORT: &str = "import {\n  to = isobar_data.a\n  id = \"id-a\"\n}\n";

fn folder() -> Folder {
    let folder = Folder::new(&[("main.hcl", CONFIGURATION)]);
    fs::create_dir(folder.path("m")).unwrap();
    folder.write(
        "m/main.hcl",
        "resource \"isobar_data\" \"x\" {\n  for_each = toset([\"1\"])\n}\n",
    );
    folder
}

fn state(folder: &Folder) -> Json {
    serde_json::from_str(&fs::read_to_string(folder.path(STATE)).unwrap()).unwrap()
}

#[test]
fn what_is_imported_is_recorded() {
    let folder = folder();
    for (address, id) in [
        ("isobar_data.plain", "id-plain"),
        ("isobar_data.counted[1]", "id-1"),
        ("module.m[\"k\"].isobar_data.x[\"1\"]", "id-x"),
        ("module.m[\"other\"].isobar_data.x[\"1\"]", "id-y"),
    ] {
        let run = folder.run(&["import", "-var", "keys=[\"k\", \"other\"]", address, id]);
        assert!(
            run.ended(0)
                .starts_with(&format!("{address} is in the state now.")),
            "{}",
            run.out
        );
    }
    assert_eq!(state(&folder)["serial"], 4);
    let listed = folder.run(&["state", "list", "-id=id-x"]);
    assert_eq!(listed.ended(0), "module.m[\"k\"].isobar_data.x[\"1\"]\n");
    let shown = folder.run(&["show", "-json"]);
    let shown: Json = serde_json::from_str(shown.ended(0)).unwrap();
    let resources = shown["values"]["root_module"]["resources"]
        .as_array()
        .unwrap();
    let plain = resources
        .iter()
        .find(|r| r["address"] == "isobar_data.plain")
        .unwrap();
    assert_eq!(plain["depends_on"], serde_json::json!(["isobar_data.base"]));
    // The output of a base without an input is known to be null, which is what is there.
    let run = folder.run(&["plan", "-var", "keys=[\"k\", \"other\"]"]);
    assert!(
        run.ended(0)
            .contains("Plan: 2 to add, 0 to change, 0 to destroy."),
        "{}",
        run.out
    );
}

#[test]
fn what_cannot_be_imported_changes_nothing() {
    let folder = folder();
    folder.run(&["import", "isobar_data.plain", "id"]).ended(0);
    let before = state(&folder);
    let mut all = String::new();
    for arguments in [
        ["isobar_data.plain", "id"],
        ["isobar_data.counted", "id"],
        ["isobar_data.counted[2]", "id"],
        ["isobar_data.none[\"x\"]", "id"],
        ["module.m[\"k\"].isobar_data.none", "id"],
        ["module.m[\"z\"].isobar_data.x[\"1\"]", "id"],
        ["module.n.isobar_data.x", "id"],
        ["nimbus_thing.a", "id"],
        ["data.isobar_remote_state.a", "id"],
        ["zone.a", "id"],
        ["deployment.a[\"z\"]", "id"],
    ] {
        let run = folder.run(&[&["import"], &arguments[..]].concat());
        run.ended(1);
        all.push_str(&run.err);
        assert_eq!(state(&folder), before);
    }
    insta::assert_snapshot!("not_imported", all);
    folder.write(".isobar/lock", "");
    let usage = folder.run(&["import", "isobar_data.plain"]);
    usage.ended(1);
    assert!(usage.err.contains("<ID>"), "{}", usage.err);
}

#[test]
fn another_state_can_be_imported_into() {
    let folder = folder();
    let run = folder.run(&["import", "-state=other.json", "isobar_data.base", "id"]);
    run.ended(0);
    assert!(folder.path("other.json").exists());
    assert!(!folder.path(STATE).exists());
}

#[test]
fn blocks_are_written_for_imports_without_one() {
    let folder = Folder::new(&[("main.hcl", IMPORT)]);
    folder.write(
        "main.hcl",
        &format!("{IMPORT}output \"id\" {{\n  value = isobar_data.a.id\n}}\n"),
    );
    let run = folder.run(&[
        "plan",
        "-generate-config-out=generated.hcl",
        "-out=saved.plan",
    ]);
    insta::assert_snapshot!("generated_plan", run.ended(0));
    let text = fs::read_to_string(folder.path("generated.hcl")).unwrap();
    insta::assert_snapshot!("generated", text);
    folder.run(&["apply", "saved.plan"]).ended(0);
    assert!(folder.run(&["plan"]).ended(0).starts_with("No changes."));

    // A file that is there stays as it is, also where there is nothing to write.
    let run = folder.run(&["plan", "-generate-config-out=generated.hcl"]);
    run.failed_with(&["C0062", "generated.hcl exists"]);
    assert_eq!(
        fs::read_to_string(folder.path("generated.hcl")).unwrap(),
        text
    );
    folder
        .run(&["plan", "-generate-config-out=more.hcl"])
        .ended(0);
    assert!(!folder.path("more.hcl").exists());
}

#[test]
fn blocks_are_written_where_they_are_read() {
    let folder = Folder::new(&[("main.hcl", IMPORT)]);
    fs::create_dir(folder.path("m")).unwrap();
    for file in [
        "m/generated.hcl",
        "nowhere/generated.hcl",
        "generated.txt",
        "a.vars.hcl",
        ".a.hcl",
        "m",
    ] {
        let run = folder.run(&["plan", &format!("-generate-config-out={file}")]);
        run.failed_with(&[if file == "m" { "C0062" } else { "C0063" }]);
    }
    // A plan that fails for another reason leaves the blocks, which are what it is about.
    folder.write(
        "main.hcl",
        &format!("{IMPORT}output \"o\" {{\n  value = isobar_data.b.id\n}}\n"),
    );
    let run = folder.run(&["plan", "-generate-config-out=generated.hcl"]);
    run.failed_with(&["P0001", "isobar_data.b"]);
    assert!(folder.path("generated.hcl").exists());
    let run = folder.run(&["plan", "-destroy", "-generate-config-out=x.hcl"]);
    assert_eq!(run.code, Some(1), "{}", run.err);
}

#[test]
fn what_cannot_be_generated_is_told_with_what_to_write() {
    let import = |to: &str| format!("import {{\n  to = {to}\n  id = \"x\"\n}}\n\n");
    let all: String = [
        "module.m.isobar_data.a[0]",
        "module.none.isobar_data.a",
        "isobar_data.k[\"one\"]",
        "isobar_datum.k",
        "isobar_data.good",
    ]
    .map(import)
    .concat();
    let several = "import {\n  for_each = toset([\"p\", \"q\"])\n  to = isobar_data.e[each.key]\n  id = each.key\n}\n";
    let module = "module \"m\" {\n  source = \"./m\"\n}\n";
    let folder = Folder::new(&[
        ("main.hcl", &format!("{all}{several}\n{module}")),
        ("m/main.hcl", ""),
    ]);
    let run = folder.run(&["plan", "-generate-config-out=generated.hcl"]);
    run.ended(1);
    assert!(!folder.path("generated.hcl").exists());
    insta::assert_snapshot!("not_generated", run.err);
}

#[test]
fn nouns_have_nothing_to_import() {
    let zone = "zone \"a\" {}\n\nimport {\n  to = zone.a\n  id = \"x\"\n}\n";
    let folder = Folder::new(&[("main.hcl", zone)]);
    for command in ["validate", "plan"] {
        folder.run(&[command]).failed_with(&[
            "P0045",
            "main.hcl line 4",
            "zone.a cannot be imported",
        ]);
    }
}

/// The addresses of what is recorded, with the ids.
fn ids(state: &Json) -> Vec<(String, String)> {
    let resources = state["resources"].as_array().unwrap().iter();
    let text = |value: &Json| value.as_str().unwrap().to_owned();
    resources
        .map(|one| (text(&one["address"]), text(&one["value"]["id"])))
        .collect()
}

#[test]
fn a_deployment_whose_state_is_lost_is_imported_part_by_part() {
    let folder = Folder::new(&[("main.hcl", include_str!("../examples/sim/main.hcl"))]);
    folder.run(&["apply", "-auto-approve"]).ended(0);
    let lost = state(&folder);
    fs::remove_file(folder.path(STATE)).unwrap();
    folder
        .run(&[
            "import",
            "deployment.reranker[\"sim-oregon\"].sim_router[\"x\"]",
            "x",
        ])
        .failed_with(&["P0035", "deployment.reranker[\"sim-oregon\"].sim_router\n"]);
    let other = "deployment.other[\"z\"].sim_router";
    let wanted = ["P0035", "deployment \"other\" { … }"];
    folder.run(&["import", other, "x"]).failed_with(&wanted);
    let block = format!("import {{\n  to = {other}\n  id = \"x\"\n}}\n");
    folder.write("imports.hcl", &block);
    for arguments in [&["plan"][..], &["plan", "-generate-config-out=new.hcl"]] {
        folder.run(arguments).failed_with(&wanted);
    }
    fs::remove_file(folder.path("imports.hcl")).unwrap();
    let parts = ids(&lost);
    let (by_command, by_blocks) = parts.split_at(parts.len() / 2);
    for (address, id) in by_command {
        folder.run(&["import", address, id]).ended(0);
    }
    let blocks: String = by_blocks
        .iter()
        .map(|(address, id)| format!("import {{\n  to = {address}\n  id = {id:?}\n}}\n"))
        .collect();
    folder.write("imports.hcl", &blocks);
    // The deployment is sized from what is there.
    let plan = folder.run(&["plan"]);
    assert!(plan.ended(0).contains("14"), "{}", plan.out);
    assert!(!plan.out.contains("0 → "), "{}", plan.out);
    let run = folder.run(&["apply", "-auto-approve"]);
    let summary = "Apply complete! Resources: 3 imported, 0 added, 0 changed, 0 destroyed.";
    assert!(run.ended(0).contains(summary), "{}", run.out);
    assert_eq!(state(&folder)["resources"], lost["resources"]);
    folder.run(&["plan", "-detailed-exitcode"]).ended(0);
}

#[test]
fn imports_are_counted_for_programs_too() {
    let block = "resource \"isobar_data\" \"a\" {}\n";
    let folder = Folder::new(&[("main.hcl", &format!("{IMPORT}{block}"))]);
    let run = folder.run(&["apply", "-auto-approve", "-json"]);
    let events = run.ended(0).lines();
    let events = events.map(|line| serde_json::from_str::<Json>(line).unwrap());
    let counts = events.filter(|event| event["type"] == "change_summary");
    let counts: Vec<Json> = counts
        .map(|event| event["changes"]["import"].clone())
        .collect();
    assert_eq!(counts, [1, 1]);
}

/// A text without its comments.
fn code(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim().starts_with('#'));
    lines
        .map(|line| format!("{line}\n"))
        .collect::<String>()
        .trim()
        .to_owned()
}

#[test]
fn terraform_writes_the_same_block() {
    let folder = Folder::new(&[("main.hcl", IMPORT)]);
    folder.write("main.tf", &IMPORT.replace("isobar", "terraform"));
    let terraform = |arguments: &[&str]| {
        let mut command = Command::new("terraform");
        command.args(arguments).current_dir(folder.path(""));
        command
            .env("TF_CLI_CONFIG_FILE", "/dev/null")
            .env("CHECKPOINT_DISABLE", "1");
        command.output()
    };
    // Where there is no Terraform, there is nothing to compare with.
    if terraform(&["init"]).is_err() {
        return;
    }
    let output = terraform(&["plan", "-generate-config-out=generated.tf"]).unwrap();
    assert!(output.status.success(), "{output:?}");
    folder
        .run(&["plan", "-generate-config-out=generated.hcl"])
        .ended(0);
    let read = |name: &str| code(&fs::read_to_string(folder.path(name)).unwrap());
    assert_eq!(
        read("generated.hcl"),
        read("generated.tf").replace("terraform", "isobar")
    );
}
