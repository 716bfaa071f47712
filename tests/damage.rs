//! Files of a state that were damaged, and the way back from each.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

mod program;

use std::path::PathBuf;

use isobar::state::{LocalStore, Record};
use program::Folder;

const STATE: &str = "isobar.state.json";
const JOURNAL: &str = ".isobar/journal";

/// A folder with a state of two versions, and `settings` in its configuration.
fn two(settings: &str) -> Folder {
    let folder = Folder::new(&[("settings.hcl", settings)]);
    for input in ["one", "two"] {
        let text = format!("resource \"isobar_data\" \"a\" {{\n  input = \"{input}\"\n}}\n");
        folder.write("main.hcl", &text);
        folder.run(&["apply", "-auto-approve"]).ended(0);
    }
    folder
}

/// What an apply leaves that made three more resources, one group of records each, and was killed.
fn killed(folder: &Folder) {
    let store = LocalStore::new(&folder.path(""));
    let state = store.read().unwrap().unwrap();
    let mut journal = store.begin(&state).unwrap();
    let made = state.instances.values().next().unwrap();
    for name in ["x", "y", "z"] {
        let stored = Record::Stored {
            address: format!("isobar_data.{name}").parse().unwrap(),
            instance: Box::new(made.clone()),
        };
        journal.append(&[stored]).unwrap();
    }
}

/// Turns one bit of a file over, at a place within `text`.
fn flip(folder: &Folder, file: &str, text: &str) {
    let mut bytes = std::fs::read(folder.path(file)).unwrap();
    let found = bytes
        .windows(text.len())
        .position(|at| at == text.as_bytes());
    bytes[found.unwrap() + text.len() / 2] ^= 1;
    std::fs::write(folder.path(file), bytes).unwrap();
}

fn copies(folder: &Folder, within: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.path(within)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.to_string_lossy().contains(".broken-"))
        .collect()
}

fn listed(folder: &Folder) -> String {
    folder
        .run(&["state", "list"])
        .ended(0)
        .replace("isobar_data.", "")
        .replace('\n', " ")
}

#[test]
fn a_damaged_journal_is_refused_and_what_stands_before_the_damage_is_brought_back() {
    let folder = two("");
    killed(&folder);
    assert_eq!(listed(&folder), "a x y z ");
    flip(&folder, JOURNAL, "isobar_data.z");
    let (state, journal) = (folder.path(STATE), folder.path(JOURNAL));
    let before = (
        std::fs::read(&state).unwrap(),
        std::fs::read(&journal).unwrap(),
    );
    for arguments in [
        &["plan"][..],
        &["apply", "-auto-approve"],
        &["destroy", "-auto-approve"],
        &["state", "rm", "isobar_data.a"],
    ] {
        let words = ["S0015", "journal: line 8", "history restore 2"];
        folder.run(arguments).failed_with(&words);
        let after = (
            std::fs::read(&state).unwrap(),
            std::fs::read(&journal).unwrap(),
        );
        assert_eq!(after, before, "{arguments:?}");
    }
    folder
        .run(&["history", "restore", "-auto-approve", "2"])
        .ended(0);
    assert_eq!(listed(&folder), "a x y ");
    assert_eq!(
        std::fs::read(&copies(&folder, ".isobar")[0]).unwrap(),
        before.1
    );
    assert!(!journal.exists());
}

#[test]
fn without_a_history_it_is_brought_back_by_pull_and_push() {
    let folder = two("");
    std::fs::remove_dir_all(folder.path(".isobar/history")).unwrap();
    killed(&folder);
    flip(&folder, JOURNAL, "isobar_data.y");
    folder
        .run(&["plan"])
        .failed_with(&["S0015", "pull", "push"]);
    let pulled = folder.run(&["state", "pull"]);
    assert!(pulled.err.contains("before the damage"), "{pulled:?}");
    folder.write("pulled.json", pulled.ended(0));
    folder.run(&["state", "push", "pulled.json"]).ended(0);
    assert_eq!(listed(&folder), "a x ");
}

#[test]
fn a_state_that_is_gone_beside_its_journal_is_missed() {
    let folder = two("");
    killed(&folder);
    let journal = std::fs::read(folder.path(JOURNAL)).unwrap();
    std::fs::remove_file(folder.path(STATE)).unwrap();
    for arguments in [&["plan"][..], &["apply", "-auto-approve"]] {
        let words = ["S0016", "history restore 2", "remove"];
        folder.run(arguments).failed_with(&words);
        assert!(!folder.path(STATE).exists());
    }
    folder
        .run(&["history", "restore", "-auto-approve", "2"])
        .ended(0);
    assert_eq!(listed(&folder), "a x y z ");
    let copies = copies(&folder, ".isobar");
    assert_eq!(std::fs::read(&copies[0]).unwrap(), journal);
    std::fs::remove_file(folder.path(STATE)).unwrap();
    assert!(!folder.path(JOURNAL).exists());
    folder.run(&["plan"]).ended(0);
}

#[test]
fn a_journal_that_was_cut_off_is_no_damage() {
    let folder = two("");
    killed(&folder);
    let bytes = std::fs::read(folder.path(JOURNAL)).unwrap();
    std::fs::write(folder.path(JOURNAL), &bytes[..bytes.len() - 3]).unwrap();
    assert_eq!(listed(&folder), "a x y ");
}

#[test]
fn a_state_that_is_no_text_any_more_is_brought_back() {
    let folder = two("");
    let mut bytes = std::fs::read(folder.path(STATE)).unwrap();
    bytes[100] = 0xff;
    std::fs::write(folder.path(STATE), &bytes).unwrap();
    folder
        .run(&["plan"])
        .failed_with(&["S0003", "is not UTF-8", "history restore 2"]);
    folder
        .run(&["history", "restore", "-auto-approve", "2"])
        .ended(0);
    folder.run(&["plan", "-detailed-exitcode"]).ended(0);
    assert_eq!(std::fs::read(&copies(&folder, "")[0]).unwrap(), bytes);
}

/// The sealed text and the salt of its key, which looks like another key then.
#[test]
fn an_encrypted_state_that_was_damaged_is_brought_back() {
    let folder = two(
        "isobar {\n  encryption {\n    key {\n      passphrase = \"sixteen characters\"\n    }\n  }\n}\n",
    );
    for name in ["\"content\":\"", "\"salt\":\""] {
        let text = std::fs::read_to_string(folder.path(STATE)).unwrap();
        let at = text.find(name).unwrap() + name.len();
        let mut bytes = text.into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        std::fs::write(folder.path(STATE), &bytes).unwrap();
        folder.run(&["plan"]).failed_with(&["S0010", "restore"]);
        folder
            .run(&["history", "restore", "-auto-approve", "2"])
            .ended(0);
        folder.run(&["plan", "-detailed-exitcode"]).ended(0);
    }
    assert_eq!(copies(&folder, "").len(), 2);
}
