//! `local_gateway`: the one process of a name and zone that clients talk to.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use isobar_sdk::provider::{IdempotencyKey, Operation, Outcome, PlanChange, Planned};
use isobar_sdk::schema::Schema;
use isobar_sdk::{Error, Known, Number, Path, Step, Value};
use serde::Deserialize;

use crate::attributes;
use crate::gateway::{Config, HEALTH, Protocol, STATUS, Status};
use crate::http::{self, Connections};
use crate::launch::{Launch, Ports, Program, failed};
use crate::members::{Members, fingerprint};
use crate::port;
use crate::process::Process;
use crate::registration::{Phase, Registration, write_json};
use crate::runtime::Runtime;
use crate::schema::unknown;

/// How long a gateway may take to listen, and then to see routes and replicas.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often it is asked whether it does.
const ASK: Duration = Duration::from_millis(50);

/// What a gateway is started with.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    /// Program and folders.
    pub(crate) runtime: Runtime,
    /// The address gateways listen on.
    pub(crate) host: IpAddr,
}

/// The attributes; those that are not known yet are `None`.
#[derive(Debug, Clone, Deserialize)]
struct Specification {
    name: String,
    zone: String,
    port: Option<u16>,
    protocol: String,
    routes: BTreeMap<String, f64>,
    id: Option<String>,
    pid: Option<u32>,
    started: Option<String>,
}

/// What is there now, with the routes and the port that are in force; `None` if its process is
/// gone, so that it is made again.
pub(crate) fn read(surroundings: &Surroundings, prior: &Known) -> Result<Option<Known>, Error> {
    let gateway = Gateway::of(surroundings, prior)?;
    let Some(member) = gateway.running()? else {
        return Ok(None);
    };
    let observed = match gateway.config_in_force(&member) {
        Some(config) => {
            let number = |weight: f64| Number::from_f64(weight).map_or(Value::NULL, Value::Number);
            let routes = config.routes.iter();
            let routes = routes.map(|(version, weight)| (version.as_str(), number(*weight)));
            let protocol = Value::from(config.protocol.as_str());
            let observed = [("routes", Value::map(routes)), ("protocol", protocol)];
            attributes::with(prior.value(), observed)
        }
        None => prior.value().clone(),
    };
    gateway.state(&observed, &member).map(Some)
}

/// What it will be. A port that somebody else holds is found here, before anything is changed.
pub(crate) async fn plan(
    surroundings: &Surroundings,
    schema: &Schema,
    request: &PlanChange,
) -> Result<Planned, Error> {
    let proposed = &request.proposed;
    let port = attributes::whole(proposed, "port", u64::from(u16::MAX))?;
    check_routes(proposed)?;
    check_protocol(proposed)?;
    let prior = request.prior.as_ref();
    if !attributes::makes_anew(&schema.body, prior, proposed) {
        return Ok(proposed.clone().into());
    }
    let port = port.and_then(|port| u16::try_from(port).ok());
    let before = prior.and_then(|prior| prior.field("port")?.as_number()?.as_u64());
    if let Some(port) = port
        && before != Some(u64::from(port))
        && !is_own(surroundings, proposed, port)?
    {
        port::check(surroundings.host, port).await?;
    }
    let url = port.map_or_else(|| unknown(schema, "url"), |port| surroundings.url(port));
    let mut computed = vec![("url", url)];
    computed.extend(["id", "pid", "started"].map(|name| (name, unknown(schema, name))));
    Ok(attributes::with(proposed, computed).into())
}

/// Whether a gateway of the same name and zone holds the port: then it is in nobody's way, since
/// it is adopted or ended first.
fn is_own(surroundings: &Surroundings, proposed: &Value, port: u16) -> Result<bool, Error> {
    let text = |name: &str| proposed.field(name).and_then(Value::as_str);
    let (Some(name), Some(zone)) = (text("name"), text("zone")) else {
        return Ok(false);
    };
    let registry = surroundings.runtime.gateway(name, zone);
    let gateways = registry.all().map_err(failed)?;
    Ok(gateways
        .iter()
        .any(|gateway| gateway.port == port && gateway.is_alive()))
}

fn check_routes(proposed: &Value) -> Result<(), Error> {
    let routes = proposed.field("routes");
    let weights = routes
        .and_then(Value::fields)
        .into_iter()
        .flat_map(|fields| fields.iter());
    for (version, weight) in weights {
        if weight
            .as_number()
            .is_some_and(|weight| weight.as_f64() < 0.0)
        {
            let path = Path::attribute("routes").then(Step::Key(version.clone()));
            let message = format!("the weight of version {version} is negative: {weight}");
            return Err(Error::invalid(path, message).help("write 0 to send it no requests"));
        }
    }
    Ok(())
}

