//! `isobar history`

use isobar_sdk::diagnostic::sentence;
use isobar_sdk::{Diagnostic, Fault};

use super::Exit;
use super::args::{History as Args, HistoryCommand};
use super::failure::Stopped;
use super::handover;
use super::recorded::{Closed, Recorded};
use super::session::Session;
use crate::render;
use crate::state::{State, Store, Version};

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit, Stopped> {
    let store = session.store()?;
    let shell = &session.shell;
    match &args.command {
        None => list(session, &versions(&store)?, args.json),
        Some(HistoryCommand::Show { serial, json }) => {
            let (_, state) = find(&store, *serial)?;
            if *json {
                shell.document(&render::json::state(&state));
            } else {
                shell.result(&render::state::human(&state));
            }
        }
        Some(HistoryCommand::Diff { from, to, json }) => {
            let ((_, before), (_, after)) = (find(&store, *from)?, find(&store, *to)?);
            if *json {
                shell.document(&render::json::difference(&before, &after));
            } else {
                let text = render::history::difference(&before, &after, &shell.style());
                let same = text.is_empty();
                shell.result(if same { "Nothing differs." } else { &text });
            }
        }
        Some(HistoryCommand::Restore {
            serial,
            json,
            auto_approve,
            ..
        }) => return restore(session, &store, *serial, (*json, *auto_approve)),
    }
    Ok(Exit::Success)
}

fn list(session: &Session, versions: &[Version], json: bool) {
    let shell = &session.shell;
    if json {
        shell.document(&render::json::versions(versions));
    } else if versions.is_empty() {
        shell.result("There are no versions.");
    } else {
        shell.result(&render::history::versions(versions));
    }
}

fn versions(store: &Store) -> Result<Vec<Version>, Fault> {
    let versions = store.versions().map_err(|error| unreadable(&error))?;
    versions.ok_or_else(|| {
        let detail = format!("A web server keeps one state: {} has no versions.", store.place());
        Diagnostic::error("C0095", "No history there", detail)
            .help("Look whether the server keeps versions of its own, or keep the state in another place.")
            .into()
    })
}

fn unreadable(error: &std::io::Error) -> Fault {
    let detail = sentence(&error.to_string());
    Diagnostic::error("C0096", "Version cannot be read", detail)
        .help("List the versions with isobar history, and take another one.")
        .into()
}

/// The newest version with a serial.
fn find(store: &Store, serial: u64) -> Result<(Version, State), Fault> {
    let mut all = versions(store)?;
    let Some(place) = all.iter().rposition(|version| version.serial == serial) else {
        let detail = match (all.first(), all.last()) {
            (Some(first), Some(last)) => format!(
                "The history has no version {serial}; it goes from {} to {}.",
                first.serial, last.serial
            ),
            _ => format!("The history has no version {serial}; it is empty."),
        };
        return Err(Diagnostic::error("C0097", "No such version", detail)
            .help("List the versions with isobar history.")
            .into());
    };
    let version = all.swap_remove(place);
    let text = store
        .version(&version)
        .map_err(|error| unreadable(&error))?;
    let state = crate::state::from_json(&text).map_err(|error| {
        let reason = format!("version {serial}: {error}");
        unreadable(&std::io::Error::other(reason))
    })?;
    Ok((version, state))
}

fn restore(
    session: &Session,
    store: &Store,
    serial: u64,
    (json, auto_approve): (bool, bool),
) -> Result<Exit, Stopped> {
    let (version, _) = find(store, serial)?;
    let shell = &session.shell;
    if !auto_approve {
        shell.tell(&format!(
            "The state becomes again what it was in version {serial}, written at {} by {}. What was made or removed since stays as it is, and the next plan tells.",
            version.at, version.command
        ));
        if !handover::approved(session)? {
            shell.tell("Nothing was changed.");
            return Ok(Exit::Failure);
        }
    }
    // The version could be decrypted, so that the configured key is not just a wrong one.
    let closed = Closed::SetAside;
    let recorded = Recorded::over(session, store.clone(), "history restore", closed)?;
    let (_, old) = find(store, serial)?;
    let newest = versions(store)?.iter().map(|version| version.serial).max();
    let mut state = match &recorded.before {
        Some(before) if before.lineage != old.lineage => return Err(other_life(serial).into()),
        Some(_) => old,
        // What an interrupted apply has done to this very version is not lost with the file.
        None => {
            let salvaged = store.salvaged(old);
            salvaged
                .map_err(|error| crate::apply::check::unreadable(&error))?
                .0
        }
    };
    let present = recorded.before.as_ref().map(|before| before.serial);
    state.serial = present.max(newest).unwrap_or(serial) + 1;
    recorded.write(&state)?;
    if json {
        shell.document(&serde_json::json!({ "restored": serial, "serial": state.serial }));
    } else {
        shell.result(&format!(
            "The state is now version {}, which says what version {serial} said.",
            state.serial
        ));
    }
    Ok(Exit::Success)
}

fn other_life(serial: u64) -> Diagnostic {
    let detail = format!("Version {serial} is of another lineage than the state that is there.");
    Diagnostic::error("C0098", "Version of another state", detail)
        .help("Nothing was written. Take a version that was written since the state was replaced.")
}
