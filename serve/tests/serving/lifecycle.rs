//! Starting, loading, stopping, and the ways in which that fails.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Method, StatusCode};
use isobar_serve::{Options, ServeError};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::running::{Running, ask, digits, quickstart, sample, testdata};

#[cfg(unix)]
#[tokio::test]
async fn a_server_that_loads_is_live_but_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    // Reading a pipe blocks until something is written: a load that takes as long as the test wants.
    let pipe = folder.path().join("digits.onnx");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let server = Running::start(Options::new(pipe.clone(), 0)).await;

    let ready = server.get("/v2/health/ready").await;
    assert_eq!(
        (ready.status, ready.json()),
        (StatusCode::SERVICE_UNAVAILABLE, json!({"ready": false}))
    );
    assert_eq!(server.get("/v2/health/live").await.status, StatusCode::OK);
    assert_eq!(
        server.get("/v2/models/digits/ready").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    let refused = server.post("/v2/models/digits/infer", sample()).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        refused.json()["error"],
        "model \"digits\" is still loading; ask again when /v2/health/ready answers 200"
    );

    std::fs::write(&pipe, std::fs::read(quickstart("digits.onnx")).unwrap()).unwrap();
    server.until_ready().await;
    assert_eq!(
        server
            .post("/v2/models/digits/infer", sample())
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_request_in_flight_is_answered_before_the_end() {
    let server = Running::ready(digits()).await;
    let mut connection = begin_request(server.address).await;
    let ended = server.stop();
    assert!(!ended.is_finished());
    connection.write_all(sample().as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains(r#""data":[8]"#), "{answer}");
    ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_running_inference_is_finished_before_the_end() {
    let server = Running::ready(Options::new(testdata("models/heavy.onnx"), 0)).await;
    let input =
        json!({"inputs": [{"name": "x", "shape": [1, 1], "datatype": "FP32", "data": [0]}]});
    let path = "/v2/models/heavy/infer";
    let answer = tokio::spawn(ask(
        server.address,
        Method::POST,
        path,
        Body::from(input.to_string()),
    ));
    let in_flight = r#"isobar_serve_requests_in_flight{model="heavy",version="1"} 1"#;
    while !server.get("/metrics").await.text().contains(in_flight) {
        assert!(
            !answer.is_finished(),
            "the request was never seen in flight"
        );
    }
    let ended = server.stop();
    let answer = answer.await.unwrap();
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.json()["outputs"][0]["data"], json!([0.0]));
    ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn idle_connections_do_not_hold_up_the_end() {
    let server = Running::ready(digits()).await;
    let _unused = TcpStream::connect(server.address).await.unwrap();
    let mut used = TcpStream::connect(server.address).await.unwrap();
    used.write_all(b"GET /v2/health/live HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut first_byte = [0];
    used.read_exact(&mut first_byte).await.unwrap();
    let begun = Instant::now();
    server.stop().await.unwrap().unwrap();
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "it took {:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn a_stopped_server_frees_its_port() {
    let server = Running::ready(digits()).await;
    let address = server.address;
    server.stop().await.unwrap().unwrap();
    TcpListener::bind(address).await.unwrap();
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_hold_up_the_end() {
    let mut options = digits();
    options.limits.drain = Duration::from_millis(100);
    let server = Running::ready(options).await;
    let _connection = begin_request(server.address).await;
    let begun = Instant::now();
    server.stop().await.unwrap().unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(100));
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let holder = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = holder.local_addr().unwrap().port();
    let options = Options::new(quickstart("digits.onnx"), port);
    let never = std::future::pending();
    let error = isobar_serve::run(options, never, |_| panic!("it does not listen"))
        .await
        .unwrap_err();
    assert!(matches!(error, ServeError::PortTaken { .. }));
    assert_eq!(
        error.to_string(),
        format!(
            "port {port} of 127.0.0.1 is already in use; stop the process that listens there or choose another port"
        )
    );
}

#[tokio::test]
async fn a_missing_file_ends_the_server() {
    let error = failure(Path::new("nowhere/digits.onnx")).await;
    assert!(matches!(error, ServeError::ModelFile { .. }));
    assert!(
        error
            .to_string()
            .starts_with("cannot read the model file nowhere/digits.onnx: No such file"),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_of_another_kind_ends_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.onnx");
    std::fs::write(&empty, "").unwrap();
    for path in [empty, quickstart("README.md"), testdata("models/make.py")] {
        let error = failure(&path).await;
        assert!(matches!(error, ServeError::NotOnnx { .. }), "{error}");
        assert!(
            error.to_string().contains("is not an ONNX model"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_cut_off_model_ends_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(quickstart("digits.onnx")).unwrap();
    let cut = folder.path().join("cut.onnx");
    for share in 1..8 {
        std::fs::write(&cut, &whole[..whole.len() * share / 8]).unwrap();
        let error = failure(&cut).await;
        assert!(
            matches!(error, ServeError::NotOnnx { .. } | ServeError::Model { .. }),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_unsupported_operator_is_named() {
    let error = failure(&testdata("models/scaler.onnx")).await;
    let ServeError::UnsupportedOperators { operators, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(operators, &["Scaler (ai.onnx.ml)"]);
}

async fn failure(path: &Path) -> ServeError {
    Running::start(Options::new(PathBuf::from(path), 0))
        .await
        .end()
        .await
        .unwrap_err()
}

/// Sends the head of an inference request and waits until the server asks for its body.
async fn begin_request(address: SocketAddr) -> TcpStream {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /v2/models/digits/infer HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        sample().len()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    connection.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    connection
}
