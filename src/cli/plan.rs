//! `isobar plan`, and the plan that `apply` makes.

use std::fs::File;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use isobar_sdk::{Diagnostic, Diagnostics, Fault};
use jiff::Timestamp;

use super::args::{self, Assignments, Planning};
use super::environment::{fresh_id, now};
use super::failure::Stopped;
use super::generate::Target;
use super::progress::{Phase, Progress};
use super::project::{self, Needs, Project};
use super::saved::Destination;
use super::session::Session;
use super::variables::Found;
use super::{Exit, drawing};
use crate::language::{self, Config, Sources};
use crate::plan::{self, Mode, Plan, Refresh, Request, Selection};
use crate::render;
use crate::state::State;

pub(super) fn run(session: &Session, args: &args::Plan) -> Result<Exit, Stopped> {
    Session::share_work();
    copy_events(session, &args.planning)?;
    let out = args.out.as_deref().map(|path| session.path(path));
    let out = out.map(Destination::open).transpose()?;
    let generated = args.generate_config_out.as_deref();
    let generated = generated
        .map(|path| Target::of(session, path))
        .transpose()?;
    let mode = mode(args.destroy, &args.planning);
    let mut draft = Draft::open(session, &args.planning, mode)?;
    let written = match generated {
        Some(target) => target.fill(session, &mut draft)?,
        None => None,
    };
    let plan = draft.plan(session)?;
    show(session, &args.planning, &plan);
    if let Some(path) = &args.svg {
        drawing::draw(session, &plan, path)?;
    }
    if args.fail_on_shed {
        draft.project.settle(session, shedding(&plan))?;
    }
    if let Some(text) = written {
        session.shell.result(&format!("\n{text}"));
    }
    match out {
        Some(destination) => {
            let path = destination.write(&plan, session.cipher()?.as_deref())?;
            let path = path.strip_prefix(session.folder()).unwrap_or(&path);
            let path = path.display();
            let mut text = format!("\nThe plan is saved in {path}.");
            if !session.environment.automation {
                text.push_str(&format!(" Apply exactly it with:\n  isobar apply {path}"));
            }
            session.shell.prose(&text);
        }
        None if plan.has_changes() && !session.environment.automation => session.shell.prose(
            "\nThe plan is not saved: apply makes a new one. Save it with -out=FILE to apply exactly this one.",
        ),
        None => {}
    }
    let exit = if args.detailed_exitcode && plan.has_changes() {
        Exit::Changes
    } else {
        Exit::Success
    };
    leave((draft, plan));
    Ok(exit)
}

/// What would be shed if something were lost.
fn shedding(plan: &Plan) -> Diagnostics {
    let mut found = Diagnostics::new();
    for (name, planned) in &plan.deployments {
        for loss in planned.sized.losses.iter().filter(|loss| loss.shed > 0.0) {
            let detail = format!(
                "Without {} the zones of deployment.{name} carry {:.1} requests per second and shed {:.1}.",
                loss.zone, loss.remaining_capacity, loss.shed
            );
            let shed = Diagnostic::error("C0142", "Requests would be shed", detail);
            found.push(
                shed.help("Set survive = \"zone\" in its capacity, or leave out -fail-on-shed."),
            );
        }
    }
    found
}

/// Gives up what a command has worked with, now that the process ends: to free it piece by piece
/// takes a tenth of the time that a large plan takes.
pub(super) fn leave<T>(worked_with: T) {
    std::mem::forget(worked_with);
}

/// What a plan is for.
pub(super) const fn mode(destroy: bool, planning: &Planning) -> Mode {
    match (destroy, planning.refresh_only) {
        (true, _) => Mode::Destroy,
        (false, true) => Mode::RefreshOnly,
        (false, false) => Mode::Normal,
    }
}

/// What is to be read for a plan.
fn refresh(mode: Mode, planning: &Planning) -> Result<Refresh, Fault> {
    match (planning.minimal_refresh, planning.refresh) {
        (true, _) if mode == Mode::RefreshOnly => {
            let detail = "To record what is there, everything recorded is read.";
            let fault = Diagnostic::error("C0100", "Refresh that is not minimal", detail);
            Err(fault.help("Leave out -minimal-refresh.").into())
        }
        (true, _) => Ok(Refresh::Minimal),
        (false, true) => Ok(Refresh::Full),
        (false, false) => Ok(Refresh::Skip),
    }
}

