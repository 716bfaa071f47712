//! The simulation behind HTTP.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};

use crate::admin;
use crate::aws::{Answer, Delivery, Request};
use crate::simulation::Simulation;

/// Bytes of a request, at most: far more than any that is known here.
const LIMIT: usize = 1 << 20;
/// A client that sends no whole head in this time is cut off.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The port is taken, or this user may not listen on it.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Host and port.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The listener broke.
    #[error("cannot accept connections: {0}")]
    Accept(io::Error),
}

/// A body in as many parts as it is to come in.
type Body =
    StreamBody<Pin<Box<dyn stream::Stream<Item = Result<Frame<Bytes>, Infallible>> + Send>>>;
type Exchange = Pin<Box<dyn Future<Output = Result<hyper::Response<Body>, Gone>> + Send>>;

/// The connection is to break.
#[derive(Debug, thiserror::Error)]
#[error("the connection is broken on purpose")]
struct Gone;

/// A simulation that can be reached.
#[derive(Debug)]
pub struct Listening {
    listener: TcpListener,
    /// Where.
    pub address: SocketAddr,
}

impl Listening {
    /// Takes a port; 0 is any that is free.
    ///
    /// # Errors
    /// The port is taken, or this user may not listen on it.
    pub async fn on(address: SocketAddr) -> Result<Self, ServeError> {
        let failed = |source| ServeError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// Serves until the listener breaks or the future is dropped.
    ///
    /// # Errors
    /// The listener broke.
    pub async fn serve(self, simulation: Simulation) -> Result<Infallible, ServeError> {
        let shared = Arc::new((Mutex::new(simulation), Instant::now()));
        loop {
            let (stream, _) = self.listener.accept().await.map_err(ServeError::Accept)?;
            tokio::spawn(attend(stream, Arc::clone(&shared)));
        }
    }
}

type Shared = Arc<(Mutex<Simulation>, Instant)>;

/// Answers what comes over one connection.
async fn attend(stream: TcpStream, shared: Shared) {
    let service = service_fn(move |request| -> Exchange {
        let shared = Arc::clone(&shared);
        Box::pin(async move { exchange(request, &shared).await })
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service);
    // An error is a client that is gone, or one that is to see its connection break.
    if (&mut connection).await.is_err() {
        let stream = connection.into_parts().io.into_inner();
        // So that closing it resets it. Where that is not to be had, it ends without an answer.
        let _ = stream.set_zero_linger();
    }
}

async fn exchange(
    request: hyper::Request<Incoming>,
    shared: &Shared,
) -> Result<hyper::Response<Body>, Gone> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, LIMIT)
        .collect()
        .await
        .map_err(|_| Gone)?;
    let headers = parts.headers.iter().filter_map(|(name, value)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    let request = Request {
        method: parts.method.as_str().to_owned(),
        target: parts
            .uri
            .path_and_query()
            .map_or("/", |target| target.as_str())
            .to_owned(),
        headers: headers.collect(),
        body: body.to_bytes().to_vec(),
    };
    let answer = {
        let (simulation, began) = &**shared;
        let passed = began.elapsed();
        let mut simulation = simulation.lock().unwrap_or_else(PoisonError::into_inner);
        if request.target.starts_with(admin::PREFIX) {
            admin::answer(&mut simulation, &request, passed)
        } else {
            simulation.answer(&request, passed)
        }
    };
    deliver(answer).await
}

async fn deliver(answer: Answer) -> Result<hyper::Response<Body>, Gone> {
    let mut response = hyper::Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response = response.header("content-length", answer.body.len());
    let mut first = Bytes::from(answer.body);
    let mut rest = None;
    match answer.delivery {
        Delivery::Whole => {}
        Delivery::Reset => return Err(Gone),
        Delivery::Late(milliseconds) => tokio::time::sleep(span(milliseconds)).await,
        Delivery::Halved(milliseconds) => {
            rest = Some((milliseconds, first.split_off(first.len() / 2)));
        }
    }
    response.body(parts(first, rest)).map_err(|_| Gone)
}

fn span(milliseconds: u32) -> Duration {
    Duration::from_millis(milliseconds.into())
}

fn parts(first: Bytes, rest: Option<(u32, Bytes)>) -> Body {
    let parts = [Some((0, first)), rest].into_iter().flatten();
    let parts = parts.filter(|(_, bytes)| !bytes.is_empty());
    let stream = stream::unfold(parts.collect::<Vec<_>>().into_iter(), |mut left| async {
        let (wait, bytes) = left.next()?;
        if wait > 0 {
            tokio::time::sleep(span(wait)).await;
        }
        Some((Ok(Frame::data(bytes)), left))
    });
    StreamBody::new(Box::pin(stream))
}
