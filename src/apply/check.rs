//! Whether a plan may still be carried out.

use std::collections::BTreeSet;
use std::path::Path;

use isobar_sdk::diagnostic::sentence;
use isobar_sdk::{Address, Diagnostic, Fault};
use jiff::Timestamp;

use crate::plan::Plan;
use crate::state::{CipherError, FormatError, LockError, RemoteError, State, StoreError, Unkept};

/// Refuses a plan that was made from another state, or that rests on a forecast that expired.
///
/// # Errors
/// Why it is refused.
pub fn fresh(plan: &Plan, state: Option<&State>, now: Timestamp) -> Result<(), Fault> {
    same_state(plan, state)?;
    let first = plan
        .forecasts
        .iter()
        .min_by_key(|(_, forecast)| forecast.expires);
    if let Some((name, forecast)) = first
        && forecast.expires <= now
    {
        let detail = format!(
            "The plan rests on forecast {name:?}, which expired at {}; it is now {now}.",
            forecast.expires
        );
        return Err(stale("A0002", "Forecast has expired", detail));
    }
    Ok(())
}

fn same_state(plan: &Plan, state: Option<&State>) -> Result<(), Fault> {
    let (lineage, serial) = state.map_or(("", 0), |state| (state.lineage.as_str(), state.serial));
    let detail = if plan.base.lineage != lineage {
        match (plan.base.lineage.is_empty(), lineage.is_empty()) {
            (true, _) => {
                "The plan was made when there was no state, but now there is one.".to_owned()
            }
            (_, true) => "The plan was made from a state, but now there is none.".to_owned(),
            _ => "The plan was made from the state of another configuration.".to_owned(),
        }
    } else if plan.base.serial != serial {
        format!(
            "The plan was made from version {} of the state, but now it has version {serial}: something was applied since.",
            plan.base.serial
        )
    } else {
        let old = plan.moves.values().collect::<BTreeSet<_>>();
        let recorded = recorded_addresses(state).filter(|address| !old.contains(address));
        let touched = plan.changes.keys().chain(recorded);
        let mut touched = touched.filter(|address| {
            // What is made where something was moved away finds nothing there.
            let vacated = old.contains(address) && !plan.moves.contains_key(*address);
            !as_planned(plan, state.filter(|_| !vacated), address)
        });
        let Some(address) = touched.next() else {
            return Ok(());
        };
        format!(
            "{address} is not recorded as it was when the plan was made: an apply in between did not come to its end."
        )
    };
    Err(stale("A0001", "Plan of another state", detail))
}

fn recorded_addresses(state: Option<&State>) -> impl Iterator<Item = &Address> {
    state.into_iter().flat_map(|state| state.instances.keys())
}

/// Whether an instance is recorded as it was when the plan was made. The serial alone does not
/// tell: an apply that was killed has changed the state without giving it a new one.
fn as_planned(plan: &Plan, state: Option<&State>, address: &Address) -> bool {
    if plan.selection.is_partial() && !plan.changes.contains_key(address) {
        // It was left out.
        return true;
    }
    let then = plan.moves.get(address).unwrap_or(address);
    let recorded = state.and_then(|state| state.instances.get(then));
    let recorded = recorded.map(|instance| instance.attributes.value().reveal_all());
    let then = match plan.drift.get(address) {
        Some(drift) => Some(&drift.recorded),
        None => plan
            .changes
            .get(address)
            .filter(|planned| planned.importing.is_none())
            .and_then(|planned| planned.change.before()),
    };
    recorded == then.map(|then| then.value().reveal_all())
}

/// Refuses a plan that no longer holds.
#[must_use]
pub fn stale(code: &'static str, summary: &'static str, detail: String) -> Fault {
    let diagnostic = Diagnostic::error(code, summary, detail)
        .help("Nothing was changed. Make a new plan and look at it before applying it.");
    Box::new(diagnostic)
}

/// Says who holds the lock.
#[must_use]
pub fn locked(error: &LockError) -> Diagnostic {
    match error {
        LockError::Held {
            by: Some(holder),
            path,
        } => Diagnostic::error(
            "S0001",
            "State is locked",
            format!(
                "{} by {} (process {}) has held the lock since {}.\nLock: {}, id {}.",
                holder.operation,
                holder.who,
                holder.pid,
                holder.since,
                path.display(),
                holder.id
            ),
        )
        .help("Wait until it is done and try again. The lock is given up when its process ends."),
        LockError::Held { by: None, path } => Diagnostic::error(
            "S0001",
            "State is locked",
            format!("Another process holds the lock {}.", path.display()),
        )
        .help("Wait until it is done and try again. The lock is given up when its process ends."),
        LockError::Leased { by, place, lease } => {
            let (operation, who, pid, since) = (&by.operation, &by.who, by.pid, &by.since);
            let detail = format!(
                "{operation} by {who} (process {pid}) has held the lock since {since}.\nLock: {place}, id {}.",
                by.id
            );
            let help = format!(
                "Wait until it is done and try again. If its machine is gone, the lock runs out {} seconds after its last sign of life; isobar force-unlock {} takes it away now.",
                lease.as_secs(),
                by.id
            );
            Diagnostic::error("S0001", "State is locked", detail).help(help)
        }
        LockError::Kept { by, place } => {
            let held = by.as_ref().map(|by| {
                let (operation, who, since) = (&by.operation, &by.who, &by.since);
                format!(
                    "{operation} by {who} has held the lock since {since}.\nLock: {place}, id {}.",
                    by.id
                )
            });
            let detail = held.unwrap_or_else(|| format!("Someone else holds the lock of {place}."));
            Diagnostic::error("S0001", "State is locked", detail)
                .help("Wait until it is done and try again, or with -lock-timeout=5m. If its machine is gone, isobar force-unlock ID gives the lock up.")
        }
        LockError::Remote { .. } => unreached(&error.to_string()),
        LockError::Io { .. } => {
            Diagnostic::error("S0002", "State cannot be locked", format!("{error}."))
                .help("Check that the folder exists and that you may write to it.")
        }
    }
}

