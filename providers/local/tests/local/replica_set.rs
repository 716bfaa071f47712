//! Replica sets: start, crash, heal, scale, end, and what a kill in the middle leaves behind.

use std::path::PathBuf;
use std::time::Duration;

use isobar_sdk::provider::{IdempotencyKey, Operation, Outcome};
use isobar_sdk::{ErrorKind, Known, Path, Value, json};
use serde_json::json;

use crate::bench::{Bench, Http, fixture, instances, is_running, kill, number, ports};

const KIND: &str = "local_replica_set";

/// A set with the built-in server.
fn set(replicas: i64) -> Value {
    json::decode_any(&json!({
        "name": "digits", "zone": "east", "version": "1",
        "artifact": "model.onnx", "replicas": replicas, "startup": 20,
    }))
}

/// A set whose command is the fixture with more options.
fn commanded(replicas: i64, options: &[&str]) -> Value {
    let program = fixture();
    let first = [program.to_str().unwrap(), "serve", "--port", "{port}"];
    let command: Vec<&str> = first.into_iter().chain(options.iter().copied()).collect();
    json::decode_any(&json!({
        "name": "digits", "zone": "east", "version": "1",
        "command": command, "replicas": replicas, "startup": 20,
    }))
}

#[tokio::test]
async fn all_replicas_answer_and_reading_changes_nothing() {
    let bench = Bench::new().await;
    let state = bench.made(KIND, None, &set(3)).await;
    assert_eq!(number(&state, "replicas"), 3);
    assert_eq!(bench.processes().len(), 3);
    for port in ports(&state) {
        let url = format!("http://127.0.0.1:{port}");
        let answer = Http::new()
            .send("POST", &format!("{url}/infer"), "abc")
            .await
            .unwrap();
        assert_eq!((answer.status, &answer.json()["length"]), (200, &json!(3)));
        let options = Http::new()
            .get(&format!("{url}/options"))
            .await
            .unwrap()
            .json();
        let model = bench.folder.join("model.onnx");
        assert_eq!(options["model"], model.to_str().unwrap());
        assert_eq!(
            (&options["name"], &options["version"]),
            (&json!("digits"), &json!("1"))
        );
        assert!(instances(&state).contains_key(options["instance"].as_str().unwrap()));
    }
    assert_eq!(bench.read(KIND, &state).await.as_ref(), Some(&state));
    let again = bench.plan(KIND, Some(&state), &set(3)).await.unwrap();
    assert_eq!(&again.after, state.value());
    bench.delete(KIND, &state).await;
    assert!(bench.processes().is_empty());
}

#[tokio::test]
async fn a_crash_is_seen_and_healed_without_touching_the_others() {
    let bench = Bench::new().await;
    let state = bench.made(KIND, None, &set(3)).await;
    let before = instances(&state);
    let (victim, pid) = before.iter().nth(1).unwrap();
    kill(*pid);

    let drifted = bench.read(KIND, &state).await.unwrap();
    assert_eq!(number(&drifted, "replicas"), 2);
    assert!(!instances(&drifted).contains_key(victim));
    let planned = bench
        .plan(KIND, Some(&drifted), &set(3))
        .await
        .unwrap()
        .after;
    assert!(planned.field("instances").unwrap().is_unknown());

    let healed = bench.made(KIND, Some(&drifted), &set(3)).await;
    let after = instances(&healed);
    assert_eq!((after.len(), bench.processes().len()), (3, 3));
    for (id, pid) in before.iter().filter(|(id, _)| *id != victim) {
        assert_eq!(after.get(id), Some(pid), "{id} was touched");
    }
    bench.delete(KIND, &healed).await;
    assert!(bench.processes().is_empty());
}

#[tokio::test]
async fn a_set_whose_processes_all_died_is_still_there() {
    let bench = Bench::new().await;
    let state = bench.made(KIND, None, &set(2)).await;
    instances(&state).into_values().for_each(kill);
    let drifted = bench.read(KIND, &state).await.unwrap();
    assert_eq!(number(&drifted, "replicas"), 0);
    let healed = bench.made(KIND, Some(&drifted), &set(2)).await;
    assert_eq!(bench.processes().len(), 2);
    bench.delete(KIND, &healed).await;
    assert_eq!(bench.read(KIND, &healed).await, None);
    assert_eq!(bench.left_behind(), Vec::<PathBuf>::new());
    bench.delete(KIND, &healed).await;
}

