//! Prometheus with fourteen days that were filled in, and VictoriaMetrics with the same.

use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use isobar_sources::{Kind, Reading, Settings, Window};
use serde_json::json;

use super::play::{Act, Play};
use super::process::{Server, ask, parts, start};
use super::{listed, open, read, settings, told, window};

/// The first minute, 2026-01-01T00:00:00Z, and how many there are.
const FROM: i64 = 1_767_225_600;
const MINUTES: i64 = 14 * 1440;

/// Requests per second at a time.
fn rate(at: i64) -> f64 {
    let day = at.rem_euclid(86_400) as f64 / 86_400.0;
    (100.0 + 50.0 * (std::f64::consts::TAU * day).sin()) / 60.0
}

/// What two counters stood at each minute, with what ends a line behind its time.
fn history(unit: i64) -> String {
    let mut text = String::new();
    for zone in ["east", "west"] {
        let mut total = 0.0;
        for minute in 0..MINUTES {
            let at = FROM + minute * 60;
            total += rate(at) * 60.0;
            writeln!(
                text,
                "requests_total{{zone=\"{zone}\"}} {total:.3} {}",
                at * unit
            )
            .unwrap();
        }
    }
    text
}

fn prometheus() -> Option<Server> {
    parts("prometheus")?;
    Some(start(|folder, port| {
        let text = format!("# TYPE requests counter\n{}# EOF\n", history(1));
        std::fs::write(folder.join("history"), text).unwrap();
        std::fs::write(folder.join("prometheus.yml"), "").unwrap();
        let made = Command::new("promtool")
            .args(["tsdb", "create-blocks-from", "openmetrics"])
            // Few large blocks: each is written through to the disk.
            .arg("--max-block-duration=360h")
            .args([folder.join("history"), folder.join("data")])
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let mut command = Command::new("prometheus");
        command
            .arg(format!(
                "--config.file={}",
                folder.join("prometheus.yml").display()
            ))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("data").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--storage.tsdb.retention.time=50y");
        command
    }))
}

fn victoria_metrics() -> Option<Server> {
    parts("victoria-metrics")?;
    let server = start(|folder, port| {
        let mut command = Command::new("victoria-metrics");
        command
            .arg(format!(
                "-storageDataPath={}",
                folder.join("data").display()
            ))
            .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
            .arg("-retentionPeriod=50y");
        command
    });
    assert_eq!(
        ask(
            server.port,
            "POST",
            "/api/v1/import/prometheus",
            &history(1000)
        ),
        204
    );
    assert_eq!(ask(server.port, "GET", "/internal/force_flush", ""), 200);
    Some(server)
}

