//! `isobar console`

use std::collections::BTreeMap;
use std::io::BufRead;
use std::sync::Arc;

use isobar_sdk::{Diagnostic, Diagnostics, Fault, Type, Value};

use super::Exit;
use super::args::Console;
use super::environment::now;
use super::failure::Stopped;
use super::project::{Needs, Project};
use super::prompt::{Prompt, Typed};
use super::recorded::store;
use super::session::Session;
use crate::apply;
use crate::apply::check::unreadable;
use crate::eval::{Ambient, Scope, evaluate, functions};
use crate::event::Silent;
use crate::language::expression::Kind;
use crate::language::{Expression, Located, is_blank, is_incomplete, parse_expression};
use crate::plan::{self, Mode, Names, Plan, Recall, Refresh, Request, Selection};
use crate::render;
use crate::state::State;

/// The name that diagnostics give to what is typed.
const FILE: &str = "<console>";

pub(super) fn run(session: &Session, args: &Console) -> Result<Exit, Stopped> {
    let project = Project::load(session, Needs::Nothing)?;
    let store = store(session, args.which.state.as_deref())?;
    let state = store.read().map_err(|error| unreadable(&error))?;
    let assignments = &args.assignments;
    let variables = match args.plan {
        true => project.variables(session, assignments)?,
        false => project.given_or_default(session, assignments)?,
    };
    let request = request(session, &project, variables, state.as_ref());
    let stopped = |wrong| Stopped::new(wrong, &project.sources);
    let (plan, recall);
    let (frames, found) = if args.plan {
        plan = planned(session, &project, request)?;
        apply::frames(&project.config, &project.registry, &plan)
    } else {
        recall = (Recall::of(&request).map_err(stopped)?, request);
        session.wait_for(recall.0.frames(&recall.1))?
    };
    session.shell.diagnostics(&found, &project.sources);
    if found.has_errors() {
        let note = "What rests on these is not known here.";
        session.shell.tell(note);
    }
    let nothing = Scope::new(&project.config, project.facts.clone(), BTreeMap::new());
    let scope = frames.get(&[]).unwrap_or(&nothing);
    answer(session, &project, scope)
}

/// The plan in whose values questions are answered.
fn planned(session: &Session, project: &Project, request: Request<'_>) -> Result<Plan, Stopped> {
    let request = Request {
        facts: project.facts.planned_at(request.now),
        mode: Mode::Normal,
        refresh: Refresh::Full,
        ..request
    };
    let (plan, found) = session.wait_for(plan::propose(&request, &Silent))?;
    let Some(plan) = plan.filter(|_| !found.has_errors()) else {
        return Err(Stopped::new(found, &project.sources));
    };
    project.settle(session, found)?;
    Ok(plan)
}

/// Answers what is asked, on a terminal or through a pipe.
fn answer(session: &Session, project: &Project, scope: &Scope<'_>) -> Result<Exit, Stopped> {
    let mut console = Reader {
        session,
        project,
        scope,
        pending: String::new(),
        failed: false,
    };
    let terminal = session.shell.terminal();
    if terminal.input && terminal.output {
        converse(&mut console)?;
        // Who types sees what failed.
        console.failed = false;
    } else {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if console.read(&line) == Next::End {
                break;
            }
        }
        console.finish();
    }
    Ok(if console.failed {
        Exit::Failure
    } else {
        Exit::Success
    })
}

/// Answers what is typed, until the end.
fn converse(console: &mut Reader<'_>) -> Result<(), Fault> {
    let history = console.session.data().join("console_history");
    let mut prompt = Prompt::new(names(console.project), history).map_err(|error| {
        let detail = format!("The terminal cannot be used: {error}.");
        Diagnostic::error("C0083", "No terminal to talk to", detail)
            .help("Give the expressions to the standard input, one a line.")
    })?;
    loop {
        let sign = match console.pending.is_empty() {
            true => "> ",
            false => ": ",
        };
        match prompt.line(sign) {
            Typed::Line(line) => {
                if console.read(&line) == Next::End {
                    return Ok(());
                }
            }
            Typed::Dropped => console.pending.clear(),
            Typed::End => return Ok(()),
        }
    }
}

/// What can be named in an expression.
fn names(project: &Project) -> Vec<String> {
    let config = &project.config;
    let variables = config.variables.keys().map(|name| format!("var.{name}"));
    let locals = config.locals.keys().map(|name| format!("local.{name}"));
    let modules = config.calls.iter().flat_map(|(name, call)| {
        let outputs = call.config.outputs.keys();
        outputs.map(move |output| format!("module.{name}.{output}"))
    });
    let blocks = config.declarations.keys();
    let blocks = blocks.map(|(kind, name)| format!("{kind}.{name}"));
    let data = config.data.keys();
    let data = data.map(|(kind, name)| format!("data.{kind}.{name}"));
    let offered = project.registry.functions();
    let functions = functions::names()
        .map(ToOwned::to_owned)
        .chain(offered.names());
    let functions = functions.map(|name| format!("{name}("));
    let all = variables.chain(locals).chain(modules).chain(blocks);
    all.chain(data).chain(functions).collect()
}

/// What values are asked for: nothing is planned, and nothing that is recorded is read again,
/// unless that is asked for.
fn request<'a>(
    session: &'a Session,
    project: &'a Project,
    variables: BTreeMap<Arc<str>, Value>,
    state: Option<&'a State>,
) -> Request<'a> {
    let now = now();
    Request {
        config: &project.config,
        sources: &project.sources,
        variables,
        facts: project.facts.planned_at(now).acting(),
        folder: session.folder(),
        registry: &project.registry,
        state,
        mode: Mode::RefreshOnly,
        selection: Selection::default(),
        refresh: Refresh::Skip,
        telemetry: &project.telemetry,
        now,
        id: String::new(),
        parallelism: None,
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
        if is_blank(&text) {
            return;
        }
        let mut sources = self.project.sources.clone();
        let file = sources.insert(FILE, text.as_str());
        let answer = parse_expression(&file, &text)
            .map_err(|fault| Diagnostics::from(*fault))
            .and_then(|located| self.answer(&located));
        match answer {
            Ok(answer) => self.session.shell.result(&answer),
            Err(diagnostics) => {
                self.failed = true;
                self.session.shell.diagnostics(&diagnostics, &sources);
            }
        }
    }

    /// What is printed for an expression. `type(…)` around the whole of it asks for its type.
    fn answer(&self, located: &Located) -> Result<String, Diagnostics> {
        let missing = Names::missing(&self.project.config, located);
        if missing.has_errors() {
            return Err(missing);
        }
        if let Some(argument) = typed(&located.root) {
            if typed(argument).is_some() {
                return Ok("type".to_owned());
            }
            let value = self.value(&located.file, argument)?;
            return Ok(render::console_type(&Type::of(&value)));
        }
        let value = self.value(&located.file, &located.root)?;
        Ok(render::console(&value))
    }

    fn value(&self, file: &Arc<str>, expression: &Expression) -> Result<Value, Diagnostics> {
        let located = Located {
            file: Arc::clone(file),
            root: expression.clone(),
        };
        evaluate(&located, self.scope, &Ambient::None).map_err(|fault| (*fault).into())
    }
}

/// The argument of `type(…)`.
fn typed(expression: &Expression) -> Option<&Expression> {
    match &expression.kind {
        Kind::Call(call) if &*call.name == "type" && !call.expand_last => {
            let [argument] = call.arguments.as_slice() else {
                return None;
            };
            Some(argument)
        }
        _ => None,
    }
}
