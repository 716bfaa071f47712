//! What is refused, as its users see it: a folder a case, the whole of stderr as a snapshot.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

mod program;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use program::{Folder, Run};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/refusals");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    cases
}

/// The files of a folder and of those in it, but for what is kept of a state.
fn contents(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_file() {
            files.insert(name, std::fs::read_to_string(&path).unwrap());
        } else if !name.starts_with('.') {
            let inner = contents(&path).into_iter();
            files.extend(inner.map(|(file, text)| (format!("{name}/{file}"), text)));
        }
    }
    files
}

/// Stderr without what differs from run to run.
fn stable(text: &str, folder: &Folder) -> String {
    let path = folder.path("").display().to_string();
    let lines = text.lines().filter(|line| !line.starts_with("forecast."));
    let text: Vec<String> = lines.map(|line| line.replace(&path, "FOLDER/")).collect();
    text.join("\n")
}

#[test]
fn every_case_is_refused_with_place_and_fix_and_nothing_is_written() {
    let cases = cases();
    assert!(cases.len() >= 12);
    for case in cases {
        let files = contents(&case);
        let listed: Vec<(&str, &str)> = files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        let folder = Folder::new(&listed);
        for command in [["plan", "-out=saved.plan"], ["apply", "-auto-approve"]] {
            // Wide enough that no path of a temporary folder is broken into lines.
            let run = Run::of(
                &folder
                    .program(&command)
                    .env("COLUMNS", "400")
                    .output()
                    .unwrap(),
            );
            let name = case.file_name().unwrap().to_str().unwrap();
            assert_eq!(
                run.code,
                Some(1),
                "{name} {command:?}\n{}{}",
                run.out,
                run.err
            );
            assert_eq!(contents(&folder.path("")), files, "{name} {command:?}");
            if command[0] == "plan" {
                insta::assert_snapshot!(format!("refusal_{name}"), stable(&run.err, &folder));
            }
        }
    }
}

#[test]
fn a_taken_port_is_found_in_the_plan() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let main = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/refusals/no_performance/main.hcl"),
    )
    .unwrap()
    .replace("18101", &port.to_string())
    .replace("demand = 10", "replicas = { east = 1, west = 0 }");
    let folder = Folder::new(&[("main.hcl", &main)]);
    for command in ["plan", "validate"] {
        let run = folder.run(&[command]);
        if command == "plan" {
            run.failed_with(&[
                "P0012",
                "main.hcl line 3",
                &port.to_string(),
                "another port",
            ]);
        } else {
            run.ended(0);
        }
    }
    assert!(!folder.path("isobar.state.json").exists());
}
