//! Google Cloud Storage by its published XML API, in a fake of this project, for what no server
//! of others does: fake-gcs-server (1.54), which `servers.rs` runs, answers a `PUT` of that API with
//! "400 invalid uploadType". Here `PUT` comes as it is sent. What the fake does is in Google's "XML
//! API reference" under `PUT Object`, `GET Bucket (List Objects)` and "Request preconditions".

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

#[expect(unreachable_pub, reason = "it is shared by tests")]
mod suite;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use isobar_stores::{Documents, Kind, Opened, Settings};

/// Objects with their generations, and the last one that was given out.
type Bucket = Arc<Mutex<(BTreeMap<String, (u64, Bytes)>, u64)>>;

fn expected(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get("x-goog-if-generation-match")?;
    Some(text.to_str().unwrap().parse().unwrap())
}

fn described(generation: u64) -> [(&'static str, String); 3] {
    [
        ("x-goog-generation", generation.to_string()),
        ("etag", format!("\"e{generation}\"")),
        ("last-modified", "Mon, 23 Nov 2026 12:00:00 GMT".to_owned()),
    ]
}

async fn read(State(bucket): State<Bucket>, Path(name): Path<String>) -> Response {
    let bucket = bucket.lock().unwrap();
    match bucket.0.get(&name) {
        Some((generation, content)) => (described(*generation), content.clone()).into_response(),
        None => (
            StatusCode::NOT_FOUND,
            "<Error><Code>NoSuchKey</Code></Error>",
        )
            .into_response(),
    }
}

async fn write(
    State(bucket): State<Bucket>,
    Path(name): Path<String>,
    headers: HeaderMap,
    content: Bytes,
) -> Response {
    let mut bucket = bucket.lock().unwrap();
    let now = bucket.0.get(&name).map_or(0, |(generation, _)| *generation);
    if expected(&headers).is_some_and(|expected| expected != now) {
        let error = "<Error><Code>PreconditionFailed</Code></Error>";
        return (StatusCode::PRECONDITION_FAILED, error).into_response();
    }
    bucket.1 += 1;
    let generation = bucket.1;
    bucket.0.insert(name, (generation, content));
    described(generation).into_response()
}

async fn delete(State(bucket): State<Bucket>, Path(name): Path<String>) -> StatusCode {
    match bucket.lock().unwrap().0.remove(&name) {
        Some(_) => StatusCode::NO_CONTENT,
        None => StatusCode::NOT_FOUND,
    }
}

async fn list(
    State(bucket): State<Bucket>,
    Query(query): Query<BTreeMap<String, String>>,
) -> String {
    assert_eq!(query.get("list-type").map(String::as_str), Some("2"));
    let prefix = query.get("prefix").cloned().unwrap_or_default();
    let mut text = "<ListBucketResult><IsTruncated>false</IsTruncated>".to_owned();
    for (name, (generation, content)) in &bucket.lock().unwrap().0 {
        if name.starts_with(&prefix) {
            let size = content.len();
            write!(
                text,
                "<Contents><Key>{name}</Key><Size>{size}</Size><ETag>\"e{generation}\"</ETag>\
                 <LastModified>2026-11-23T12:00:00.000Z</LastModified></Contents>"
            )
            .unwrap();
        }
    }
    text + "</ListBucketResult>"
}

#[tokio::test(flavor = "multi_thread")]
async fn gcs_does_what_is_asked_of_a_fake() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new()
        .route("/states", get(list))
        .route("/states/", get(list))
        .route("/states/{*name}", get(read).put(write).delete(delete))
        .with_state(Bucket::default());
    tokio::spawn(async { axum::serve(listener, routes).await });
    let open = |prefix: &str| -> Arc<dyn Documents> {
        let values = [
            ("bucket", "states"),
            ("endpoint", &endpoint),
            ("access_token", "token"),
            ("prefix", prefix),
        ];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = Settings {
            values: values.into(),
            ..Settings::default()
        };
        match Kind::named("gcs").unwrap().open(&settings).unwrap() {
            Opened::Documents(documents) => documents,
            Opened::Web(_) => unreachable!("gcs keeps documents"),
        }
    };
    suite::all(&open, 50, 20).await;
}
