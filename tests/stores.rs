//! The program on shared places for states: many applies at once, kills in the middle, moves
//! from one place to another. The servers are those of `stores/tests/server`.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

#[path = "../stores/tests/server/mod.rs"]
#[expect(unreachable_pub, reason = "it is shared by tests")]
mod server;

use std::fmt::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use server::Place;

/// How many applies come at once.
const WRITERS: usize = 50;

fn isobar(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isobar"));
    command
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::null());
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    isobar(folder, arguments).output().unwrap()
}

/// Runs what must succeed; gives what it printed.
fn done(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {text}");
    String::from_utf8(output.stdout).unwrap()
}

/// A folder with a configuration whose states are kept in `place`.
fn configured(place: &Place, prefix: &str, text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut backend = format!("isobar {{\n  backend {:?} {{\n", place.kind);
    if place.kind != "http" {
        writeln!(backend, "    prefix = {prefix:?}").unwrap();
    }
    for (name, value) in &place.settings {
        let value = value.replace("{prefix}", prefix);
        writeln!(backend, "    {name} = {value:?}").unwrap();
    }
    backend.push_str("    lease = \"6s\"\n  }\n}\n");
    std::fs::write(folder.path().join("backend.hcl"), backend).unwrap();
    std::fs::write(folder.path().join("main.hcl"), text).unwrap();
    done(folder.path(), &["init"]);
    folder
}

