//! `local_replica_set`: a number of processes that serve one version of a model.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::time::Duration;

use futures::future::join_all;
use isobar_sdk::provider::{IdempotencyKey, Operation, Outcome, PlanChange, Planned};
use isobar_sdk::schema::Schema;
use isobar_sdk::{Error, Known, Path, Value};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::attributes;
use crate::http::LOOPBACK;
use crate::launch::{Launch, Ports, Program, failed};
use crate::members::{Members, fingerprint};
use crate::port;
use crate::process::Process;
use crate::registration::{Phase, Registration};
use crate::runtime::Runtime;
use crate::schema::unknown;

/// More processes than this are a slip of the pen, not a plan for one machine.
const MOST: u64 = 1000;
/// A gateway looks for changes five times a second; after this it sends a draining replica
/// nothing new.
const DRAIN: Duration = Duration::from_millis(500);

/// The attributes; those that are not known yet are `None`.
#[derive(Debug, Clone, Deserialize)]
struct Specification {
    name: String,
    zone: String,
    version: String,
    artifact: Option<String>,
    digest: Option<String>,
    command: Option<Vec<String>>,
    environment: Option<BTreeMap<String, String>>,
    health_path: String,
    startup: f64,
    replicas: usize,
    id: Option<String>,
    instances: Option<Vec<Instance>>,
}

