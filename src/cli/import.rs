//! `isobar import`

use isobar_sdk::{Address, Diagnostic, Fault};

use super::Exit;
use super::args::Import;
use super::environment::fresh_id;
use super::failure::Stopped;
use super::plan::Draft;
use super::recorded::{Recorded, store};
use super::session::Session;
use crate::plan;
use crate::state::State;

pub(super) fn run(session: &Session, args: &Import) -> Result<Exit, Stopped> {
    let Import { address, id, .. } = args;
    plan::importable(address)?;
    let store = store(session, args.which.state.as_deref())?;
    let recorded = Recorded::open(session, store, "import")?;
    let before = recorded.before.clone();
    let mut after = before.unwrap_or_else(|| State::new(fresh_id()));
    free(&after, address)?;
    let draft = Draft::of_state(session, &args.assignments, recorded.before.clone())?;
    session
        .shell
        .tell(&format!("{address}: importing what is called {id:?}"));
    let request = draft.request();
    let found = session.wait_for(plan::intake(&request, address, id))?;
    let instance = found.map_err(|found| Stopped::new(found, draft.sources()))?;
    after.instances.insert(address.clone(), instance);
    recorded.save(after)?;
    let mut text = format!("{address} is in the state now.");
    if !session.environment.automation {
        text.push_str(" See where its block differs from what is there with:\n  isobar plan");
    }
    session.shell.prose(&text);
    Ok(Exit::Success)
}

/// Nothing may be recorded under the address yet.
fn free(state: &State, address: &Address) -> Result<(), Fault> {
    let (detail, help) = if state.instances.contains_key(address) {
        (
            format!("The state has {address} already."),
            format!(
                "Have it forgotten first: isobar state rm {}",
                in_shell(address)
            ),
        )
    } else if state.pending.contains_key(address) {
        (
            format!("A creation of {address} was begun, and its end is not known."),
            "Apply first, which finds out.".to_owned(),
        )
    } else {
        return Ok(());
    };
    Err(
        Diagnostic::error("C0061", "Address is in the state", detail)
            .help(help)
            .into(),
    )
}

/// An address as an argument in a shell.
fn in_shell(address: &Address) -> String {
    let text = address.to_string();
    shlex::try_quote(&text).map_or_else(|_| text.clone(), Into::into)
}
