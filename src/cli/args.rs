//! Which commands and flags there are; their doc comments are the help.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use isobar_sdk::address::Place;
use isobar_sdk::{Address, Fault};

use super::shell::Manner;
use super::{dash, preset};

mod drift;
mod fmt;
mod forecast;
mod help;
mod history;
mod import;
mod init;
mod lock;
mod offers;
mod simulate;
mod state;
mod test;
mod workspace;

pub(super) use drift::Drift;
pub(super) use fmt::Fmt;
pub(super) use forecast::{Backtest, Forecast, ForecastCommand, ForecastDrift};
pub(super) use history::{History, HistoryCommand};
pub(super) use import::Import;
pub(super) use init::Init;
use lock::Locking;
pub(super) use lock::{ForceUnlock, Lock, LockCommand};
pub(super) use offers::Offers;
pub(super) use simulate::{Engine, Outage, Simulate};
pub(super) use state::{Move, State, StateCommand, Taint};
pub(super) use test::Test;
pub(super) use workspace::{Workspace, WorkspaceCommand};

/// What was asked for.
#[derive(Debug)]
pub(super) struct Invocation {
    pub(super) chdir: Option<PathBuf>,
    pub(super) no_color: bool,
    pub(super) command: Command,
}

/// All commands and flags.
pub(super) fn program() -> clap::Command {
    help::grouped(Cli::command())
}

/// Why there is nothing to run.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The arguments are wrong, or help was asked for.
    Usage(clap::Error),
    /// Arguments in the environment cannot be read.
    Preset(Fault),
}

impl From<clap::Error> for Refusal {
    fn from(error: clap::Error) -> Self {
        Self::Usage(error)
    }
}

/// Reads the arguments, and those that the environment adds to them.
///
/// # Errors
/// What is wrong with them, or the help that was asked for.
pub(super) fn parse(
    arguments: Vec<OsString>,
    presets: &BTreeMap<String, String>,
) -> Result<Invocation, Refusal> {
    let program = program();
    let arguments = preset::insert(arguments, &program, presets).map_err(Refusal::Preset)?;
    let arguments = dash::normalise(arguments, &program);
    let name = OsString::from("isobar");
    let arguments = std::iter::once(name).chain(arguments);
    let cli = Cli::from_arg_matches(&program.try_get_matches_from(arguments)?)?;
    let command = match (cli.version, cli.command) {
        (true, _) => Command::Version(Version { json: false }),
        (false, Some(command)) => command,
        (false, None) => {
            let kind = clap::error::ErrorKind::MissingSubcommand;
            let message = "a command is missing; see isobar -help";
            return Err(self::program().error(kind, message).into());
        }
    };
    Ok(Invocation {
        chdir: cli.chdir,
        no_color: cli.no_color,
        command,
    })
}

/// Plans and applies AI model deployments across zones of several clouds.
#[derive(Debug, Parser)]
#[command(
    name = "isobar",
    disable_version_flag = true,
    arg_required_else_help = true,
    args_override_self = true,
    max_term_width = 100,
    after_help = "Long flags can be written with one dash, as in -out=FILE, or with two."
)]
struct Cli {
    /// Work in this folder instead of the current one.
    #[arg(long, global = true, value_name = "DIR")]
    chdir: Option<PathBuf>,
    /// Print without colours.
    #[arg(long, global = true)]
    no_color: bool,
    /// Print the version.
    #[arg(long)]
    version: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Install the modules that the configuration calls, and check what it needs.
    Init(Init),
    /// Check the configuration, without state, telemetry or any cloud.
    Validate(Validate),
    /// Give configuration files the common layout.
    Fmt(Fmt),
    /// Run the tests of the configuration.
    Test(Test),
    /// Show what apply would change, and why.
    Plan(Plan),
    /// Make what is there what the configuration says.
    Apply(Apply),
    /// Destroy everything that the configuration has made.
    Destroy(Destroy),
    /// Show the state, or a saved plan.
    Show(Show),
    /// Show output values.
    Output(Output),
    /// Look into the state, and change what it records.
    State(State),
    /// Show the versions that the state has had, compare them, and go back to one.
    History(History),
    /// Evaluate expressions against the configuration and the state.
    Console(Console),
    /// Record something that is there already, so that it is managed from now on.
    Import(Import),
    /// Have the next apply replace a resource instance.
    Taint(Taint),
    /// Take back what taint said.
    Untaint(Taint),
    /// Record what is there, without changing it.
    Refresh(Refresh),
    /// Keep several states of one configuration.
    Workspace(Workspace),
    /// See and break the locks of states.
    Lock(Lock),
    /// Take the lock of the state away from its holder.
    ForceUnlock(ForceUnlock),
    /// Answer an editor that writes configuration, over the Language Server Protocol.
    Lsp(Lsp),
    /// Print what the program knows about itself, for editors and other programs.
    Metadata(Metadata),
    /// Print what rests on what, as a graph in the DOT language.
    Graph(Graph),
    /// Show which module needs which providers.
    Providers(Providers),
    /// Show where what is there has come away from what is wanted; exits with 2 where it has.
    Drift(Drift),
    /// Forecast demand and say how good the forecast is.
    Forecast(Forecast),
    /// Show what clouds and zones sell, at which price, and their power and carbon.
    Offers(Offers),
    /// Replay a trace of demand against policies that set replicas.
    Simulate(Simulate),
    /// Serve an ONNX model over the Open Inference Protocol.
    Serve(Serve),
    /// Balance requests over the replicas of a deployment; the local provider starts it.
    #[command(hide = true)]
    Gateway(Gateway),
    /// Print the script that completes commands and flags in a shell.
    Completions(Completions),
    /// Print the version.
    Version(Version),
}