impl Specification {
    /// Stands for what a replica runs: program, model and environment.
    fn fingerprint(&self) -> String {
        let parts = (
            (&self.command, &self.artifact, &self.digest),
            &self.environment,
            &self.health_path,
        );
        // Tuples of text always have a JSON form.
        let text = serde_json::to_vec(&parts).unwrap_or_default();
        let digest = Sha256::digest(&text);
        digest
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// One process as the state holds it.
#[derive(Debug, Clone, Deserialize)]
struct Instance {
    id: String,
    pid: u32,
    started: String,
    port: u16,
}

/// What is there now: the processes that run, however many were started. A set stays as long as
/// anything of it is registered, so that one whose processes all died is healed, not forgotten.
pub(crate) fn read(runtime: &Runtime, prior: &Known) -> Result<Option<Known>, Error> {
    let set = ReplicaSet::of(runtime, prior)?;
    let registered = set.members.registered()?;
    // What a killed command has not finished ending is still there, and so is a difference that
    // the next apply makes good.
    let mut running = set.running()?;
    let ending = registered
        .iter()
        .filter(|member| matches!(member.phase, Phase::Draining(_)));
    running.extend(ending.filter(|member| member.is_alive()).cloned());
    let meant_to_run = set
        .specification
        .instances
        .iter()
        .flatten()
        .next()
        .is_some();
    if registered.is_empty() && running.is_empty() && meant_to_run {
        return Ok(None);
    }
    set.state(prior.value(), &running).map(Some)
}

/// What it will be.
pub(crate) fn plan(
    runtime: &Runtime,
    schema: &Schema,
    request: &PlanChange,
) -> Result<Planned, Error> {
    let proposed = &request.proposed;
    attributes::whole(proposed, "replicas", MOST)?;
    check_startup(proposed)?;
    check_program(runtime, proposed)?;
    let prior = request.prior.as_ref();
    if attributes::makes_anew(&schema.body, prior, proposed) {
        let computed = ["id", "instances"].map(|name| (name, unknown(schema, name)));
        return Ok(attributes::with(proposed, computed).into());
    }
    // Every change heals what has died since, so it may change the processes.
    let is_kept = prior.is_some_and(|prior| prior.value().reveal_all() == proposed.reveal_all());
    if is_kept {
        return Ok(proposed.clone().into());
    }
    let instances = ("instances", unknown(schema, "instances"));
    Ok(attributes::with(proposed, [instances]).into())
}

fn check_startup(proposed: &Value) -> Result<(), Error> {
    let startup = proposed.field("startup").and_then(Value::as_number);
    if startup.is_some_and(|seconds| !(0.0..=86_400.0).contains(&seconds.as_f64())) {
        return Err(Error::invalid(
            Path::attribute("startup"),
            "startup must be a number of seconds from 0 to 86400",
        ));
    }
    Ok(())
}

fn check_program(runtime: &Runtime, proposed: &Value) -> Result<(), Error> {
    let unset = |name: &str| proposed.field(name).is_none_or(Value::is_null);
    let command = proposed.field("command");
    if command.is_some_and(Value::is_unknown) {
        return Ok(());
    }
    let has_command = command
        .and_then(Value::items)
        .is_some_and(|items| !items.is_empty());
    if !has_command && unset("artifact") {
        return Err(nothing_to_run());
    }
    let artifact = proposed.field("artifact").and_then(Value::as_str);
    artifact.map_or(Ok(()), |artifact| check_artifact(runtime, artifact))
}

/// There is neither a model nor a program.
pub(crate) fn nothing_to_run() -> Error {
    Error::invalid(
        Path::attribute("artifact"),
        "there is nothing to run: neither `artifact` nor `command` is set",
    )
    .help("set `artifact` to a model file for the built-in server, or `command` to a program")
}

/// Whether the artifact is a file or folder on this machine.
pub(crate) fn check_artifact(runtime: &Runtime, artifact: &str) -> Result<(), Error> {
    let at = || Path::attribute("artifact");
    let Some(path) = runtime.artifact(artifact) else {
        return Err(
            Error::invalid(at(), format!("{artifact:?} is not on this machine"))
                .help("the local provider runs files: write a path or a file:// URL"),
        );
    };
    if path.exists() {
        return Ok(());
    }
    Err(Error::invalid(
        at(),
        format!("the artifact {} does not exist", path.display()),
    )
    .help("write the path relative to the folder of the configuration"))
}

/// Makes the change.
pub(crate) async fn apply(
    runtime: &Runtime,
    operation: &Operation,
    key: &IdempotencyKey,
) -> Outcome {
    let result = match operation {
        Operation::Create { planned } => make(runtime, planned, None, key).await,
        Operation::Update { prior, planned } => make(runtime, planned, Some(prior), key).await,
        Operation::Delete { prior } => delete(runtime, prior).await,
    };
    result.unwrap_or_else(Outcome::Failed)
}

/// Whether the artifact still is what was planned: its file may have changed since.
fn check_digest(runtime: &Runtime, planned: &Value) -> Result<(), Error> {
    let text = |name: &str| planned.field(name).and_then(Value::as_str);
    let (Some(artifact), Some(promised)) = (text("artifact"), text("digest")) else {
        return Ok(());
    };
    let path = runtime.artifact(artifact).unwrap_or_default();
    let found = isobar_sdk::artifact::digest(&path);
    if found.as_ref().is_ok_and(|found| found == promised) {
        return Ok(());
    }
    let what = match found {
        Ok(found) => format!("is {found} now, but {promised} was planned"),
        Err(error) => format!("cannot be read: {error}"),
    };
    Err(Error::invalid(
        Path::attribute("artifact"),
        format!("the artifact {} {what}", path.display()),
    )
    .help("plan again, so that the plan has the file that is there"))
}

async fn make(
    runtime: &Runtime,
    planned: &Value,
    prior: Option<&Known>,
    key: &IdempotencyKey,
) -> Result<Outcome, Error> {
    check_program(runtime, planned)?;
    check_digest(runtime, planned)?;
    let mut set = ReplicaSet::planned(runtime, planned, key)?;
    if let Some(prior) = prior {
        let before = ReplicaSet::of(runtime, prior)?;
        set.members = before.members;
        set.specification.instances = before.specification.instances;
    }
    set.members.tidy().await?;
    set.members
        .end_others(&set.specification.fingerprint())
        .await?;
    set.register_known()?;
    let errors = set.converge(key).await.unwrap_or_else(|error| vec![error]);
    let running = set.running()?;
    let state = set.state(planned, &running)?;
    Ok(match first_of(errors) {
        None => Outcome::Done(Some(state)),
        Some(error) if running.is_empty() && prior.is_none() => Outcome::Failed(error),
        Some(error) => Outcome::Partial { state, error },
    })
}

/// The first failure, with the number of the others: replicas of one version mostly fail alike.
fn first_of(errors: Vec<Error>) -> Option<Error> {
    let others = errors.len().saturating_sub(1);
    let mut first = errors.into_iter().next()?;
    if others > 0 {
        first.message = format!("{} ({others} more failed)", first.message);
    }
    Some(first)
}

async fn delete(runtime: &Runtime, prior: &Known) -> Result<Outcome, Error> {
    let set = ReplicaSet::of(runtime, prior)?;
    set.register_known()?;
    set.end(set.members.registered()?).await?;
    let registry = &set.members.registry;
    if registry.all().map_err(failed)?.is_empty() {
        registry.clear(&runtime.folder()).map_err(failed)?;
    }
    Ok(Outcome::Done(None))
}

struct ReplicaSet<'a> {
    runtime: &'a Runtime,
    specification: Specification,
    members: Members,
}

impl<'a> ReplicaSet<'a> {
    /// The set that the state holds.
    fn of(runtime: &'a Runtime, prior: &Known) -> Result<Self, Error> {
        let specification: Specification = attributes::parse(prior.value())?;
        let resource = specification.id.clone().unwrap_or_default();
        Ok(Self::new(runtime, specification, resource))
    }

