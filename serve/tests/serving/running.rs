//! A server under test, on a port that the system chose, and a client for it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use isobar_serve::{Options, ServeError, run};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Far beyond what anything here takes, so that only a hang runs into it.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), ServeError>>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

impl Running {
    /// A server that listens but may still be loading.
    pub(crate) async fn start(options: Options) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (listening, address) = oneshot::channel();
        let shutdown = async {
            let _dropped = stopped.await;
        };
        let ended = tokio::spawn(run(options, shutdown, |address| {
            listening.send(address).unwrap();
        }));
        Self {
            address: address.await.expect("the server listens"),
            stop,
            ended,
        }
    }

    /// A server that is ready.
    pub(crate) async fn ready(options: Options) -> Self {
        let server = Self::start(options).await;
        timeout(PATIENCE, server.until_ready())
            .await
            .expect("the model loads");
        server
    }

    pub(crate) async fn until_ready(&self) {
        while self.get("/v2/health/ready").await.status != StatusCode::OK {
            sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, Body::empty()).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl ToString) -> Answer {
        self.ask(Method::POST, path, Body::from(body.to_string()))
            .await
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, body: Body) -> Answer {
        ask(self.address, method, path, body).await
    }

    /// Asks the server to stop and does not wait.
    pub(crate) fn stop(self) -> JoinHandle<Result<(), ServeError>> {
        drop(self.stop);
        self.ended
    }

    /// Waits for the server to end of itself.
    pub(crate) async fn end(self) -> Result<(), ServeError> {
        let Self { stop, ended, .. } = self;
        let outcome = timeout(PATIENCE, ended)
            .await
            .expect("the server ends")
            .unwrap();
        drop(stop);
        outcome
    }
}

pub(crate) fn quickstart(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../examples/quickstart/model")
        .join(file)
}

pub(crate) fn testdata(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(path)
}

pub(crate) fn digits() -> Options {
    Options::new(quickstart("digits.onnx"), 0)
}

/// The complete request that ships beside the model.
pub(crate) fn sample() -> String {
    std::fs::read_to_string(quickstart("sample.json")).unwrap()
}

/// One request over a connection of its own.
pub(crate) async fn ask(address: SocketAddr, method: Method, path: &str, body: Body) -> Answer {
    let uri = format!("http://{address}{path}");
    let request = Request::builder()
        .method(method)
        .uri(uri)
        .body(body)
        .unwrap();
    let response = Client::builder(TokioExecutor::new())
        .build_http()
        .request(request)
        .await
        .unwrap();
    let (head, body) = response.into_parts();
    Answer {
        status: head.status,
        headers: head.headers,
        body: body.collect().await.unwrap().to_bytes(),
    }
}
