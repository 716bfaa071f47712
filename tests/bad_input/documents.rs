//! Broken files of Isobar's own: state, journal, plan, lock, workspace, values of variables.

use crate::confined::{refused, run};
use crate::program::Folder;

const MAIN: &str =
    "variable \"v\" {\n  default = 1\n}\nresource \"isobar_data\" \"x\" {\n  input = var.v\n}\n";

/// Texts that are never what a document should be.
fn broken(good: &str) -> Vec<Vec<u8>> {
    let mut texts: Vec<Vec<u8>> = vec![
        b"{".to_vec(),
        b"{}".to_vec(),
        b"[]".to_vec(),
        b"null".to_vec(),
        b"\0".to_vec(),
        b"\xff\xfe".to_vec(),
        "[".repeat(100_000).into_bytes(),
        "{\"a\":".repeat(100_000).into_bytes(),
    ];
    let step = good.len() / 12;
    texts.extend((1..12).map(|part| good.as_bytes()[..part * step].to_vec()));
    texts
}

fn applied() -> Folder {
    let folder = Folder::new(&[("main.hcl", MAIN)]);
    folder.run(&["apply", "-auto-approve"]).ended(0);
    folder
}

#[test]
fn broken_states_are_refused_and_left_as_they_are() {
    let folder = applied();
    let path = folder.path("isobar.state.json");
    let good = std::fs::read_to_string(&path).unwrap();
    for text in broken(&good) {
        std::fs::write(&path, &text).unwrap();
        for command in [
            &["plan"][..],
            &["apply", "-auto-approve"],
            &["state", "list"],
        ] {
            let run = run(&folder, command);
            assert_eq!(
                run.code,
                Some(1),
                "{command:?} {:?}",
                String::from_utf8_lossy(&text)
            );
            assert!(run.err.contains("[S000"), "{}", run.err);
        }
        assert_eq!(std::fs::read(&path).unwrap(), text);
    }
}

#[test]
fn broken_plans_are_refused() {
    let folder = Folder::new(&[("main.hcl", MAIN)]);
    folder.run(&["plan", "-out=p"]).ended(0);
    let good = std::fs::read_to_string(folder.path("p")).unwrap();
    for text in broken(&good) {
        std::fs::write(folder.path("p"), &text).unwrap();
        for command in [&["show", "p"][..], &["apply", "p"]] {
            let run = run(&folder, command);
            assert_eq!(
                run.code,
                Some(1),
                "{command:?} {:?}",
                String::from_utf8_lossy(&text)
            );
        }
        assert!(!folder.path("isobar.state.json").exists());
    }
}

#[test]
fn broken_journals_are_refused_and_kept() {
    let folder = applied();
    let path = folder.path(".isobar/journal");
    for text in [&b"garbage\n"[..], b"{}\n{}\n", b"\xff\n", b"[[[[[[[[\n"] {
        std::fs::write(&path, text).unwrap();
        let run = run(&folder, &["plan"]);
        assert_eq!(run.code, Some(1), "{:?}", String::from_utf8_lossy(text));
        assert_eq!(std::fs::read(&path).unwrap(), text);
    }
}

#[test]
fn broken_values_of_variables_are_refused() {
    let folder = Folder::new(&[("main.hcl", MAIN)]);
    for text in [&b"v = "[..], b"v = [", b"}", b"\0", b"v {\n"] {
        std::fs::write(folder.path("x.vars.hcl"), text).unwrap();
        let run = run(&folder, &["plan", "-var-file=x.vars.hcl"]);
        assert_eq!(run.code, Some(1), "{:?}", String::from_utf8_lossy(text));
        assert!(run.err.contains("x.vars.hcl line 1"), "{}", run.err);
    }
    std::fs::write(folder.path("x.vars.hcl"), b"\nv = \"\xff\"").unwrap();
    refused(
        &folder,
        &["plan", "-var-file=x.vars.hcl"],
        "C0009",
        &["Line 2 is not UTF-8"],
    );
    std::fs::write(folder.path("x.auto.vars.hcl"), b"\nv = \"\xff\"").unwrap();
    refused(
        &folder,
        &["plan"],
        "C0008",
        &["x.auto.vars.hcl", "line 2 is not UTF-8"],
    );
    let deep = format!("v = {}{}", "[".repeat(50_000), "]".repeat(50_000));
    folder.write("x.auto.vars.hcl", &deep);
    refused(&folder, &["plan"], "L0001", &["x.auto.vars.hcl line 1"]);
}

#[test]
fn broken_locks_and_workspaces_are_refused() {
    let folder = Folder::new(&[("main.hcl", MAIN)]);
    for text in [&b"["[..], b"\xff", b"module \"x\" {\n", b"a {}\n"] {
        std::fs::write(folder.path(".isobar.lock.hcl"), text).unwrap();
        let run = run(&folder, &["init"]);
        assert_eq!(run.code, Some(1), "{:?}", String::from_utf8_lossy(text));
        assert_eq!(
            std::fs::read(folder.path(".isobar.lock.hcl")).unwrap(),
            text
        );
    }
    std::fs::remove_file(folder.path(".isobar.lock.hcl")).unwrap();
    folder.write(".isobar/workspace", "../..");
    refused(&folder, &["plan"], "C0045", &[]);
    std::fs::write(folder.path(".isobar/workspace"), b"\xff").unwrap();
    refused(&folder, &["plan"], "C0049", &[]);
}
