//! The command line as its users see it, as far as nothing is planned.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

mod program;

use std::io::Read;
#[cfg(all(feature = "serve", unix))]
use std::io::{BufRead, BufReader};

use program::{Folder, Run};
use serde_json::Value as Json;

const VARIABLES: &str = r#"
variable "size" {
  type    = number
  default = 1
}

variable "region" {
  type        = string
  description = "where it runs"
}

variable "names" {
  type    = list(string)
  default = []
}
"#;

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_version_is_told_in_every_spelling() {
    let folder = Folder::new(&[]);
    let version = env!("CARGO_PKG_VERSION");
    for arguments in [&["version"][..], &["-version"], &["--version"]] {
        let run = folder.run(arguments);
        assert!(run.ended(0).starts_with(&format!("Isobar v{version}\n")));
    }
    let run = folder.run(&["version", "-json"]);
    assert_eq!(json(run.ended(0))["isobar_version"], version);
}

#[test]
fn the_help_names_every_command() {
    let folder = Folder::new(&[]);
    let help = folder.run(&["-help"]);
    insta::assert_snapshot!("help", help.ended(0));
    assert_eq!(folder.run(&["-h"]).ended(0), help.out);
    let plan = folder.run(&["plan", "-help"]);
    insta::assert_snapshot!("help_plan", plan.ended(0));
    let nothing = folder.run(&[]);
    assert_eq!((nothing.code, nothing.err), (Some(1), help.out));
}

#[test]
fn unknown_commands_and_flags_are_refused() {
    let folder = Folder::new(&[]);
    folder
        .run(&["plam"])
        .failed_with(&["unrecognized subcommand 'plam'", "'plan'"]);
    folder
        .run(&["plan", "-detailed-exit"])
        .failed_with(&["'--detailed-exit'", "'--detailed-exitcode'"]);
    folder
        .run(&["output", "-raw"])
        .failed_with(&["required", "<NAME>"]);
}

#[test]
fn a_folder_must_exist_and_hold_configuration() {
    let folder = Folder::new(&[("prod.vars.hcl", ""), ("a.test.hcl", "")]);
    for arguments in [&["validate"][..], &["plan"], &["graph"], &["forecast"]] {
        let run = folder.run(arguments);
        run.failed_with(&["C0007", "No configuration", "main.hcl", "-chdir"]);
    }
    folder.run(&["-chdir=nowhere", "validate"]).failed_with(&[
        "C0001",
        "No such folder",
        "-chdir=DIR",
    ]);
    folder.write("main.hcl", "locals {}");
    let above = Folder::new(&[]);
    let path = folder.path("").display().to_string();
    above.run(&["-chdir", &path, "validate"]).ended(0);
}

#[test]
fn validate_answers_in_text_and_json() {
    let folder = Folder::new(&[("main.hcl", "locals {\n  a = 1\n}\n")]);
    let run = folder.run(&["validate"]);
    assert_eq!(run.ended(0), "The configuration is valid.\n");
    let document = json(folder.run(&["validate", "-json"]).ended(0));
    assert_eq!(document["valid"], true);
    assert_eq!(document["format_version"], "1.0");

    folder.write(
        "main.hcl",
        "locals {\n  a = 1\n}\nressource \"a\" \"b\" {}\n",
    );
    let run = folder.run(&["validate"]);
    run.failed_with(&["main.hcl", "line 4", "ressource", "resource"]);
    assert_eq!(run.out, "");
    let run = folder.run(&["validate", "-json"]);
    let document = json(run.ended(1));
    assert_eq!(
        (&document["valid"], run.err.as_str()),
        (&Json::Bool(false), "")
    );
    assert_eq!(document["error_count"], 1);
    let diagnostic = &document["diagnostics"][0];
    assert_eq!(diagnostic["severity"], "error");
    assert_eq!(diagnostic["range"]["filename"], "main.hcl");
    assert_eq!(diagnostic["range"]["start"]["line"], 4);
}