/// What a plan is about to be made from.
pub(super) struct Draft {
    project: Project,
    folder: PathBuf,
    given: Found,
    state: Option<State>,
    mode: Mode,
    selection: Selection,
    refresh: Refresh,
    now: Timestamp,
    id: String,
    parallelism: Option<NonZeroUsize>,
}

impl Draft {
    /// Reads configuration, variables and state.
    pub(super) fn open(
        session: &Session,
        planning: &Planning,
        mode: Mode,
    ) -> Result<Self, Stopped> {
        session.shell.event(render::json::stream::version());
        let needs = match mode {
            Mode::Destroy => Needs::Nothing,
            Mode::Normal | Mode::RefreshOnly => Needs::Configuration,
        };
        let ahead = project::state_ahead(session);
        let project = Project::load(session, needs)?;
        let given = project.given(session, &planning.assignments)?;
        let state = project::state_of(session, ahead)?;
        Ok(Self {
            mode,
            selection: Selection {
                targets: planning.target.clone(),
                excludes: planning.exclude.clone(),
                replace: planning.replace.clone(),
            },
            refresh: refresh(mode, planning)?,
            parallelism: planning.parallelism,
            ..Self::new(session, project, given, state)
        })
    }

    /// Reads configuration, variables and state, to hold what is there against them.
    pub(super) fn to_compare(session: &Session, args: &args::Drift) -> Result<Self, Stopped> {
        let ahead = project::state_ahead(session);
        let project = Project::load(session, Needs::Configuration)?;
        let given = project.given(session, &args.assignments)?;
        let state = project::state_of(session, ahead)?;
        Ok(Self {
            selection: Selection {
                targets: args.target.clone(),
                excludes: args.exclude.clone(),
                replace: Vec::new(),
            },
            refresh: Refresh::Full,
            parallelism: args.parallelism,
            ..Self::new(session, project, given, state)
        })
    }

    /// Reads configuration and variables, for a state that was read already.
    pub(super) fn of_state(
        session: &Session,
        assignments: &Assignments,
        state: Option<State>,
    ) -> Result<Self, Stopped> {
        let project = Project::load(session, Needs::Configuration)?;
        let given = project.given(session, assignments)?;
        Ok(Self::new(session, project, given, state))
    }

    fn new(session: &Session, project: Project, given: Found, state: Option<State>) -> Self {
        Self {
            project,
            folder: session.folder().to_owned(),
            given,
            state,
            mode: Mode::Normal,
            selection: Selection::default(),
            refresh: Refresh::Skip,
            now: now(),
            id: fresh_id(),
            parallelism: None,
        }
    }

    /// The configuration.
    pub(super) const fn config(&self) -> &Config {
        &self.project.config
    }

    /// The texts of the configuration.
    pub(super) fn sources(&self) -> &Sources {
        &self.project.sources
    }

    /// Adds a file to the configuration.
    pub(super) fn add(&mut self, name: &str, text: &str) -> Result<(), Stopped> {
        self.project.sources.insert(name, text);
        let (config, diagnostics) = language::load(&self.project.sources);
        if diagnostics.has_errors() {
            return Err(Stopped::new(diagnostics, &self.project.sources));
        }
        self.project.config = config;
        Ok(())
    }

    /// What the engine is asked.
    pub(super) fn request(&self) -> Request<'_> {
        Request {
            config: &self.project.config,
            sources: &self.project.sources,
            variables: self.given.values.clone(),
            facts: self.project.facts.planned_at(self.now),
            folder: &self.folder,
            registry: &self.project.registry,
            state: self.state.as_ref(),
            mode: self.mode,
            selection: self.selection.clone(),
            refresh: self.refresh,
            telemetry: &self.project.telemetry,
            now: self.now,
            id: self.id.clone(),
            parallelism: self.parallelism,
        }
    }

    /// Makes the plan.
    pub(super) fn plan(&self, session: &Session) -> Result<Plan, Stopped> {
        let request = self.request();
        let progress = Progress::begin(&session.shell, Phase::Planning);
        let planned = session.wait_for(plan::propose(&request, &progress));
        drop(progress);
        let (plan, diagnostics) = planned?;
        match plan {
            Some(mut plan) if !diagnostics.has_errors() => {
                plan.given_again = self.given.again.clone();
                self.project.settle(session, diagnostics)?;
                Ok(plan)
            }
            _ => Err(Stopped::new(diagnostics, &self.project.sources)),
        }
    }
}

/// Shows a plan in the manner of the command.
pub(super) fn show(session: &Session, planning: &Planning, plan: &Plan) {
    session.shell.events(|| render::json::stream::plan(plan));
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
