//! Starting a process so that it outlives the command, and waiting until it is ready.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use isobar_sdk::{Error, Path as AttributePath};
use tokio::process::{Child, Command};

use crate::http::{self, Client, Connections, NoAnswer};
use crate::port;
use crate::process::{MARKER, Process};
use crate::registration::{Output, Phase, Registration, Registry};

/// How long a server may take to end by itself before it is killed.
pub(crate) const GRACE: Duration = Duration::from_secs(12);
/// How often a starting process is asked whether it is ready.
const ASK: Duration = Duration::from_millis(50);
/// How long one such question may take.
const ANSWER: Duration = Duration::from_secs(2);
/// How many ports are tried before a process that finds its port taken is given up.
const PORTS: u32 = 3;
/// How many lines of a log an error shows.
const TAIL: usize = 20;

/// What is run.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// The program.
    pub(crate) executable: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// What is added to the environment of this process.
    pub(crate) environment: BTreeMap<String, String>,
    /// The working folder.
    pub(crate) folder: PathBuf,
}

/// Whether another port will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ports {
    /// If somebody takes the port in the moment between choice and start, another is chosen.
    Any,
    /// The user chose it.
    Fixed,
}

/// How the processes of one resource are started.
pub(crate) struct Launch<'a> {
    /// Where they are written down.
    pub(crate) registry: &'a Registry,
    /// What each of them runs.
    pub(crate) program: &'a (dyn Fn(&Registration) -> Program + Sync),
    /// Where they listen.
    pub(crate) host: IpAddr,
    /// Whether another port will do.
    pub(crate) ports: Ports,
    /// How long each may take to become ready.
    pub(crate) patience: Duration,
    /// The attribute to blame if one ends before it is ready.
    pub(crate) blame: &'static str,
}

/// Why a process is not ready.
#[derive(Debug)]
enum Failure {
    Spawn(PathBuf, io::Error),
    Record(io::Error),
    Ended(Option<ExitStatus>),
    Late(String),
}

impl Launch<'_> {
    /// Starts the process if it is only intended, and waits until it is ready. One that this call
    /// started and that fails is ended, and its registration removed; the log stays.
    ///
    /// # Errors
    /// What happened, with the last lines of the log.
    pub(crate) async fn bring_up(&self, registration: Registration) -> Result<Registration, Error> {
        let client = http::client(Connections::Fresh);
        let mut registration = registration;
        let mut left = PORTS;
        loop {
            left -= 1;
            let failure = match self.attempt(&client, &mut registration).await {
                Ok(()) => return Ok(registration),
                Err(failure) => failure,
            };
            let lost_its_port = matches!(failure, Failure::Ended(_))
                && self.ports == Ports::Any
                && !port::is_free(self.host, registration.port);
            if lost_its_port
                && left > 0
                && let Ok((_, port)) = port::reserve(self.host)
            {
                registration.port = port;
                registration.phase = Phase::Intended;
                continue;
            }
            let error = self.explain(&registration, &failure);
            self.give_up(&registration).await?;
            return Err(error);
        }
    }

    async fn attempt(
        &self,
        client: &Client,
        registration: &mut Registration,
    ) -> Result<(), Failure> {
        let mut child = match &registration.phase {
            Phase::Intended => Some(self.spawn(registration)?),
            _ => None,
        };
        self.await_ready(client, registration, child.as_mut()).await
    }

    /// Writes the intent, starts the process, writes down which it is. A kill in between leaves
    /// an intent, by which the process is found through its environment.
    fn spawn(&self, registration: &mut Registration) -> Result<Child, Failure> {
        let record = Failure::Record;
        self.registry.prepare().map_err(record)?;
        self.registry.write(registration).map_err(record)?;
        let program = (self.program)(registration);
        let log = private(&self.registry.log(&registration.id)).map_err(record)?;
        let child = Command::new(&program.executable)
            .args(&program.arguments)
            .envs(&program.environment)
            .env(MARKER, self.registry.path(&registration.id))
            .current_dir(&program.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(record)?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .map_err(|error| Failure::Spawn(program.executable, error))?;
        let process = child.id().and_then(Process::of);
        registration.phase = Phase::Started(process.ok_or(Failure::Ended(None))?);
        self.registry.write(registration).map_err(record)?;
        Ok(child)
    }

    async fn await_ready(
        &self,
        client: &Client,
        registration: &Registration,
        mut child: Option<&mut Child>,
    ) -> Result<(), Failure> {
        let address = SocketAddr::new(http::reachable(self.host), registration.port);
        let began = Instant::now();
        loop {
            let answer = http::get(client, address, &registration.health_path, ANSWER).await;
            if !registration.is_alive() {
                let status = child.as_mut().and_then(|child| child.try_wait().ok());
                return Err(Failure::Ended(status.flatten()));
            }
            let last = match answer {
                Ok((status, _)) if status.is_success() => return Ok(()),
                Ok((status, _)) => format!("it answers {status}"),
                Err(NoAnswer::Connection(_)) => "nobody listens".to_owned(),
                Err(late @ NoAnswer::Late(_)) => late.to_string(),
            };
            if began.elapsed() >= self.patience {
                return Err(Failure::Late(last));
            }
            tokio::time::sleep(ASK).await;
        }
    }

    /// A process that served before this change is left alone: it may only be slow to answer.
    async fn give_up(&self, registration: &Registration) -> Result<(), Error> {
        if matches!(registration.phase, Phase::Committed(_)) && registration.is_alive() {
            return Ok(());
        }
        if let Some(process) = registration.process() {
            process.end(Duration::ZERO).await.map_err(failed)?;
        }
        self.registry
            .remove(&registration.id, Output::Keep)
            .map_err(failed)
    }

    fn explain(&self, registration: &Registration, failure: &Failure) -> Error {
        let log = self.registry.log(&registration.id);
        let what = registration.version.as_ref().map_or_else(
            || "the gateway".to_owned(),
            |version| format!("replica {} of version {version}", registration.id),
        );
        let output = tail(&log).map_or_else(
            || "it wrote nothing".to_owned(),
            |lines| {
                let lines = without_values(&lines, &(self.program)(registration).environment);
                format!("the last lines of {}:\n{lines}", log.display())
            },
        );
        let blame = AttributePath::attribute(self.blame);
        match failure {
            Failure::Spawn(program, error) => Error::invalid(
                blame,
                format!("{what}: cannot run {}: {error}", program.display()),
            )
            .help("check that the program exists and may be run"),
            Failure::Record(error) => Error::unavailable(format!(
                "{what}: cannot write {}: {error}",
                self.registry.path(&registration.id).display()
            )),
            Failure::Ended(status) => {
                let status = status.map_or_else(String::new, |status| format!(" ({status})"));
                let message = format!("{what} ended before it was ready{status}; {output}");
                Error::invalid(blame, message)
            }
            Failure::Late(last) => Error::invalid(
                AttributePath::attribute("startup"),
                format!(
                    "{what} was not ready after {:.0} s: at {} on port {}, {last}; {output}",
                    self.patience.as_secs_f64(),
                    registration.health_path,
                    registration.port
                ),
            )
            .help("raise `performance.startup` of the model, or check its `serve.health_path`"),
        }
    }
}