#[test]
fn wrong_values_of_variables_are_told_with_their_fix() {
    let folder = Folder::new(&[("main.hcl", VARIABLES)]);
    for (arguments, words) in [
        (
            &["plan"][..],
            &[
                "C0014",
                "\"region\" (where it runs)",
                "-var region=VALUE",
                "ISOBAR_VAR_region",
            ][..],
        ),
        (
            &["plan", "-var", "region=x", "-var=size=many"],
            &["C0013", "\"size\"", "type number"],
        ),
        (
            &["plan", "-var", "regin=x"],
            &["C0011", "\"regin\"", "Did you mean \"region\"?"],
        ),
        (&["plan", "-var", "region"], &["C0010", "-var NAME=VALUE"]),
        (
            &["plan", "-var", "region=x", "-var", "names=[1"],
            &["var.names", "list(string)"],
        ),
        (
            &["plan", "-var-file=none.vars.hcl"],
            &["C0009", "none.vars.hcl"],
        ),
        (&["forecast", "-var=size=2"], &["C0014"]),
    ] {
        folder.run(arguments).failed_with(words);
    }
    folder.write("bad.vars.hcl", "region = [1]\nregion2 = 1\nb {}\n");
    folder
        .run(&["plan", "-var-file", "bad.vars.hcl"])
        .failed_with(&["bad.vars.hcl", "C0011", "C0012", "C0013", "Warning"]);
}

