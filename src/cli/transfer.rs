//! `isobar state mv`, within one state or into another one.

use std::fmt::Write;

use isobar_sdk::diagnostic::sentence;
use isobar_sdk::{Diagnostic, Fault};

use super::args::Move;
use super::environment::fresh_id;
use super::failure::Stopped;
use super::recorded::{self, Recorded, edit, store};
use super::session::Session;
use super::state::unknown;
use crate::state::{MoveError, Moves, State, Store, moves};

pub(super) fn run(session: &Session, args: &Move) -> Result<(), Stopped> {
    let source = store(session, args.which.state.as_deref())?;
    let target = args
        .state_out
        .as_deref()
        .map(|file| store(session, Some(file)))
        .transpose()?
        .filter(|target| target.place() != source.place());
    let moved = match target {
        _ if args.dry_run => would_move(args, &source, target.as_ref())?,
        None => edit(session, source, "state mv", |state| {
            let found = plan(state, state, args)?;
            let taken = state.take(&found);
            state.put(taken);
            Ok(found)
        })?,
        Some(target) => between(session, args, source, target)?,
    };
    let verb = if args.dry_run { "Would move" } else { "Moved" };
    let mut text = String::new();
    for (from, to) in &moved {
        let _ = writeln!(text, "{verb} {from} to {to}");
    }
    session.shell.data(&text);
    Ok(())
}

fn would_move(args: &Move, source: &Store, target: Option<&Store>) -> Result<Moves, Stopped> {
    let state = recorded::read(source)?;
    let other = match target {
        Some(target) => target
            .read()
            .map_err(|error| crate::apply::check::unreadable(&error))?
            .unwrap_or_else(|| State::new(String::new())),
        None => state.clone(),
    };
    Ok(plan(&state, &other, args)?)
}

/// Moves into another state. It is written first: whatever happens in between, everything is in
/// one of the two, and where the second cannot be written the first is put back.
fn between(session: &Session, args: &Move, source: Store, target: Store) -> Result<Moves, Stopped> {
    recorded::read(&source)?;
    let from = Recorded::open(session, source, "state mv")?;
    let to = Recorded::open(session, target, "state mv")?;
    let mut before = from
        .before
        .clone()
        .unwrap_or_else(|| State::new(fresh_id()));
    let was = to.before.clone().unwrap_or_else(|| State::new(fresh_id()));
    let found = plan(&before, &was, args)?;
    let mut after = was.clone();
    after.put(before.take(&found));
    to.save(after)?;
    if let Err(fault) = from.save(before) {
        // The first fault is the one to tell; what could not be put back is a copy too many.
        let _copy_stays = to.write(&was);
        return Err(fault.into());
    }
    Ok(found)
}

fn plan(state: &State, target: &State, args: &Move) -> Result<Moves, Fault> {
    moves(state, target, &args.source, &args.destination).map_err(|error| {
        let detail = sentence(&error.to_string());
        match *error {
            MoveError::Missing(wanted) => unknown(state, &wanted),
            MoveError::Taken(_) => Box::new(
                Diagnostic::error("C0040", "Address is taken", detail)
                    .help("Nothing was moved. Move or remove what is there first, or choose another address."),
            ),
            MoveError::Mismatch { .. } => Box::new(
                Diagnostic::error("C0041", "Cannot be moved there", detail)
                    .help("Nothing was moved. Give the address of another thing of the same kind."),
            ),
        }
    })
}
