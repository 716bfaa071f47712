//! `isobar state`: to look into the state, and to change what it records without touching what
//! is there.

use std::fmt::Write;
use std::io::Read;
use std::path::Path;

use isobar_sdk::address::Place;
use isobar_sdk::diagnostic::closest;
use isobar_sdk::{Address, Diagnostic, Fault, Value};

use super::Exit;
use super::args::{State as Args, StateCommand};
use super::failure::Stopped;
use super::project::unreadable;
use super::recorded::{self, Closed, Recorded, edit, store};
use super::session::Session;
use super::{handover, transfer};
use crate::apply::check;
use crate::render;
use crate::state::{Damage, Instance, LocalStore, State, Store, StoreError, to_json};

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit, Stopped> {
    match &args.command {
        StateCommand::List {
            addresses,
            id,
            which,
        } => {
            let state = recorded::read(&store(session, which.state.as_deref())?)?;
            session.shell.data(&list(&state, addresses, id.as_deref())?);
        }
        StateCommand::Show {
            address,
            json,
            which,
        } => {
            let state = recorded::read(&store(session, which.state.as_deref())?)?;
            show(session, &state, address, *json)?;
        }
        StateCommand::Mv(args) => transfer::run(session, args)?,
        StateCommand::Rm {
            addresses,
            dry_run,
            which,
            ..
        } => {
            let store = store(session, which.state.as_deref())?;
            let text = if *dry_run {
                would_remove(&recorded::read(&store)?, addresses)
            } else {
                edit(session, store, "state rm", |state| remove(state, addresses))?
            };
            session.shell.data(&text);
        }
        StateCommand::Pull => pull(session)?,
        StateCommand::Push { path, force, .. } => push(session, path, *force)?,
        StateCommand::ReplaceProvider {
            from,
            to,
            auto_approve,
            which,
            ..
        } => {
            let store = store(session, which.state.as_deref())?;
            return handover::run(session, store, (from, to), *auto_approve);
        }
    }
    Ok(Exit::Success)
}

fn list(state: &State, wanted: &[Place], id: Option<&str>) -> Result<String, Fault> {
    for one in wanted {
        if state.selected(one).next().is_none() {
            return Err(unknown(state, one));
        }
    }
    let named = |instance: &Instance| match id {
        Some(id) => instance.attributes.value().field("id") == Some(&Value::from(id)),
        None => true,
    };
    let mut text = String::new();
    for (found, instance) in &state.instances {
        let covered = wanted.is_empty() || wanted.iter().any(|one| one.contains(found));
        if covered && named(instance) {
            let _ = writeln!(text, "{found}");
        }
    }
    Ok(text)
}

fn show(session: &Session, state: &State, address: &Address, json: bool) -> Result<(), Fault> {
    let named = state.named(address);
    if named.is_empty() {
        return Err(unknown(state, &Place::Resource(address.clone())));
    }
    for address in &named {
        let Some(instance) = state.instances.get(address) else {
            continue;
        };
        if json {
            let document = render::json::instance(address, instance);
            session.shell.document(&document);
        } else {
            let text = render::state::instance(address, instance);
            session.shell.result(&text);
        }
    }
    Ok(())
}

fn would_remove(state: &State, addresses: &[Place]) -> String {
    let gone = state.clone().forget(addresses);
    if gone.is_empty() {
        return "Nothing would be removed.\n".to_owned();
    }
    gone.iter().fold(String::new(), |mut text, address| {
        let _ = writeln!(text, "Would remove {address}");
        text
    })
}

fn remove(state: &mut State, addresses: &[Place]) -> Result<String, Fault> {
    if let Some(missing) = addresses
        .iter()
        .find(|one| state.selected(one).next().is_none())
    {
        return Err(unknown(state, missing));
    }
    let gone = state.forget(addresses);
    let mut text = String::new();
    for address in &gone {
        let _ = writeln!(text, "Removed {address}");
    }
    let noun = if gone.len() == 1 {
        "instance"
    } else {
        "instances"
    };
    let _ = writeln!(
        text,
        "Removed {} {noun} from the state; what they stand for is still there.",
        gone.len()
    );
    Ok(text)
}