async fn query(
    server: &Server,
    query: &str,
    window: Window,
    counter: bool,
) -> Result<Vec<Reading>, isobar_sources::Fault> {
    // It listens before it is ready.
    for _ in 0..100 {
        if ask(server.port, "GET", "/-/ready", "") == 200 {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let url = format!("http://127.0.0.1:{}/", server.port);
    let settings = Settings {
        step: window.step,
        counter,
        ..settings(json!({"url": url, "query": query}))
    };
    let source = Kind::named("prometheus").unwrap().open(&settings).unwrap();
    read(&*source, window).await
}

/// All that is asked of a server with this history.
async fn is_read(server: &Server) {
    let minutes = Window {
        step: Duration::from_secs(60),
        ..window("2026-01-01T01:00:00Z", "2026-01-14T23:00:00Z")
    };
    let rates = query(server, "sum(rate(requests_total[5m]))", minutes, false)
        .await
        .unwrap();
    // More than two answers hold; no seam is missing and none is there twice.
    assert_eq!(rates.len() as u128, minutes.slots());
    assert!(
        rates
            .windows(2)
            .all(|pair| pair[1].at.duration_since(pair[0].at).as_secs() == 60)
    );
    assert_eq!(
        (rates[0].at, rates[rates.len() - 1].at.as_second() + 60),
        (minutes.from, minutes.until.as_second())
    );
    for reading in &rates {
        // The mean over five minutes lags two and a half behind the end of the slot.
        let expected = 2.0 * rate(reading.at.as_second() + 60 - 150);
        let value = reading.value.unwrap();
        assert!(
            (value / expected - 1.0).abs() < 0.01,
            "{} {value} {expected}",
            reading.at
        );
    }
    let hour = window("2026-01-05T00:00:00Z", "2026-01-05T01:00:00Z");
    let counts = query(server, "requests_total{zone=\"east\"}", hour, true)
        .await
        .unwrap();
    // A counter is read at both ends.
    assert_eq!(
        (counts.len(), counts[0].at, counts[12].at),
        (13, hour.from, hour.until)
    );
    assert!(counts.windows(2).all(|pair| pair[1].value > pair[0].value));
    let several = query(server, "rate(requests_total[5m])", hour, false)
        .await
        .unwrap_err();
    assert_eq!(
        told(&several),
        "the query gives 2 series where one is needed: {zone=\"east\"}, {zone=\"west\"}; \
         add them up with sum(…), or choose one with a label, such as {zone=\"east\"}"
    );
    assert_eq!(
        query(server, "sum(nothing_total)", hour, false).await,
        Ok(Vec::new())
    );
    let wrong = query(server, "sum(rate(requests_total[5m])", hour, false)
        .await
        .unwrap_err();
    assert!(
        told(&wrong).contains("refuses the query") && told(&wrong).ends_with("correct query"),
        "{wrong}"
    );
}

#[tokio::test]
async fn prometheus_is_read() {
    let Some(server) = prometheus() else { return };
    is_read(&server).await;
}

#[tokio::test]
async fn victoria_metrics_is_read() {
    let Some(server) = victoria_metrics() else {
        return;
    };
    is_read(&server).await;
}

async fn answered(body: &str) -> (Result<Vec<Reading>, String>, String) {
    let play = Play::begin(vec![Act::json(body)]);
    let source = open(
        "prometheus",
        json!({"url": format!("{}/prom/", play.address), "query": "up", "tenant": "team-a", "token": "hunter2"}),
    )
    .unwrap();
    let hour = window("2026-01-01T00:00:00Z", "2026-01-01T00:10:00Z");
    let answer = read(&*source, hour).await;
    let answer = answer.map_err(|fault| told(&fault).replace(&play.address, "SERVER"));
    (answer, play.requests().remove(0))
}

#[tokio::test]
async fn what_is_asked_says_who_asks_and_ends_with_the_last_slot() {
    let body = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1767225900,"2.5"],[1767226200,"NaN"]]}]}}"#;
    let (answer, request) = answered(body).await;
    assert_eq!(
        listed(&answer.unwrap()),
        ["2026-01-01T00:00:00Z 2.5", "2026-01-01T00:05:00Z -"]
    );
    assert!(
        request.starts_with("POST /prom/api/v1/query_range HTTP"),
        "{request}"
    );
    assert!(request.contains("x-scope-orgid: team-a"), "{request}");
    assert!(
        request.contains("authorization: Bearer hunter2"),
        "{request}"
    );
    assert!(
        request.ends_with("query=up&start=1767225900&end=1767226200&step=300"),
        "{request}"
    );
}

#[tokio::test]
async fn what_is_no_series_is_told_with_the_way_out() {
    let text = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1767225900,"many"]]}]}}"#;
    let (answer, _) = answered(text).await;
    assert_eq!(
        answer.unwrap_err(),
        "the value \"many\" at 2026-01-01T00:00:00Z is not a number; check that url leads to Prometheus"
    );
    let (answer, _) = answered("{\"grafana\": true}").await;
    assert!(
        answer
            .unwrap_err()
            .starts_with("SERVER/prom does not answer as Prometheus")
    );
}
