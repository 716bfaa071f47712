//! BigQuery, as local-bigquery has it, a server of GoogleSQL; and its own forecasts, which that
//! server does not make, from answers that were written down.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use isobar_sources::{Fault, Kind, Settings, Window};
use serde_json::{Value, json};

use super::play::{Act, Play};
use super::process::{Server, ask, parts, start};
use super::{listed, open, read, settings, told, window};

fn asked(values: Value, step: u64) -> Box<dyn isobar_sources::Source> {
    let settings = Settings {
        step: Duration::from_secs(step),
        ..settings(values)
    };
    Kind::named("bigquery").unwrap().open(&settings).unwrap()
}

fn hours(from: &str, until: &str) -> Window {
    Window {
        step: Duration::from_secs(3600),
        ..window(from, until)
    }
}

/// Starts the server on a folder of its own.
fn serve(parts: &Path, program: &Path) -> Server {
    start(|folder, port| {
        let mut command = Command::new(program);
        command
            .args(["serve", "--host", "127.0.0.1", "--port", &port.to_string()])
            .args([
                "--grpc-port",
                &super::process::free_port().to_string(),
                "--project",
                "demo",
            ])
            .arg("--data-dir")
            .arg(folder)
            .env("HOME", parts.join("bigquery/home"));
        command
    })
}

#[tokio::test]
async fn local_bigquery_is_read() {
    let Some(parts) = parts("bigquery") else {
        return;
    };
    let program = parts.join("bigquery/bin/local-bigquery");
    if !program.exists() {
        return;
    }
    let server = serve(&parts, &program);
    let post = |path: &str, body: Value| {
        let path = format!("/bigquery/v2/projects/demo/{path}");
        assert_eq!(
            ask(server.port, "POST", &path, &body.to_string()),
            200,
            "{body}"
        );
    };
    post(
        "datasets",
        json!({"datasetReference": {"projectId": "demo", "datasetId": "tel"}}),
    );
    // One row a minute for ten hours; the third hour is missing, and the other zone does not count.
    let fill = "CREATE TABLE tel.req AS SELECT ts, IF(MOD(EXTRACT(MINUTE FROM ts), 2) = 0, 'east', 'west') AS zone, \
                EXTRACT(HOUR FROM ts) AS n FROM UNNEST(GENERATE_TIMESTAMP_ARRAY(\
                TIMESTAMP '2026-01-01 00:00:00+00', TIMESTAMP '2026-01-01 09:59:00+00', INTERVAL 1 MINUTE)) AS ts \
                WHERE EXTRACT(HOUR FROM ts) != 2";
    post("queries", json!({"query": fill, "useLegacySql": false}));
    let values = |more: Value| {
        let mut values = json!({
            "table": "tel.req", "timestamp": "ts", "project": "demo", "token": "any",
            "endpoint": format!("http://127.0.0.1:{}", server.port),
        });
        values
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        values
    };
    let part = hours("2026-01-01T01:00:00Z", "2026-01-01T05:00:00Z");
    let sums = asked(
        values(json!({"value": "n", "where": "zone = @zone", "parameters": {"zone": "east"}})),
        3600,
    );
    assert!(sums.counts_steps());
    assert_eq!(
        listed(&read(&*sums, part).await.unwrap()),
        [
            "2026-01-01T01:00:00Z 30",
            "2026-01-01T03:00:00Z 90",
            "2026-01-01T04:00:00Z 120"
        ]
    );
    let means = asked(values(json!({"value": "n", "aggregate": "mean"})), 3600);
    assert_eq!(
        listed(&read(&*means, part).await.unwrap())[1],
        "2026-01-01T03:00:00Z 3"
    );
    let rows = asked(values(json!({})), 300);
    let minutes = window("2026-01-01T00:00:00Z", "2026-01-01T02:00:00Z");
    let found = read(&*rows, minutes).await.unwrap();
    assert_eq!((found.len(), found[23].value), (24, Some(5.0)));
    let query = json!({"table": null, "query": "SELECT ts AS timestamp, n AS value FROM tel.req;", "timestamp": null, "aggregate": "max"});
    let mut query = values(query);
    query
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    let most = asked(query, 3600);
    assert_eq!(
        listed(&read(&*most, part).await.unwrap())[2],
        "2026-01-01T04:00:00Z 4"
    );
    let missing = asked(values(json!({"value": "nope"})), 3600);
    let fault = read(&*missing, part).await.unwrap_err();
    assert!(matches!(fault, Fault::Question { .. }), "{fault:?}");
    assert!(told(&fault).contains("nope"), "{fault}");
}

