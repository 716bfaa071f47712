//! Plans of pairs of configurations, held against those of Terraform.
//!
//! A case in `testdata/terraform` is a text with sections, `-- 1/main --` and so on: the first
//! configuration is applied, the second one is planned. It is written in Terraform's words and
//! translated for Isobar. Beside it stands what Terraform 1.11 plans, as recorded with
//! `ISOBAR_RECORD=1 cargo test --test terraform`; where `terraform` is on the path, every run checks
//! that the recordings are still what it says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken case is to end the test"
)]

mod case;
mod random;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use case::{Case, Tool, told};
use serde_json::Value as Json;

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/terraform");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    paths.sort();
    paths.into_iter().map(Case::read).collect()
}

/// Runs `work` for every case, two at a time; gives back what it complains of.
fn each(cases: Vec<Case>, work: impl Fn(&Case) -> Option<String> + Sync) -> Vec<String> {
    let open = Mutex::new(cases);
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(case) = open.lock().unwrap().pop() else {
                        return;
                    };
                    let complaint = work(&case);
                    found.lock().unwrap().extend(complaint);
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort();
    found
}

fn compared(case: &Case, expected: &Json, actual: &Json, who: &str) -> Option<String> {
    let pretty = |json: &Json| serde_json::to_string_pretty(json).unwrap();
    (expected != actual).then(|| {
        let difference = similar::TextDiff::from_lines(&pretty(expected), &pretty(actual))
            .unified_diff()
            .to_string();
        format!("{}: - as recorded, + {who}\n{difference}", case.name())
    })
}

fn recorded(case: &Case) -> Json {
    let text = std::fs::read_to_string(case.recording());
    let text = text.unwrap_or_else(|_| panic!("{} has no recording", case.name()));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn plans_are_those_of_terraform() {
    let complaints = each(cases(), |case| {
        let actual = case.outcome(Tool::Isobar);
        compared(case, &recorded(case), &actual, "Isobar")
    });
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn there_are_many_cases() {
    assert!(cases().len() >= 60, "{}", cases().len());
}

fn terraform_is_there() -> bool {
    let version = Command::new("terraform").arg("version").output();
    version.is_ok_and(|output| told(&output).contains("Terraform v1.11"))
}

/// Runs only where `terraform` is on the path. `ISOBAR_RANDOM=500` draws as many pairs, and
/// `ISOBAR_RANDOM=500..900` those of these seeds.
#[test]
fn random_plans_are_those_of_terraform() {
    if !terraform_is_there() {
        return;
    }
    let asked = std::env::var_os("ISOBAR_RANDOM").unwrap_or_else(|| "20".into());
    let asked = asked.to_str().unwrap();
    let (from, to) = asked.split_once("..").unwrap_or(("0", asked));
    let seeds = from.parse::<u64>().unwrap()..to.parse::<u64>().unwrap();
    let complaints = each(seeds.map(random::case).collect(), |case| {
        let expected = case.outcome(Tool::Terraform);
        // Terraform cannot order some replacements.
        if expected["cycle"] == true {
            return None;
        }
        let actual = case.outcome(Tool::Isobar);
        let complaint = compared(case, &expected, &actual, "Isobar");
        complaint.map(|complaint| format!("{complaint}\n{}", case.text()))
    });
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Runs only where `terraform` is on the path.
#[test]
fn recordings_are_what_terraform_plans() {
    if !terraform_is_there() {
        return;
    }
    let record = std::env::var_os("ISOBAR_RECORD").is_some();
    let complaints = each(cases(), |case| {
        let actual = case.outcome(Tool::Terraform);
        if record {
            let text = serde_json::to_string_pretty(&actual).unwrap() + "\n";
            std::fs::write(case.recording(), text).unwrap();
        }
        compared(case, &recorded(case), &actual, "Terraform")
    });
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
