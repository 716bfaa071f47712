//! Requests that the server must turn down, and how it says why.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Method, StatusCode};
use http_body_util::{BodyExt, Full};
use isobar_serve::{Limits, Options};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::running::{Running, digits, sample, testdata};

const INFER: &str = "/v2/models/digits/infer";

/// Each file of `testdata/refused` has a request and the error it must get.
#[tokio::test]
async fn bad_requests_are_told_what_is_wrong() {
    let server = Running::ready(digits()).await;
    let mut got = BTreeMap::new();
    let mut expected = BTreeMap::new();
    for entry in std::fs::read_dir(testdata("refused")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let case: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let body = case["request"]
            .as_str()
            .map_or_else(|| case["request"].to_string(), str::to_owned);
        let answer = server.post(INFER, body).await;
        got.insert(
            name.clone(),
            (answer.status, answer.json()["error"].clone()),
        );
        expected.insert(name, (StatusCode::BAD_REQUEST, case["error"].clone()));
    }
    assert!(!expected.is_empty());
    assert_eq!(got, expected);
}

#[tokio::test]
async fn unknown_names_are_not_found() {
    let server = Running::ready(digits()).await;
    let cases = [
        (
            "/v2/models/cats/infer",
            "no model \"cats\" is served here; this server has \"digits\"",
        ),
        (
            "/v2/models/digits/versions/7/infer",
            "model \"digits\" has no version \"7\" here; this server has \"1\"",
        ),
        (
            "/v1/models/digits",
            "nothing is served at /v1/models/digits; GET /openapi.json lists the paths",
        ),
    ];
    for (path, error) in cases {
        let answer = server.post(path, sample()).await;
        assert_eq!(
            (answer.status, answer.json()),
            (StatusCode::NOT_FOUND, json!({"error": error}))
        );
    }
    let answer = server.get(INFER).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(answer.json()["error"].is_string());
}

#[tokio::test]
async fn inputs_that_share_a_dimension_must_agree() {
    let server = Running::ready(Options::new(testdata("models/pair.onnx"), 0)).await;
    let input = |name: &str, rows: usize| json!({"name": name, "shape": [rows, 2], "datatype": "FP32", "data": vec![1; rows * 2]});
    let fits = server
        .post(
            "/v2/models/pair/infer",
            json!({"inputs": [input("right", 2), input("left", 2)]}),
        )
        .await;
    assert_eq!(
        fits.json()["outputs"][0]["data"],
        json!([2.0, 2.0, 2.0, 2.0])
    );
    let differs = server
        .post(
            "/v2/models/pair/infer",
            json!({"inputs": [input("left", 2), input("right", 3)]}),
        )
        .await;
    assert_eq!(differs.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        differs.json()["error"],
        "input \"right\": dimension batch is 3 here but 2 in an earlier input"
    );
}

#[tokio::test]
async fn an_output_that_json_cannot_carry_is_an_error() {
    let server = Running::ready(Options::new(testdata("models/reciprocal.onnx"), 0)).await;
    let input =
        json!({"inputs": [{"name": "x", "shape": [2], "datatype": "FP32", "data": [4, 0]}]});
    let answer = server.post("/v2/models/reciprocal/infer", input).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        answer.json()["error"],
        "output \"y\" is not a finite number at element 1, which JSON cannot carry"
    );
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_by_its_announcement() {
    let server = Running::ready(digits()).await;
    let mut connection = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST {INFER} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 16777217\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(
        answer.ends_with(r#"{"error":"the body is larger than 16777216 bytes"}"#),
        "{answer}"
    );
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_without_an_announcement() {
    let mut options = digits();
    options.limits.body = 100;
    let server = Running::ready(options).await;
    // A boxed body hides its length, so that it is sent in chunks.
    let chunked = Body::new(Full::new(Bytes::from(sample())).map_frame(|frame| frame));
    let answer = server.ask(Method::POST, INFER, chunked).await;
    assert_eq!(
        answer.status,
        StatusCode::PAYLOAD_TOO_LARGE,
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_given_up() {
    let mut options = digits();
    options.limits.request = Duration::from_millis(50);
    let server = Running::ready(options).await;
    let mut connection = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST {INFER} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 10\r\n\r\n{{"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn an_inference_over_the_time_limit_is_given_up() {
    let mut options = Options::new(testdata("models/heavy.onnx"), 0);
    options.limits = Limits {
        request: Duration::from_millis(50),
        ..Limits::default()
    };
    let server = Running::ready(options).await;
    let input =
        json!({"inputs": [{"name": "x", "shape": [1, 1], "datatype": "FP32", "data": [0]}]});
    let answer = server.post("/v2/models/heavy/infer", input).await;
    assert_eq!(
        answer.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        answer.text()
    );
    assert_eq!(
        answer.json()["error"],
        "no answer within 50ms; the server is overloaded or the model is too slow"
    );
}
