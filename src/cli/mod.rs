//! The commands: arguments to effects. The only module that prints or asks its surroundings.
//!
//! - `args` says which commands and flags there are, `dash` how Terraform's flags
//!   become them, `environment` reads everything outside once, `preset` adds the arguments
//!   that it holds.
//! - `project` loads a folder, `variables` gives values to its variables, `saved` keeps plans in
//!   files, `delivery` writes results; `failure` turns what the engine refuses into diagnostics.
//! - `rehearsal` makes what a simulation runs of a deployment.
//! - `backend` says where states are kept; `recorded` opens a state for a change.
//! - `shell` prints, `log` takes what happens, `progress` says what is under way, `interrupt`
//!   hears Ctrl-C.
//! - Every other file is a command.

mod apply;
mod args;
mod backend;
mod backtest;
mod completions;
mod console;
mod dash;
mod delivery;
mod distribution;
mod drawing;
mod drift;
mod emergency;
mod encryption;
mod environment;
mod failure;
mod fmt;
mod forecast;
mod gateway;
mod generate;
mod graph;
mod handover;
mod history;
mod import;
mod init;
mod interrupt;
mod lock;
mod log;
mod lsp;
mod machine;
mod metadata;
mod migrate;
mod offers;
mod output;
mod plan;
mod preset;
mod progress;
mod project;
mod prompt;
mod providers;
mod recorded;
mod rehearsal;
mod saved;
mod serve;
mod session;
mod shell;
mod show;
mod simulate;
mod state;
mod taint;
mod test;
mod transfer;
mod trials;
mod validate;
mod variables;
mod version;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use args::{Command, Invocation, Refusal};
use environment::Environment;
use failure::Stopped;
use isobar_sdk::Diagnostic;
use log::{Level, Log};
use session::Session;
use shell::{Manner, Shell};

use crate::language::Sources;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked.
    Success,
    /// It did not, and has said why.
    Failure,
    /// The plan has changes, and the exit code was asked to say so.
    Changes,
    /// What is there, or how values are distributed, is no longer as it was.
    Drift,
    /// A file cannot be formatted, and it has said why.
    Refused,
    /// A file is not formatted, and it was asked to say so.
    Unformatted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Success => 0,
            Exit::Failure => 1,
            Exit::Changes | Exit::Drift | Exit::Refused => 2,
            Exit::Unformatted => 3,
        })
    }
}

/// Runs the command that `arguments`, without the name of the program, ask for.
#[must_use]
pub fn run(arguments: Vec<OsString>) -> Exit {
    let environment = Environment::read();
    match args::parse(arguments, &environment.presets) {
        Ok(invocation) => dispatch(invocation, environment),
        Err(refusal) => {
            let shell = Shell::new(&environment.terminal, Manner::Human, None);
            let exit = refuse(&shell, refusal);
            shell.finish(exit)
        }
    }
}

/// Shows the help that was asked for, or what is wrong with the arguments.
fn refuse(shell: &Shell, refusal: Refusal) -> Exit {
    match refusal {
        Refusal::Usage(message) if message.use_stderr() => {
            shell.tell(&message.render().ansi().to_string());
            Exit::Failure
        }
        Refusal::Usage(message) => {
            shell.data(&message.render().ansi().to_string());
            Exit::Success
        }
        Refusal::Preset(fault) => {
            let stopped = Stopped::from(fault);
            shell.diagnostics(&stopped.diagnostics, &stopped.sources);
            Exit::Failure
        }
    }
}

/// The log that the environment asks for; where it cannot be opened, why.
fn open_log(environment: &Environment) -> (Option<Log>, Option<Diagnostic>) {
    let Some(level) = environment.log else {
        return (None, None);
    };
    match Log::open(level, environment.log_path.as_deref()) {
        Ok(log) => (Some(log), None),
        Err(error) => {
            let detail = format!("ISOBAR_LOG_PATH cannot be written: {error}.");
            let found = Diagnostic::warning("C0056", "Log cannot be written", detail)
                .help("Name a file in a folder that exists and that you may write to.");
            (None, Some(found))
        }
    }
}

fn dispatch(invocation: Invocation, mut environment: Environment) -> Exit {
    environment.terminal.colour &= !invocation.no_color;
    let (log, unlogged) = open_log(&environment);
    let shell = Shell::new(&environment.terminal, invocation.command.manner(), log);
    if let Some(found) = unlogged {
        shell.diagnostics(&found.into(), &Sources::default());
    }
    if let Some(wrong) = environment.unbounded {
        let detail = format!("ISOBAR_STATE_HISTORY is not used: {wrong}.");
        let found = Diagnostic::warning("C0099", "Bounds of the history cannot be read", detail)
            .help("The usual ones hold: 50 versions, for 90 days at most.");
        shell.diagnostics(&found.into(), &Sources::default());
    }
    let given = (
        invocation.command.patience(),
        invocation.command.assignments(),
    );
    let result = Session::open(environment, shell.clone(), invocation.chdir, given)
        .and_then(|session| command(&session, invocation.command));
    let exit = result.unwrap_or_else(|stopped: Stopped| {
        shell.diagnostics(&stopped.diagnostics, &stopped.sources);
        Exit::Failure
    });
    shell.log(Level::Info, || format!("ended: {exit:?}"));
    shell.finish(exit)
}

fn command(session: &Session, command: Command) -> Result<Exit, Stopped> {
    match command {
        Command::Init(args) => init::run(session, &args),
        Command::Validate(args) => Ok(validate::run(session, &args)),
        Command::Fmt(args) => Ok(fmt::run(session, &args)),
        Command::Plan(args) => plan::run(session, &args),
        Command::Apply(args) => apply::run(session, &args),
        Command::Destroy(args) => apply::run(session, &args.as_apply()),
        Command::Show(args) => show::run(session, &args),
        Command::Output(args) => output::run(session, &args),
        Command::State(args) => state::run(session, &args),
        Command::History(args) => history::run(session, &args),
        Command::Console(args) => console::run(session, &args),
        Command::Import(args) => import::run(session, &args),
        Command::Taint(args) => taint::taint(session, &args),
        Command::Untaint(args) => taint::untaint(session, &args),
        Command::Refresh(args) => apply::run(session, &args.as_apply()),
        Command::Workspace(args) => workspace::run(session, &args),
        Command::Test(args) => test::run(session, &args),
        Command::Lock(args) => lock::run(session, &args),
        Command::ForceUnlock(args) => lock::force(session, &args),
        Command::Lsp(_) => lsp::run(session),
        Command::Metadata(args) => Ok(metadata::run(session, &args)),
        Command::Graph(args) => graph::run(session, &args),
        Command::Providers(args) => providers::run(session, &args),
        Command::Drift(args) => drift::run(session, &args),
        Command::Simulate(args) => simulate::run(session, &args),
        Command::Forecast(args) => forecast::run(session, &args),
        Command::Offers(args) => offers::run(session, &args),
        Command::Serve(args) => serve::run(session, args),
        Command::Gateway(args) => gateway::run(session, &args),
        Command::Completions(args) => Ok(completions::run(session, &args)),
        Command::Version(args) => Ok(version::run(session, &args)),
    }
}