fn pull(session: &Session) -> Result<(), Stopped> {
    match super::project::state(session) {
        Ok(Some(state)) => session.shell.data(&to_json(&state)),
        Ok(None) => {}
        // What cannot be used can still be looked at.
        Err(stopped) => match session.store()? {
            Store::Local(store) if let Err(StoreError::Journal { damage, .. }) = store.read() => {
                salvaged(session, &store, &damage)?;
            }
            Store::Local(store) if let Ok(Some(bytes)) = store.bytes() => {
                session.shell.data(&String::from_utf8_lossy(&bytes));
                session
                    .shell
                    .tell("This is the file as it is; it cannot be acted on.");
            }
            _ => return Err(stopped),
        },
    }
    Ok(())
}

/// Prints a state with what can be trusted of its journal.
fn salvaged(session: &Session, store: &LocalStore, damage: &Damage) -> Result<(), Stopped> {
    let unreadable = |error: StoreError| check::unreadable(&error);
    if let Some(state) = store.whole().map_err(unreadable)? {
        let (state, _) = store.salvaged(state).map_err(unreadable)?;
        session.shell.data(&to_json(&state));
        session.shell.tell(&format!(
            "This is the state with what its journal says before the damage: {damage}."
        ));
    }
    Ok(())
}

fn push(session: &Session, path: &Path, force: bool) -> Result<(), Stopped> {
    let (name, text) = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| unreadable(Path::new("standard input"), &error))?;
        let name = "standard input";
        let text = recorded::decrypted(session, Path::new(name), text)?;
        (name.to_owned(), text)
    } else {
        (path.display().to_string(), recorded::text(session, path)?)
    };
    let (given, flaws) = recorded::inspect(&name, &text)?;
    if !flaws.0.is_empty() && !force {
        let detail = format!("{name} cannot be trusted: {flaws}.");
        return Err(Diagnostic::error("C0052", "State cannot be replaced", detail)
            .help("Nothing was written. If a person has edited it on purpose, remove its digest, which is the last line before the closing brace; -force takes it over as it is.")
            .into());
    }
    let closed = match force {
        true => Closed::SetAside,
        false => Closed::Refused,
    };
    let recorded = Recorded::over(session, session.store()?, "state push", closed)?;
    if let Some(before) = recorded.before.as_ref().filter(|_| !force) {
        guard(&name, before, &given)?;
    }
    Ok(recorded.write(&given)?)
}

fn refused(detail: String) -> Fault {
    let diagnostic = Diagnostic::error("C0052", "State cannot be replaced", detail);
    Box::new(
        diagnostic.help(
            "Nothing was written. Look at both states; -force replaces the one that is there.",
        ),
    )
}

/// Refuses a state that is not a later version of the one that is there.
fn guard(name: &str, before: &State, given: &State) -> Result<(), Fault> {
    let refuse = |detail: String| Err(refused(detail));
    if before.lineage != given.lineage {
        return refuse(format!(
            "{name} is of lineage {:?}, but the state that is there is of lineage {:?}: they belong to different configurations.",
            given.lineage, before.lineage
        ));
    }
    if given.serial < before.serial {
        return refuse(format!(
            "{name} has version {}, but the state that is there has the newer version {}.",
            given.serial, before.serial
        ));
    }
    if given.serial == before.serial && given != before {
        return refuse(format!(
            "{name} and the state that is there both have version {} and say different things.",
            given.serial
        ));
    }
    Ok(())
}

/// That the state has nothing of this address, with the address that may have been meant.
pub(super) fn unknown(state: &State, wanted: &Place) -> Fault {
    let all: Vec<String> = state.instances.keys().map(ToString::to_string).collect();
    let meant = closest(&wanted.to_string(), all.iter().map(String::as_str));
    let help = meant.map_or_else(
        || "List what is there with state list.".to_owned(),
        |meant| format!("Did you mean {meant}?"),
    );
    let detail = format!("The state has no {wanted}.");
    Diagnostic::error("C0026", "No such resource in the state", detail)
        .help(help)
        .into()
}