#[test]
fn nothing_is_written_where_a_plan_fails() {
    let folder = Folder::new(&[("main.hcl", VARIABLES)]);
    folder.run(&["plan", "-out=p.plan"]).ended(1);
    folder
        .run(&["plan", "-out=none/p.plan", "-var=region=x"])
        .failed_with(&["C0015", "none/p.plan"]);
    let left: Vec<_> = std::fs::read_dir(folder.path("")).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn apply_does_not_ask_where_no_one_can_answer() {
    let folder = Folder::new(&[("main.hcl", "locals {}")]);
    for arguments in [&["apply"][..], &["destroy"], &["apply", "-input=false"]] {
        folder
            .run(arguments)
            .failed_with(&["C0021", "-auto-approve", "-out=FILE"]);
    }
    let run = folder.run(&["apply", "-json"]);
    let event = json(run.ended(1).lines().last().unwrap());
    assert_eq!(
        (&event["@level"], &event["type"]),
        (&"error".into(), &"diagnostic".into())
    );
    assert_eq!(event["diagnostic"]["code"], "C0021");
    assert!(event["@timestamp"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn files_that_are_no_plans_are_refused() {
    let folder = Folder::new(&[("main.hcl", "locals {}"), ("notes.txt", "hello")]);
    for arguments in [&["apply", "notes.txt"][..], &["show", "notes.txt"]] {
        folder
            .run(arguments)
            .failed_with(&["C0016", "notes.txt", "-out=FILE"]);
    }
    folder
        .run(&["apply", "none.plan"])
        .failed_with(&["C0009", "none.plan"]);
    folder
        .run(&["apply", "-refresh-only", "notes.txt"])
        .failed_with(&["C0020"]);
}

#[test]
fn an_absent_state_has_nothing_in_it() {
    let folder = Folder::new(&[]);
    let run = folder.run(&["output"]);
    assert_eq!(run.ended(0), "");
    assert!(run.err.contains("No outputs"), "{}", run.err);
    assert_eq!(json(folder.run(&["output", "-json"]).ended(0)), json("{}"));
    folder
        .run(&["output", "url"])
        .failed_with(&["C0023", "\"url\""]);
    folder
        .run(&["state", "list"])
        .failed_with(&["C0025", "Apply first"]);
    folder
        .run(&["state", "show", "isobar_data.a"])
        .failed_with(&["C0025"]);
    folder
        .run(&["state", "show", "isobar_data"])
        .failed_with(&["isobar_data"]);
    folder.run(&["show"]).ended(0);
    assert!(json(folder.run(&["show", "-json"]).ended(0))["format_version"].is_string());
}

#[test]
fn a_broken_state_is_refused_and_left_alone() {
    let folder = Folder::new(&[("main.hcl", "locals {}"), ("isobar.state.json", "{ broken")]);
    for arguments in [&["plan"][..], &["output"], &["show"], &["state", "list"]] {
        folder
            .run(arguments)
            .failed_with(&["S0003", "isobar.state.json", "backup"]);
    }
    let left = std::fs::read_to_string(folder.path("isobar.state.json")).unwrap();
    assert_eq!(left, "{ broken");
}

const STATE: &str = r#"{
  "version": 1, "isobar_version": "0.1.0", "lineage": "l", "serial": 1,
  "outputs": {
    "url": { "type": "string", "value": "http://x" },
    "port": { "type": "number", "value": 80 },
    "zones": { "type": ["list", "string"], "value": ["a", "b"] }
  },
  "resources": []
}"#;

#[test]
fn outputs_are_printed_for_people_and_for_programs() {
    let folder = Folder::new(&[("isobar.state.json", STATE)]);
    let document = json(folder.run(&["output", "-json"]).ended(0));
    assert_eq!(document["zones"]["value"], json("[\"a\", \"b\"]"));
    assert_eq!(document["port"]["type"], "number");
    assert_eq!(folder.run(&["output", "-raw", "url"]).ended(0), "http://x");
    assert_eq!(folder.run(&["output", "-raw", "port"]).ended(0), "80");
    assert_eq!(folder.run(&["output", "url"]).ended(0), "\"http://x\"\n");
    assert_eq!(
        folder.run(&["output", "-json", "url"]).ended(0),
        "\"http://x\"\n"
    );
    folder
        .run(&["output", "-raw", "zones"])
        .failed_with(&["C0024", "-json"]);
    folder
        .run(&["output", "ulr"])
        .failed_with(&["C0023", "Did you mean \"url\"?"]);
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let text = "a = 1\n".repeat(40_000);
    let locals: String = text
        .lines()
        .enumerate()
        .map(|(n, _)| format!("a{n} = 1\n"))
        .collect();
    let folder = Folder::new(&[("main.hcl", &format!("locals {{\n{locals}}}\n"))]);
    let mut process = folder.program(&["graph", "-type=plan"]).spawn().unwrap();
    let mut first = [0; 7];
    let mut out = process.stdout.take().unwrap();
    out.read_exact(&mut first).unwrap();
    drop(out);
    let run = Run::of(&process.wait_with_output().unwrap());
    assert_eq!((run.ended(0), run.err.as_str()), ("", ""));
    assert_eq!(&first, b"digraph");
}

#[test]
fn the_graph_has_an_arrow_for_every_reference() {
    let folder = Folder::new(&[("main.hcl", "locals {\n  a = 1\n  b = local.a\n}\n")]);
    let run = folder.run(&["graph", "-type=plan"]);
    assert!(
        run.ended(0).contains("\"local.b\" -> \"local.a\";"),
        "{}",
        run.out
    );
    folder.write("main.hcl", "locals {\n  a = local.b\n  b = local.a\n}\n");
    folder
        .run(&["graph"])
        .failed_with(&["main.hcl", "local.a", "local.b"]);
}

#[test]
fn gateway_and_server_say_why_they_cannot_start() {
    let folder = Folder::new(&[]);
    folder
        .run(&["serve", "-port=0", "-model=none.onnx"])
        .failed_with(&["none.onnx"]);
    folder
        .run(&["gateway", "--config", "none.json"])
        .failed_with(&["none.json"]);
}

#[cfg(not(feature = "serve"))]
#[test]
fn a_program_without_the_server_says_how_to_get_it() {
    Folder::new(&[])
        .run(&["serve", "-port=0", "-model=none.onnx"])
        .failed_with(&["C0032", "--features serve"]);
}

#[cfg(all(feature = "serve", unix))]
#[test]
fn the_server_outlives_its_terminal_and_ends_when_told() {
    let folder = Folder::new(&[]);
    let model = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/quickstart/model/digits.onnx"
    );
    let arguments = ["serve", "-model", model, "-port=0", "-version=2"];
    let mut process = folder.program(&arguments).spawn().unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    let address = line.split_once("http://").unwrap().1.to_owned();
    let signal = |name: &str| {
        let mut kill = std::process::Command::new("kill");
        let id = process.id().to_string();
        assert!(kill.args([name, &id]).status().unwrap().success());
    };
    signal("-HUP");
    std::net::TcpStream::connect(address).unwrap();
    signal("-TERM");
    let run = Run::of(&process.wait_with_output().unwrap());
    assert_eq!(run.ended(0), "");
}
