//! `isobar plan`, and the plan that `apply` makes.

use std::fs::File;

use isobar_sdk::{Diagnostic, Fault};

use super::Exit;
use super::args::{self, Planning};
use super::environment::{fresh_id, now};
use super::failure::Stopped;
use super::progress::{Phase, Progress};
use super::project::{self, Needs, Project};
use super::saved::Destination;
use super::session::Session;
use crate::plan::{self, Mode, Plan, Refresh, Request, Selection};
use crate::render;

pub(super) fn run(session: &Session, args: &args::Plan) -> Result<Exit, Stopped> {
    copy_events(session, &args.planning)?;
    let out = args.out.as_deref().map(|path| session.path(path));
    let out = out.map(Destination::open).transpose()?;
    let plan = make(session, &args.planning, mode(args.destroy, &args.planning))?;
    show(session, &args.planning, &plan);
    match out {
        Some(destination) => {
            let path = destination.write(&plan)?;
            let path = path.strip_prefix(session.folder()).unwrap_or(&path);
            let path = path.display();
            let mut text = format!("\nThe plan is saved in {path}.");
            if !session.environment.automation {
                text.push_str(&format!(" Apply exactly it with:\n  isobar apply {path}"));
            }
            session.shell.result(&text);
        }
        None if plan.has_changes() && !session.environment.automation => session.shell.result(
            "\nThe plan is not saved: apply makes a new one. Save it with -out=FILE to apply exactly this one.",
        ),
        None => {}
    }
    Ok(if args.detailed_exitcode && plan.has_changes() {
        Exit::Changes
    } else {
        Exit::Success
    })
}

/// What a plan is for.
pub(super) const fn mode(destroy: bool, planning: &Planning) -> Mode {
    match (destroy, planning.refresh_only) {
        (true, _) => Mode::Destroy,
        (false, true) => Mode::RefreshOnly,
        (false, false) => Mode::Normal,
    }
}

/// Makes a plan for the configuration and the state as they are.
pub(super) fn make(session: &Session, planning: &Planning, mode: Mode) -> Result<Plan, Stopped> {
    session.shell.event(render::json::stream::version());
    let needs = match mode {
        Mode::Destroy => Needs::Nothing,
        Mode::Normal | Mode::RefreshOnly => Needs::Configuration,
    };
    let project = Project::load(session, needs)?;
    let given = project.given(session, &planning.assignments)?;
    let state = project::state(session)?;
    let now = now();
    let request = Request {
        config: &project.config,
        sources: &project.sources,
        variables: given.values,
        facts: project.facts.planned_at(now),
        folder: session.folder(),
        registry: &project.registry,
        state: state.as_ref(),
        mode,
        selection: Selection {
            targets: planning.target.clone(),
            excludes: planning.exclude.clone(),
            replace: planning.replace.clone(),
        },
        refresh: if planning.refresh {
            Refresh::Full
        } else {
            Refresh::Skip
        },
        now,
        id: fresh_id(),
        parallelism: planning.parallelism.get(),
    };
    let progress = Progress::begin(&session.shell, Phase::Planning);
    let planned = session.wait_for(plan::propose(&request, &progress));
    drop(progress);
    let (plan, diagnostics) = planned?;
    match plan {
        Some(mut plan) if !diagnostics.has_errors() => {
            plan.given_again = given.again;
            project.settle(session, diagnostics)?;
            Ok(plan)
        }
        _ => Err(Stopped::new(diagnostics, &project.sources)),
    }
}

/// Shows a plan in the manner of the command.
pub(super) fn show(session: &Session, planning: &Planning, plan: &Plan) {
    for event in render::json::stream::plan(plan) {
        session.shell.event(event);
    }
    let style = session.shell.style();
    let text = match planning.concise {
        true => render::concise(plan, &style),
        false => render::plan::human(plan, &style),
    };
    session.shell.result(&text);
}

/// Begins the file that events are written into beside what is printed.
pub(super) fn copy_events(session: &Session, planning: &Planning) -> Result<(), Fault> {
    let Some(path) = &planning.json_into else {
        return Ok(());
    };
    let file = File::create(session.path(path)).map_err(|error| {
        let detail = format!("{}: {error}.", path.display());
        Diagnostic::error("C0057", "Events cannot be written", detail)
            .help("Name a file in a folder that exists and that you may write to.")
    })?;
    session.shell.copy_events(file);
    Ok(())
}