fn check_protocol(proposed: &Value) -> Result<(), Error> {
    let protocol = proposed.field("protocol").and_then(Value::as_str);
    match protocol {
        Some(name) if Protocol::parse(name).is_none() => Err(Error::invalid(
            Path::attribute("protocol"),
            format!("{name:?} is not a protocol"),
        )
        .help(format!("write one of {}", Protocol::NAMES.join(", ")))),
        _ => Ok(()),
    }
}

/// Makes the change.
pub(crate) async fn apply(
    surroundings: &Surroundings,
    operation: &Operation,
    key: &IdempotencyKey,
) -> Outcome {
    let result = match operation {
        Operation::Create { planned } => create(surroundings, planned, fingerprint(key)).await,
        Operation::Update { prior, planned } => update(surroundings, prior, planned).await,
        Operation::Delete { prior } => delete(surroundings, prior).await,
    };
    result.unwrap_or_else(Outcome::Failed)
}

async fn create(
    surroundings: &Surroundings,
    planned: &Value,
    id: String,
) -> Result<Outcome, Error> {
    let gateway = Gateway::new(surroundings, attributes::parse(planned)?, id);
    gateway.members.tidy().await?;
    let member = match gateway.members.alive()?.into_iter().next() {
        Some(member) => member,
        None => gateway.intended().await?,
    };
    gateway.make(planned, member).await
}

async fn update(
    surroundings: &Surroundings,
    prior: &Known,
    planned: &Value,
) -> Result<Outcome, Error> {
    let before = Gateway::of(surroundings, prior)?;
    let member = before.running()?.ok_or_else(|| {
        Error::not_found("the process of the gateway is gone").help("plan again to start it anew")
    })?;
    let id = before.members.resource;
    let gateway = Gateway::new(surroundings, attributes::parse(planned)?, id);
    gateway.make(planned, member).await
}

async fn delete(surroundings: &Surroundings, prior: &Known) -> Result<Outcome, Error> {
    let gateway = Gateway::of(surroundings, prior)?;
    if let Some(member) = gateway.running()? {
        gateway.members.end(&member).await?;
    }
    for member in gateway.members.registered()? {
        gateway.members.end(&member).await?;
    }
    let registry = &gateway.members.registry;
    if registry.all().map_err(failed)?.is_empty() {
        let folder = surroundings.runtime.folder();
        registry.clear(&folder).map_err(failed)?;
    }
    Ok(Outcome::Done(None))
}

impl Surroundings {
    fn url(&self, port: u16) -> Value {
        let address = SocketAddr::new(http::reachable(self.host), port);
        Value::from(format!("http://{address}"))
    }
}

struct Gateway<'a> {
    surroundings: &'a Surroundings,
    specification: Specification,
    members: Members,
}

impl<'a> Gateway<'a> {
    /// The gateway that the state holds.
    fn of(surroundings: &'a Surroundings, prior: &Known) -> Result<Self, Error> {
        let specification: Specification = attributes::parse(prior.value())?;
        let id = specification.id.clone().unwrap_or_default();
        Ok(Self::new(surroundings, specification, id))
    }

    fn new(surroundings: &'a Surroundings, specification: Specification, resource: String) -> Self {
        let Specification { name, zone, .. } = &specification;
        let registry = surroundings.runtime.gateway(name, zone);
        Self {
            surroundings,
            members: Members { registry, resource },
            specification,
        }
    }

    /// The process as the registry, or, where that is lost, as the state knows it.
    fn running(&self) -> Result<Option<Registration>, Error> {
        if let Some(member) = self.members.alive()?.into_iter().next() {
            return Ok(Some(member));
        }
        let Specification {
            port: Some(port),
            pid: Some(pid),
            started: Some(started),
            ..
        } = &self.specification
        else {
            return Ok(None);
        };
        let process = Process {
            pid: *pid,
            started: started.clone(),
        };
        let member = self.registration(*port, Phase::Committed(process));
        Ok(member.is_alive().then_some(member))
    }

    fn registration(&self, port: u16, phase: Phase) -> Registration {
        Registration {
            id: self.members.resource.clone(),
            resource: self.members.resource.clone(),
            sequence: 0,
            version: None,
            port,
            health_path: HEALTH.to_owned(),
            program: None,
            phase,
        }
    }

    /// A registration for a process that is to be started, on a port that is free.
    async fn intended(&self) -> Result<Registration, Error> {
        let host = self.surroundings.host;
        let port = match self.specification.port {
            Some(port) => {
                port::check(host, port).await?;
                port
            }
            None => port::reserve(host).map_err(failed)?.1,
        };
        Ok(self.registration(port, Phase::Intended))
    }

    fn config_path(&self) -> PathBuf {
        let id = format!("{}.config", self.members.resource);
        self.members.registry.path(&id)
    }

    fn config(&self, port: u16) -> Result<Config, Error> {
        let Specification {
            name,
            zone,
            protocol,
            routes,
            ..
        } = &self.specification;
        let protocol = Protocol::parse(protocol).ok_or_else(|| {
            let message = format!("{protocol:?} is not a protocol");
            Error::invalid(Path::attribute("protocol"), message)
        })?;
        Ok(Config {
            name: name.clone(),
            zone: zone.clone(),
            host: self.surroundings.host,
            port,
            protocol,
            replicas: self.surroundings.runtime.zone(name, zone),
            routes: routes.clone(),
        })
    }

