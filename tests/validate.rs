//! Configurations held against `terraform validate`.
//!
//! Each in `testdata/validate/cases.txt` begins with a line that says whether it is valid, and, where
//! Terraform says otherwise, so. It is written in Terraform's words; a module stands behind
//! `-- m --`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken case is to end the test"
)]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

struct Case<'a> {
    here: bool,
    there: bool,
    text: &'a str,
}

fn cases(text: &str) -> Vec<Case<'_>> {
    let sections = text.split("## ").skip(1);
    sections
        .map(|section| {
            let (head, text) = section.split_once('\n').unwrap();
            let here = !head.starts_with("invalid");
            let there = head.split_once(", Terraform: ");
            let there = there.map_or(here, |(_, there)| there == "valid");
            Case { here, there, text }
        })
        .collect()
}

fn run(program: &str, folder: &Path, argument: &str) -> Output {
    Command::new(program)
        .arg(argument)
        .current_dir(folder)
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .env("CHECKPOINT_DISABLE", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn is_valid(program: &str, extension: &str, text: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let (main, module) = text.split_once("-- m --\n").unwrap_or((text, ""));
    let write = |name: &str, text: &str| {
        let path = folder.path().join(format!("{name}.{extension}"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("main", main);
    if !module.is_empty() {
        write("m/main", module);
        if extension == "tf" {
            run(program, folder.path(), "get");
        }
    }
    let output = run(program, folder.path(), "validate");
    let status = output.status.code();
    assert!(matches!(status, Some(0 | 1)), "{status:?}: {text}");
    status == Some(0)
}

/// The cases of which a program does not say what is expected.
fn surprises(look: impl Fn(&Case<'_>) -> bool + Sync) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/validate/cases.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let open = Mutex::new(cases(&text));
    assert!(open.lock().unwrap().len() > 100);
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(case) = open.lock().unwrap().pop() else {
                        return;
                    };
                    if !look(&case) {
                        found.lock().unwrap().push(case.text.to_owned());
                    }
                }
            });
        }
    });
    found.into_inner().unwrap()
}

#[test]
fn cases_are_judged_as_they_say() {
    let found = surprises(|case| {
        let text = case.text.replace("terraform", "isobar");
        is_valid(env!("CARGO_BIN_EXE_isobar"), "hcl", &text) == case.here
    });
    assert!(found.is_empty(), "{}", found.join("\n----\n"));
}

/// Runs only where `terraform` is on the path.
#[test]
fn terraform_judges_as_the_cases_say() {
    let version = Command::new("terraform").arg("version").output();
    if !version.is_ok_and(|o| String::from_utf8_lossy(&o.stdout).contains("Terraform v1.11")) {
        return;
    }
    let found = surprises(|case| is_valid("terraform", "tf", case.text) == case.there);
    assert!(found.is_empty(), "{}", found.join("\n----\n"));
}
