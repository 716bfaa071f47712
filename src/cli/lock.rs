//! `isobar lock` and `isobar force-unlock`

use isobar_sdk::Diagnostic;

use super::Exit;
use super::args::{ForceUnlock, Lock as Args, LockCommand};
use super::failure::Stopped;
use super::session::Session;
use crate::apply::check;
use crate::render;
use crate::state::{RemoteError, Store, StoreError};

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit, Stopped> {
    match &args.command {
        LockCommand::List { json } => list(session, *json),
        LockCommand::Break { id, force } => take(session, id, *force),
    }
}

/// `force-unlock`
pub(super) fn force(session: &Session, args: &ForceUnlock) -> Result<Exit, Stopped> {
    take(session, &args.id, args.force)
}

fn list(session: &Session, json: bool) -> Result<Exit, Stopped> {
    let backend = session.backend()?;
    let workspaces = backend.workspaces();
    let mut found = Vec::new();
    for workspace in workspaces.map_err(|error| check::unreadable(&error))? {
        let store = backend.store(&workspace);
        let held = store.holder().map_err(|error| check::locked(&error))?;
        found.extend(held.map(|held| (workspace.name().to_owned(), held)));
    }
    if json {
        session.shell.document(&render::json::locks(&found));
    } else if found.is_empty() {
        session.shell.result("Nothing is locked.");
    } else {
        let lines = found.iter().map(|(workspace, held)| {
            let by = &held.holder;
            let seen = held
                .renewed
                .as_ref()
                .map(|seen| format!(", last seen {seen}"));
            format!(
                "{workspace}: {} by {} (process {}) since {}{}\n  id {}",
                by.operation,
                by.who,
                by.pid,
                by.since,
                seen.unwrap_or_default(),
                by.id
            )
        });
        session.shell.result(&lines.collect::<Vec<_>>().join("\n"));
    }
    Ok(Exit::Success)
}

/// Takes the lock of the selected workspace away from its holder.
fn take(session: &Session, id: &str, force: bool) -> Result<Exit, Stopped> {
    let store = session.store()?;
    if let Store::Web(web) = &store {
        if !force && !approved(session, "whoever holds it")? {
            session.shell.tell("Nothing was changed.");
            return Ok(Exit::Failure);
        }
        web.unlock(id).map_err(|error| check::unreadable(&error))?;
        session.shell.result("The server has given the lock up.");
        return Ok(Exit::Success);
    }
    let held = store.holder().map_err(|error| check::locked(&error))?;
    let Some(held) = held.filter(|held| held.holder.id == id) else {
        return Err(not_held(id, &store.place()).into());
    };
    let Store::Remote(remote) = &store else {
        let detail = format!(
            "Process {} on this machine holds the lock of {}; the system gives it up when that ends.",
            held.holder.pid,
            store.place()
        );
        return Err(Diagnostic::error("C0092", "Lock cannot be broken", detail)
            .help("End the process, if it is no longer wanted.")
            .into());
    };
    if !force && !approved(session, &held.holder.who)? {
        session.shell.tell("Nothing was changed.");
        return Ok(Exit::Failure);
    }
    match remote.break_lease(id) {
        Ok(_) => {}
        Err(StoreError::Remote {
            source: RemoteError::Fault(isobar_stores::Fault::Conflict { .. }),
            ..
        }) => return Err(not_held(id, &store.place()).into()),
        Err(error) => return Err(check::unreadable(&error).into()),
    }
    session.shell.result(
        "The lock is broken. Whoever held it can no longer write; what they did before is in the log.",
    );
    Ok(Exit::Success)
}

fn approved(session: &Session, who: &str) -> Result<bool, Stopped> {
    let refused = |detail: String| {
        Diagnostic::error("C0084", "Change of the state cannot be approved", detail)
            .help("Break the lock without a question with -force.")
    };
    if !session.environment.input || !session.shell.terminal().input {
        let detail = "There is no one who could be asked whether to break the lock.";
        return Err(refused(detail.to_owned()).into());
    }
    let question = format!(
        "Break the lock of {who}? An apply that still runs is stopped by that.\n  Only 'yes' will be accepted.\n\n  Enter a value: "
    );
    let answer = session.shell.ask(&question);
    let answer =
        answer.map_err(|error| refused(format!("The answer could not be read: {error}.")))?;
    Ok(answer == "yes")
}

fn not_held(id: &str, place: &str) -> Diagnostic {
    let detail = format!("{place} is not locked under the id {id:?}.");
    Diagnostic::error("C0091", "Lock is not held", detail)
        .help("See who holds what with isobar lock list.")
}
