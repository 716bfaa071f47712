//! What `init` does about the place of the states: it chooses it, and moves the states there.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use isobar_sdk::Diagnostic;
use isobar_sdk::diagnostic::sentence;

use super::args::Init;
use super::backend::{self, Chosen};
use super::encryption;
use super::failure::Stopped;
use super::project::{Needs, Project, unreadable};
use super::session::Session;
use crate::apply::check;
use crate::language::{BackendBlock, Sources, parse_file, text};
use crate::package::Installed;
use crate::state::{Backend, State, Store, Workspace};

/// Prepares the place that the configuration names.
pub(super) fn prepare(
    session: &Session,
    args: &Init,
    installed: &Installed,
) -> Result<(), Stopped> {
    if !args.backend {
        return Ok(());
    }
    let settings = installed.config.settings.as_ref();
    let block = settings.and_then(|settings| settings.backend.as_ref());
    let wanted = wanted(session, args, block)?;
    let target = session.open_backend(wanted.as_ref())?;
    // Now, and not when the first apply wants to write.
    let reached = target.reach();
    reached.map_err(|error| check::unreadable(&error))?;
    if wanted.as_ref() == session.chosen() {
        return Ok(());
    }
    if !args.reconfigure {
        unlock(session, args)?;
        bring(session, args, &target)?;
    }
    backend::record(&session.data(), wanted.as_ref())?;
    let place = match &target {
        Backend::Local(_) => "on this machine".to_owned(),
        Backend::Remote(_) | Backend::Web(_) => format!("in {}", target.place()),
    };
    session.shell.tell(&format!("States are kept {place}.\n"));
    Ok(())
}

/// Has the session use the keys of the configuration before that is agreed with, which is what
/// init is for.
fn unlock(session: &Session, args: &Init) -> Result<(), Stopped> {
    let (project, _) = Project::read(session, Needs::Nothing)?;
    let variables = project.given_or_default(session, &args.assignments)?;
    let cipher = encryption::cipher(session, &project, &variables);
    session.settle(cipher.map_err(|wrong| Stopped::new(wrong, &project.sources))?);
    Ok(())
}

/// Where the configuration says, with what `-backend-config` adds to it.
fn wanted(
    session: &Session,
    args: &Init,
    block: Option<&BackendBlock>,
) -> Result<Option<Chosen>, Stopped> {
    let given = given(session, &args.backend_config)?;
    let chosen = match block {
        None => None,
        Some(block) => {
            let (project, _) = Project::read(session, Needs::Nothing)?;
            let variables = project.given_or_default(session, &args.assignments)?;
            let chosen = Chosen::of_block(block, (&project.config, &project.facts), &variables);
            chosen.map_err(|wrong| Stopped::new(wrong, &project.sources))?
        }
    };
    let Some(mut chosen) = chosen else {
        if given.is_empty() {
            return Ok(None);
        }
        let detail = "-backend-config adds to a backend block, but the configuration has none.";
        return Err(Diagnostic::error("C0086", "Backend cannot be used", detail)
            .help("Write isobar { backend \"s3\" { … } }, or leave -backend-config out.")
            .into());
    };
    let before = session.chosen().filter(|before| before.kind == chosen.kind);
    chosen.given = match before {
        // What was given once holds until something else is given.
        Some(before) if given.is_empty() => before.given.clone(),
        _ => given,
    };
    Ok(Some(chosen))
}

/// What `-backend-config` says: pairs, and files of them.
fn given(session: &Session, options: &[String]) -> Result<BTreeMap<String, String>, Stopped> {
    let mut given = BTreeMap::new();
    for option in options {
        if let Some((name, value)) = option.split_once('=') {
            given.insert(name.trim().to_owned(), value.to_owned());
            continue;
        }
        let file = Path::new(option);
        let text = text::read(&session.path(file), text::LONGEST)
            .map_err(|error| unreadable(file, &error))?;
        let name: Arc<str> = option.as_str().into();
        let (body, mut wrong) = parse_file(&name, &text);
        for attribute in &body.attributes {
            match backend::literal(&attribute.value) {
                Ok(Some(value)) => drop(given.insert(attribute.name.to_string(), value)),
                Ok(None) => {}
                Err(fault) => wrong.push(*fault),
            }
        }
        if wrong.has_errors() {
            return Err(wrong.into());
        }
    }
    Ok(given)
}

/// Moves the states of all workspaces, if there are any.
fn bring(session: &Session, args: &Init, target: &Backend) -> Result<(), Stopped> {
    let source = session.open_backend(session.chosen())?;
    let mut states = Vec::new();
    let workspaces = source.workspaces();
    for workspace in workspaces.map_err(|error| check::unreadable(&error))? {
        let store = session.store_of(&source, &workspace)?;
        let state = store.read().map_err(|error| check::unreadable(&error))?;
        if let Some(state) = state {
            states.push((workspace, state));
        }
    }
    if states.is_empty() {
        return Ok(());
    }
    if states.iter().any(|(workspace, _)| !target.takes(workspace)) {
        return Err(narrow(target, &states).into());
    }
    consent(session, args, (&source, target), &states)?;
    let mut text = String::new();
    for (workspace, _) in &states {
        let count = copy(session, workspace, (&source, target))?;
        let noun = if count == 1 { "resource" } else { "resources" };
        text.push_str(&format!(
            "Copied the state of workspace {workspace} ({count} {noun}) and compared the copy.\n"
        ));
    }
    text.push_str(&format!(
        "What is left in {} is not used any more.\n",
        source.place()
    ));
    session.shell.tell(&text);
    Ok(())
}

