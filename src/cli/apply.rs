//! `isobar apply` and `isobar destroy`

use std::path::Path;

use isobar_sdk::Diagnostic;

use super::args;
use super::emergency;
use super::environment::{fresh_id, now};
use super::failure::Stopped;
use super::interrupt;
use super::plan::{self as planning, Draft, mode};
use super::progress::{Phase, Progress};
use super::project::{self, Needs, Project};
use super::session::Session;
use super::{Exit, saved};
use crate::apply::{self, Report, Request, check};
use crate::language::Config;
use crate::plan::{Mode, Plan};
use crate::render;
use crate::state::{Guard, Holder, Store};
use isobar_sdk::Fault;

pub(super) fn run(session: &Session, args: &args::Apply) -> Result<Exit, Stopped> {
    Session::share_work();
    planning::copy_events(session, &args.planning)?;
    let operation = if args.destroy { "destroy" } else { "apply" };
    let holder = session.environment.holder(operation);
    let store = session.store()?;
    // No one looks at this plan before it is carried out, so that nothing speaks against making
    // it under the lock: several that come at once take their turns.
    let guard = if args.auto_approve && args.file.is_none() {
        let taken = store.lock(&holder, session.patience());
        Some(taken.map_err(|error| check::locked(&error))?)
    } else {
        None
    };
    let (draft, plan) = match &args.file {
        Some(file) => (None, saved_plan(session, args, file)?),
        None => {
            check_approval(session, args)?;
            let mode = mode(args.destroy, &args.planning);
            let draft = Draft::open(session, &args.planning, mode)?;
            let plan = draft.plan(session)?;
            planning::show(session, &args.planning, &plan);
            if plan.has_changes() && !args.auto_approve && !approved(session, mode)? {
                session.shell.tell("Nothing was changed.");
                return Ok(Exit::Failure);
            }
            (Some(draft), plan)
        }
    };
    let config = draft.as_ref().map(Draft::config);
    let report = carry_out(
        session,
        (&plan, config),
        args,
        (&store, &holder, guard.as_ref()),
    )?;
    let exit = conclude(session, &plan, &report);
    planning::leave((draft, plan, report));
    Ok(exit)
}

/// The plan in a file, if it still holds.
fn saved_plan(session: &Session, args: &args::Apply, file: &Path) -> Result<Plan, Stopped> {
    let planning = &args.planning;
    if args.destroy || planning.refresh_only || planning.minimal_refresh {
        let detail = "A saved plan is applied as it is: its purpose is in it.";
        return Err(
            Diagnostic::error("C0020", "Saved plan with planning options", detail)
                .help("Leave out -destroy, -refresh-only and -minimal-refresh, or make a new plan with them.")
                .into(),
        );
    }
    session.shell.event(render::json::stream::version());
    let mut plan = saved::read(session, &session.path(file))?;
    let (project, _) = Project::read(session, Needs::Nothing)?;
    plan.facts.machine = project.facts.machine.clone();
    plan.facts.library = project.facts.library.clone();
    let state = project::state(session)?;
    saved::of_workspace(&plan, session.workspace())?;
    saved::check(&plan, state.as_ref(), &project.sources, now())?;
    let again = project.given_again(session, &planning.assignments, &plan)?;
    plan.variables.extend(again.values);
    Ok(plan)
}

/// Whether the question can be asked that will be, before any work is done for it.
fn check_approval(session: &Session, args: &args::Apply) -> Result<(), Fault> {
    if args.auto_approve {
        return Ok(());
    }
    let why = if args.planning.json {
        "With -json no question is asked."
    } else if !args.planning.input || !session.environment.input {
        "With -input=false or ISOBAR_INPUT=0 no question is asked."
    } else if !session.shell.terminal().input {
        "There is no terminal on which the plan could be approved."
    } else {
        return Ok(());
    };
    Err(unapproved(why.to_owned()))
}

/// A plan that nobody can say yes to.
fn unapproved(why: String) -> Fault {
    Diagnostic::error("C0021", "Plan cannot be approved", why)
        .help("Save a plan with plan -out=FILE, look at it and apply FILE; or apply at once with -auto-approve.")
        .into()
}

fn approved(session: &Session, mode: Mode) -> Result<bool, Fault> {
    let question = match mode {
        Mode::Normal => "Do you want to make these changes?",
        Mode::Destroy => "Do you really want to destroy all of this? It cannot be undone.",
        Mode::RefreshOnly => "Do you want to record what is there?",
    };
    let question = format!("\n{question}\n  Only 'yes' will be accepted.\n\n  Enter a value: ");
    session
        .shell
        .ask(&question)
        .map(|answer| answer == "yes")
        .map_err(|error| unapproved(format!("The answer could not be read: {error}.")))
}

fn carry_out(
    session: &Session,
    (plan, config): (&Plan, Option<&Config>),
    args: &args::Apply,
    (store, holder, guard): (&Store, &Holder, Option<&Guard>),
) -> Result<Report, Stopped> {
    let registry = project::registry(session);
    let progress = Progress::begin(&session.shell, Phase::Applying(plan.actions().count()));
    session.wait_for(async {
        let interrupted = interrupt::listen(session.shell.clone(), progress.under_way());
        let request = Request {
            plan,
            config,
            registry: &registry,
            store,
            holder,
            guard,
            patience: session.patience(),
            now: now(),
            new_lineage: fresh_id(),
            parallelism: args.planning.parallelism,
            interrupted,
        };
        apply::apply(request, &progress).await
    })
}

/// Tells what became of it.
fn conclude(session: &Session, plan: &Plan, report: &Report) -> Exit {
    let shell = &session.shell;
    shell.diagnostics(&report.diagnostics, &plan.sources);
    if let Some(state) = &report.unsaved {
        let told = emergency::save(session, state).into();
        shell.diagnostics(&told, &plan.sources);
    }
    shell.events(|| render::json::stream::report(report, plan.mode));
    shell.result(&format!("\n{}", render::plan::applied(report, plan.mode)));
    let outputs = report.state.as_ref().map(render::plan::outputs_block);
    if let Some(outputs) = outputs.filter(|outputs| !outputs.is_empty()) {
        shell.result(&format!("\n{outputs}"));
    }
    if report.interrupted || report.diagnostics.has_errors() {
        Exit::Failure
    } else {
        Exit::Success
    }
}
