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
