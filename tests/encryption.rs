//! States, journals and plans that no one reads without the key.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

#[expect(dead_code, reason = "it is shared by tests")]
mod program;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use program::{Folder, Run};

const FIRST: &str = "correct horse battery staple";
const SECOND: &str = "another battery for the horse";

/// Secrets as a resource has them, as an output, in a plan and in what is destroyed.
const SECRETS: &str = r#"
variable "passphrase" {
  sensitive = true
}

variable "planted" {
  sensitive = true
  default   = "planted-0451"
}

resource "isobar_data" "a" {
  count = 300
  input = { secret = var.planted, open = "in-the-state-${count.index}" }
}

output "secret" {
  sensitive = true
  value     = var.planted
}
"#;

fn settings(keys: &str) -> String {
    format!("isobar {{\n  encryption {{\n{keys}\n  }}\n}}\n")
}

const KEY: &str = "    key {\n      passphrase = var.passphrase\n    }";

fn run(folder: &Folder, passphrase: &str, arguments: &[&str]) -> Run {
    let mut program = folder.program(arguments);
    program
        .env("ISOBAR_VAR_passphrase", passphrase)
        .env("ISOBAR_LOG", "trace")
        .env("ISOBAR_LOG_PATH", folder.path("trace.log"))
        .env("PATH", std::env::var_os("PATH").unwrap());
    Run::of(&program.output().unwrap())
}

/// All files below a folder but those of the configuration.
fn written(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_none_or(|kind| kind != "hcl") {
                found.push(path);
            }
        }
    }
    found
}

/// Fails if a file or an output holds what only the state may hold.
fn nothing_is_seen(folder: &Folder, runs: &[Run]) {
    let files = written(&folder.path(""));
    assert!(!files.is_empty());
    for path in files {
        let mut bytes = std::fs::read(&path).unwrap();
        if path.extension().is_some_and(|kind| kind == "gz") {
            // What is compressed hides nothing.
            let packed = std::mem::take(&mut bytes);
            let mut reader = flate2::read::GzDecoder::new(packed.as_slice());
            reader.read_to_end(&mut bytes).unwrap();
        }
        let text = String::from_utf8_lossy(&bytes);
        for secret in ["planted-0451", FIRST, SECOND] {
            assert!(
                !text.contains(secret),
                "{} holds {secret:?}",
                path.display()
            );
        }
        // What is not secret may be told, but the state is closed as a whole.
        let told = path.extension().is_some_and(|kind| kind == "log");
        assert!(told || !text.contains("in-the-state"), "{}", path.display());
    }
    for run in runs {
        for secret in ["planted-0451", FIRST, SECOND] {
            assert!(
                !run.out.contains(secret) && !run.err.contains(secret),
                "{run:?}"
            );
        }
    }
}

#[test]
fn no_file_no_log_and_no_output_holds_a_planted_secret() {
    let folder = Folder::new(&[("main.hcl", SECRETS), ("key.hcl", &settings(KEY))]);
    let mut runs = Vec::new();
    for arguments in [
        &["validate"][..],
        &["plan", "-out=saved.plan"],
        &["show", "saved.plan"],
        &["show", "-json", "saved.plan"],
        &["apply", "saved.plan"],
        &["plan", "-detailed-exitcode"],
        &["show"],
        &["show", "-json"],
        &["state", "list"],
        &["state", "show", "isobar_data.a[0]"],
        &["state", "mv", "isobar_data.a[0]", "isobar_data.b"],
        &["state", "mv", "isobar_data.b", "isobar_data.a[0]"],
        &["taint", "isobar_data.a[1]"],
        &["output"],
        &["history"],
        &["history", "show", "1"],
        &["history", "diff", "1", "2"],
        &["history", "restore", "-auto-approve", "1"],
        &["workspace", "new", "stage"],
        &["apply", "-auto-approve"],
        &["destroy", "-auto-approve"],
        &["workspace", "select", "default"],
        &["apply", "-auto-approve", "-parallelism=2"],
    ] {
        let run = run(&folder, FIRST, arguments);
        run.ended(0);
        runs.push(run);
    }
    nothing_is_seen(&folder, &runs);

    // Killed in the middle, with a journal that stays.
    for step in 0..10 {
        folder.write(
            "main.hcl",
            &SECRETS.replace("in-the-state", &format!("in-the-state-{step}")),
        );
        let mut process = folder
            .program(&["apply", "-auto-approve"])
            .env("ISOBAR_VAR_passphrase", FIRST)
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(60 + 25 * step));
        process.kill().unwrap();
        process.wait().unwrap();
        nothing_is_seen(&folder, &[]);
    }
    run(&folder, FIRST, &["apply", "-auto-approve"]).ended(0);
    run(&folder, FIRST, &["plan", "-detailed-exitcode"]).ended(0);
    nothing_is_seen(&folder, &[]);
    run(&folder, SECOND, &["history", "show", "1"]).failed_with(&["C0096", "key"]);
    assert_eq!(
        run(&folder, FIRST, &["output", "-raw", "secret"]).ended(0),
        "planted-0451"
    );
}