/// A failure of the system, such as a full disk.
#[expect(clippy::needless_pass_by_value, reason = "is handed to `map_err`")]
pub(crate) fn failed(error: io::Error) -> Error {
    let message = format!("the system refused: {error}");
    match error.kind() {
        io::ErrorKind::PermissionDenied => Error::new(isobar_sdk::ErrorKind::Denied, message),
        _ => Error::unavailable(message),
    }
}

/// The last lines of a log; `None` if there are none.
fn tail(log: &Path) -> Option<String> {
    let size = fs::metadata(log).ok()?.len();
    let reader = BufReader::new(File::open(log).ok()?);
    let mut lines = VecDeque::with_capacity(TAIL);
    for line in reader.split(b'\n').map_while(Result::ok) {
        if lines.len() == TAIL {
            lines.pop_front();
        }
        lines.push_back(format!("  {}", String::from_utf8_lossy(&line)));
    }
    (size > 0).then(|| Vec::from(lines).join("\n"))
}

/// A new file that only its owner can read: programs like to print what they are given, secrets
/// among it.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The shortest value of an environment variable that could be a secret.
const SECRET: usize = 4;

/// A text without what environment variables hold, which may be secret: programs like to print
/// their settings when they fail.
fn without_values(text: &str, environment: &BTreeMap<String, String>) -> String {
    let named = environment.iter().filter(|(name, _)| *name != "PORT");
    let mut values: Vec<_> = named.filter(|(_, value)| value.len() >= SECRET).collect();
    values.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
    values
        .into_iter()
        .fold(text.to_owned(), |text, (name, value)| {
            text.replace(value.as_str(), &format!("(value of {name})"))
        })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::without_values;

    #[test]
    fn a_log_shows_no_value_of_the_environment() {
        let environment = [
            ("PORT", "8080"),
            ("TOKEN", "s3cr3t"),
            ("LONG", "s3cr3t-2"),
            ("N", "1"),
        ];
        let environment: BTreeMap<String, String> = environment
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        assert_eq!(
            without_values("on 8080 with s3cr3t, s3cr3t-2 and 1", &environment),
            "on 8080 with (value of TOKEN), (value of LONG) and 1"
        );
    }
}