#[tokio::test]
async fn scaling_in_ends_exactly_the_newest() {
    let bench = Bench::new().await;
    let one = bench.made(KIND, None, &set(1)).await;
    let three = bench.made(KIND, Some(&one), &set(3)).await;
    assert_eq!(bench.processes().len(), 3);
    let back = bench.made(KIND, Some(&three), &set(1)).await;
    assert_eq!(instances(&back), instances(&one));
    assert_eq!(
        bench.processes(),
        instances(&one).into_values().collect::<Vec<_>>()
    );
    let none = bench.made(KIND, Some(&back), &set(0)).await;
    assert!(bench.processes().is_empty());
    // That nothing runs is what it was told to be.
    assert_eq!(bench.read(KIND, &none).await, Some(none));
}

#[tokio::test]
async fn a_later_process_of_the_same_pid_is_not_ended() {
    let bench = Bench::new().await;
    let state = bench.made(KIND, None, &set(1)).await;
    let (id, pid) = instances(&state).into_iter().next().unwrap();
    let forged = forge(&bench, &state, &id);
    assert_eq!(
        number(&bench.read(KIND, &forged).await.unwrap(), "replicas"),
        0
    );
    bench.delete(KIND, &forged).await;
    assert!(
        is_running(pid),
        "a process with another start time was ended"
    );
}

/// State and registration as if the recorded process had another start time.
fn forge(bench: &Bench, state: &Known, id: &str) -> Known {
    let registration = bench
        .folder
        .join(format!(".isobar/local/digits/east/1/{id}.json"));
    let mut state = json::encode(state.value());
    let started = state["instances"][0]["started"]
        .as_str()
        .unwrap()
        .to_owned();
    let other = format!("{started}0");
    state["instances"][0]["started"] = json!(other);
    let text = std::fs::read_to_string(&registration).unwrap();
    assert!(text.contains(&started));
    std::fs::write(&registration, text.replace(&started, &other)).unwrap();
    Known::new(json::decode_any(&state)).unwrap()
}

#[tokio::test]
async fn the_same_key_twice_starts_nothing_new() {
    let bench = Bench::new().await;
    let key = bench.key();
    let first = bench.make(KIND, None, &set(2), &key).await;
    let second = bench.make(KIND, None, &set(2), &key).await;
    assert_eq!(first, second);
    let Outcome::Done(Some(state)) = first else {
        panic!("{first:?}")
    };
    let key = bench.key();
    let first = bench.make(KIND, Some(&state), &set(3), &key).await;
    assert_eq!(bench.make(KIND, Some(&state), &set(3), &key).await, first);
    assert_eq!(bench.processes().len(), 3);
}

#[tokio::test]
async fn what_a_broken_off_apply_started_is_adopted() {
    let bench = Bench::new().await;
    let slow = commanded(2, &["--delay", "1500"]);
    let key = bench.key();
    broken_off(&bench, &slow, &key).await;
    let started = bench.processes();
    assert_eq!(started.len(), 2);
    forget_a_pid(&bench);

    let outcome = bench.make(KIND, None, &slow, &key).await;
    let Outcome::Done(Some(state)) = outcome else {
        panic!("{outcome:?}")
    };
    let mut adopted: Vec<u32> = instances(&state).into_values().collect();
    adopted.sort_unstable();
    assert_eq!(adopted, started);
    assert_eq!(bench.processes(), started);
}

#[tokio::test]
async fn what_a_broken_off_apply_started_from_another_configuration_is_not_adopted() {
    let bench = Bench::new().await;
    let key = bench.key();
    broken_off(&bench, &commanded(2, &["--delay", "1500"]), &key).await;
    let started = bench.processes();
    assert_eq!(started.len(), 2);

    let outcome = bench
        .make(KIND, None, &commanded(2, &["--delay", "1"]), &key)
        .await;
    let Outcome::Done(Some(state)) = outcome else {
        panic!("{outcome:?}")
    };
    let mut now: Vec<u32> = instances(&state).into_values().collect();
    now.sort_unstable();
    assert_eq!(bench.processes(), now);
    assert!(
        started.iter().all(|pid| !now.contains(pid)),
        "{started:?} {now:?}"
    );
}