    /// The configuration that the process reads.
    fn config_in_force(&self, member: &Registration) -> Option<Config> {
        let text = fs::read(self.config_path()).ok()?;
        let config: Config = serde_json::from_slice(&text).ok()?;
        (config.port == member.port).then_some(config)
    }

    /// Writes the configuration, starts the process unless it runs, and trusts neither before the
    /// gateway itself says that it routes as it should.
    async fn make(&self, planned: &Value, member: Registration) -> Result<Outcome, Error> {
        let config = self.config(member.port)?;
        self.members.registry.prepare().map_err(failed)?;
        write_json(&self.config_path(), &config).map_err(failed)?;
        let member = self.bring_up(member).await?;
        let verified = self.verify(&config, &member).await;
        self.members.commit(&member)?;
        let state = self.state(planned, &member)?;
        Ok(match verified {
            Ok(()) => Outcome::Done(Some(state)),
            Err(error) => Outcome::Partial { state, error },
        })
    }

    async fn bring_up(&self, member: Registration) -> Result<Registration, Error> {
        let program = |_: &Registration| Program {
            executable: self.surroundings.runtime.executable.clone(),
            arguments: vec![
                "gateway".to_owned(),
                "--config".to_owned(),
                self.config_path().display().to_string(),
            ],
            environment: BTreeMap::new(),
            folder: self.surroundings.runtime.base.clone(),
        };
        let launch = Launch {
            registry: &self.members.registry,
            program: &program,
            host: self.surroundings.host,
            ports: Ports::Fixed,
            patience: PATIENCE,
            blame: "port",
        };
        launch.bring_up(member).await
    }

    /// Waits until the gateway itself tells, through its port, that it is this process, that the
    /// routes are in force, and that a routed replica is ready where there is any at all.
    async fn verify(&self, config: &Config, member: &Registration) -> Result<(), Error> {
        let host = http::reachable(self.surroundings.host);
        let address = SocketAddr::new(host, member.port);
        let client = http::client(Connections::Fresh);
        let pid = member.process().map(|process| process.pid);
        let began = Instant::now();
        loop {
            let answer = http::get(&client, address, STATUS, PATIENCE).await;
            let status = answer
                .map_err(|error| error.to_string())
                .and_then(|(_, body)| {
                    serde_json::from_slice(&body).map_err(|error| error.to_string())
                });
            let missing = match status {
                Ok(status) => self.missing(config, pid, &status)?,
                Err(error) => Some(format!("it does not tell its status: {error}")),
            };
            let Some(missing) = missing else {
                return Ok(());
            };
            if began.elapsed() > PATIENCE {
                return Err(Error::unavailable(format!(
                    "the gateway on port {} does not serve as planned after {} s: {missing}",
                    member.port,
                    PATIENCE.as_secs()
                )));
            }
            tokio::time::sleep(ASK).await;
        }
    }

    fn missing(
        &self,
        config: &Config,
        pid: Option<u32>,
        status: &Status,
    ) -> Result<Option<String>, Error> {
        if pid != Some(status.pid) {
            return Ok(Some(format!("process {} answers in its place", status.pid)));
        }
        if (&status.routes, status.protocol) != (&config.routes, config.protocol) {
            return Ok(Some(format!("its routes are still {:?}", status.routes)));
        }
        let routed = |version: &str| {
            config
                .routes
                .get(version)
                .is_some_and(|weight| *weight > 0.0)
        };
        let ready =
            |replica: &crate::gateway::ReplicaStatus| replica.ready && routed(&replica.version);
        if status.replicas.iter().any(ready) {
            return Ok(None);
        }
        let Specification { name, zone, .. } = &self.specification;
        for version in config.routes.keys().filter(|version| routed(version)) {
            let registry = self.surroundings.runtime.replicas(name, zone, version);
            let replicas = registry.all().map_err(failed)?;
            if replicas.iter().any(Registration::is_alive) {
                return Ok(Some(format!("no replica of version {version} is ready")));
            }
        }
        Ok(None)
    }

    /// `attributes` with what the provider sets.
    fn state(&self, attributes: &Value, member: &Registration) -> Result<Known, Error> {
        let process = member.process();
        let pid = process.map_or(Value::NULL, |process| Value::from(process.pid));
        let started = process.map_or(Value::NULL, |p| Value::from(p.started.as_str()));
        let computed = [
            ("id", Value::from(self.members.resource.as_str())),
            ("port", Value::from(u32::from(member.port))),
            ("url", self.surroundings.url(member.port)),
            ("pid", pid),
            ("started", started),
        ];
        attributes::known(attributes::with(attributes, computed))
    }
}