impl Command {
    /// How the command talks.
    pub(super) const fn manner(&self) -> Manner {
        let events = match self {
            Self::Init(args) => args.json,
            Self::Test(args) => args.json,
            Self::Plan(args) => args.planning.json,
            Self::Apply(args) => args.planning.json,
            Self::Destroy(args) => args.planning.json,
            Self::Refresh(args) => args.planning.json,
            _ => false,
        };
        if events {
            Manner::Events
        } else {
            Manner::Human
        }
    }
}

impl Command {
    /// What it gives to variables.
    pub(super) fn assignments(&self) -> Assignments {
        let assignments = match self {
            Self::Init(args) => Some(&args.assignments),
            Self::Plan(args) => Some(&args.planning.assignments),
            Self::Apply(args) => Some(&args.planning.assignments),
            Self::Destroy(args) => Some(&args.planning.assignments),
            Self::Refresh(args) => Some(&args.planning.assignments),
            Self::Import(args) => Some(&args.assignments),
            Self::Drift(args) => Some(&args.assignments),
            Self::Offers(args) => Some(&args.assignments),
            Self::Simulate(args) => Some(&args.assignments),
            _ => None,
        };
        assignments.cloned().unwrap_or_default()
    }

    /// How long it waits for a lock that someone else holds.
    pub(super) fn patience(&self) -> Duration {
        let locking = match self {
            Self::Plan(args) => Some(args.planning.locking),
            Self::Apply(args) => Some(args.planning.locking),
            Self::Destroy(args) => Some(args.planning.locking),
            Self::Refresh(args) => Some(args.planning.locking),
            Self::Import(args) => Some(args.locking),
            Self::Taint(args) | Self::Untaint(args) => Some(args.locking),
            Self::State(args) => args.command.locking(),
            Self::History(args) => args.locking(),
            _ => None,
        };
        locking.map_or(Duration::ZERO, |locking| locking.patience())
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Validate {
    /// Print the result as JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// Leave the files of tests out.
    #[arg(long)]
    pub(super) no_tests: bool,
    /// The folder of more files of tests.
    #[arg(long, value_name = "DIR", default_value = "tests")]
    pub(super) test_directory: PathBuf,
}

/// What plan, apply and destroy have in common.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Planning {
    /// Only record what is there, without changing it.
    #[arg(long, conflicts_with = "refresh")]
    pub(super) refresh_only: bool,
    /// Whether to read what is there before planning.
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true")]
    pub(super) refresh: bool,
    /// Read only what would change, and take the state for the rest.
    #[arg(long, conflicts_with_all = ["refresh", "refresh_only"])]
    pub(super) minimal_refresh: bool,
    /// Only this and what it rests on: a resource, an instance or a module; can be repeated.
    #[arg(long, value_name = "ADDRESS")]
    pub(super) target: Vec<Place>,
    /// Everything but this and what rests on it; can be repeated.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "target")]
    pub(super) exclude: Vec<Place>,
    /// Replace this instance, even if nothing in it changes; can be repeated.
    #[arg(long, value_name = "ADDRESS")]
    pub(super) replace: Vec<Address>,
    #[command(flatten)]
    pub(super) assignments: Assignments,
    /// How many resources are read or changed at the same time [default: what their providers
    /// take].
    #[arg(long, value_name = "N")]
    pub(super) parallelism: Option<NonZeroUsize>,
    /// Whether questions may be asked.
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true")]
    pub(super) input: bool,
    #[command(flatten)]
    pub(super) locking: Locking,
    /// Print one JSON event per line.
    #[arg(long)]
    pub(super) json: bool,
    /// Write these events into a file, beside what is printed.
    #[arg(long, value_name = "FILE")]
    pub(super) json_into: Option<PathBuf>,
    /// Show changes on one line each, without attributes.
    #[arg(long)]
    pub(super) concise: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Plan {
    /// Plan to destroy everything.
    #[arg(long, conflicts_with = "refresh_only")]
    pub(super) destroy: bool,
    /// Save the plan in this file, for apply.
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Write blocks for imports that have none into this new file, and plan with them.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["destroy", "refresh_only"])]
    pub(super) generate_config_out: Option<PathBuf>,
    /// Exit with 0 if there are no changes, 1 on errors and 2 if there are changes.
    #[arg(long)]
    pub(super) detailed_exitcode: bool,
    /// Fail where requests would be shed if a zone were lost; such a plan is not saved.
    #[arg(long)]
    pub(super) fail_on_shed: bool,
    /// Draw each deployment that follows a forecast as SVG into this folder; or a single one into
    /// a file that ends in .svg, or - for the standard output.
    #[arg(long, value_name = "PATH")]
    pub(super) svg: Option<PathBuf>,
    #[command(flatten)]
    pub(super) planning: Planning,
}

