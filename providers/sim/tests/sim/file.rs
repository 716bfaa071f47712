//! One file, many processes, and always the same bytes.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;

use isobar_sdk::{ErrorKind, Factory, Known};
use isobar_sim::{Call, Cloud, Fault, ZoneState};

use crate::bench::{Bench, at, done, endpoint};

const ROUNDS: u64 = 25;

#[tokio::test]
async fn the_same_operations_give_the_same_bytes() {
    let run = async || {
        let bench = Bench::new().await;
        let a = at("sim_endpoint.a");
        let state = done(
            bench
                .apply(&a, None, &endpoint("sim-us-east", 2), "1")
                .await,
        );
        bench
            .cloud
            .inject(Call::Read, 1, Fault::TimeoutBefore)
            .unwrap();
        assert!(bench.read(&a, &state).await.is_err());
        bench
            .cloud
            .set_zone("sim-us-east", ZoneState::Down("test".into()))
            .unwrap();
        bench.cloud.advance(5).unwrap();
        bench.cloud.set_zone("sim-us-east", ZoneState::Up).unwrap();
        bench.delete(&a, &state).await;
        fs::read(bench.cloud.path()).unwrap()
    };
    assert_eq!(run().await, run().await);
}

#[tokio::test]
async fn threads_and_processes_lose_no_change() {
    let bench = Bench::new().await;
    let processes: Vec<_> = (0..2)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "file::another_process", "--ignored"])
                .current_dir(bench.folder.path())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| advance(&bench.cloud));
        }
    });
    for process in processes {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    assert_eq!(bench.cloud.inventory().unwrap().clock, 4 * ROUNDS);
}

/// Not a test of its own: what the other processes run, in the folder of the cloud.
#[test]
#[ignore = "run by threads_and_processes_lose_no_change"]
fn another_process() {
    advance(&Cloud::open("cloud.json"));
}

fn advance(cloud: &Cloud) {
    for _ in 0..ROUNDS {
        cloud.advance(1).unwrap();
    }
}

#[tokio::test]
async fn a_second_provider_sees_what_the_first_has_made() {
    let bench = Bench::new().await;
    let a = at("sim_endpoint.a");
    let state = done(
        bench
            .apply(&a, None, &endpoint("sim-us-east", 2), "1")
            .await,
    );
    let other = Bench {
        provider: bench.factory.configure(&Known::empty()).await.unwrap(),
        ..bench
    };
    assert_eq!(other.read(&a, &state).await, Ok(Some(state)));
}

#[tokio::test]
async fn a_file_that_is_no_cloud_is_refused_and_left_alone() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("cloud.json");
    for (text, reason) in [
        ("{", "EOF while parsing"),
        (r#"{ "format": 2, "zones": {} }"#, "its format is 2"),
        (r#"{ "format": 1, "zoned": {} }"#, "unknown field `zoned`"),
    ] {
        fs::write(&path, text).unwrap();
        let factory = isobar_sim::factory(folder.path().to_owned());
        let error = factory.configure(&Known::empty()).await.err().unwrap();
        assert!(
            matches!(&error.kind, ErrorKind::Invalid { path } if path.to_string() == "file"),
            "{error:?}"
        );
        assert!(error.to_string().contains(reason), "{error}");
        assert!(Cloud::open(&path).advance(1).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn the_example_of_the_readme_is_a_cloud() {
    let readme = include_str!("../../README.md");
    let example = readme
        .split("```json")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("cloud.json");
    fs::write(&path, example).unwrap();
    let cloud = Cloud::open(&path);
    let world = cloud.inventory().unwrap();
    assert_eq!((world.endpoints.len(), world.faults.len()), (1, 1));
    cloud.advance(0).unwrap();
    let written = fs::read_to_string(&path).unwrap();
    assert_eq!(written.trim(), example.trim());
}
