//! Gateways: the split, changes of it, crashes behind it, and taken ports.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use isobar_sdk::provider::{Operation, Outcome};
use isobar_sdk::{ErrorKind, Known, Path, Value, json};
use serde_json::json;

use crate::bench::{Bench, Http, fixture, free_port, instances, is_running, kill, number, text};

const SET: &str = "local_replica_set";
const KIND: &str = "local_gateway";

async fn replicas(bench: &Bench, version: &str, replicas: i64, work: &str) -> Known {
    bench
        .made(SET, None, &set(version, replicas, &["--work", work]))
        .await
}

fn set(version: &str, replicas: i64, options: &[&str]) -> Value {
    let program = fixture();
    let program = program.to_str().unwrap();
    let first = [program, "serve", "--port", "{port}", "--version", version];
    let command: Vec<&str> = first.into_iter().chain(options.iter().copied()).collect();
    json::decode_any(&json!({
        "name": "digits", "zone": "east", "version": version, "command": command,
        "replicas": replicas, "startup": 20,
    }))
}

fn gateway(zone: &str, port: Option<u16>, routes: &[(&str, i64)]) -> Value {
    let routes: BTreeMap<&str, i64> = routes.iter().copied().collect();
    json::decode_any(&json!({
        "name": "digits", "zone": zone, "port": port, "protocol": "oip-v2", "routes": routes,
    }))
}

async fn split(url: &str, requests: usize) -> BTreeMap<String, usize> {
    let http = Http::new();
    let mut counts = BTreeMap::new();
    for _ in 0..requests {
        let answer = http
            .send("POST", &format!("{url}/infer"), "x")
            .await
            .unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.version.as_deref(), answer.json()["version"].as_str());
        *counts.entry(answer.version.unwrap()).or_default() += 1;
    }
    counts
}

#[tokio::test]
async fn the_split_is_exact_and_new_weights_are_in_force_when_apply_returns() {
    let bench = Bench::new().await;
    let one = replicas(&bench, "1", 2, "0").await;
    let two = replicas(&bench, "2", 1, "0").await;
    let state = bench
        .made(KIND, None, &gateway("east", None, &[("1", 90), ("2", 10)]))
        .await;
    let url = text(&state, "url").to_owned();
    await_ready(&url, 3).await;
    assert_eq!(
        split(&url, 100).await,
        [("1".into(), 90), ("2".into(), 10)].into()
    );
    assert_eq!(bench.read(KIND, &state).await.as_ref(), Some(&state));

    let even = gateway("east", None, &[("1", 50), ("2", 50)]);
    let updated = bench.made(KIND, Some(&state), &even).await;
    assert_eq!(number(&updated, "pid"), number(&state, "pid"));
    assert_eq!(
        split(&url, 100).await,
        [("1".into(), 50), ("2".into(), 50)].into()
    );

    let metrics = Http::new()
        .get(&format!("{url}/_isobar/metrics"))
        .await
        .unwrap()
        .body;
    let line = r#"isobar_gateway_requests_total{version="1",code="200"} 140"#;
    assert!(metrics.contains(line), "{metrics}");
    let line = r#"isobar_gateway_replicas{version="2",state="ready"} 1"#;
    assert!(metrics.contains(line), "{metrics}");

    bench.delete(KIND, &updated).await;
    bench.delete(SET, &two).await;
    bench.delete(SET, &one).await;
    assert!(bench.processes().is_empty());
    assert_eq!(bench.left_behind(), Vec::<PathBuf>::new());
    assert_eq!(bench.read(KIND, &updated).await, None);
}

