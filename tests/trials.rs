//! Files of tests, run and held against `terraform test`.
//!
//! A case in `testdata/trials` is a text with sections, one for each file, in Terraform's words. Beside
//! it stands what became of every run there, as recorded with
//! `ISOBAR_RECORD=1 cargo test --test trials`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken case is to end the test"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value as Json, json};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tool {
    Isobar,
    Terraform,
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/trials");
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect();
    paths.sort();
    paths
}

/// Writes the files of a case in the words of a tool.
fn write(case: &Path, tool: Tool, folder: &Path) {
    let text = std::fs::read_to_string(case).unwrap();
    for section in text
        .split("\n-- ")
        .map(|s| s.strip_prefix("-- ").unwrap_or(s))
    {
        let (name, text) = section.split_once(" --\n").unwrap();
        let (name, text) = match tool {
            Tool::Terraform => (name.to_owned(), text.to_owned()),
            Tool::Isobar => (
                name.replace(".tftest.hcl", ".test.hcl")
                    .replace(".tfmock.hcl", ".mock.hcl")
                    .replace(".tf", ".hcl"),
                text.replace("terraform", "isobar"),
            ),
        };
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("{text}\n")).unwrap();
    }
}

fn run(tool: Tool, folder: &Path, arguments: &[&str]) -> Output {
    let program = match tool {
        Tool::Isobar => env!("CARGO_BIN_EXE_isobar"),
        Tool::Terraform => "terraform",
    };
    Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .env("CHECKPOINT_DISABLE", "1")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap()
}

/// The files and runs with their ends, and the exit status.
fn outcome(case: &Path, tool: Tool) -> Json {
    let folder = tempfile::tempdir().unwrap();
    write(case, tool, folder.path());
    if tool == Tool::Terraform {
        run(tool, folder.path(), &["init"]);
    }
    let output = run(tool, folder.path(), &["test", "-json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let events: Vec<Json> = events.collect();
    let ends: Vec<String> = events
        .iter()
        .filter(|event| event["type"] == "test_run")
        .filter(|event| {
            event["test_run"]["progress"]
                .as_str()
                .is_none_or(|p| p == "complete")
        })
        .map(|event| {
            let run = &event["test_run"];
            let path = run["path"].as_str().unwrap().replace(".tftest.", ".test.");
            format!(
                "{path} {} {}",
                run["run"].as_str().unwrap(),
                run["status"].as_str().unwrap()
            )
        })
        .collect();
    json!({ "runs": ends, "exit": output.status.code() })
}

fn recorded(case: &Path) -> Json {
    let text = std::fs::read_to_string(case.with_extension("json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn runs_end_as_those_of_terraform() {
    let cases = cases();
    assert!(cases.len() >= 15, "{}", cases.len());
    for case in cases {
        let actual = outcome(&case, Tool::Isobar);
        assert_eq!(actual, recorded(&case), "{}", case.display());
    }
}

/// Runs only where `terraform` is on the path.
#[test]
fn recordings_are_what_terraform_says() {
    let version = Command::new("terraform").arg("version").output();
    if !version.is_ok_and(|o| String::from_utf8_lossy(&o.stdout).contains("Terraform v1.11")) {
        return;
    }
    for case in cases() {
        let actual = outcome(&case, Tool::Terraform);
        if std::env::var_os("ISOBAR_RECORD").is_some() {
            let text = serde_json::to_string_pretty(&actual).unwrap() + "\n";
            std::fs::write(case.with_extension("json"), text).unwrap();
        }
        assert_eq!(actual, recorded(&case), "{}", case.display());
    }
}

/// A text of the output in which nothing changes from run to run.
fn stable(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

#[test]
fn results_are_told_to_people_and_build_servers() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(
        &cases().pop().unwrap().with_file_name("several-runs.txt"),
        Tool::Isobar,
        folder,
    );
    let output = run(
        Tool::Isobar,
        folder,
        &["test", "-junit-xml=results.xml", "-no-color"],
    );
    insta::assert_snapshot!("out", stable(&output.stdout));
    insta::assert_snapshot!("err", stable(&output.stderr));
    insta::assert_snapshot!(
        "junit",
        stable(&std::fs::read(folder.join("results.xml")).unwrap())
    );
    // Everything was destroyed, and nothing else was touched.
    assert!(!folder.join("isobar.state.json").exists());
    let left = std::fs::read_dir(folder.join(".isobar/tests")).unwrap();
    assert_eq!(left.count(), 0);
}

/// Deployments of a mocked provider have their replicas, and nothing is started.
#[test]
fn the_example_is_tested_without_a_process() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart");
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir(folder.join("model")).unwrap();
    for file in [
        "main.hcl",
        "replicas.test.hcl",
        "telemetry.csv",
        "model/digits.onnx",
        "model/digits-2.onnx",
    ] {
        std::fs::copy(example.join(file), folder.join(file)).unwrap();
    }
    let output = run(Tool::Isobar, folder, &["test", "-no-color"]);
    insta::assert_snapshot!("example", stable(&output.stdout) + &stable(&output.stderr));
    // Real replicas would have left their logs.
    let left = std::fs::read_dir(folder.join(".isobar")).unwrap();
    let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["telemetry", "tests"]);
}

#[test]
fn mistakes_in_files_of_tests_are_told() {
    for (text, code) in [
        ("run \"a\" {\n}\nrun \"a\" {\n}\n", "L0009"),
        ("run \"a\" {\n  command = \"plan\"\n}\n", "L0037"),
        ("run \"a\" {\n  asert {\n  }\n}\n", "L0004"),
        ("mock_provider \"sim\" \"x\" {}\n", "L0004"),
        ("mock_provider \"simm\" {}\nrun \"a\" {\n}\n", "P0013"),
        (
            "mock_provider \"sim\" {\n  source = \"./none\"\n}\nrun \"a\" {\n}\n",
            "T0017",
        ),
        ("mock_provider \"sim\" {}\nprovider \"sim\" {}\n", "L0009"),
        (
            "run \"a\" {\n  providers = {\n    sim = sim.other\n  }\n}\n",
            "T0012",
        ),
        ("override_data {\n  target = isobar_data.a\n}\n", "L0038"),
        ("override_resource {\n  values = {}\n}\n", "L0005"),
        (
            "override_resource {\n  target = isobar_data.a\n  values = 1\n}\nrun \"a\" {\n}\n",
            "T0013",
        ),
        (
            "override_module {\n  target = module.a[0]\n}\nrun \"a\" {\n}\n",
            "T0014",
        ),
        (
            "run \"a\" {\n  module {\n    source = \"./none\"\n  }\n}\n",
            "T0016",
        ),
        (
            "override_resource {\n  target = isobar_data.a\n  override_during = now\n}\n",
            "L0037",
        ),
        ("run \"a\" {\n  expect_failures = [output.o]\n}\n", "T0003"),
        (
            "run \"a\" {\n  variables {\n    n = run.b.o\n  }\n}\n",
            "E0002",
        ),
        ("run \"a\" {\n", "L0002"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let main = "variable \"n\" { default = 1 }\noutput \"o\" { value = var.n }\n";
        std::fs::write(folder.path().join("main.hcl"), main).unwrap();
        std::fs::write(folder.path().join("a.test.hcl"), text).unwrap();
        let output = run(Tool::Isobar, folder.path(), &["test"]);
        let told = stable(&output.stderr);
        assert!(told.contains(code), "{text}: {told}");
        assert_eq!(output.status.code(), Some(1), "{text}");
    }
}
