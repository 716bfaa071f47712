//! Requests to servers on this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Builder, Client as HyperClient};
use hyper_util::rt::{TokioExecutor, TokioTimer};

/// Where replicas listen: nothing outside this machine reaches them but through a gateway.
pub(crate) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A loopback connection that takes longer than this will not come about.
const CONNECT: Duration = Duration::from_secs(2);
/// More than any answer that is asked for here.
const ANSWER_LIMIT: usize = 1 << 20;

/// An HTTP client for servers on this machine.
pub(crate) type Client = HyperClient<HttpConnector, Body>;

/// Whether connections are kept for the next request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Connections {
    /// They are: for many requests to the same servers.
    Kept,
    /// Each request makes its own: it tells what the server does now.
    Fresh,
}

/// A client.
pub(crate) fn client(connections: Connections) -> Client {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(CONNECT));
    connector.set_nodelay(true);
    let mut builder = Builder::new(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new());
    if matches!(connections, Connections::Fresh) {
        builder.pool_max_idle_per_host(0);
    }
    builder.build(connector)
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// Nobody listens there, or the connection broke.
    #[error("no connection: {0}")]
    Connection(String),
    /// Somebody listens, but does not answer in time.
    #[error("no answer within {} ms", .0.as_millis())]
    Late(Duration),
}

/// The address by which this machine reaches a server that listens on `host`.
pub(crate) const fn reachable(host: IpAddr) -> IpAddr {
    match host {
        IpAddr::V4(address) if address.is_unspecified() => LOOPBACK,
        IpAddr::V6(address) if address.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        other => other,
    }
}

/// Asks the server at `address` for `path`: status and body.
pub(crate) async fn get(
    client: &Client,
    address: SocketAddr,
    path: &str,
    patience: Duration,
) -> Result<(StatusCode, Bytes), NoAnswer> {
    let broken = |error: &dyn std::error::Error| NoAnswer::Connection(innermost(error));
    let exchange = async {
        let uri: Uri = format!("http://{address}{path}")
            .parse()
            .map_err(|error| broken(&error))?;
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = uri;
        let answer = client
            .request(request)
            .await
            .map_err(|error| broken(&error))?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_LIMIT).collect().await;
        let body = body.map_err(|error| broken(error.as_ref()))?.to_bytes();
        Ok((parts.status, body))
    };
    let in_time = tokio::time::timeout(patience, exchange).await;
    in_time.unwrap_or(Err(NoAnswer::Late(patience)))
}

/// The cause at the bottom, which says what happened in the system's words.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
