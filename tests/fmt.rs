//! `isobar fmt`, held against `terraform fmt`.
//!
//! A case in `testdata/fmt` is a text as somebody has typed it, `NAME.in`. Beside it stands what
//! Terraform 1.11 makes of it, `NAME.out`, as recorded with `ISOBAR_RECORD=1 cargo test --test
//! fmt`; where `terraform` is on the path, every run checks that the recordings are still what
//! it makes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a broken case is to end the test"
)]

mod program;

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use isobar::format::format;
use isobar::language::parse_file;
use program::{Folder, Run};
use regex::Regex;

/// The texts as they were typed, with their files.
fn cases() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/fmt");
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut cases: Vec<(PathBuf, String)> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "in"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect();
    cases.sort();
    cases
}

fn formatted(text: &str) -> String {
    format(&"case.hcl".into(), text).expect("a case is valid")
}

/// Fails with every case of which `wrong` has something to say.
#[track_caller]
fn hold(wrong: impl Fn(&Path, &str) -> Option<String>) {
    let complaints: Vec<String> = cases()
        .iter()
        .filter_map(|(path, text)| {
            let name = path.file_stem().unwrap().display();
            wrong(path, text).map(|complaint| format!("{name}:\n{complaint}"))
        })
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// How two texts differ.
fn difference(expected: &str, actual: &str) -> Option<String> {
    (expected != actual).then(|| format!("expected {expected:?}\nactually {actual:?}"))
}

#[test]
fn there_are_many_cases() {
    assert!(cases().len() >= 120, "{}", cases().len());
}

#[test]
fn every_case_is_laid_out_as_recorded() {
    hold(|path, text| {
        let expected = std::fs::read_to_string(path.with_extension("out")).unwrap();
        difference(&expected, &formatted(text))
    });
}

#[test]
fn what_is_laid_out_stays_as_it_is() {
    hold(|_, text| {
        let once = formatted(text);
        difference(&once, &formatted(&once))
    });
}

/// What a text says, without where it says it, and without what `fmt` rewrites on purpose.
fn meaning(text: &str) -> String {
    let (body, diagnostics) = parse_file(&"case.hcl".into(), text);
    assert!(!diagnostics.has_errors(), "{text}");
    let places = Regex::new(r"(Span|Extent) \{[^{}]*\}").unwrap();
    places.replace_all(&format!("{body:?}"), "").into_owned()
}

#[test]
fn what_is_laid_out_means_what_it_meant() {
    hold(|path, text| {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let is_rewritten = name.starts_with("unwrap-") || name.starts_with("type-");
        if is_rewritten || name.starts_with("big-") {
            return None;
        }
        difference(&meaning(text), &meaning(&formatted(text)))
    });
}

/// Runs only where `terraform` is on the path.
#[test]
fn recordings_are_what_terraform_makes() {
    let version = Command::new("terraform").arg("version").output();
    let there = version.is_ok_and(|output| {
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        told.contains("Terraform v1.11")
    });
    if !there {
        return;
    }
    let folder = Folder::new(&[]);
    let there = |path: &Path| {
        let name = path.file_stem().unwrap().to_str().unwrap();
        folder.path(&format!("{name}.tf"))
    };
    for (path, text) in cases() {
        std::fs::write(there(&path), text).unwrap();
    }
    let mut command = Command::new("terraform");
    command.arg("fmt").current_dir(folder.path(""));
    command.env("TF_CLI_CONFIG_FILE", "/dev/null");
    let output = command.env("CHECKPOINT_DISABLE", "1").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let record = std::env::var_os("ISOBAR_RECORD").is_some();
    hold(|path, _| {
        let actual = std::fs::read_to_string(there(path)).unwrap();
        let recording = path.with_extension("out");
        if record {
            std::fs::write(&recording, &actual).unwrap();
        }
        difference(&std::fs::read_to_string(recording).unwrap(), &actual)
    });
}

/// Runs the program with this on its standard input.
fn piped(folder: &Folder, arguments: &[&str], text: &str) -> Run {
    let mut command = folder.program(arguments);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    Run::of(&child.wait_with_output().unwrap())
}

fn untidy() -> Folder {
    Folder::new(&[
        ("main.hcl", "a=1\n"),
        ("tidy.hcl", "a = 1\n"),
        ("below/b.hcl", "b=1\n"),
        ("below/more/c.test.hcl", "c=1\n"),
        (".hidden/d.hcl", "d=1\n"),
        (".lock.hcl", "e=1\n"),
        ("notes.txt", "f=1\n"),
    ])
}

fn read(folder: &Folder, file: &str) -> String {
    std::fs::read_to_string(folder.path(file)).unwrap()
}

#[test]
fn files_that_change_are_listed_and_written() {
    let folder = untidy();
    assert_eq!(folder.run(&["fmt"]).ended(0), "main.hcl\n");
    assert_eq!(read(&folder, "main.hcl"), "a = 1\n");
    assert_eq!(folder.run(&["fmt"]).ended(0), "");
    let listed = "below/b.hcl\nbelow/more/c.test.hcl\n";
    assert_eq!(folder.run(&["fmt", "-recursive"]).ended(0), listed);
    for file in [".hidden/d.hcl", ".lock.hcl", "notes.txt"] {
        assert!(read(&folder, file).contains("=1"), "{file}");
    }
}

#[test]
fn check_changes_nothing_and_ends_with_three() {
    let folder = untidy();
    assert_eq!(folder.run(&["fmt", "-check"]).ended(3), "main.hcl\n");
    assert_eq!(folder.run(&["fmt", "-check", "-list=false"]).ended(3), "");
    assert_eq!(read(&folder, "main.hcl"), "a=1\n");
    assert_eq!(folder.run(&["fmt", "-check", "tidy.hcl"]).ended(0), "");
}

#[test]
fn diff_is_one_that_patch_reads() {
    let folder = untidy();
    let run = folder.run(&["fmt", "-diff", "-write=false", "./below", "main.hcl"]);
    let expected = "below/b.hcl\n--- old/below/b.hcl\n+++ new/below/b.hcl\n@@ -1 +1 @@\n-b=1\n+b = 1\n\
                    main.hcl\n--- old/main.hcl\n+++ new/main.hcl\n@@ -1 +1 @@\n-a=1\n+a = 1\n";
    assert_eq!(run.ended(0), expected);
    assert_eq!(read(&folder, "main.hcl"), "a=1\n");
    let run = folder.run(&["fmt", "-list=false", "-write=false"]);
    assert_eq!(run.ended(0), "a = 1\na = 1\n");
}

#[test]
fn the_standard_input_goes_to_the_standard_output() {
    let folder = untidy();
    let run = |arguments: &[&str], text: &str| piped(&folder, arguments, text);
    assert_eq!(run(&["fmt", "-"], "a=1\n").ended(0), "a = 1\n");
    assert_eq!(run(&["fmt", "-"], "a=1").ended(0), "a = 1\n");
    assert_eq!(run(&["fmt", "-check", "-"], "a=1\n").ended(3), "");
    assert_eq!(run(&["fmt", "-check", "-"], "a = 1\n").ended(0), "");
    let told = run(&["fmt", "-"], "a = 1 +\n");
    assert_eq!(told.ended(2), "");
    assert!(told.err.contains("<stdin> line 1"), "{}", told.err);
}

#[test]
fn what_cannot_be_formatted_is_told_and_left_as_it_is() {
    let folder = untidy();
    folder.write("wrong.hcl", "a=1 +\nb  = 1\n");
    std::fs::write(folder.path("latin.hcl"), b"a=\"\xe9\"\n").unwrap();
    let run = folder.run(&["fmt"]);
    assert_eq!(run.ended(2), "main.hcl\n");
    for words in ["wrong.hcl line", "[L0001]", "latin.hcl", "[C0081]"] {
        assert!(run.err.contains(words), "{words}: {}", run.err);
    }
    assert_eq!(read(&folder, "wrong.hcl"), "a=1 +\nb  = 1\n");
    let elsewhere = folder.run(&["-chdir=nowhere", "fmt"]);
    elsewhere.failed_with(&["[C0001]"]);
    for path in ["notes.txt", "nowhere"] {
        let run = folder.run(&["fmt", path]);
        run.ended(2);
        assert!(run.err.contains("[C0080]"), "{}", run.err);
    }
}

#[test]
fn a_written_file_keeps_its_rights_and_a_link_stays_one() {
    let folder = untidy();
    let rights = |file: &str| folder.path(file).metadata().unwrap().permissions().mode() & 0o777;
    let narrow = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(folder.path("main.hcl"), narrow).unwrap();
    let link = folder.path("below/link.hcl");
    std::os::unix::fs::symlink("../main.hcl", &link).unwrap();
    folder.run(&["fmt", "below/link.hcl"]).ended(0);
    assert_eq!(read(&folder, "main.hcl"), "a = 1\n");
    assert_eq!(rights("main.hcl"), 0o640);
    assert!(link.symlink_metadata().unwrap().is_symlink());
}
