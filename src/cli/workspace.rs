//! `isobar workspace`

use std::io::{self, Write};
use std::path::Path;

use isobar_sdk::diagnostic::closest;
use isobar_sdk::{Diagnostic, Fault};

use super::Exit;
use super::args::{Workspace as Args, WorkspaceCommand};
use super::environment::fresh_id;
use super::failure::Stopped;
use super::recorded::{self, Recorded};
use super::session::Session;
use crate::apply::check;
use crate::language::text;
use crate::state::{Backend, State, Workspace};

/// The file, in the folder for data, that names the selected workspace.
const SELECTED: &str = "workspace";

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit, Stopped> {
    match &args.command {
        WorkspaceCommand::List => list(session)?,
        WorkspaceCommand::Show => session.shell.result(session.workspace().name()),
        WorkspaceCommand::New { name, state } => {
            create(session, &named(name)?, state.as_deref())?;
        }
        WorkspaceCommand::Select { name, or_create } => {
            select(session, &named(name)?, *or_create)?;
        }
        WorkspaceCommand::Delete { name, force } => delete(session, &named(name)?, *force)?,
    }
    Ok(Exit::Success)
}

/// The selected workspace: that of the environment, else that of the file in `data`, else the
/// default one.
pub(super) fn selected(overriding: Option<&str>, data: &Path) -> Result<Workspace, Fault> {
    if let Some(name) = overriding {
        return named(name);
    }
    let file = data.join(SELECTED);
    match text::read_ordinary(&file, text::LONGEST) {
        Ok(text) => named(text.trim_end()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Workspace::default()),
        Err(error) => Err(unusable(&file, &error)),
    }
}

fn named(name: &str) -> Result<Workspace, Fault> {
    name.parse().map_err(|error| {
        let detail = isobar_sdk::diagnostic::sentence(&format!("{error}"));
        Diagnostic::error("C0045", "Invalid name of a workspace", detail)
            .help("Use letters, digits, dashes, underscores and dots.")
            .into()
    })
}

fn list(session: &Session) -> Result<(), Stopped> {
    let all = all(session)?;
    let mut text = String::new();
    for workspace in &all {
        let star = if workspace == session.workspace() {
            "*"
        } else {
            " "
        };
        text.push_str(&format!("{star} {workspace}\n"));
    }
    session.shell.data(&text);
    if let Some(name) = &session.environment.workspace {
        session
            .shell
            .tell(&format!("\nISOBAR_WORKSPACE selects {name:?}."));
    }
    Ok(())
}

fn all(session: &Session) -> Result<Vec<Workspace>, Stopped> {
    let all = session.backend()?.workspaces();
    Ok(all.map_err(|error| check::unreadable(&error))?)
}

fn has(backend: &Backend, workspace: &Workspace) -> Result<bool, Stopped> {
    let has = backend.has(workspace);
    Ok(has.map_err(|error| check::unreadable(&error))?)
}

/// Refuses to select while the environment does.
fn selectable(session: &Session, workspace: &Workspace) -> Result<(), Fault> {
    match &session.environment.workspace {
        Some(name) if name != workspace.name() => {
            let detail = format!(
                "The environment selects workspace {name:?}, so selecting {workspace} would have no effect."
            );
            Err(
                Diagnostic::error("C0046", "Workspace is selected by the environment", detail)
                    .help("Unset ISOBAR_WORKSPACE, or set it to the workspace that you want.")
                    .into(),
            )
        }
        _ => Ok(()),
    }
}

fn create(session: &Session, workspace: &Workspace, state: Option<&Path>) -> Result<(), Stopped> {
    selectable(session, workspace)?;
    let backend = session.backend()?;
    if has(&backend, workspace)? {
        let detail = format!("There is a workspace {workspace} already.");
        return Err(Diagnostic::error("C0044", "Workspace exists", detail)
            .help(format!("Select it with workspace select {workspace}."))
            .into());
    }
    let state = state
        .map(|file| recorded::from_file(session, file))
        .transpose()?;
    let holder = session.environment.holder("workspace new");
    let made = backend.create(workspace, &holder);
    made.map_err(|error| check::locked(&error))?;
    if let Some(state) = state {
        let store = session.store_of(&backend, workspace)?;
        let recorded = Recorded::open(session, store, "workspace new")?;
        recorded.write(&State {
            lineage: fresh_id(),
            serial: 1,
            ..state
        })?;
    }
    choose(session, workspace)?;
    session.shell.result(&format!(
        "Workspace {workspace} is made and selected. It has a state of its own."
    ));
    Ok(())
}