    /// The set that a change with this key makes.
    fn planned(runtime: &'a Runtime, planned: &Value, key: &IdempotencyKey) -> Result<Self, Error> {
        let specification = attributes::parse(planned)?;
        Ok(Self::new(runtime, specification, fingerprint(key)))
    }

    fn new(runtime: &'a Runtime, specification: Specification, resource: String) -> Self {
        let Specification {
            name,
            zone,
            version,
            ..
        } = &specification;
        let registry = runtime.replicas(name, zone, version);
        Self {
            runtime,
            members: Members { registry, resource },
            specification,
        }
    }

    /// The processes that run: those registered, and those that the state knows though their
    /// registration is lost.
    fn running(&self) -> Result<Vec<Registration>, Error> {
        let mut running = self.members.alive()?;
        running.extend(self.unregistered()?);
        Ok(running)
    }

    fn unregistered(&self) -> Result<Vec<Registration>, Error> {
        let registered = self.members.registered()?;
        let ids: BTreeSet<&str> = registered.iter().map(|member| &*member.id).collect();
        let known = self.specification.instances.iter().flatten();
        let lost = known.filter(|instance| !ids.contains(&*instance.id));
        let lost = lost.map(|instance| Registration {
            id: instance.id.clone(),
            resource: self.members.resource.clone(),
            sequence: 0,
            version: Some(self.specification.version.clone()),
            port: instance.port,
            health_path: self.specification.health_path.clone(),
            program: None,
            phase: Phase::Committed(Process {
                pid: instance.pid,
                started: instance.started.clone(),
            }),
        });
        Ok(lost.filter(Registration::is_alive).collect())
    }

    /// Writes down again what the state knows but the registry lost, so that gateways see it.
    fn register_known(&self) -> Result<(), Error> {
        let registry = &self.members.registry;
        for member in self.unregistered()? {
            registry.prepare().map_err(failed)?;
            registry.write(&member).map_err(failed)?;
        }
        Ok(())
    }

    /// Ends what is too much, newest first, starts what is missing, and waits until all are
    /// ready. Gives the failures of single processes.
    async fn converge(&self, key: &IdempotencyKey) -> Result<Vec<Error>, Error> {
        let mut members = self.members.alive()?;
        let wanted = self.specification.replicas;
        if members.len() > wanted {
            self.end(members.split_off(wanted)).await?;
        }
        let reserved = self.intend(&mut members, key)?;
        let program = |member: &Registration| self.program(member);
        let launch = Launch {
            registry: &self.members.registry,
            program: &program,
            host: LOOPBACK,
            ports: Ports::Any,
            patience: Duration::from_secs_f64(self.specification.startup.clamp(0.0, 86_400.0)),
            blame: if self.has_command() {
                "command"
            } else {
                "artifact"
            },
        };
        drop(reserved);
        let brought_up = join_all(members.into_iter().map(|member| launch.bring_up(member))).await;
        let mut errors = Vec::new();
        for result in brought_up {
            match result {
                Ok(member) => self.members.commit(&member)?,
                Err(error) => errors.push(error),
            }
        }
        Ok(errors)
    }

