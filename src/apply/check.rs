//! Whether a plan may still be carried out.

use isobar_sdk::{Address, Diagnostic, Diagnostics};
use jiff::Timestamp;

use crate::plan::Plan;
use crate::state::{LockError, State, StoreError};

/// Refuses a plan that was made from another state, or that rests on a forecast that expired.
///
/// # Errors
/// Why it is refused.
pub fn fresh(plan: &Plan, state: Option<&State>, now: Timestamp) -> Result<(), Diagnostics> {
    let stale = |detail: String| {
        Diagnostics::from(
            Diagnostic::error("A0001", "Saved plan is stale", detail)
                .help("Make a new plan with isobar plan, review it, and apply that."),
        )
    };
    let (lineage, serial) = state.map_or(("", 0), |state| (state.lineage.as_str(), state.serial));
    if lineage != plan.base.lineage {
        let detail = "The plan was made for another state than the one that is here.";
        return Err(stale(detail.to_owned()));
    }
    if serial != plan.base.serial {
        return Err(stale(format!(
            "The plan was made from serial {} of the state, which is now at serial {serial}: something was applied in between.",
            plan.base.serial
        )));
    }
    let touched = plan.changes.keys().chain(recorded_addresses(state));
    if let Some(address) = touched
        .into_iter()
        .find(|address| !as_planned(plan, state, address))
    {
        return Err(stale(format!(
            "{address} is not recorded as it was when the plan was made: an apply in between did not come to its end."
        )));
    }
    let expired = plan
        .forecasts
        .iter()
        .find(|(_, forecast)| now > forecast.expires);
    if let Some((name, forecast)) = expired {
        return Err(Diagnostics::from(
            Diagnostic::error(
                "A0002",
                "Forecast of the plan has expired",
                format!("The plan rests on forecast {name:?}, which was good until {}; it is now {now}.", forecast.expires),
            )
            .help("Make a new plan with isobar plan, review it, and apply that."),
        ));
    }
    Ok(())
}

fn recorded_addresses(state: Option<&State>) -> impl Iterator<Item = &Address> {
    state.into_iter().flat_map(|state| state.instances.keys())
}

/// Whether an instance is recorded as it was when the plan was made. The serial alone does not
/// tell: an apply that was killed has changed the state without giving it a new one.
fn as_planned(plan: &Plan, state: Option<&State>, address: &Address) -> bool {
    let recorded = state.and_then(|state| state.instances.get(address));
    let recorded = recorded.map(|instance| instance.attributes.value().reveal_all());
    let then = match plan.drift.get(address) {
        Some(drift) => Some(&drift.recorded),
        None => plan
            .changes
            .get(address)
            .and_then(|planned| planned.change.before()),
    };
    recorded == then.map(|then| then.value().reveal_all())
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
        LockError::Io { .. } => {
            Diagnostic::error("S0002", "State cannot be locked", format!("{error}."))
                .help("Check that the folder exists and that you may write to it.")
        }
    }
}

/// Says why the state cannot be read.
#[must_use]
pub fn unreadable(error: &StoreError) -> Diagnostic {
    Diagnostic::error("S0003", "State cannot be read", format!("{error}.")).help(
        "Nothing was changed. Put the last good version of the file back, from version control or a backup.",
    )
}

/// Says why the state cannot be written.
#[must_use]
pub fn unwritable(error: &StoreError) -> Diagnostic {
    Diagnostic::error("S0004", "State cannot be written", format!("{error}."))
        .help("Free space or grant access, then run isobar plan: what was done is kept in the journal and is folded in.")
}