#[tokio::test]
async fn what_a_broken_off_scaling_in_left_is_seen_and_ended() {
    let bench = Bench::new().await;
    let three = bench.made(KIND, None, &set(3)).await;
    for (file, mut registration) in registrations(&bench).skip(1).collect::<Vec<_>>() {
        let process = registration["phase"]["committed"].take();
        registration["phase"] = serde_json::json!({ "draining": process });
        std::fs::write(file, registration.to_string()).unwrap();
    }
    let seen = bench.read(KIND, &three).await.unwrap();
    assert_eq!(seen.field("replicas"), Some(&3_i64.into()));
    let one = bench.made(KIND, Some(&seen), &set(1)).await;
    assert_eq!(instances(&one).len(), 1);
    assert_eq!(bench.processes().len(), 1);
}

/// An apply that is given up as soon as two processes are started and written down.
async fn broken_off(bench: &Bench, configuration: &Value, key: &IdempotencyKey) {
    let both_started = async {
        while registrations(bench)
            .filter(|(_, r)| r["phase"]["started"]["pid"].is_u64())
            .count()
            < 2
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        outcome = bench.make(KIND, None, configuration, key) => panic!("it was done: {outcome:?}"),
        () = both_started => {}
    }
}

fn registrations(bench: &Bench) -> impl Iterator<Item = (PathBuf, serde_json::Value)> {
    let folder = std::fs::read_dir(bench.folder.join(".isobar/local/digits/east/1"));
    let files = folder
        .into_iter()
        .flatten()
        .map(|file| file.unwrap().path());
    let files = files.filter(|file| {
        file.extension()
            .is_some_and(|extension| extension == "json")
    });
    files.map(|file| {
        (
            file.clone(),
            serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap(),
        )
    })
}

/// The registration as a kill between start and writing down the pid leaves it.
fn forget_a_pid(bench: &Bench) {
    let (file, mut registration) = registrations(bench).next().unwrap();
    registration["phase"] = json!("intended");
    std::fs::write(&file, registration.to_string()).unwrap();
}

#[tokio::test]
async fn what_a_broken_off_apply_left_under_another_key_is_ended() {
    let bench = Bench::new().await;
    let slow = commanded(2, &["--delay", "1500"]);
    broken_off(&bench, &slow, &bench.key()).await;
    let leftovers = bench.processes();
    assert_eq!(leftovers.len(), 2);
    let state = bench.made(KIND, None, &set(1)).await;
    assert_eq!(
        bench.processes(),
        instances(&state).into_values().collect::<Vec<_>>()
    );
    assert!(leftovers.iter().all(|pid| !is_running(*pid)));
}

#[tokio::test]
async fn processes_that_the_state_lost_are_a_conflict() {
    let bench = Bench::new().await;
    let lost = bench.made(KIND, None, &set(1)).await;
    let outcome = bench.make(KIND, None, &set(1), &bench.key()).await;
    let Outcome::Failed(error) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(error.kind, ErrorKind::Conflict);
    let pid = instances(&lost).into_values().next().unwrap();
    assert!(error.message.contains(&pid.to_string()), "{error}");
    assert_eq!(bench.processes(), [pid]);
}

#[tokio::test]
async fn a_lost_data_folder_is_written_anew() {
    let bench = Bench::new().await;
    let state = bench.made(KIND, None, &set(2)).await;
    std::fs::remove_dir_all(bench.folder.join(".isobar")).unwrap();
    assert_eq!(bench.read(KIND, &state).await.as_ref(), Some(&state));
    let three = bench.made(KIND, Some(&state), &set(3)).await;
    assert_eq!((instances(&three).len(), bench.processes().len()), (3, 3));
    bench.delete(KIND, &three).await;
    assert!(bench.processes().is_empty());
}