fn narrow(target: &Backend, states: &[(Workspace, State)]) -> Diagnostic {
    let detail = format!(
        "{} keeps the state of one workspace only, and there are states of {}.",
        target.place(),
        named(states)
    );
    Diagnostic::error("C0090", "States cannot be copied", detail)
        .help("Nothing was copied. Keep the states in another kind of place, or give each workspace a configuration of its own.")
}

/// The workspaces that have states.
fn named(states: &[(Workspace, State)]) -> String {
    let names = states.iter().map(|(workspace, _)| workspace.name());
    names.collect::<Vec<_>>().join(", ")
}

fn consent(
    session: &Session,
    args: &Init,
    (source, target): (&Backend, &Backend),
    states: &[(Workspace, State)],
) -> Result<(), Stopped> {
    if args.force_copy {
        return Ok(());
    }
    let (source, target) = (source.place(), target.place());
    let names = named(states);
    if !args.migrate_state {
        let detail = format!(
            "There are states in {source} ({names}), which would be left behind for {target}."
        );
        return Err(Diagnostic::error("C0089", "States would be left behind", detail)
            .help("Take them along with isobar init -migrate-state, or leave them with isobar init -reconfigure.")
            .into());
    }
    let refused = |detail: String| {
        Diagnostic::error("C0084", "Change of the state cannot be approved", detail)
            .help("Take the states along without a question with isobar init -force-copy.")
    };
    if !args.input || !session.environment.input || !session.shell.terminal().input {
        let detail = "There is no one who could be asked whether to copy the states.";
        return Err(refused(detail.to_owned()).into());
    }
    let question = format!(
        "Copy the states ({names}) from {source} to {target}?\n  Only 'yes' will be accepted.\n\n  Enter a value: "
    );
    let answer = session.shell.ask(&question);
    let answer =
        answer.map_err(|error| refused(format!("The answer could not be read: {error}.")))?;
    if answer == "yes" {
        return Ok(());
    }
    let detail = "The states were not copied.".to_owned();
    Err(refused(detail).into())
}

/// Copies one state under both locks, and reads the copy. Gives the number of its resources.
fn copy(
    session: &Session,
    workspace: &Workspace,
    (source, target): (&Backend, &Backend),
) -> Result<usize, Stopped> {
    let holder = session.environment.holder("init");
    let from = session.store_of(source, workspace)?;
    let to = session.store_of(target, workspace)?;
    if !target
        .has(workspace)
        .map_err(|error| check::unreadable(&error))?
    {
        let made = target.create(workspace, &holder);
        made.map_err(|error| check::locked(&error))?;
    }
    let _reading = from
        .lock(&holder, Duration::ZERO)
        .map_err(|error| check::locked(&error))?;
    let _writing = to
        .lock(&holder, Duration::ZERO)
        .map_err(|error| check::locked(&error))?;
    let read = |store: &Store| -> Result<Option<State>, Stopped> {
        let read = store.read();
        Ok(read.map_err(|error| check::unreadable(&error))?)
    };
    let Some(state) = read(&from)? else {
        return Ok(0);
    };
    let there = read(&to)?;
    if let Some(there) = &there {
        if *there == state {
            return Ok(state.instances.len());
        }
        if there.lineage != state.lineage || there.serial >= state.serial {
            let detail = format!(
                "{} has a state already: version {} of lineage {:?}; the one to copy is version {} of lineage {:?}.",
                to.place(),
                there.serial,
                there.lineage,
                state.serial,
                state.lineage
            );
            return Err(Diagnostic::error("C0090", "States cannot be copied", detail)
                .help("Nothing was overwritten. Name another place, or use what is there with isobar init -reconfigure.")
                .into());
        }
    }
    let written = to.commit(there.as_ref(), &state, &holder);
    if let Some(unkept) = written.map_err(|error| check::unwritable(&error))? {
        let told = check::unkept(&unkept).into();
        session.shell.diagnostics(&told, &Sources::default());
    }
    to.settle().map_err(|error| check::unwritable(&error))?;
    match read(&to)? {
        Some(copy) if copy == state => Ok(state.instances.len()),
        _ => {
            let detail = sentence(&format!(
                "What {} gives back is not what was written",
                to.place()
            ));
            Err(
                Diagnostic::error("C0090", "States cannot be copied", detail)
                    .help("The states are still where they were. Check the place.")
                    .into(),
            )
        }
    }
}