fn select(session: &Session, workspace: &Workspace, or_create: bool) -> Result<(), Stopped> {
    selectable(session, workspace)?;
    if !has(&session.backend()?, workspace)? {
        if or_create {
            return create(session, workspace, None);
        }
        return Err(missing(session, workspace)?.into());
    }
    if workspace == session.workspace() {
        return Ok(());
    }
    choose(session, workspace)?;
    session
        .shell
        .result(&format!("Workspace {workspace} is selected."));
    Ok(())
}

fn delete(session: &Session, workspace: &Workspace, force: bool) -> Result<(), Stopped> {
    let kept = if workspace.is_default() {
        Some("The default workspace is always there.")
    } else if workspace == session.workspace() {
        Some("It is selected. Select another one first.")
    } else {
        None
    };
    if let Some(why) = kept {
        let detail = format!("Workspace {workspace} cannot be deleted.");
        return Err(Diagnostic::error("C0047", "Workspace is needed", detail)
            .help(why)
            .into());
    }
    let backend = session.backend()?;
    if !has(&backend, workspace)? {
        return Err(missing(session, workspace)?.into());
    }
    let store = session.store_of(&backend, workspace)?;
    let recorded = Recorded::open(session, store, "workspace delete")?;
    let tracked = recorded.before.iter().flat_map(|state| {
        let names = state.instances.keys().chain(state.pending.keys());
        names.map(ToString::to_string)
    });
    let tracked: std::collections::BTreeSet<String> = tracked.collect();
    if !tracked.is_empty() && !force {
        return Err(not_empty(workspace, &tracked).into());
    }
    let removed = backend.remove(workspace);
    removed.map_err(|error| check::unwritable(&error))?;
    session
        .shell
        .result(&format!("Workspace {workspace} is deleted."));
    if !tracked.is_empty() {
        session.shell.tell(&format!(
            "Warning: {} resources that it had may still be there; Isobar no longer knows of them.",
            tracked.len()
        ));
    }
    Ok(())
}

fn not_empty(workspace: &Workspace, tracked: &std::collections::BTreeSet<String>) -> Diagnostic {
    const SHOWN: usize = 10;
    let mut names: Vec<String> = tracked
        .iter()
        .take(SHOWN)
        .map(|name| format!("  {name}"))
        .collect();
    if tracked.len() > SHOWN {
        names.push(format!("  and {} more", tracked.len() - SHOWN));
    }
    let detail = format!(
        "The state of workspace {workspace} has resources, which would be forgotten, not destroyed:\n{}",
        names.join("\n")
    );
    Diagnostic::error("C0048", "Workspace is not empty", detail)
        .help("Destroy them first. With -force they are forgotten.")
}

fn missing(session: &Session, workspace: &Workspace) -> Result<Diagnostic, Stopped> {
    let all = all(session)?;
    let help = closest(workspace.name(), all.iter().map(Workspace::name)).map_or_else(
        || {
            format!(
                "Make it with workspace new {workspace}, or with workspace select -or-create {workspace}."
            )
        },
        |meant| format!("Did you mean {meant:?}?"),
    );
    let detail = format!("There is no workspace {workspace}.");
    Ok(Diagnostic::error("C0043", "No such workspace", detail).help(help))
}

/// Writes which workspace is selected, whole or not at all.
fn choose(session: &Session, workspace: &Workspace) -> Result<(), Fault> {
    let data = session.data();
    let write = || -> io::Result<()> {
        std::fs::create_dir_all(&data)?;
        let mut file = tempfile::NamedTempFile::new_in(&data)?;
        file.write_all(workspace.name().as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(data.join(SELECTED))
            .map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| unusable(&data.join(SELECTED), &error))
}

fn unusable(path: &Path, error: &io::Error) -> Fault {
    let detail = format!("{}: {error}.", path.display());
    Diagnostic::error("C0049", "Workspaces cannot be used", detail)
        .help("Check that the folder exists and that you may write to it.")
        .into()
}
