//! A data folder of its own, a provider on it, and a guard that leaves no process behind.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use axum::body::Body;
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use isobar_local::{Runtime, factory};
use isobar_sdk::provider::{Apply, IdempotencyKey, Operation, Outcome, PlanChange, Planned, Read};
use isobar_sdk::{Address, Error, Factory, Known, Provider, Value, json};
use procfs::process::all_processes;
use rustix::process::{Pid, Signal, kill_process};

pub(crate) struct Bench {
    pub(crate) folder: PathBuf,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) factory: Box<dyn Factory>,
    keys: AtomicU32,
    _owner: tempfile::TempDir,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let owner = tempfile::tempdir().unwrap();
        let folder = owner.path().canonicalize().unwrap();
        std::fs::write(folder.join("model.onnx"), "a model").unwrap();
        let factory = factory(Runtime {
            executable: fixture(),
            root: folder.join(".isobar"),
            base: folder.clone(),
        });
        let configuration = factory.schema().configuration.propose(None, &Value::NULL);
        let configuration = Known::new(configuration).unwrap();
        Self {
            provider: factory.configure(&configuration).await.unwrap(),
            factory: Box::new(factory),
            keys: AtomicU32::new(0),
            folder,
            _owner: owner,
        }
    }

    /// A key that no other change has.
    pub(crate) fn key(&self) -> IdempotencyKey {
        let number = self.keys.fetch_add(1, Ordering::Relaxed);
        IdempotencyKey::new(format!("change {number}"))
    }

    /// What the engine asks a provider to plan.
    pub(crate) async fn plan(
        &self,
        kind: &str,
        prior: Option<&Known>,
        configuration: &Value,
    ) -> Result<Planned, Error> {
        let body = &self.factory.schema().resources[kind].body;
        let configuration = body.value_type().convert(configuration).unwrap();
        let proposed = body.propose(prior.map(Known::value), &configuration);
        let request = PlanChange {
            address: Address::new(kind, "it"),
            prior: prior.cloned(),
            configuration,
            proposed,
        };
        self.provider.plan(request).await
    }

    /// A create or update as the engine does it, with the promise of the plan checked.
    pub(crate) async fn make(
        &self,
        kind: &str,
        prior: Option<&Known>,
        configuration: &Value,
        key: &IdempotencyKey,
    ) -> Outcome {
        let planned = self.plan(kind, prior, configuration).await.unwrap().after;
        let operation = match prior.cloned() {
            None => Operation::Create {
                planned: planned.clone(),
            },
            Some(prior) => Operation::Update {
                prior,
                planned: planned.clone(),
            },
        };
        let outcome = self.apply(kind, operation, key).await;
        if let Outcome::Done(Some(state)) = &outcome {
            for (name, value) in planned.fields().unwrap().iter() {
                if value.is_wholly_known() {
                    assert_eq!(state.field(name), Some(value), "the plan promised {name}");
                }
            }
        }
        outcome
    }

    /// A change that must succeed.
    pub(crate) async fn made(
        &self,
        kind: &str,
        prior: Option<&Known>,
        configuration: &Value,
    ) -> Known {
        match self.make(kind, prior, configuration, &self.key()).await {
            Outcome::Done(Some(state)) => state,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn apply(
        &self,
        kind: &str,
        operation: Operation,
        key: &IdempotencyKey,
    ) -> Outcome {
        let request = Apply {
            address: Address::new(kind, "it"),
            operation,
            configuration: Value::NULL,
            key: key.clone(),
        };
        self.provider.apply(request).await
    }

    pub(crate) async fn read(&self, kind: &str, prior: &Known) -> Option<Known> {
        let request = Read {
            address: Address::new(kind, "it"),
            prior: prior.clone(),
        };
        self.provider.read(request).await.unwrap()
    }

    pub(crate) async fn delete(&self, kind: &str, prior: &Known) {
        let operation = Operation::Delete {
            prior: prior.clone(),
        };
        let outcome = self.apply(kind, operation, &self.key()).await;
        assert_eq!(outcome, Outcome::Done(None));
    }

    /// Every running process that was started from this data folder, found without asking the
    /// provider.
    pub(crate) fn processes(&self) -> Vec<u32> {
        started_from(&self.folder)
    }

    /// Files and folders that are left in the data folder.
    pub(crate) fn left_behind(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.join(".isobar"));
        let entries = entries.into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        for pid in self.processes() {
            kill(pid);
        }
    }
}

