//! `isobar console`

use std::io::BufRead;

use isobar_sdk::Value;

use super::Exit;
use super::args::Console;
use super::environment::now;
use super::failure::Stopped;
use super::project::{self, Needs, Project};
use super::session::Session;
use crate::eval::{Ambient, Scope, evaluate};
use crate::language::{is_incomplete, parse_expression};
use crate::render;
use crate::state::State;

/// The name that diagnostics give to what is typed.
const FILE: &str = "<console>";

pub(super) fn run(session: &Session, args: &Console) -> Result<Exit, Stopped> {
    let project = Project::load(session, Needs::Nothing)?;
    let variables = project.variables(session, &args.assignments)?;
    let mut scope = Scope::new(
        &project.config,
        project.facts.planned_at(now()).acting(),
        variables,
    );
    fill(&mut scope, &project, project::state(session)?.as_ref());
    let mut console = Reader {
        session,
        project: &project,
        scope: &scope,
        pending: String::new(),
        failed: false,
    };
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        if console.read(&line) == Next::End {
            break;
        }
    }
    console.finish();
    Ok(if console.failed {
        Exit::Failure
    } else {
        Exit::Success
    })
}

/// Gives every block a value: what is recorded, or else something to be known after apply.
fn fill(scope: &mut Scope<'_>, project: &Project, state: Option<&State>) {
    for (kind, name) in project.config.declarations.keys() {
        scope.set_block(kind, name, Value::unknown());
    }
    let recorded = state.into_iter().flat_map(|state| &state.instances);
    // Native resources belong to a deployment and not to a block of their own.
    for (address, instance) in recorded.filter(|(address, _)| address.native.is_none()) {
        scope.set_instance(address, instance.attributes.value().clone());
    }
}

/// Whether there is more to read.
#[derive(PartialEq, Eq)]
enum Next {
    More,
    End,
}

struct Reader<'a> {
    session: &'a Session,
    project: &'a Project,
    scope: &'a Scope<'a>,
    /// Lines of an expression that goes on.
    pending: String,
    failed: bool,
}

impl Reader<'_> {
    /// Takes one line.
    fn read(&mut self, line: &str) -> Next {
        if self.pending.is_empty() && line.trim() == "exit" {
            return Next::End;
        }
        self.pending.push_str(line);
        self.pending.push('\n');
        if !is_incomplete(&self.pending) {
            self.finish();
        }
        Next::More
    }

    /// Evaluates what was read so far.
    fn finish(&mut self) {
        let text = std::mem::take(&mut self.pending);
        if text.trim().is_empty() {
            return;
        }
        let mut sources = self.project.sources.clone();
        let file = sources.insert(FILE, text.as_str());
        let value = parse_expression(&file, text.trim_end())
            .and_then(|located| evaluate(&located, self.scope, &Ambient::None));
        match value {
            Ok(value) => self.session.shell.result(&render::console(&value)),
            Err(fault) => {
                self.failed = true;
                self.session.shell.diagnostics(&(*fault).into(), &sources);
            }
        }
    }
}
