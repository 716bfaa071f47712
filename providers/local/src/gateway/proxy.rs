//! Passes requests on to replicas and answers back, and answers what is asked about the gateway.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::http::uri::{PathAndQuery, Scheme};
use axum::http::{Method, Request, Response, StatusCode, Uri};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};

use super::config::{Config, Protocol};
use super::metrics::Metrics;
use super::pool::{Health, InFlight, Pool, Replica};
use crate::http::{self as outgoing, Client, Connections};

/// Where the gateway says that it listens.
pub(crate) const HEALTH: &str = "/_isobar/health";
/// Where the gateway tells its routes and replicas.
pub(crate) const STATUS: &str = "/_isobar/status";
const METRICS: &str = "/_isobar/metrics";
/// Which version answered.
const VERSION: HeaderName = HeaderName::from_static("x-isobar-version");
const FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// A request body up to this size is kept until it is answered, so that it can be sent again.
const KEPT: u64 = 1 << 20;

/// Headers that speak of one connection, not of the message (RFC 9110, section 7.6.1).
const OF_CONNECTION: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// What the gateway tells about itself.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Status {
    pub(crate) name: String,
    pub(crate) zone: String,
    pub(crate) pid: u32,
    pub(crate) protocol: Protocol,
    pub(crate) routes: BTreeMap<String, f64>,
    pub(crate) replicas: Vec<ReplicaStatus>,
}

/// What the gateway tells about a replica.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReplicaStatus {
    pub(crate) version: String,
    pub(crate) id: String,
    pub(crate) pid: u32,
    pub(crate) port: u16,
    pub(crate) ready: bool,
    pub(crate) in_flight: usize,
    /// Why it is not ready.
    pub(crate) reason: Option<String>,
}

impl ReplicaStatus {
    fn of(replica: &Replica) -> Self {
        let health = replica.health();
        Self {
            version: replica.version.clone(),
            id: replica.id.clone(),
            pid: replica.pid,
            port: replica.address.port(),
            ready: health == Health::Ready,
            in_flight: replica.in_flight(),
            reason: match health {
                Health::Ready => None,
                Health::New => Some("it was not asked yet".to_owned()),
                Health::Down(why) => Some(why),
            },
        }
    }
}

/// A gateway at work.
pub(super) struct Gateway {
    name: String,
    zone: String,
    protocol: Mutex<Protocol>,
    pub(super) pool: Pool,
    client: Client,
    metrics: Metrics,
}

impl Gateway {
    pub(super) fn new(config: &Config) -> Self {
        let gateway = Self {
            name: config.name.clone(),
            zone: config.zone.clone(),
            protocol: Mutex::new(config.protocol),
            pool: Pool::default(),
            client: outgoing::client(Connections::Kept),
            metrics: Metrics::new(),
        };
        gateway.take(config);
        gateway
    }

    /// Puts a configuration in force.
    pub(super) fn take(&self, config: &Config) {
        self.pool.route(&config.routes);
        *self.protocol.lock().unwrap_or_else(PoisonError::into_inner) = config.protocol;
    }

    fn protocol(&self) -> Protocol {
        *self.protocol.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything the gateway answers.
pub(super) fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route(HEALTH, get(|| async { "ok\n" }))
        .route(STATUS, get(status))
        .route(METRICS, get(metrics))
        .fallback(forward)
        .with_state(gateway)
}

async fn status(State(gateway): State<Arc<Gateway>>) -> Json<Status> {
    let replicas = gateway.pool.replicas();
    Json(Status {
        name: gateway.name.clone(),
        zone: gateway.zone.clone(),
        pid: std::process::id(),
        protocol: gateway.protocol(),
        routes: gateway.pool.routes(),
        replicas: replicas
            .iter()
            .map(|replica| ReplicaStatus::of(replica))
            .collect(),
    })
}

async fn metrics(State(gateway): State<Arc<Gateway>>) -> Response<Body> {
    let replicas = gateway.pool.replicas();
    gateway
        .metrics
        .text(replicas.iter().map(Arc::as_ref))
        .map_or_else(
            || StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            |text| ([(header::CONTENT_TYPE, FORMAT)], text).into_response(),
        )
}

async fn forward(State(gateway): State<Arc<Gateway>>, request: Request<Body>) -> Response<Body> {
    let began = Instant::now();
    let (version, response) = match pass_on(&gateway, request).await {
        Ok((in_flight, response)) => {
            let version = in_flight.0.version.clone();
            (version, answer(in_flight, response))
        }
        Err(refusal) => (String::new(), refusal.into_response()),
    };
    let code = response.status().as_u16();
    gateway.metrics.answered(&version, code, began.elapsed());
    response
}

/// Why no replica answered.
enum Refusal {
    /// The client broke off.
    Broken,
    /// No replica is ready.
    NoneReady(String),
    /// A replica failed after it may have done the work.
    Failed(String),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        let (code, error) = match self {
            Self::Broken => (
                StatusCode::BAD_REQUEST,
                "the request body broke off".to_owned(),
            ),
            Self::NoneReady(error) => (StatusCode::SERVICE_UNAVAILABLE, error),
            Self::Failed(error) => (StatusCode::BAD_GATEWAY, error),
        };
        (code, Json(BTreeMap::from([("error", error)]))).into_response()
    }
}

