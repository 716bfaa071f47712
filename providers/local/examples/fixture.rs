//! A stand-in for the `isobar` program in the tests of this crate: a model server that fails on
//! demand, and the gateway.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::error::Error;
use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::Stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Options as they come: `--name value`, in any order.
type Options = BTreeMap<String, String>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().ok_or("the command is missing")?;
    let mut options = Options::new();
    while let Some(name) = arguments.next() {
        let name = name.trim_start_matches('-').to_owned();
        options.insert(name, arguments.next().ok_or("an option has no value")?);
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let shutdown = async move {
        terminate.recv().await;
    };
    match command.as_str() {
        "serve" => serve(options, shutdown).await,
        "gateway" => {
            let config = options.get("config").ok_or("--config is missing")?;
            Ok(isobar_local::gateway::run(Path::new(config), shutdown).await?)
        }
        other => Err(format!("there is no command {other:?}").into()),
    }
}

/// Serves predictions that tell who made them. What goes wrong: `--crash TEXT` writes the text
/// thirty times and ends; `--only-first FILE` does so unless it is the first to make the file;
/// `--ready never`; `--delay MS` before it listens; `--work MS` per prediction; `--abrupt yes` ends
/// it in the middle of what it does.
async fn serve(
    options: Options,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Box<dyn Error>> {
    let milliseconds = |name: &str| -> Result<Duration, Box<dyn Error>> {
        let value = options.get(name).map_or(Ok(0), |value| value.parse())?;
        Ok(Duration::from_millis(value))
    };
    let is_first = |file: &String| std::fs::File::create_new(file).is_ok();
    let crashes = options.contains_key("crash")
        && options.get("only-first").is_none_or(|file| !is_first(file));
    if let Some(text) = options.get("crash").filter(|_| crashes) {
        for line in 1..=30 {
            complain(text, line);
        }
        return Err("it was told to".into());
    }
    tokio::time::sleep(milliseconds("delay")?).await;
    let port: u16 = options.get("port").ok_or("--port is missing")?.parse()?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let ready = if options.get("ready").is_some_and(|ready| ready == "never") {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::OK
    };
    let work = milliseconds("work")?;
    let is_abrupt = options.contains_key("abrupt");
    let router = Router::new()
        .route("/v2/health/ready", get(move || async move { ready }))
        .route(
            "/options",
            get(|State(options): State<Options>| async { Json(options) }),
        )
        .route("/ticks", get(|| async { Body::from_stream(ticks()) }))
        .route(
            "/infer",
            post(
                move |State(options): State<Options>, body: String| async move {
                    tokio::time::sleep(work).await;
                    Json(prediction(&options, &body))
                },
            ),
        )
        .layer(DefaultBodyLimit::disable())
        .with_state(options);
    let server = axum::serve(listener, router);
    if is_abrupt {
        return tokio::select! {
            result = async move { server.await } => Ok(result?),
            () = shutdown => Ok(()),
        };
    }
    server.with_graceful_shutdown(shutdown).await?;
    Ok(())
}

/// Three pieces, 200 ms apart.
fn ticks() -> impl Stream<Item = Result<&'static str, Infallible>> {
    futures::stream::unfold(0, async |count| {
        tokio::time::sleep(Duration::from_millis(200)).await;
        (count < 3).then_some((Ok("tick"), count + 1))
    })
}

fn prediction(options: &Options, body: &str) -> Value {
    json!({
        "version": options.get("version"),
        "pid": std::process::id(),
        "length": body.len(),
    })
}

#[expect(clippy::print_stderr, reason = "it is this program's log")]
fn complain(text: &str, line: u32) {
    eprintln!("{text} {line}");
}