/// The program that stands in for `isobar`. Cargo builds it before the tests, but not if it is
/// told to run only some of them, so that an old one could be tested unnoticed.
pub(crate) fn fixture() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let built = tests.parent().and_then(Path::parent).unwrap();
    let fixture = built.join("examples/fixture");
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = [package.join("src"), package.join("examples")];
    let newest = sources.iter().map(|folder| newest_in(folder)).max();
    assert!(
        fixture.exists() && Some(modified(&fixture)) >= newest,
        "{} is older than what it is made of: `cargo build -p isobar-local --example fixture`",
        fixture.display()
    );
    fixture
}

fn newest_in(folder: &Path) -> SystemTime {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let times = paths.map(|path| match path.is_dir() {
        true => newest_in(&path),
        false => modified(&path),
    });
    times.max().unwrap()
}

fn modified(file: &Path) -> SystemTime {
    std::fs::metadata(file)
        .and_then(|metadata| metadata.modified())
        .unwrap()
}

fn started_from(folder: &Path) -> Vec<u32> {
    let is_ours = |process: &procfs::process::Process| {
        let environment = process.environ().unwrap_or_default();
        let registration = environment.get(OsStr::new("ISOBAR_REGISTRATION"));
        let state = process.stat().map(|stat| stat.state);
        registration.is_some_and(|path| Path::new(path).starts_with(folder))
            && state.is_ok_and(|state| state != 'Z')
    };
    let processes = all_processes().unwrap().flatten().filter(is_ours);
    processes
        .map(|process| u32::try_from(process.pid()).unwrap())
        .collect()
}

/// Ends a process as a crash would, and waits until it is gone.
pub(crate) fn kill(pid: u32) {
    let raw = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let _ = kill_process(raw, Signal::KILL);
    let began = Instant::now();
    while is_running(pid) {
        assert!(began.elapsed() < Duration::from_secs(10), "{pid} stays");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn is_running(pid: u32) -> bool {
    procfs::process::Process::new(i32::try_from(pid).unwrap())
        .and_then(|process| process.stat())
        .is_ok_and(|stat| stat.state != 'Z' || stat.num_threads > 1)
}

/// A port that is free and that the system gives to nobody by itself.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 199 * 50).unwrap();
    let mut ports =
        std::iter::repeat_with(|| 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000);
    ports
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .unwrap()
}

/// The processes of a replica set by id, as its state tells.
pub(crate) fn instances(state: &Known) -> BTreeMap<String, u32> {
    let instances = json::encode(state.field("instances").unwrap());
    let pid = |instance: &serde_json::Value| u32::try_from(instance["pid"].as_u64().unwrap());
    let id = |instance: &serde_json::Value| instance["id"].as_str().unwrap().to_owned();
    let instances = instances.as_array().unwrap().iter();
    instances
        .map(|instance| (id(instance), pid(instance).unwrap()))
        .collect()
}

pub(crate) fn ports(state: &Known) -> Vec<u16> {
    let instances = json::encode(state.field("instances").unwrap());
    let instances = instances.as_array().unwrap().iter();
    let ports = instances.map(|instance| instance["port"].as_u64().unwrap());
    ports.map(|port| u16::try_from(port).unwrap()).collect()
}

pub(crate) fn number(state: &Known, name: &str) -> u64 {
    state
        .field(name)
        .unwrap()
        .as_number()
        .unwrap()
        .as_u64()
        .unwrap()
}

pub(crate) fn text<'a>(state: &'a Known, name: &str) -> &'a str {
    state.field(name).unwrap().as_str().unwrap()
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) version: Option<String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A client that makes real requests.
#[derive(Clone)]
pub(crate) struct Http(Client<HttpConnector, Body>);

impl Http {
    pub(crate) fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }

    pub(crate) async fn get(&self, url: &str) -> Result<Answer, String> {
        self.send("GET", url, "").await
    }

    /// When each piece of a streamed answer came.
    pub(crate) async fn arrivals(&self, url: &str) -> Vec<Instant> {
        let answer = self.0.get(url.parse().unwrap()).await.unwrap();
        let mut body = answer.into_body();
        let mut arrivals = Vec::new();
        while let Some(frame) = body.frame().await {
            frame.unwrap();
            arrivals.push(Instant::now());
        }
        arrivals
    }

    pub(crate) async fn send(&self, method: &str, url: &str, body: &str) -> Result<Answer, String> {
        let request = axum::http::Request::builder().method(method).uri(url);
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let answer = self
            .0
            .request(request)
            .await
            .map_err(|error| format!("{error:?}"))?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(|error| format!("{error:?}"))?;
        let version = head.headers.get("x-isobar-version");
        Ok(Answer {
            status: head.status.as_u16(),
            version: version.map(|version| version.to_str().unwrap().to_owned()),
            body: String::from_utf8(body.to_bytes().to_vec()).unwrap(),
        })
    }
}
