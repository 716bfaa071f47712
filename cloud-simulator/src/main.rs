//! The program `isobar-cloud-simulator`: a simulated cloud on a port of this machine.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use isobar_cloud_simulator::aws::{Aws, Contract, ContractError, Key};
use isobar_cloud_simulator::engine::World;
use isobar_cloud_simulator::{Listening, Pace, ServeError, Simulation};
use jiff::Timestamp;

/// A simulated cloud that speaks as SageMaker does. Nothing is hosted, nothing costs anything.
#[derive(Debug, Parser)]
#[command(name = "isobar-cloud-simulator")]
struct Arguments {
    /// Host and port; port 0 is any that is free.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// What requests and answers are held against.
    #[arg(long, value_name = "FILE")]
    contract: Option<PathBuf>,
    /// The access key that is known, and its secret.
    #[arg(long, value_name = "ID:SECRET", default_value = "test:test")]
    key: String,
    /// The account that everything is in.
    #[arg(long, default_value = "123456789012")]
    account: String,
    /// The time of day at which the simulation begins; now, if it is not given.
    #[arg(long, value_name = "TIME")]
    start: Option<Timestamp>,
    /// Simulated seconds in a real one; 0 is a clock that stands still.
    #[arg(long, default_value_t = 1.0)]
    rate: f64,
    /// Simulated seconds that pass before each call.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    per_call: u32,
    /// Decides what is left to chance.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Contract(#[from] ContractError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error("cannot tell where it listens: {0}")]
    Tell(io::Error),
    #[error("{0:?} is not ID:SECRET")]
    Key(String),
}

impl Arguments {
    fn simulation(&self) -> Result<Simulation, Failure> {
        let key = self.key.split_once(':');
        let (id, secret) = key.ok_or_else(|| Failure::Key(self.key.clone()))?;
        let key = Key {
            secret: secret.to_owned(),
            token: None,
            expired: false,
        };
        let contract = self.contract.as_deref().map(Contract::read).transpose()?;
        let aws = Aws {
            account: self.account.clone(),
            keys: BTreeMap::from([(id.to_owned(), key)]),
            contract,
        };
        let pace = Pace {
            rate: self.rate,
            per_call: self.per_call,
        };
        let start = self.start.unwrap_or_else(now);
        Ok(Simulation::new(World::new(start, self.seed), aws, pace))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is where the clock enters the simulator"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

/// Flags with one dash as well as with two, as everywhere in Isobar.
fn dashes(argument: String) -> String {
    let short = argument.strip_prefix('-').filter(|rest| rest.len() > 1);
    match short {
        Some(rest) if !rest.starts_with('-') => format!("--{rest}"),
        Some(_) | None => argument,
    }
}

async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let simulation = arguments.simulation()?;
    let listening = Listening::on(arguments.listen).await?;
    let address = listening.address;
    writeln!(
        io::stdout(),
        "a simulated cloud listens on http://{address}"
    )
    .map_err(Failure::Tell)?;
    tokio::select! {
        ended = listening.serve(simulation) => match ended? {},
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse_from(std::env::args().map(dashes));
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nobody is left to tell if that fails.
            let _ = writeln!(io::stderr(), "isobar-cloud-simulator: {failure}");
            ExitCode::FAILURE
        }
    }
}