#[test]
fn keys_are_changed_and_a_wrong_one_says_so() {
    let open = SECRETS.replace(
        "  sensitive = true\n}\n\nvariable \"planted\"",
        "  sensitive = true\n  default = \"\"\n}\n\nvariable \"planted\"",
    );
    let folder = Folder::new(&[("main.hcl", &open)]);
    run(&folder, FIRST, &["apply", "-auto-approve"]).ended(0);
    let plain = std::fs::read_to_string(folder.path("isobar.state.json")).unwrap();
    assert!(plain.contains("planted-0451"));

    // What is there unencrypted is read, and encrypted as it is written.
    folder.write("key.hcl", &settings(KEY));
    run(&folder, FIRST, &["plan", "-detailed-exitcode"]).ended(0);
    run(&folder, FIRST, &["taint", "isobar_data.a[0]"]).ended(0);
    nothing_is_seen(&folder, &[]);
    let enforced = format!("{KEY}\n    enforced = true");
    folder.write("key.hcl", &settings(&enforced));
    run(&folder, FIRST, &["state", "list"]).ended(0);
    std::fs::rename(folder.path("isobar.state.json"), folder.path("sealed")).unwrap();
    folder.write("isobar.state.json", &plain);
    run(&folder, FIRST, &["state", "list"])
        .failed_with(&["State cannot be decrypted [S0010]", "is not encrypted"]);
    std::fs::rename(folder.path("sealed"), folder.path("isobar.state.json")).unwrap();

    let wrong = run(&folder, SECOND, &["plan"]);
    wrong.failed_with(&[
        "State cannot be decrypted [S0010]",
        "configured keys do not open it",
    ]);
    std::fs::remove_file(folder.path("key.hcl")).unwrap();
    run(&folder, FIRST, &["state", "list"]).failed_with(&["S0010", "it is encrypted, and the"]);

    // A new key, with the old one for what is there; then the new one alone.
    folder.write("new.key", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n");
    let rotated = "    key {\n      file = \"new.key\"\n    }\n    fallback {\n      passphrase = var.passphrase\n    }";
    folder.write("key.hcl", &settings(rotated));
    run(&folder, FIRST, &["apply", "-auto-approve"]).ended(0);
    for alone in [
        "    key {\n      file = \"new.key\"\n    }",
        "    key {\n      command = [\"cat\", \"new.key\"]\n    }",
    ] {
        folder.write("key.hcl", &settings(alone));
        run(&folder, FIRST, &["plan", "-detailed-exitcode"]).ended(0);
    }
    folder.write(
        "key.hcl",
        &settings("    key {\n      env = \"NOWHERE\"\n    }"),
    );
    run(&folder, FIRST, &["plan"]).failed_with(&["C0093", "there is no such variable", "key.hcl"]);
    folder.write(
        "key.hcl",
        &settings("    key {\n      passphrase = \"short\"\n    }"),
    );
    run(&folder, FIRST, &["plan"]).failed_with(&["C0093", "fewer than 16 characters"]);
    folder.write("key.hcl", &settings(""));
    run(&folder, FIRST, &["plan"]).failed_with(&["L0039"]);
}
