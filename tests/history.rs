//! The versions of a state, states that cannot be trusted, and states that cannot be written.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

mod program;

use std::process::Command;

use program::{Folder, Run};
use serde_json::Value as Json;

const STATE: &str = "isobar.state.json";

fn configuration(names: &[&str], input: &str) -> String {
    let blocks = names
        .iter()
        .map(|name| format!("resource \"isobar_data\" \"{name}\" {{\n  input = {input}\n}}\n"));
    let secret =
        "variable \"secret\" {\n  type = string\n  sensitive = true\n  default = \"hunter2\"\n}\n";
    format!("{secret}{}", blocks.collect::<String>())
}

fn apply(folder: &Folder, names: &[&str], input: &str) {
    folder.write("main.hcl", &configuration(names, input));
    folder.run(&["apply", "-auto-approve"]).ended(0);
}

/// A folder whose state has had three versions.
fn three() -> Folder {
    let folder = Folder::new(&[]);
    apply(&folder, &["a", "b"], "\"one\"");
    apply(&folder, &["a", "b"], "\"two\"");
    apply(&folder, &["a"], "var.secret");
    folder
}

fn read(folder: &Folder, name: &str) -> String {
    std::fs::read_to_string(folder.path(name)).unwrap()
}

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

#[test]
fn versions_are_listed_shown_and_compared() {
    let folder = three();
    let listed = json(folder.run(&["history", "-json"]).ended(0));
    let rows: Vec<String> = listed["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| {
            format!(
                "{} {} {}",
                version["serial"], version["command"], version["changes"]
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            "1 \"apply\" {\"added\":2,\"changed\":0,\"removed\":0}",
            "2 \"apply\" {\"added\":0,\"changed\":2,\"removed\":0}",
            "3 \"apply\" {\"added\":0,\"changed\":1,\"removed\":1}",
        ]
    );
    let table = folder.run(&["history"]);
    let first = table.ended(0).lines().nth(1).unwrap().to_owned();
    assert!(
        first.starts_with("3 ") && first.contains("+0 ~1 -1"),
        "{first}"
    );

    let shown = folder.run(&["history", "show", "1"]);
    assert!(shown.ended(0).contains("isobar_data.b"), "{}", shown.out);
    let shown = json(folder.run(&["history", "show", "-json", "1"]).ended(0));
    assert!(shown["values"]["root_module"]["resources"].is_array());

    let diff = folder.run(&["history", "diff", "1", "2"]);
    for word in ["~ isobar_data.a", "~ isobar_data.b", "\"one\"", "\"two\""] {
        assert!(diff.ended(0).contains(word), "{word}: {}", diff.out);
    }
    let diff = folder.run(&["history", "diff", "2", "3"]);
    assert!(diff.ended(0).contains("- isobar_data.b"), "{}", diff.out);
    assert!(diff.out.contains("(sensitive value"), "{}", diff.out);
    let document = folder.run(&["history", "diff", "-json", "2", "3"]);
    let found = json(document.ended(0));
    assert_eq!(found["changes"].as_array().unwrap().len(), 2);
    assert!(found["changes"][1]["after"].is_null());
    assert!(!diff.out.contains("hunter2") && !document.out.contains("hunter2"));
    assert_eq!(
        folder.run(&["history", "diff", "1", "1"]).ended(0),
        "Nothing differs.\n"
    );
    folder
        .run(&["history", "show", "9"])
        .failed_with(&["C0097", "from 1 to 3"]);
}

#[test]
fn an_old_version_becomes_the_next_one() {
    let folder = three();
    let lineage = json(&read(&folder, STATE))["lineage"].clone();
    folder
        .run(&["history", "restore", "1"])
        .failed_with(&["C0084"]);
    folder
        .run(&["history", "restore", "-auto-approve", "1"])
        .ended(0);
    let now = json(&read(&folder, STATE));
    assert_eq!((&now["lineage"], &now["serial"]), (&lineage, &4.into()));
    assert_eq!(
        folder.run(&["history", "diff", "1", "4"]).ended(0),
        "Nothing differs.\n"
    );
    let listed = folder.run(&["history"]);
    assert!(
        listed.ended(0).contains("history restore"),
        "{}",
        listed.out
    );
}

#[test]
fn a_changed_state_is_refused_with_the_last_good_version_and_brought_back() {
    let folder = three();
    let good = read(&folder, STATE);
    let broken = good.replacen("\"serial\": 3", "\"serial\": 30", 1);
    assert_ne!(good, broken);
    folder.write(STATE, &broken);
    for arguments in [
        &["plan"][..],
        &["apply", "-auto-approve"],
        &["destroy", "-auto-approve"],
        &["refresh"],
        &["state", "rm", "isobar_data.a"],
    ] {
        folder
            .run(arguments)
            .failed_with(&["S0011", "digest", "history restore 3"]);
        assert_eq!(read(&folder, STATE), broken);
    }
    assert_eq!(folder.run(&["state", "pull"]).ended(0), broken);
    folder.run(&["history"]).ended(0);
    folder
        .run(&["history", "restore", "-auto-approve", "3"])
        .ended(0);
    assert_eq!(json(&read(&folder, STATE))["serial"], 4);
    let plan = folder.run(&["plan", "-detailed-exitcode"]);
    plan.ended(0);
    let aside = std::fs::read_dir(folder.path(""))
        .unwrap()
        .find_map(|entry| {
            let path = entry.unwrap().path();
            path.to_string_lossy().contains(".broken-").then_some(path)
        });
    assert_eq!(std::fs::read_to_string(aside.unwrap()).unwrap(), broken);
}