#[tokio::test]
async fn what_came_up_is_kept_and_what_failed_is_told() {
    let bench = Bench::new().await;
    let first = bench.folder.join("first");
    let options = [
        "--crash",
        "no weights in layer",
        "--only-first",
        first.to_str().unwrap(),
    ];
    let configuration = commanded(3, &options);
    let outcome = bench.make(KIND, None, &configuration, &bench.key()).await;
    let Outcome::Partial { state, error } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(number(&state, "replicas"), 1);
    assert_eq!(
        bench.processes(),
        instances(&state).into_values().collect::<Vec<_>>()
    );
    assert!(error.message.contains("exit status: 1"), "{error}");
    assert!(
        error.message.contains("no weights in layer 30\n"),
        "{error}"
    );
    assert!(
        !error.message.contains("no weights in layer 5\n"),
        "{error}"
    );
    assert_eq!(error.message.lines().count(), 21, "{error}");
    bench.delete(KIND, &state).await;
}

#[tokio::test]
async fn nothing_is_left_of_a_set_that_never_gets_ready() {
    let bench = Bench::new().await;
    let mut configuration = json::encode(&commanded(2, &["--ready", "never"]));
    configuration["startup"] = json!(1);
    let configuration = json::decode_any(&configuration);
    let outcome = bench.make(KIND, None, &configuration, &bench.key()).await;
    let Outcome::Failed(error) = outcome else {
        panic!("{outcome:?}")
    };
    let path = Path::attribute("startup");
    assert_eq!(error.kind, ErrorKind::Invalid { path });
    assert!(error.message.contains("503"), "{error}");
    assert!(bench.processes().is_empty());
}

#[tokio::test]
async fn a_program_that_does_not_exist_is_named() {
    let bench = Bench::new().await;
    let configuration = json::decode_any(&json!({
        "name": "digits", "zone": "east", "version": "1",
        "command": ["/no/such/program"], "replicas": 1,
    }));
    let outcome = bench.make(KIND, None, &configuration, &bench.key()).await;
    let Outcome::Failed(error) = outcome else {
        panic!("{outcome:?}")
    };
    let path = Path::attribute("command");
    assert_eq!(error.kind, ErrorKind::Invalid { path });
    assert!(error.message.contains("/no/such/program"), "{error}");
}

#[tokio::test]
async fn a_command_gets_its_environment_and_leaves_no_child() {
    let bench = Bench::new().await;
    let program = fixture();
    // The shell stays between us and the server, so that ending the shell alone is not enough.
    let script = format!("{} serve --port $PORT --name $WHO; true", program.display());
    let configuration = json::decode_any(&json!({
        "name": "digits", "zone": "east", "version": "1",
        "command": ["sh", "-c", script], "environment": { "WHO": "me" }, "replicas": 1,
    }));
    let state = bench.made(KIND, None, &configuration).await;
    let url = format!("http://127.0.0.1:{}/options", ports(&state)[0]);
    let options = Http::new().get(&url).await.unwrap().json();
    assert_eq!(options["name"], "me");
    assert_eq!(bench.processes().len(), 2);
    bench.delete(KIND, &state).await;
    assert!(bench.processes().is_empty());
}

#[tokio::test]
async fn wrong_attributes_are_found_when_planning() {
    let bench = Bench::new().await;
    let valid = json!({
        "name": "digits", "zone": "east", "version": "1", "artifact": "model.onnx", "replicas": 1,
    });
    for (attribute, value, words) in [
        (
            "artifact",
            json!("missing.onnx"),
            "missing.onnx does not exist",
        ),
        (
            "artifact",
            json!("s3://bucket/m.onnx"),
            "not on this machine",
        ),
        ("artifact", json!(null), "nothing to run"),
        ("replicas", json!(-1), "whole number"),
        ("replicas", json!(1.5), "whole number"),
        ("startup", json!(-1), "seconds"),
    ] {
        let mut configuration = valid.clone();
        configuration[attribute] = value;
        let configuration = json::decode_any(&configuration);
        let error = bench.plan(KIND, None, &configuration).await.unwrap_err();
        let path = Path::attribute(attribute);
        assert_eq!(error.kind, ErrorKind::Invalid { path }, "{error}");
        assert!(error.message.contains(words), "{error}");
    }
}

#[tokio::test]
async fn deleting_what_is_gone_is_a_success() {
    let bench = Bench::new().await;
    let state = bench.made(KIND, None, &set(1)).await;
    let delete = Operation::Delete {
        prior: state.clone(),
    };
    let key = bench.key();
    for _ in 0..2 {
        let outcome = bench.apply(KIND, delete.clone(), &key).await;
        assert_eq!(outcome, Outcome::Done(None));
    }
    assert!(bench.processes().is_empty());
}
