//! The commands: arguments to effects. The only module that prints or asks its surroundings.
//!
//! - `args` says which commands and flags there are, `dash` how Terraform's flags
//!   become them, `environment` reads everything outside once.
//! - `project` loads a folder, `variables` gives values to its variables, `saved` keeps plans in
//!   files; `failure` turns what the engine refuses into diagnostics.
//! - `shell` prints, `progress` says what is under way, `interrupt` hears Ctrl-C.
//! - Every other file is a command.

mod apply;
mod args;
mod console;
mod dash;
mod environment;
mod failure;
mod forecast;
mod gateway;
mod graph;
mod interrupt;
mod machine;
mod output;
mod plan;
mod progress;
mod project;
mod saved;
mod serve;
mod session;
mod shell;
mod show;
mod state;
mod validate;
mod variables;
mod version;

use std::ffi::OsString;
use std::process::ExitCode;

use args::{Command, Invocation};
use environment::Environment;
use failure::Stopped;
use session::Session;
use shell::{Manner, Shell};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked.
    Success,
    /// It did not, and has said why.
    Failure,
    /// The plan has changes, and the exit code was asked to say so.
    Changes,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Success => 0,
            Exit::Failure => 1,
            Exit::Changes => 2,
        })
    }
}

/// Runs the command that `arguments`, without the name of the program, ask for.
#[must_use]
pub fn run(arguments: Vec<OsString>) -> Exit {
    let environment = Environment::read();
    match args::parse(arguments) {
        Ok(invocation) => dispatch(invocation, environment),
        Err(message) => {
            let shell = Shell::new(&environment.terminal, Manner::Human);
            let exit = if message.use_stderr() {
                shell.tell(&message.render().ansi().to_string());
                Exit::Failure
            } else {
                shell.data(&message.render().ansi().to_string());
                Exit::Success
            };
            shell.finish(exit)
        }
    }
}

fn dispatch(invocation: Invocation, mut environment: Environment) -> Exit {
    environment.terminal.colour &= !invocation.no_color;
    let shell = Shell::new(&environment.terminal, invocation.command.manner());
    let result = Session::open(environment, shell.clone(), invocation.chdir)
        .and_then(|session| command(&session, invocation.command));
    let exit = result.unwrap_or_else(|stopped: Stopped| {
        shell.diagnostics(&stopped.diagnostics, &stopped.sources);
        Exit::Failure
    });
    shell.finish(exit)
}

fn command(session: &Session, command: Command) -> Result<Exit, Stopped> {
    match command {
        Command::Validate(args) => Ok(validate::run(session, &args)),
        Command::Plan(args) => plan::run(session, &args),
        Command::Apply(args) => apply::run(session, &args),
        Command::Destroy(args) => apply::run(session, &args.as_apply()),
        Command::Show(args) => show::run(session, &args),
        Command::Output(args) => output::run(session, &args),
        Command::State(args) => state::run(session, &args),
        Command::Console(args) => console::run(session, &args),
        Command::Graph => graph::run(session),
        Command::Forecast(args) => forecast::run(session, &args),
        Command::Serve(args) => serve::run(session, args),
        Command::Gateway(args) => gateway::run(session, &args),
        Command::Version(args) => Ok(version::run(session, &args)),
    }
}
