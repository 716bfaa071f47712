//! JSON page after page, and who is told what.

use serde_json::json;

use super::play::{Act, Play};
use super::{listed, open, read, told, window};

fn page(times: &[i64], next: &str) -> Act {
    let points: Vec<_> = times.iter().map(|at| json!({"t": at, "v": 1})).collect();
    Act::json(&json!({"points": points, "next": next}).to_string())
}

fn day() -> isobar_sources::Window {
    window("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
}

#[tokio::test]
async fn pages_follow_a_link() {
    let play = Play::begin(vec![
        page(&[1_767_225_600], "/more?page=2"),
        page(&[1_767_225_900], ""),
    ]);
    let source = open(
        "http_json",
        json!({
            "url": format!("{}/points?from={{from}}&until={{until}}&step={{step}}", play.address),
            "times": "points.*.t", "values": "points.*.v", "next": "next", "time_format": "seconds",
            "headers": {"X-Key": "hunter2"}, "parameters": {"zone": "a b"},
        }),
    )
    .unwrap();
    let readings = read(&*source, day()).await.unwrap();
    assert_eq!(
        listed(&readings),
        ["2026-01-01T00:00:00Z 1", "2026-01-01T00:05:00Z 1"]
    );
    let asked = play.requests();
    assert!(
        asked[0].starts_with("GET /points?from=1767225600&until=1767312000&step=300&zone=a+b HTTP"),
        "{asked:?}"
    );
    assert!(asked[1].starts_with("GET /more?page=2 HTTP"), "{asked:?}");
    assert!(
        asked
            .iter()
            .all(|request| request.contains("x-key: hunter2")),
        "{asked:?}"
    );
    assert!(!format!("{source:?}").contains("hunter2"), "{source:?}");
    assert_eq!(source.place(), format!("{}/points", play.address));
}

#[tokio::test]
async fn pages_follow_a_cursor() {
    let play = Play::begin(vec![
        page(&[1_767_225_600], "c1"),
        page(&[1_767_225_900], ""),
    ]);
    let source = open(
        "http_json",
        json!({
            "url": format!("{}/points", play.address), "times": "points.*.t", "values": "points.*.v",
            "next": "next", "cursor": "after", "username": "me", "password": "hunter2",
        }),
    )
    .unwrap();
    assert_eq!(read(&*source, day()).await.unwrap().len(), 2);
    let asked = play.requests();
    assert!(
        asked[1].starts_with("GET /points?after=c1 HTTP"),
        "{asked:?}"
    );
    assert!(
        asked[1].contains("authorization: Basic bWU6aHVudGVyMg=="),
        "{asked:?}"
    );
}

#[tokio::test]
async fn pages_end_and_stay_with_their_server() {
    for (next, said) in [
        (
            "https://elsewhere.example/points",
            "on another server, elsewhere.example",
        ),
        ("/points", "gives the same next page twice"),
    ] {
        let play = Play::begin(vec![page(&[1_767_225_600], next)]);
        let source = open(
            "http_json",
            json!({"url": format!("{}/points", play.address), "times": "points.*.t", "values": "points.*.v", "next": "next"}),
        )
        .unwrap();
        let fault = read(&*source, day()).await.unwrap_err();
        assert!(told(&fault).contains(said), "{}", told(&fault));
    }
}

#[test]
fn settings_that_lead_nowhere_are_refused() {
    let told = |kind: &str, values| {
        let problem = open(kind, values).err().unwrap();
        format!("{problem:?}")
    };
    let with = |url: &str| json!({"url": url, "query": "up"});
    assert!(told("prometheus", with("prometheus:9090")).contains("http://"));
    let secret = told("prometheus", with("http://me:hunter2@host"));
    assert!(
        secret.contains("username and password") && !secret.contains("hunter2"),
        "{secret}"
    );
    let both = json!({"url": "http://h", "query": "up", "token": "a", "username": "b"});
    assert!(told("prometheus", both).contains("cannot be combined"));
    let time = json!({"url": "http://h", "query": "up", "timeout": "soon"});
    assert!(told("prometheus", time).contains("is no time"));
    let pem = json!({"url": "http://h", "query": "up", "ca_certificate": "nonsense"});
    assert!(told("prometheus", pem).contains("ca_certificate"));
}