fn rows(rows: &[[&str; 3]]) -> Act {
    let field = |name: &str, kind: &str| json!({"name": name, "type": kind, "mode": "NULLABLE"});
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| json!({"f": row.map(|value| json!({"v": value}))}))
        .collect();
    Act::json(
        &json!({
            "kind": "bigquery#queryResponse", "jobComplete": true, "totalRows": rows.len().to_string(),
            "jobReference": {"projectId": "demo", "jobId": "j", "location": "EU"},
            "schema": {"fields": [field("slot", "INTEGER"), field("level", "FLOAT"), field("value", "FLOAT")]},
            "rows": rows,
        })
        .to_string(),
    )
}

#[tokio::test]
async fn bigquery_forecasts_itself() {
    let play = Play::begin(vec![rows(&[
        ["1767243600", "0.5", "10"],
        ["1767247200", "0.5", "12"],
        ["1767243600", "0.95", "9"],
        ["1767247200", "0.95", "-1"],
    ])]);
    let values = json!({
        "table": "demo.tel.req", "timestamp": "ts", "value": "n", "engine": "bigquery",
        "token": "hunter2", "endpoint": play.address,
    });
    let source = asked(values.clone(), 3600);
    let part = hours("2026-01-01T01:00:00Z", "2026-01-01T05:00:00Z");
    let bands = source
        .forecast(part, 2, &[0.5, 0.95])
        .unwrap()
        .await
        .unwrap();
    assert_eq!(bands.start, part.until);
    // Nothing crosses, and nothing is below zero.
    assert_eq!(bands.quantiles, [[10.0, 12.0], [10.0, 12.0]]);
    assert_eq!(bands.method, "AI.FORECAST");
    let asked_for = play.requests().remove(0);
    assert!(
        asked_for.starts_with("POST /bigquery/v2/projects/demo/queries HTTP"),
        "{asked_for}"
    );
    assert!(asked_for.contains("AI.FORECAST"), "{asked_for}");
    let short = Play::begin(vec![rows(&[["1767243600", "0.5", "10"]])]);
    let mut values = values;
    values["endpoint"] = short.address.clone().into();
    let fault = asked(values, 3600)
        .forecast(part, 2, &[0.5, 0.95])
        .unwrap()
        .await
        .unwrap_err();
    assert_eq!(
        fault.to_string(),
        "BigQuery forecasts 1 of the 4 values that were asked for"
    );
}

#[tokio::test]
async fn faults_are_told_apart() {
    let error = |code: u16, reason: &str| {
        let body = json!({"error": {"code": code, "message": "no", "status": "X", "errors": [{"reason": reason, "message": "no"}]}});
        Play::begin(vec![Act::Answer(
            code,
            vec![("Content-Type", "application/json".to_owned())],
            body.to_string(),
        )])
    };
    let part = hours("2026-01-01T01:00:00Z", "2026-01-01T05:00:00Z");
    let ask = |play: &Play| {
        let values = json!({"table": "demo.tel.req", "token": "hunter2", "endpoint": play.address});
        asked(values, 3600)
    };
    let busy = error(503, "backendError");
    let fault = read(&*ask(&busy), part).await.unwrap_err();
    assert!(matches!(fault, Fault::Unavailable { .. }), "{fault:?}");
    assert_eq!(busy.requests().len(), 4);
    let limit = error(403, "rateLimitExceeded");
    assert!(matches!(
        read(&*ask(&limit), part).await,
        Err(Fault::Unavailable { .. })
    ));
    let forbidden = error(403, "accessDenied");
    assert!(matches!(
        read(&*ask(&forbidden), part).await,
        Err(Fault::Refused { .. })
    ));
    let wrong = error(400, "invalidQuery");
    assert!(matches!(
        read(&*ask(&wrong), part).await,
        Err(Fault::Question { .. })
    ));
}

#[test]
fn settings_are_checked_before_anything_is_asked() {
    let told = |values: Value| format!("{:?}", open("bigquery", values).err().unwrap());
    assert!(told(json!({})).contains("a table or a query"));
    assert!(told(json!({"table": "a`.b"})).contains("no name"));
    assert!(told(json!({"table": "a.b", "model": "a.m"})).contains("engine"));
    assert!(told(json!({"table": "a.b", "parameters": {"from": "x"}})).contains("cannot hold"));
}
