//! The simulator judged from outside: boto3, which others wrote, drives it through every operation
//! and state. `ISOBAR_TEST_PARTS` names the folder that `.ci/parts` filled; with
//! `ISOBAR_TEST_DATA` everything is held against the contract as well.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test ends where its case does not hold, and says what it leaves out"
)]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A simulator that ends with its test.
struct Simulator {
    process: Child,
    url: String,
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Simulator {
    fn start(contract: Option<&Path>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_isobar-cloud-simulator"));
        command.args([
            "-listen=127.0.0.1:0",
            "-rate=0",
            "-start=2030-01-01T00:00:00Z",
        ]);
        command.args(contract.map(|file| format!("-contract={}", file.display())));
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let output = process.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let url = line.split_whitespace().next_back().unwrap().to_owned();
        Self { process, url }
    }
}

fn judge(case: &str) {
    let Some(parts) = std::env::var_os("ISOBAR_TEST_PARTS").map(PathBuf::from) else {
        eprintln!("{case}: left out, ISOBAR_TEST_PARTS is not set");
        return;
    };
    let data = std::env::var_os("ISOBAR_TEST_DATA").map(PathBuf::from);
    let contract = data.map(|data| data.join("specs/contract/aws.contract.json"));
    let contract = contract.filter(|file| file.exists());
    let simulator = Simulator::start(contract.as_deref());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/boto/judge.py");
    let python = parts.join("boto/bin/python");
    assert!(
        python.exists(),
        "{} is missing: run .ci/parts",
        python.display()
    );
    let mut command = Command::new(python);
    command
        .arg(script)
        .arg(case)
        .arg(&simulator.url)
        .args(contract);
    let output = command.output().unwrap();
    let (told, wrong) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{case}: {told}{wrong}");
    eprintln!("{case}: {told}");
}

#[test]
fn models() {
    judge("models");
}

#[test]
fn configurations() {
    judge("configurations");
}

#[test]
fn lists() {
    judge("lists");
}

#[test]
fn tags() {
    judge("tags");
}

#[test]
fn waiters() {
    judge("waiters");
}

#[test]
fn lifecycle() {
    judge("lifecycle");
}

#[test]
fn weights() {
    judge("weights");
}

#[test]
fn failures() {
    judge("failures");
}

#[test]
fn rollbacks() {
    judge("rollbacks");
}

#[test]
fn maintenance() {
    judge("maintenance");
}

#[test]
fn quotas() {
    judge("quotas");
}

#[test]
fn autoscaling() {
    judge("autoscaling");
}

#[test]
fn schedules() {
    judge("schedules");
}

#[test]
fn requests() {
    judge("requests");
}

#[test]
fn credentials() {
    judge("credentials");
}

#[test]
fn faults() {
    judge("faults");
}
