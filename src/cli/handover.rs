//! `isobar state replace-provider`

use std::fmt::Write;

use isobar_sdk::diagnostic::closest;
use isobar_sdk::{Address, Diagnostic, Fault};

use super::Exit;
use super::failure::Stopped;
use super::project;
use super::recorded::{self, edit};
use super::session::Session;
use crate::registry::Registry;
use crate::state::{State, Store};

pub(super) fn run(
    session: &Session,
    store: Store,
    (from, to): (&str, &str),
    auto_approve: bool,
) -> Result<Exit, Stopped> {
    let registry = project::registry(session);
    let affected = affected(&recorded::read(&store)?, from);
    if affected.is_empty() {
        session
            .shell
            .result(&format!("No resource belongs to provider {from:?}."));
        return Ok(Exit::Success);
    }
    fits(&registry, &affected, to)?;
    session.shell.result(&announcement(&affected, from, to));
    if !auto_approve && !approved(session)? {
        session.shell.tell("Nothing was changed.");
        return Ok(Exit::Failure);
    }
    let changed = edit(session, store, "state replace-provider", |state| {
        let all = state.instances.values_mut();
        let owned = all.chain(state.deposed.values_mut());
        let owned = owned.filter(|instance| instance.provider == from);
        let count = owned
            .map(|instance| to.clone_into(&mut instance.provider))
            .count();
        Ok(count)
    })?;
    let noun = if changed == 1 {
        "resource"
    } else {
        "resources"
    };
    session
        .shell
        .result(&format!("\n{changed} {noun} handed over to {to:?}."));
    Ok(Exit::Success)
}

fn affected(state: &State, provider: &str) -> Vec<Address> {
    let owned = state.instances.iter();
    let owned = owned.filter(|(_, instance)| instance.provider == provider);
    owned.map(|(address, _)| address.clone()).collect()
}

/// Refuses a provider that is not there, or that does not have the types of what it would get.
fn fits(registry: &Registry, affected: &[Address], to: &str) -> Result<(), Fault> {
    let refuse = |detail: String, help: String| {
        let diagnostic = Diagnostic::error("C0042", "Provider cannot take over", detail);
        Err(Box::new(diagnostic.help(help)))
    };
    let local = to.split('.').next().unwrap_or(to);
    let Some(factory) = registry.factory(local) else {
        let names: Vec<&str> = registry.names().collect();
        let meant = closest(local, names.iter().copied());
        let help = meant.map_or_else(
            || format!("There are: {}.", names.join(", ")),
            |meant| format!("Did you mean {meant:?}?"),
        );
        return refuse(format!("There is no provider {local:?}."), help);
    };
    let resources = &factory.schema().resources;
    let without = affected
        .iter()
        .find(|address| !resources.contains_key(&**address.resource_type()));
    match without {
        None => Ok(()),
        Some(address) => refuse(
            format!(
                "Provider {to:?} has no type {:?}, which {address} is of.",
                address.resource_type()
            ),
            "Choose a provider that has all of the types.".to_owned(),
        ),
    }
}

fn announcement(affected: &[Address], from: &str, to: &str) -> String {
    let mut text = format!("These resources change from provider {from:?} to {to:?}:\n");
    for address in affected {
        let _ = write!(text, "\n  ~ {address}");
    }
    text
}

/// Whether someone says yes to what was told.
pub(super) fn approved(session: &Session) -> Result<bool, Fault> {
    if !session.environment.input {
        return Err(unapproved(
            "With ISOBAR_INPUT=0 no question is asked.".to_owned(),
        ));
    }
    if !session.shell.terminal().input {
        let why = "There is no terminal on which it could be approved.";
        return Err(unapproved(why.to_owned()));
    }
    let question = "\nDo you want to write this into the state?\n  Only 'yes' will be accepted.\n\n  Enter a value: ";
    let answer = session.shell.ask(question);
    answer
        .map(|answer| answer == "yes")
        .map_err(|error| unapproved(format!("The answer could not be read: {error}.")))
}

/// A change of the state that nobody can say yes to.
fn unapproved(why: String) -> Fault {
    Diagnostic::error("C0084", "Change of the state cannot be approved", why)
        .help("Read the list above, and do it at once with -auto-approve.")
        .into()
}