async fn await_ready(url: &str, replicas: usize) {
    let began = Instant::now();
    loop {
        let status = Http::new()
            .get(&format!("{url}/_isobar/status"))
            .await
            .unwrap()
            .json();
        let all = status["replicas"].as_array().unwrap();
        if all
            .iter()
            .filter(|replica| replica["ready"] == true)
            .count()
            == replicas
        {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{status}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_dies_under_load_costs_no_request() {
    let bench = Bench::new().await;
    let set = replicas(&bench, "1", 3, "5").await;
    let state = bench
        .made(KIND, None, &gateway("east", None, &[("1", 100)]))
        .await;
    let url = text(&state, "url").to_owned();
    await_ready(&url, 3).await;
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let url = format!("{url}/infer");
            tokio::spawn(async move {
                let http = Http::new();
                let mut served = BTreeMap::<u64, usize>::new();
                for _ in 0..100 {
                    let answer = http.send("POST", &url, "x").await.unwrap();
                    assert_eq!(answer.status, 200, "{}", answer.body);
                    *served
                        .entry(answer.json()["pid"].as_u64().unwrap())
                        .or_default() += 1;
                }
                served
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(150)).await;
    let victim = instances(&set).into_values().next().unwrap();
    kill(victim);
    let mut served = BTreeMap::<u64, usize>::new();
    for client in clients {
        for (pid, count) in client.await.unwrap() {
            *served.entry(pid).or_default() += count;
        }
    }
    assert_eq!(served.values().sum::<usize>(), 800);
    assert_eq!(served.len(), 3, "all three worked: {served:?}");
    assert!(
        served[&u64::from(victim)] < 267,
        "it died in the middle: {served:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn scaling_in_under_load_costs_no_request() {
    let bench = Bench::new().await;
    // Servers that end without finishing what they do, and requests that must not be repeated:
    // only a replica that gets nothing any more may be ended.
    let options = ["--work", "5", "--abrupt", "yes"];
    let state = bench.made(SET, None, &set("1", 3, &options)).await;
    let mut raw = json::encode(&gateway("east", None, &[("1", 100)]));
    raw["protocol"] = json!("raw");
    let gateway = bench.made(KIND, None, &json::decode_any(&raw)).await;
    await_ready(text(&gateway, "url"), 3).await;
    let url = format!("{}/infer", text(&gateway, "url"));
    let clients: Vec<_> = (0..4).map(|_| tokio::spawn(hammer(url.clone()))).collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let scaled = bench.made(SET, Some(&state), &set("1", 1, &options)).await;
    assert_eq!(instances(&scaled).len(), 1);
    for client in clients {
        assert!(client.await.unwrap() > 50);
    }
}

/// Requests for two seconds, one after another; all must be served. Gives their number.
async fn hammer(url: String) -> usize {
    let http = Http::new();
    let began = Instant::now();
    let mut requests = 0;
    while began.elapsed() < Duration::from_secs(2) {
        let answer = http.send("POST", &url, "x").await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        requests += 1;
    }
    requests
}

#[tokio::test]
async fn nobody_ready_is_a_503_that_says_so_until_a_replica_comes() {
    let bench = Bench::new().await;
    let state = bench
        .made(KIND, None, &gateway("east", None, &[("1", 100)]))
        .await;
    let url = text(&state, "url").to_owned();
    let answer = Http::new().get(&format!("{url}/v2")).await.unwrap();
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.json()["error"],
        "no replica of digits in zone east is ready"
    );
    replicas(&bench, "1", 1, "0").await;
    await_ready(&url, 1).await;
    assert_eq!(split(&url, 5).await, [("1".into(), 5)].into());
}

#[tokio::test]
async fn a_taken_port_is_told_when_planning_and_when_applying() {
    let bench = Bench::new().await;
    let port = free_port();
    let holder = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let configuration = gateway("east", Some(port), &[("1", 100)]);
    let planning = bench.plan(KIND, None, &configuration).await.unwrap_err();

    drop(holder);
    let planned = bench.plan(KIND, None, &configuration).await.unwrap().after;
    let url = format!("http://127.0.0.1:{port}");
    assert_eq!(planned.field("url").unwrap().as_str(), Some(&*url));
    let _holder = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let outcome = bench
        .apply(KIND, Operation::Create { planned }, &bench.key())
        .await;
    let Outcome::Failed(applying) = outcome else {
        panic!("{outcome:?}")
    };
    for error in [planning, applying] {
        let path = Path::attribute("port");
        assert_eq!(error.kind, ErrorKind::Invalid { path });
        assert!(error.message.contains(&format!("port {port}")), "{error}");
        let holder = format!("process {}", std::process::id());
        assert!(error.message.contains(&holder), "{error}");
        assert!(error.help.is_some());
    }
    assert!(bench.processes().is_empty());
}

#[tokio::test]
async fn two_zones_have_a_gateway_each_and_one_that_died_comes_back_on_its_port() {
    let bench = Bench::new().await;
    let (first, second) = (free_port(), free_port());
    let east = gateway("east", Some(first), &[("1", 100)]);
    let west = gateway("west", Some(second), &[("1", 100)]);
    let east_state = bench.made(KIND, None, &east).await;
    let west_state = bench.made(KIND, None, &west).await;
    for (port, zone) in [(first, "east"), (second, "west")] {
        let url = format!("http://127.0.0.1:{port}/_isobar/status");
        assert_eq!(Http::new().get(&url).await.unwrap().json()["zone"], zone);
    }
    kill(u32::try_from(number(&east_state, "pid")).unwrap());
    assert_eq!(bench.read(KIND, &east_state).await, None);
    let healed = bench.made(KIND, None, &east).await;
    assert_eq!(number(&healed, "port"), u64::from(first));
    assert_ne!(healed.field("pid"), east_state.field("pid"));
    assert_eq!(
        bench.read(KIND, &west_state).await.as_ref(),
        Some(&west_state)
    );
    bench.delete(KIND, &healed).await;
    bench.delete(KIND, &west_state).await;
    assert!(bench.processes().is_empty());
}

#[tokio::test]
async fn the_same_key_twice_starts_one_gateway() {
    let bench = Bench::new().await;
    let key = bench.key();
    let configuration = gateway("east", None, &[("1", 100)]);
    let first = bench.make(KIND, None, &configuration, &key).await;
    assert_eq!(bench.make(KIND, None, &configuration, &key).await, first);
    assert_eq!(bench.processes().len(), 1);
}

#[tokio::test]
async fn requests_under_way_are_finished_when_the_gateway_is_ended() {
    let bench = Bench::new().await;
    replicas(&bench, "1", 1, "700").await;
    let state = bench
        .made(KIND, None, &gateway("east", None, &[("1", 100)]))
        .await;
    let url = format!("{}/infer", text(&state, "url"));
    let slow = tokio::spawn(async move { Http::new().send("POST", &url, "x").await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    bench.delete(KIND, &state).await;
    assert_eq!(slow.await.unwrap().unwrap().status, 200);
    assert!(!is_running(u32::try_from(number(&state, "pid")).unwrap()));
}

#[tokio::test]
async fn answers_stream_through_and_large_requests_arrive_whole() {
    let bench = Bench::new().await;
    replicas(&bench, "1", 1, "0").await;
    let state = bench
        .made(KIND, None, &gateway("east", None, &[("1", 100)]))
        .await;
    let url = text(&state, "url");
    let body = "x".repeat(5 << 20);
    let answer = Http::new()
        .send("POST", &format!("{url}/infer"), &body)
        .await
        .unwrap();
    assert_eq!(answer.json()["length"], 5 << 20);

    let arrivals = Http::new().arrivals(&format!("{url}/ticks")).await;
    assert_eq!(arrivals.len(), 3);
    let spread = arrivals[2] - arrivals[0];
    assert!(
        spread >= Duration::from_millis(300),
        "it came at once: {spread:?}"
    );
}

#[tokio::test]
async fn a_gateway_that_died_since_the_plan_is_not_started_under_the_old_promise() {
    let bench = Bench::new().await;
    let state = bench
        .made(KIND, None, &gateway("east", None, &[("1", 100)]))
        .await;
    kill(u32::try_from(number(&state, "pid")).unwrap());
    let changed = gateway("east", None, &[("1", 50)]);
    let outcome = bench.make(KIND, Some(&state), &changed, &bench.key()).await;
    let Outcome::Failed(error) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(error.kind, ErrorKind::NotFound);
}
