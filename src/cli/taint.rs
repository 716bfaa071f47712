//! `isobar taint` and `isobar untaint`

use isobar_sdk::address::Place;
use isobar_sdk::{Diagnostic, Diagnostics};

use super::Exit;
use super::args::Taint;
use super::failure::Stopped;
use super::recorded::{self, edit, store};
use super::session::Session;
use super::state::unknown;
use crate::language::Sources;
use crate::state::Status;

pub(super) fn taint(session: &Session, args: &Taint) -> Result<Exit, Stopped> {
    mark(session, args, Status::Tainted)
}

pub(super) fn untaint(session: &Session, args: &Taint) -> Result<Exit, Stopped> {
    mark(session, args, Status::Ready)
}

fn mark(session: &Session, args: &Taint, status: Status) -> Result<Exit, Stopped> {
    let address = &args.address;
    let store = store(session, args.which.state.as_deref())?;
    if args.allow_missing {
        let state = recorded::read(&store)?;
        if state.named(address).is_empty() {
            let detail = format!("The state has no {address}; nothing was changed.");
            let found = Diagnostic::warning("C0026", "No such resource in the state", detail)
                .help("List what is there with state list.");
            session
                .shell
                .diagnostics(&Diagnostics::from(found), &Sources::default());
            return Ok(Exit::Success);
        }
    }
    let operation = match status {
        Status::Tainted => "taint",
        Status::Ready => "untaint",
    };
    let marked = edit(session, store, operation, |state| {
        let mut named = state.named(address);
        if named.is_empty() {
            return Err(unknown(state, &Place::Resource(address.clone())));
        }
        named.retain(|one| {
            let instance = state.instances.get(one);
            status == Status::Tainted || instance.is_some_and(|one| one.status != status)
        });
        if named.is_empty() {
            let detail = format!("{address} is not tainted.");
            let found = Diagnostic::error("C0053", "Instance is not tainted", detail)
                .help("Nothing is to be done: it is not going to be replaced.");
            return Err(Box::new(found));
        }
        for one in &named {
            if let Some(instance) = state.instances.get_mut(one) {
                instance.status = status;
            }
        }
        Ok(named)
    })?;
    for address in marked {
        session.shell.result(&match status {
            Status::Tainted => format!("{address} is tainted: the next apply replaces it."),
            Status::Ready => format!("{address} is no longer tainted."),
        });
    }
    Ok(Exit::Success)
}
