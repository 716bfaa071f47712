//! Servers that fail: each once, and for good.

use std::time::{Duration, Instant};

use isobar_sources::{Fault, Reading};
use serde_json::json;

use super::play::{Act, Play};
use super::{listed, open, read, told, window};

const GOOD: &str = "[[1767225600, 5]]";

async fn ask(acts: Vec<Act>) -> (Result<Vec<Reading>, Fault>, Play) {
    let play = Play::begin(acts);
    let source = open(
        "http_json",
        json!({
            "url": format!("{}/points", play.address),
            "times": "*.0", "values": "*.1", "timeout": "0.3s", "token": "hunter2",
        }),
    )
    .unwrap();
    let day = window("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
    (read(&*source, day).await, play)
}

/// Asked again, it answers.
async fn recovers(act: Act) -> (Duration, usize) {
    let began = Instant::now();
    let (readings, play) = ask(vec![act, Act::json(GOOD)]).await;
    assert_eq!(listed(&readings.unwrap()), ["2026-01-01T00:00:00Z 5"]);
    (began.elapsed(), play.requests().len())
}

/// It never answers; what is said of it, without the address.
async fn fails(act: Act) -> (Fault, String, usize) {
    let (answer, play) = ask(vec![act]).await;
    let fault = answer.unwrap_err();
    let text = told(&fault).replace(&play.address, "SERVER");
    assert!(!text.contains("hunter2"), "{text}");
    (fault, text, play.requests().len())
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    for act in [
        Act::status(500),
        Act::status(503),
        Act::Reset,
        Act::Cut,
        Act::Hang,
    ] {
        assert_eq!(recovers(act.clone()).await.1, 2, "{act:?}");
    }
}

#[tokio::test]
async fn a_server_says_how_long_it_wants_to_be_left_alone() {
    let wait = |value: &str| {
        Act::Answer(
            429,
            vec![("Retry-After", value.to_owned())],
            "slow down".to_owned(),
        )
    };
    assert!(recovers(wait("2")).await.0 >= Duration::from_secs(2));
    let later = Act::Answer(
        503,
        vec![
            ("Date", "Sat, 28 Nov 2026 12:00:00 GMT".to_owned()),
            ("Retry-After", "Sat, 28 Nov 2026 12:00:01 GMT".to_owned()),
        ],
        String::new(),
    );
    assert!(recovers(later).await.0 >= Duration::from_secs(1));
    let (fault, text, asked) = fails(wait("3600")).await;
    assert!(matches!(fault, Fault::Unavailable { .. }), "{fault:?}");
    assert!(
        text.contains("429") && text.contains("left alone for 3600 s"),
        "{text}"
    );
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn what_does_not_pass_is_said_with_the_fix() {
    for (act, said) in [
        (Act::Hang, "SERVER/points does not answer in time, 4 times"),
        (
            Act::status(502),
            "SERVER/points answers 502 Bad Gateway: \"{\\\"said\\\": 502}\", 4 times",
        ),
        (
            Act::Cut,
            "SERVER/points breaks off in the middle of its answer",
        ),
    ] {
        let (fault, text, asked) = fails(act).await;
        assert!(matches!(fault, Fault::Unavailable { .. }), "{fault:?}");
        assert!(text.starts_with(said), "{text}");
        assert!(text.contains("on_error = \"last_good\""), "{text}");
        assert_eq!(asked, 4);
    }
}

#[tokio::test]
async fn refusals_are_not_tried_again() {
    let (fault, text, asked) = fails(Act::status(401)).await;
    assert!(matches!(fault, Fault::Refused { .. }), "{fault:?}");
    assert!(text.contains("ISOBAR_HTTP_JSON_TOKEN"), "{text}");
    assert_eq!(asked, 1);
    for status in [302, 404, 501] {
        let (fault, _, asked) = fails(Act::status(status)).await;
        assert!(
            matches!(fault, Fault::Question { .. }),
            "{status} {fault:?}"
        );
        assert_eq!(asked, 1, "{status}");
    }
    let (_, text, _) = fails(Act::json("<html>")).await;
    assert!(text.contains("does not answer with JSON"), "{text}");
}

#[tokio::test]
async fn nobody_listens() {
    let port = super::process::free_port();
    let url = format!("http://127.0.0.1:{port}");
    let source = open("prometheus", json!({"url": url, "query": "up"})).unwrap();
    let day = window("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
    let fault = read(&*source, day).await.unwrap_err();
    assert!(matches!(fault, Fault::Unavailable { .. }), "{fault:?}");
    assert!(fault.to_string().contains("cannot be reached"), "{fault}");
}