    /// Adds intents for what is missing. The listeners keep the ports apart until the last one
    /// is chosen.
    fn intend(
        &self,
        members: &mut Vec<Registration>,
        key: &IdempotencyKey,
    ) -> Result<Vec<TcpListener>, Error> {
        let taken: BTreeSet<String> = members.iter().map(|member| member.id.clone()).collect();
        let change = fingerprint(key);
        let free = (0..)
            .map(|ordinal: u32| format!("{change}-{ordinal}"))
            .filter(|id| !taken.contains(id));
        let missing = self.specification.replicas.saturating_sub(members.len());
        let first = members.last().map_or(0, |newest| newest.sequence + 1);
        let mut reserved = Vec::new();
        for (sequence, id) in (first..).zip(free.take(missing)) {
            let (listener, port) = port::reserve(LOOPBACK).map_err(failed)?;
            reserved.push(listener);
            members.push(Registration {
                id,
                resource: self.members.resource.clone(),
                sequence,
                version: Some(self.specification.version.clone()),
                port,
                health_path: self.specification.health_path.clone(),
                program: Some(self.specification.fingerprint()),
                phase: Phase::Intended,
            });
        }
        Ok(reserved)
    }

    /// Ends processes: no new requests, a moment for gateways to see that, then the end.
    async fn end(&self, members: Vec<Registration>) -> Result<(), Error> {
        for member in &members {
            self.members.drain(member)?;
        }
        let Specification { name, zone, .. } = &self.specification;
        let gateways = self.runtime.gateway(name, zone).all().map_err(failed)?;
        let serves = gateways.iter().any(Registration::is_alive);
        if serves && members.iter().any(Registration::is_alive) {
            tokio::time::sleep(DRAIN).await;
        }
        let ended = join_all(members.iter().map(|member| self.members.end(member))).await;
        ended.into_iter().collect()
    }

    fn has_command(&self) -> bool {
        let command = self.specification.command.as_ref();
        command.is_some_and(|command| !command.is_empty())
    }

    /// What a replica runs: the configured command, or the built-in server.
    fn program(&self, member: &Registration) -> Program {
        let Specification { name, version, .. } = &self.specification;
        let port = member.port.to_string();
        let mut environment = self.specification.environment.clone().unwrap_or_default();
        environment.insert("PORT".to_owned(), port.clone());
        let command = self.specification.command.as_deref().unwrap_or_default();
        let (executable, arguments) = match command.split_first() {
            Some((program, arguments)) => {
                let fill = |argument: &String| argument.replace("{port}", &port);
                (program.into(), arguments.iter().map(fill).collect())
            }
            None => {
                let artifact = self.specification.artifact.as_deref().unwrap_or_default();
                let model = self.runtime.artifact(artifact).unwrap_or_default();
                let model = model.display().to_string();
                let options = [
                    ("--model", &model),
                    ("--name", name),
                    ("--version", version),
                    ("--port", &port),
                    ("--instance", &member.id),
                ];
                let options = options.map(|(option, value)| [option.to_owned(), value.clone()]);
                let serve = std::iter::once("serve".to_owned());
                let arguments = serve.chain(options.into_iter().flatten()).collect();
                (self.runtime.executable.clone(), arguments)
            }
        };
        Program {
            executable,
            arguments,
            environment,
            folder: self.runtime.base.clone(),
        }
    }

    /// `attributes` with what the provider sets.
    fn state(&self, attributes: &Value, running: &[Registration]) -> Result<Known, Error> {
        let instance = |(member, process): (&Registration, &Process)| {
            let log = self.members.registry.log(&member.id);
            Value::object([
                ("id", Value::from(member.id.as_str())),
                ("pid", Value::from(process.pid)),
                ("started", Value::from(process.started.as_str())),
                ("port", Value::from(u32::from(member.port))),
                ("log", Value::from(self.runtime.shown(&log))),
            ])
        };
        let processes = running
            .iter()
            .filter_map(|member| Some((member, member.process()?)));
        let instances: Vec<Value> = processes.map(instance).collect();
        let computed = [
            ("id", Value::from(self.members.resource.as_str())),
            ("replicas", Value::from(instances.len())),
            ("instances", Value::list(instances)),
        ];
        attributes::known(attributes::with(attributes, computed))
    }
}