/// Many applies of parts of one configuration at once: all of them are in the state in the end,
/// each as a version of its own.
fn all_at_once(place: &Place) {
    let text = format!("resource \"isobar_data\" \"w\" {{\n  count = {WRITERS}\n}}\n");
    let folders: Vec<_> = (0..WRITERS)
        .map(|_| configured(place, "all-at-once", &text))
        .collect();
    let running: Vec<_> = folders
        .iter()
        .enumerate()
        .map(|(number, folder)| {
            let target = format!("-target=isobar_data.w[{number}]");
            let arguments = ["apply", "-auto-approve", "-lock-timeout=10m", &target];
            let mut command = isobar(folder.path(), &arguments);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    for process in running {
        let output = process.wait_with_output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{text}");
    }
    let folder = folders[0].path();
    let state: serde_json::Value = serde_json::from_str(&done(folder, &["state", "pull"])).unwrap();
    assert_eq!(state["resources"].as_array().unwrap().len(), WRITERS);
    assert_eq!(state["serial"], WRITERS);
    assert_eq!(
        run(folder, &["plan", "-detailed-exitcode"]).status.code(),
        Some(0)
    );
    assert_eq!(done(folder, &["lock", "list"]), "Nothing is locked.\n");
}

/// An apply of many objects that was caught between its first record and its end.
struct Caught {
    process: Child,
    count: usize,
    first: tempfile::TempDir,
    other: tempfile::TempDir,
}

impl Caught {
    /// Starts applies, each of more objects than the last, until one still runs once its first
    /// record is seen and `signal` is sent: how fast a machine is decides nothing.
    fn with(place: &Place, name: &str, signal: &str) -> Self {
        let mut counts = [3_000, 12_000, 48_000].into_iter();
        let caught = counts.find_map(|count| Self::of(place, name, count, signal));
        assert!(caught.is_some(), "every apply was done before {signal}");
        caught.unwrap()
    }

    fn of(place: &Place, name: &str, count: usize, signal: &str) -> Option<Self> {
        let text = format!(
            "resource \"isobar_data\" \"e\" {{\n  count = {count}\n  input = count.index\n}}\n"
        );
        let name = format!("{name}-{count}");
        let first = configured(place, &name, &text);
        let other = configured(place, &name, &text);
        let mut process = isobar(first.path(), &["apply", "-auto-approve"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        until_begun(&mut process, other.path());
        send(&process, signal);
        // What has ended stays until it is waited for, so it takes signals as well; one that is
        // just ending is given the time to.
        std::thread::sleep(Duration::from_millis(50));
        let ended = process.try_wait().unwrap();
        ended
            .is_none_or(|status| status.code().is_none())
            .then_some(Self {
                process,
                count,
                first,
                other,
            })
    }
}

fn send(process: &Child, signal: &str) {
    let sent = Command::new("kill")
        .args([signal, &process.id().to_string()])
        .status();
    assert!(sent.unwrap().success(), "{signal}");
}

/// An apply that is killed: another machine sees what it did, waits for its lease and goes on.
fn killed_in_the_middle(place: &Place) {
    let Caught {
        mut process,
        count,
        first,
        other,
    } = Caught::with(place, "killed", "-KILL");
    let ended = process.wait().unwrap();
    assert_eq!(ended.code(), None, "it was done before it could be killed");

    let refused = run(other.path(), &["apply", "-auto-approve"]);
    let seen = String::from_utf8(refused.stderr).unwrap();
    if !refused.status.success() {
        assert!(seen.contains("State is locked [S0001]"), "{seen}");
        if place.kind == "http" {
            // A server does not know that the one it gave its lock to is gone.
            // Lines may be broken behind a hyphen, and so within its id.
            let seen = seen.replace("-\n│ ", "-").replace("\n│ ", " ");
            let words = seen.split("id ").nth(1).unwrap();
            let id = words.split('.').next().unwrap().trim();
            done(other.path(), &["force-unlock", "-force", id]);
        }
        done(
            other.path(),
            &["apply", "-auto-approve", "-lock-timeout=1m"],
        );
    }
    let state: serde_json::Value =
        serde_json::from_str(&done(first.path(), &["state", "pull"])).unwrap();
    assert_eq!(state["resources"].as_array().unwrap().len(), count);
    if place.kind != "http" {
        // What the killed one had made is in the version of the one that went on.
        for version in versions(first.path()) {
            let serial = version.split(' ').next().unwrap();
            done(first.path(), &["history", "show", serial]);
        }
    }
    assert_eq!(
        run(first.path(), &["plan", "-detailed-exitcode"])
            .status
            .code(),
        Some(0)
    );
}

/// Waits until an apply has recorded something beside the first state, or for as long as it runs.
fn until_begun(process: &mut Child, folder: &Path) {
    loop {
        let state = done(folder, &["state", "pull"]);
        let begun = state.contains("\"address\"");
        if begun || process.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// An apply that is stopped for longer than its lease and then goes on: another one has taken over
/// what it did and finished, and what it still does changes nothing.
fn paused_past_its_lease(place: &Place) {
    let Caught {
        process,
        first,
        other,
        ..
    } = Caught::with(place, "paused", "-STOP");
    done(
        other.path(),
        &["apply", "-auto-approve", "-lock-timeout=1m"],
    );
    let (state, kept) = (
        done(other.path(), &["state", "pull"]),
        versions(other.path()),
    );
    send(&process, "-CONT");
    let ended = process.wait_with_output().unwrap();
    let seen = String::from_utf8(ended.stderr).unwrap();
    assert!(
        !ended.status.success() && seen.contains("Lock was lost [S0009]"),
        "{seen}"
    );
    assert!(!seen.contains("S0005"), "{seen}");
    assert_eq!(done(other.path(), &["state", "pull"]), state);
    assert_eq!(versions(other.path()), kept);
    let plan = run(first.path(), &["plan", "-detailed-exitcode"]);
    assert_eq!(plan.status.code(), Some(0));
    assert_eq!(
        done(other.path(), &["lock", "list"]),
        "Nothing is locked.\n"
    );
}

/// The versions that are listed: serial, command and what it changed.
fn versions(folder: &Path) -> Vec<String> {
    let listed = done(folder, &["history", "-json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let all = listed["versions"].as_array().unwrap();
    all.iter()
        .map(|one| {
            let (command, changes) = (one["command"].as_str().unwrap(), &one["changes"]);
            format!(
                "{} {command} +{} ~{} -{}",
                one["serial"], changes["added"], changes["changed"], changes["removed"]
            )
        })
        .collect()
}

/// The versions of a state are listed, shown, compared, restored and bounded there, too.
fn versions_are_kept(place: &Place) {
    let text = |names: &[&str], input: &str| -> String {
        let block = |name: &&str| {
            format!("resource \"isobar_data\" \"{name}\" {{\n  input = {input:?}\n}}\n")
        };
        names.iter().map(block).collect()
    };
    let folder = configured(place, "versions", "");
    let folder = folder.path();
    let mut states = Vec::new();
    for text in [
        text(&["a", "b"], "one"),
        text(&["a", "b"], "two"),
        text(&["a"], "two"),
    ] {
        std::fs::write(folder.join("main.hcl"), text).unwrap();
        done(folder, &["apply", "-auto-approve"]);
        states.push(done(folder, &["state", "pull"]));
    }
    let three = ["1 apply +2 ~0 -0", "2 apply +0 ~2 -0", "3 apply +0 ~0 -1"];
    assert_eq!(versions(folder), three);
    let shown = done(folder, &["history", "show", "1"]);
    assert!(shown.contains("isobar_data.b"), "{shown}");
    let differs = done(folder, &["history", "diff", "1", "2"]);
    assert!(
        differs.contains("\"one\"") && differs.contains("\"two\""),
        "{differs}"
    );
    let refused = run(folder, &["history", "show", "7"]);
    let seen = String::from_utf8(refused.stderr).unwrap();
    assert!(seen.contains("[C0097]"), "{seen}");

    done(folder, &["history", "restore", "-auto-approve", "1"]);
    let restored: serde_json::Value =
        serde_json::from_str(&done(folder, &["state", "pull"])).unwrap();
    let first: serde_json::Value = serde_json::from_str(&states[0]).unwrap();
    assert_eq!(restored["resources"], first["resources"]);
    assert_eq!(restored["serial"], 4);
    let last = versions(folder).pop().unwrap();
    assert_eq!(last, "4 history restore +1 ~1 -0");

    done(
        folder,
        &["init", "-reconfigure", "-backend-config", "keep=2"],
    );
    done(folder, &["apply", "-auto-approve"]);
    assert_eq!(
        versions(folder),
        ["4 history restore +1 ~1 -0", "5 apply +0 ~1 -1"]
    );
    done(folder, &["history", "show", "4"]);
    let wrong = ["init", "-reconfigure", "-backend-config", "keep=none"];
    let refused = run(folder, &wrong);
    let seen = String::from_utf8(refused.stderr).unwrap();
    assert!(seen.contains("COUNT,DAYS"), "{seen}");
}

/// The outputs of a state are read from another configuration, by the same settings.
fn read_from_elsewhere(place: &Place) {
    let told = "output \"zone\" {\n  value = \"eu-${isobar.workspace}\"\n}\n";
    let first = configured(place, "elsewhere", told);
    done(first.path(), &["apply", "-auto-approve"]);
    let mut config = String::new();
    if place.kind != "http" {
        config.push_str("    prefix = \"elsewhere\"\n");
    }
    for (name, value) in &place.settings {
        let value = value.replace("{prefix}", "elsewhere");
        writeln!(config, "    {name} = {value:?}").unwrap();
    }
    let text = format!(
        "data \"isobar_remote_state\" \"s\" {{\n  backend = {:?}\n  config = {{\n{config}  }}\n}}\n\
         output \"seen\" {{\n  value = data.isobar_remote_state.s.outputs.zone\n}}\n",
        place.kind
    );
    let second = tempfile::tempdir().unwrap();
    std::fs::write(second.path().join("main.hcl"), &text).unwrap();
    done(second.path(), &["apply", "-auto-approve"]);
    assert_eq!(
        done(second.path(), &["output", "-raw", "seen"]),
        "eu-default"
    );
    let other = text.replace("config = {", "workspace = \"stage\"\n  config = {");
    std::fs::write(second.path().join("main.hcl"), other).unwrap();
    let refused = run(second.path(), &["plan"]);
    let seen = String::from_utf8(refused.stderr).unwrap();
    let none = ["no state of workspace stage", "one workspace only"];
    assert!(none.iter().any(|none| seen.contains(none)), "{seen}");
}

/// States go from this machine to the place, workspace by workspace, and back.
fn moved_there_and_back(place: &Place) {
    let text = "resource \"isobar_data\" \"a\" {\n  input = isobar.workspace\n}\n";
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("main.hcl"), text).unwrap();
    done(folder, &["apply", "-auto-approve"]);
    done(folder, &["workspace", "new", "stage"]);
    done(folder, &["apply", "-auto-approve"]);
    let before = done(folder, &["state", "pull"]);

    let remote = configured(place, "moved", text);
    let backend = std::fs::read_to_string(remote.path().join("backend.hcl")).unwrap();
    std::fs::write(folder.join("backend.hcl"), backend).unwrap();
    let refused = run(folder, &["plan"]);
    let seen = String::from_utf8(refused.stderr).unwrap();
    assert!(seen.contains("Backend is not prepared [C0087]"), "{seen}");
    let refused = run(folder, &["init"]);
    let seen = String::from_utf8(refused.stderr).unwrap();
    assert!(
        seen.contains("States would be left behind [C0089]"),
        "{seen}"
    );
    done(folder, &["init", "-force-copy"]);
    assert_eq!(done(folder, &["workspace", "list"]), "  default\n* stage\n");
    assert_eq!(done(folder, &["state", "pull"]), before);
    assert_eq!(versions(folder), ["1 init +1 ~0 -0"]);
    assert_eq!(
        run(folder, &["plan", "-detailed-exitcode"]).status.code(),
        Some(0)
    );

    std::fs::remove_file(folder.join("backend.hcl")).unwrap();
    std::fs::remove_file(folder.join("isobar.state.json")).unwrap();
    std::fs::remove_dir_all(folder.join("isobar.state.d")).unwrap();
    done(folder, &["init", "-force-copy"]);
    assert_eq!(done(folder, &["state", "pull"]), before);
    assert_eq!(
        run(folder, &["plan", "-detailed-exitcode"]).status.code(),
        Some(0)
    );
}

/// The same server keeps the states of Terraform, where that is installed.
#[test]
fn the_server_for_http_is_one_that_terraform_takes() {
    let Some(place) = server::web() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut text = "terraform {\n  backend \"http\" {\n".to_owned();
    for (name, value) in &place.settings {
        let value = value.replace("{prefix}", "terraform");
        writeln!(text, "    {name} = {value:?}").unwrap();
    }
    text += "  }\n}\nresource \"terraform_data\" \"a\" {}\n";
    std::fs::write(folder.path().join("main.tf"), text).unwrap();
    for arguments in [
        &["init", "-input=false"][..],
        &["apply", "-auto-approve"],
        &["plan", "-detailed-exitcode"],
    ] {
        let ended = Command::new("terraform")
            .current_dir(folder.path())
            .args(arguments)
            .env("TF_CLI_CONFIG_FILE", "/dev/null")
            .env("CHECKPOINT_DISABLE", "1")
            .output();
        let Ok(ended) = ended else { return };
        assert!(ended.status.success(), "{arguments:?}: {ended:?}");
    }
    assert!(!folder.path().join("terraform.tfstate").exists());
}

/// States of two workspaces cannot be brought there, and none of them is.
fn takes_one_workspace(place: &Place) {
    let remote = configured(place, "narrow", "");
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(
        folder.join("main.hcl"),
        "resource \"isobar_data\" \"a\" {}\n",
    )
    .unwrap();
    done(folder, &["apply", "-auto-approve"]);
    done(folder, &["workspace", "new", "stage"]);
    done(folder, &["apply", "-auto-approve"]);
    std::fs::copy(
        remote.path().join("backend.hcl"),
        folder.join("backend.hcl"),
    )
    .unwrap();
    let refused = run(folder, &["init", "-force-copy"]);
    let seen = String::from_utf8(refused.stderr).unwrap();
    assert!(
        seen.contains("[C0090]") && seen.contains("default, stage"),
        "{seen}"
    );
    assert_eq!(done(remote.path(), &["state", "pull"]), "");
}

/// Workspaces need a folder each, which such a server does not have.
fn has_one_workspace(place: &Place) {
    let folder = configured(place, "one", "");
    let refused = run(folder.path(), &["workspace", "new", "stage"]);
    let seen = String::from_utf8(refused.stderr).unwrap();
    assert!(seen.contains("one workspace only"), "{seen}");
}

/// Nor versions.
fn has_no_versions(place: &Place) {
    let folder = configured(place, "none", "");
    let refused = run(folder.path(), &["history"]);
    let seen = String::from_utf8(refused.stderr).unwrap();
    assert!(seen.contains("[C0095]"), "{seen}");
}

#[test]
fn states_behind_a_web_server() {
    if let Some(place) = server::web() {
        all_at_once(&place);
        killed_in_the_middle(&place);
        has_one_workspace(&place);
        takes_one_workspace(&place);
        has_no_versions(&place);
        read_from_elsewhere(&place);
    }
}

fn all(place: &Place) {
    all_at_once(place);
    killed_in_the_middle(place);
    paused_past_its_lease(place);
    versions_are_kept(place);
    moved_there_and_back(place);
    read_from_elsewhere(place);
}

#[test]
fn states_in_s3() {
    if let Some(place) = server::s3() {
        all(&place);
    }
}

#[test]
fn states_in_google() {
    if let Some(place) = server::gcs() {
        all(&place);
    }
}

#[test]
fn states_in_azure() {
    if let Some(place) = server::azblob() {
        all(&place);
    }
}

#[test]
fn states_in_postgres() {
    if let Some(place) = server::postgres() {
        all(&place);
    }
}