#[derive(Debug, clap::Args)]
pub(super) struct Apply {
    /// A plan saved with plan -out=FILE; without it, a new plan is made and shown.
    #[arg(value_name = "PLANFILE")]
    pub(super) file: Option<PathBuf>,
    /// Destroy everything.
    #[arg(long, conflicts_with = "refresh_only")]
    pub(super) destroy: bool,
    /// Do not ask before applying.
    #[arg(long)]
    pub(super) auto_approve: bool,
    #[command(flatten)]
    pub(super) planning: Planning,
}

#[derive(Debug, clap::Args)]
pub(super) struct Destroy {
    /// Do not ask before destroying.
    #[arg(long)]
    auto_approve: bool,
    #[command(flatten)]
    planning: Planning,
}

impl Destroy {
    /// The same as `apply -destroy`.
    pub(super) fn as_apply(&self) -> Apply {
        Apply {
            file: None,
            destroy: true,
            auto_approve: self.auto_approve,
            planning: self.planning.clone(),
        }
    }
}

/// The same as `apply -refresh-only -auto-approve`.
#[derive(Debug, clap::Args)]
pub(super) struct Refresh {
    #[command(flatten)]
    planning: Planning,
}

impl Refresh {
    /// As an apply.
    pub(super) fn as_apply(&self) -> Apply {
        Apply {
            file: None,
            destroy: false,
            auto_approve: true,
            planning: Planning {
                refresh_only: true,
                ..self.planning.clone()
            },
        }
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// A saved plan or a state; without it, the state of this configuration.
    pub(super) file: Option<PathBuf>,
    /// Show the changes of a plan on one line each, without attributes.
    #[arg(long)]
    pub(super) concise: bool,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Output {
    /// One output; without it, all of them.
    pub(super) name: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// Print the text alone, without quotes and end of line.
    #[arg(long, requires = "name", conflicts_with = "json")]
    pub(super) raw: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Console {
    /// Show what a plan would lead to, instead of what is recorded.
    #[arg(long)]
    pub(super) plan: bool,
    #[command(flatten)]
    pub(super) which: state::Which,
    #[command(flatten)]
    pub(super) assignments: Assignments,
}

#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    /// The ONNX file.
    #[arg(long, value_name = "FILE")]
    pub(super) model: PathBuf,
    /// The port to listen on; 0 takes a free one.
    #[arg(long)]
    pub(super) port: u16,
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    pub(super) host: IpAddr,
    /// The name of the model; otherwise that of the file.
    #[arg(long)]
    pub(super) name: Option<String>,
    /// The version of the model; otherwise 1.
    #[arg(long)]
    pub(super) version: Option<String>,
    /// Inferences that may run at the same time.
    #[arg(long, value_name = "N", default_value = "1")]
    pub(super) workers: NonZeroUsize,
    /// Sent with every answer as x-isobar-served-by; otherwise the process id.
    #[arg(long, value_name = "ID")]
    pub(super) instance: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Gateway {
    /// The routes.
    #[arg(long, value_name = "FILE")]
    pub(super) config: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct Graph {
    /// Which graph; without it, that of resources and nouns, or of the plan that is named.
    #[arg(long = "type", value_name = "TYPE")]
    pub(super) kind: Option<GraphType>,
    /// The steps that applying this saved plan takes.
    #[arg(long, value_name = "FILE")]
    pub(super) plan: Option<PathBuf>,
}

/// What a graph is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum GraphType {
    /// All names of the configuration
    Plan,
    /// The same: what is read is read in any order
    PlanRefreshOnly,
    /// What is recorded, in the order in which it would be destroyed
    PlanDestroy,
    /// The steps of a saved plan
    Apply,
}

#[derive(Debug, clap::Args)]
pub(super) struct Providers {
    #[command(subcommand)]
    pub(super) command: Option<ProvidersCommand>,
}

#[derive(Debug, Subcommand)]
pub(super) enum ProvidersCommand {
    /// Print what the providers offer: resource types with their attributes.
    Schema {
        /// Print JSON; there is no other form.
        #[arg(long)]
        json: bool,
    },
}

/// For bash: `isobar completions bash > ~/.local/share/bash-completion/completions/isobar`.
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell.
    pub(super) shell: clap_complete::Shell,
}

/// An editor starts it and talks to it over its input and output.
#[derive(Debug, clap::Args)]
pub(super) struct Lsp {
    /// Talk over input and output, which is all that there is; many editors say so.
    #[arg(long)]
    stdio: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Metadata {
    #[command(subcommand)]
    pub(super) command: MetadataCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum MetadataCommand {
    /// Print the signatures of all functions.
    Functions {
        /// Print JSON, which is all that there is.
        #[arg(long, required = true)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Version {
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// A value, or a file of values, for variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Assignment {
    /// `-var NAME=VALUE`
    Value(String),
    /// `-var-file FILE`
    File(PathBuf),
}

/// All `-var` and `-var-file`, in the order given: the last one wins.
#[derive(Debug, Clone, Default)]
pub(super) struct Assignments(pub(super) Vec<Assignment>);

impl clap::Args for Assignments {
    fn augment_args(command: clap::Command) -> clap::Command {
        let value = Arg::new("var")
            .long("var")
            .value_name("NAME=VALUE")
            .action(ArgAction::Append)
            .help("Set a variable; can be repeated");
        let file = Arg::new("var-file")
            .long("var-file")
            .value_name("FILE")
            .action(ArgAction::Append)
            .value_parser(clap::value_parser!(PathBuf))
            .help("Set the variables that a file names; can be repeated");
        command.arg(value).arg(file)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Assignments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let values = matches.get_many::<String>("var").into_iter().flatten();
        let values = values.cloned().map(Assignment::Value);
        let values = matches.indices_of("var").into_iter().flatten().zip(values);
        let files = matches.get_many::<PathBuf>("var-file");
        let files = files.into_iter().flatten().cloned().map(Assignment::File);
        let places = matches.indices_of("var-file").into_iter().flatten();
        let mut all: Vec<(usize, Assignment)> = values.chain(places.zip(files)).collect();
        all.sort_by_key(|(place, _)| *place);
        Ok(Self(all.into_iter().map(|(_, given)| given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::CommandFactory;

    use super::{Assignment, Cli, Command, parse};

    #[test]
    fn the_flags_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn assignments_keep_their_order() {
        let arguments = ["plan", "-var", "a=1", "-var-file=f", "-var=a=2"];
        let invocation = parse(arguments.map(Into::into).into(), &BTreeMap::new()).unwrap();
        let Command::Plan(plan) = invocation.command else {
            panic!()
        };
        let expected = [
            Assignment::Value("a=1".to_owned()),
            Assignment::File("f".into()),
            Assignment::Value("a=2".to_owned()),
        ];
        assert_eq!(plan.planning.assignments.0, expected);
    }

    #[test]
    fn booleans_can_be_switched_off() {
        for (argument, expected) in [
            ("-refresh=false", false),
            ("-refresh=true", true),
            ("--refresh", true),
        ] {
            let invocation = parse(vec!["plan".into(), argument.into()], &BTreeMap::new()).unwrap();
            let Command::Plan(plan) = invocation.command else {
                panic!()
            };
            assert_eq!(plan.planning.refresh, expected, "{argument}");
        }
    }
}