/// Sends the request to one replica after another until one answers, as long as it is certain
/// that no harm is done: nothing was sent yet, or doing it twice is the same as doing it once.
async fn pass_on(
    gateway: &Gateway,
    request: Request<Body>,
) -> Result<(InFlight, Response<Body>), Refusal> {
    let (mut parts, body) = request.into_parts();
    strip(&mut parts.headers);
    let only_predicts = gateway.protocol().only_predicts();
    let may_repeat =
        parts.method.is_idempotent() || (only_predicts && parts.method == Method::POST);
    let mut body = Payload::of(body).await?;
    let mut tried: Vec<InFlight> = Vec::new();
    loop {
        let Some(in_flight) = gateway.pool.choose(&tried) else {
            return Err(nobody(gateway, &tried));
        };
        if !tried.is_empty() {
            gateway.metrics.retried();
        }
        let request = addressed(&parts, &in_flight.0, body.take());
        let error = match gateway.client.request(request).await {
            Ok(response) => return Ok((in_flight, response.map(Body::new))),
            Err(error) => error,
        };
        let why = outgoing::innermost(&error);
        // While a body streams through, the client may be the one that broke off.
        if error.is_connect() || body.is_kept() {
            in_flight.0.down(why.clone());
        }
        let again = body.is_kept() && (error.is_connect() || may_repeat);
        if !again {
            let id = &in_flight.0.id;
            return Err(Refusal::Failed(format!("replica {id} failed: {why}")));
        }
        tried.push(in_flight);
    }
}

fn nobody(gateway: &Gateway, tried: &[InFlight]) -> Refusal {
    let Gateway { name, zone, .. } = gateway;
    Refusal::NoneReady(if tried.is_empty() {
        format!("no replica of {name} in zone {zone} is ready")
    } else {
        let count = tried.len();
        format!(
            "{count} replicas of {name} in zone {zone} failed one after another, and no other is ready"
        )
    })
}

/// A request body.
enum Payload {
    /// Small enough to be sent again.
    Kept(Bytes),
    /// Passed on as it comes in.
    Stream(Option<Body>),
}

impl Payload {
    async fn of(body: Body) -> Result<Self, Refusal> {
        if body.size_hint().exact().is_none_or(|size| size > KEPT) {
            return Ok(Self::Stream(Some(body)));
        }
        let collected = body.collect().await.map_err(|_| Refusal::Broken)?;
        Ok(Self::Kept(collected.to_bytes()))
    }

    const fn is_kept(&self) -> bool {
        matches!(self, Self::Kept(_))
    }

    fn take(&mut self) -> Body {
        match self {
            Self::Kept(bytes) => Body::from(bytes.clone()),
            Self::Stream(body) => body.take().unwrap_or_default(),
        }
    }
}

/// The request as the replica gets it.
fn addressed(parts: &Parts, replica: &Replica, body: Body) -> Request<Body> {
    let mut request = Request::new(body);
    request.method_mut().clone_from(&parts.method);
    request.headers_mut().clone_from(&parts.headers);
    let mut uri = Uri::default().into_parts();
    uri.scheme = Some(Scheme::HTTP);
    uri.authority = replica.address.to_string().parse().ok();
    let path = parts.uri.path_and_query().cloned();
    uri.path_and_query = Some(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    if let Ok(uri) = Uri::from_parts(uri) {
        *request.uri_mut() = uri;
    }
    request
}

/// The answer as the client gets it. The request counts as under way until the last byte of it
/// is passed on.
fn answer(in_flight: InFlight, response: Response<Body>) -> Response<Body> {
    let version = HeaderValue::from_str(&in_flight.0.version);
    let mut response = response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _under_way = &in_flight;
            frame
        }))
    });
    strip(response.headers_mut());
    if let Ok(version) = version {
        response.headers_mut().insert(VERSION, version);
    }
    response
}

/// Takes off what speaks of one connection, by name or because `Connection` lists it.
fn strip(headers: &mut HeaderMap) {
    let listed: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in listed {
        headers.remove(name);
    }
    for name in OF_CONNECTION {
        headers.remove(name);
    }
}