#[test]
fn contradictions_are_listed_and_states_without_a_digest_are_read() {
    let folder = three();
    let mut state = json(&read(&folder, STATE));
    state.as_object_mut().unwrap().remove("digest");
    folder.write(STATE, &state.to_string());
    folder.run(&["plan", "-detailed-exitcode"]).ended(0);
    let twice = state["resources"][0].clone();
    state["resources"].as_array_mut().unwrap().push(twice);
    state["resources"][0]["provider"] = " ".into();
    folder.write("two.json", &state.to_string());
    folder.write(STATE, &state.to_string());
    folder
        .run(&["plan"])
        .failed_with(&["S0011", "recorded twice", "has \" \" for"]);
    folder
        .run(&["state", "push", "two.json"])
        .failed_with(&["C0052", "recorded twice"]);
}

#[test]
fn so_many_versions_are_kept_as_is_said() {
    let folder = Folder::new(&[]);
    let run = |input: &str, bounds: &str| {
        folder.write("main.hcl", &configuration(&["a"], input));
        let mut program = folder.program(&["apply", "-auto-approve"]);
        let output = program
            .env("ISOBAR_STATE_HISTORY", bounds)
            .output()
            .unwrap();
        Run::of(&output)
    };
    for input in ["1", "2", "3"] {
        run(input, "2").ended(0);
    }
    let listed = json(folder.run(&["history", "-json"]).ended(0));
    assert_eq!(listed["versions"].as_array().unwrap().len(), 2);
    let wrong = run("4", "many");
    wrong.ended(0);
    assert!(wrong.err.contains("C0099"), "{}", wrong.err);
}

/// A file that has the name of the folder stands in for a disk that takes no history.
#[test]
fn a_history_that_cannot_be_written_stops_nothing() {
    let folder = Folder::new(&[(".isobar/history", "in the way")]);
    folder.write("main.hcl", &configuration(&["a"], "1"));
    let run = folder.run(&["apply", "-auto-approve"]);
    run.ended(0);
    assert!(run.err.contains("S0012"), "{}", run.err);
    assert_eq!(json(&read(&folder, STATE))["serial"], 1);
}

/// No file may grow beyond the limit, as on a full disk, so that neither the state nor the file
/// beside it can be written.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_printed_and_can_be_brought_back() {
    let folder = Folder::new(&[]);
    apply(&folder, &["a"], "1");
    let names: Vec<String> = (0..60).map(|number| format!("r{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    folder.write("big.hcl", "");
    apply(&folder, &names, "1");
    let before = read(&folder, STATE);
    let mut later = json(&before);
    later.as_object_mut().unwrap().remove("digest");
    later["serial"] = 7.into();
    folder.write("later.json", &later.to_string());
    let script = format!(
        "trap '' XFSZ; ulimit -f 4; exec {} state push later.json",
        env!("CARGO_BIN_EXE_isobar")
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(folder.path(""));
    let run = Run::of(&shell.output().unwrap());
    for word in ["S0004", "S0013", "isobar state push"] {
        assert!(run.err.contains(word), "{word}: {}", run.err);
    }
    assert_eq!(run.code, Some(1));
    assert_eq!(read(&folder, STATE), before);
    assert!(!folder.path("errored.isobar.state.json").exists());
    // The last resort is a whole state.
    folder.write("printed.json", &run.out);
    folder.run(&["state", "push", "printed.json"]).ended(0);
    assert_eq!(json(&read(&folder, STATE))["serial"], 7);
}

/// The place of the state is a disk of 64 KiB, which the journal fills; the folder of the
/// configuration is not.
#[cfg(target_os = "linux")]
#[test]
fn on_a_full_disk_what_was_made_goes_to_the_folder_of_the_configuration() {
    let folder = Folder::new(&[("big.hcl", "")]);
    folder.run(&["workspace", "new", "small"]).ended(0);
    let names: Vec<String> = (0..100).map(|number| format!("r{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let long = format!("\"{}\"", "x".repeat(1000));
    folder.write("main.hcl", &configuration(&names, &long));
    let script = format!(
        "mount -t tmpfs -o size=64k tmpfs isobar.state.d/small || exit 77; exec {} apply -auto-approve",
        env!("CARGO_BIN_EXE_isobar")
    );
    let mut shell = Command::new("unshare");
    shell.args(["-rm", "sh", "-c", &script]);
    let output = shell.current_dir(folder.path("")).output();
    let Some(run) = output.ok().map(|output| Run::of(&output)) else {
        eprintln!("not run: there is no unshare here");
        return;
    };
    if run.err.contains("unshare") || run.code == Some(77) {
        eprintln!("not run: {}", run.err);
        return;
    }
    for word in ["S0004", "S0013", "errored.isobar.state.json"] {
        assert!(run.err.contains(word), "{word}: {}", run.err);
    }
    let file = "errored.isobar.state.json";
    let rights = std::fs::metadata(folder.path(file)).unwrap().permissions();
    let mode = std::os::unix::fs::PermissionsExt::mode(&rights);
    assert_eq!(mode & 0o777, 0o600);
    let saved = json(&read(&folder, file));
    let made = saved["resources"].as_array().unwrap().len();
    assert!((1..100).contains(&made), "{made}");
    folder.run(&["state", "push", file]).ended(0);
    let left = folder.run(&["plan"]);
    let expected = format!("{} to add, 0 to change", 100 - made);
    assert!(
        left.ended(0).contains(&expected),
        "{expected}: {}",
        left.out
    );
}
