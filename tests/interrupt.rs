//! What an interrupt of an apply leaves, as the one who pressed Ctrl-C sees it.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

mod program;

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use program::Folder;
use serde_json::Value as Json;

/// A deployment that is never ready, behind a resource with a secret.
const SLOW: &str = r#"
variable "secret" {
  sensitive = true
  default   = "hunter2"
}

resource "isobar_data" "first" {
  input = var.secret
}

model "m" {
  command     = ["sleep", "60"]
  version     = "1"
  environment = { TOKEN = var.secret }

  performance {
    service_time = "10ms"
  }
}

zone "here" {
  provider = local
}

deployment "d" {
  model      = model.m
  zones      = [zone.here]
  replicas   = { here = 1 }
  depends_on = [isobar_data.first]
}
"#;

fn signal(name: &str, pid: u64) {
    let pid = pid.to_string();
    Command::new("kill").args([name, &pid]).status().unwrap();
}

/// Reads until a line holds a text.
fn until(lines: &mut impl BufRead, text: &str) -> String {
    let mut read = String::new();
    while !read.contains(text) {
        assert_ne!(lines.read_line(&mut read).unwrap(), 0, "{read}");
    }
    read
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

/// Ends the processes that registrations name.
fn end(registrations: &[std::path::PathBuf]) {
    for path in registrations {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let registration: Json = serde_json::from_str(&text).unwrap_or_default();
        if let Some(pid) = registration["phase"]["started"]["pid"].as_u64() {
            signal("-KILL", pid);
        }
    }
}

#[test]
fn a_second_interrupt_ends_at_once_and_loses_nothing() {
    let folder = Folder::new(&[("main.hcl", SLOW)]);
    let mut apply = folder.program(&["apply", "-auto-approve"]).spawn().unwrap();
    let pid = u64::from(apply.id());
    let mut told = BufReader::new(apply.stderr.take().unwrap());
    let started = "local_replica_set[\"1\"]: Creating";
    let mut read = until(&mut told, started);
    signal("-INT", pid);
    read.push_str(&until(&mut told, "nothing new is begun"));
    signal("-INT", pid);
    told.read_to_string(&mut read).unwrap();
    let mut out = String::new();
    apply
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut out)
        .unwrap();
    let code = apply.wait().unwrap().code();
    let kept = files(&folder.path(".isobar"));
    end(&kept);
    assert_eq!(code, Some(130), "{read}");
    let address = "deployment.d[\"here\"].local_replica_set[\"1\"]";
    let end = read.split("Ended at once.").nth(1).unwrap();
    assert!(end.contains(address), "{read}");
    assert!(!read.contains("hunter2") && !out.contains("hunter2"));

    // What holds the secret is for the user alone.
    let mut holding = 0;
    for path in kept.iter().chain([&folder.path("isobar.state.json")]) {
        if std::fs::read_to_string(path).unwrap().contains("hunter2") {
            holding += 1;
            let mode = std::fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o77, 0, "{}", path.display());
        }
    }
    assert_ne!(holding, 0);

    // What was made is recorded, and what was begun is known.
    let list = folder.run(&["state", "list"]);
    assert_eq!(list.ended(0), "isobar_data.first\n");
    let plan = folder.run(&["plan", "-concise"]);
    let to_do = format!("  + {address}\n\nPlan: 2 to add, 0 to change");
    assert!(plan.ended(0).contains(&to_do), "{}", plan.out);
    // What may be there is not forgotten by a destroy.
    folder.run(&["destroy", "-auto-approve"]).failed_with(&[
        "P0016",
        address,
        "isobar apply first",
    ]);
}