/// Says why the state cannot be read.
#[must_use]
pub fn unreadable(error: &StoreError) -> Diagnostic {
    let detail = sentence(&error.to_string());
    match error {
        StoreError::Format {
            source: FormatError::TooNew { .. },
            ..
        } => Diagnostic::error("S0006", "State of a newer version", detail)
            .help("Use the version of Isobar that wrote it, or a newer one."),
        StoreError::Format {
            source: FormatError::Sealed(CipherError::Broken(_)),
            path,
            good,
        } => {
            Diagnostic::error("S0010", "State cannot be decrypted", detail).help(offer(path, *good))
        }
        StoreError::Format {
            source: FormatError::Sealed(_),
            good,
            ..
        } => Diagnostic::error("S0010", "State cannot be decrypted", detail).help(keyless(*good)),
        StoreError::Format {
            path,
            source: FormatError::Flawed(_),
            good,
        } => {
            let help = format!(
                "{} If it is meant to be as it is, isobar state push -force {} takes it over.",
                offer(path, *good),
                path.display()
            );
            Diagnostic::error("S0011", "State cannot be trusted", detail).help(help)
        }
        StoreError::Format { path, good, .. } => {
            Diagnostic::error("S0003", "State cannot be understood", detail)
                .help(offer(path, *good))
        }
        StoreError::Journal { good, .. } => {
            Diagnostic::error("S0015", "Journal cannot be trusted", detail).help(salvage(*good))
        }
        StoreError::Gone { journal, good, .. } => {
            Diagnostic::error("S0016", "State is gone", detail).help(regain(journal, *good))
        }
        StoreError::Remote { .. } => unreached(&error.to_string()),
        StoreError::Io { .. } => Diagnostic::error("S0007", "State cannot be read", detail)
            .help("Check that the file and its folder exist and that you may read them."),
    }
}

/// What can be done about a state that is broken.
fn offer(path: &Path, good: Option<u64>) -> String {
    match good {
        Some(serial) => format!(
            "Nothing was changed. The last good version is {serial}: look at it with isobar history show {serial}, and go back to it with isobar history restore {serial}."
        ),
        None => format!(
            "Nothing was changed. Restore {} from a backup or from version control; do not delete it unless nothing that it names exists any more.",
            path.display()
        ),
    }
}

/// What can be done about a state that no configured key opens. `good` is a version that they
/// open.
fn keyless(good: Option<u64>) -> String {
    let key = "Give the key that it was written with, in key {} or fallback {} of the encryption block; there is no way around it.";
    good.map_or_else(|| key.to_owned(), |serial| format!(
        "{key} If that is the key that is given, the file was damaged: go back to the last good version with isobar history restore {serial}."
    ))
}

/// What can be done about a state that is gone while its journal is not.
fn regain(journal: &Path, good: Option<u64>) -> String {
    let way = match good {
        Some(serial) => format!("isobar history restore {serial} brings it back"),
        None => "Bring it back from a backup or from version control".to_owned(),
    };
    format!(
        "{way}, and what the journal says is folded in. To begin anew, which leaves what was made where it is, remove {}.",
        journal.display()
    )
}

/// What can be done about a journal that is damaged.
fn salvage(good: Option<u64>) -> String {
    let way = match good {
        Some(serial) => format!("isobar history restore {serial} goes on with them"),
        None => "isobar state pull prints the state with them, and isobar state push FILE goes on with what it has printed".to_owned(),
    };
    format!(
        "Nothing was changed. The state and the lines before the damage can be trusted: {way}, and keeps a copy of the journal. What was begun in the lines behind is not recorded then: look for it in the copy."
    )
}

/// Says why the state cannot be written.
#[must_use]
pub fn unwritable(error: &StoreError) -> Diagnostic {
    let detail = sentence(&error.to_string());
    match error {
        StoreError::Remote {
            source: RemoteError::Lost { .. },
            ..
        } => Diagnostic::error("S0009", "Lock was lost", detail)
            .help("Someone else may write by now. What was done is in the log that they have read; run isobar plan to see what is there."),
        StoreError::Remote { .. } => unreached(&error.to_string()),
        _ => Diagnostic::error("S0004", "State cannot be written", format!("{error}."))
            .help("Free space or grant access, then run isobar plan: what was done is kept in the journal and is folded in."),
    }
}

/// Says why a version is not in the history.
#[must_use]
pub fn unkept(unkept: &Unkept) -> Diagnostic {
    let detail = format!(
        "{}: {}",
        unkept.path.display(),
        sentence(&unkept.source.to_string())
    );
    Diagnostic::warning("S0012", "Version is not kept in the history", detail)
        .help("The state itself is written. Free space or grant access, so that the next versions are kept.")
}

fn unreached(error: &str) -> Diagnostic {
    Diagnostic::error("S0008", "Place of the state does not answer", sentence(error))
        .help("Check the network, the name of the place and the credentials. What was done before is in its log.")
}
