//! `isobar state list` and `isobar state show`

use std::fmt::Write;

use isobar_sdk::diagnostic::closest;
use isobar_sdk::{Address, Diagnostic};

use super::Exit;
use super::args::{State as Args, StateCommand};
use super::failure::Stopped;
use super::project;
use super::session::Session;
use crate::render;
use crate::state::State;
use isobar_sdk::Fault;

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit, Stopped> {
    let state = project::state(session)?.ok_or_else(|| {
        let detail = format!("There is no {}.", session.store().path().display());
        Diagnostic::error("C0025", "No state", detail)
            .help("Apply first, or name the folder of the configuration with -chdir=DIR.")
    })?;
    match &args.command {
        StateCommand::List { addresses } => session.shell.data(&list(&state, addresses)?),
        StateCommand::Show { address } => {
            let instance = state.instances.get(address);
            let instance = instance.ok_or_else(|| unknown(&state, address))?;
            let text = render::state::instance(address, instance);
            session.shell.result(&text);
        }
    }
    Ok(Exit::Success)
}

fn list(state: &State, wanted: &[Address]) -> Result<String, Fault> {
    for address in wanted {
        if !state.instances.keys().any(|found| lies_in(found, address)) {
            return Err(unknown(state, address));
        }
    }
    let mut text = String::new();
    for found in state.instances.keys() {
        if wanted.is_empty() || wanted.iter().any(|address| lies_in(found, address)) {
            let _ = writeln!(text, "{found}");
        }
    }
    Ok(text)
}

/// Whether `found` is `wanted` or a part of it.
fn lies_in(found: &Address, wanted: &Address) -> bool {
    let native = |wanted: &isobar_sdk::Native| {
        found.native.as_ref().is_some_and(|native| {
            native.kind == wanted.kind && (wanted.key.is_none() || native.key == wanted.key)
        })
    };
    (&found.module, found.mode, &found.kind, &found.name)
        == (&wanted.module, wanted.mode, &wanted.kind, &wanted.name)
        && (wanted.key.is_none() || found.key == wanted.key)
        && wanted.native.as_ref().is_none_or(native)
}

fn unknown(state: &State, address: &Address) -> Fault {
    let all: Vec<String> = state.instances.keys().map(ToString::to_string).collect();
    let meant = closest(&address.to_string(), all.iter().map(String::as_str));
    let help = meant.map_or_else(
        || "List what is there with state list.".to_owned(),
        |meant| format!("Did you mean {meant}?"),
    );
    let detail = format!("The state has no {address}.");
    Diagnostic::error("C0026", "No such resource in the state", detail)
        .help(help)
        .into()
}

#[cfg(test)]
mod tests {
    use super::lies_in;

    #[test]
    fn an_address_stands_for_everything_below_it() {
        let native = "deployment.d[\"z\"].sim_endpoint[\"1\"]";
        for (found, wanted, expected) in [
            ("isobar_data.a", "isobar_data.a", true),
            ("isobar_data.a[0]", "isobar_data.a", true),
            ("isobar_data.a[0]", "isobar_data.a[1]", false),
            ("isobar_data.a", "isobar_data.b", false),
            (native, "deployment.d", true),
            (native, "deployment.d[\"z\"]", true),
            (native, "deployment.d[\"y\"]", false),
            (native, "deployment.d[\"z\"].sim_endpoint", true),
            (native, "deployment.d[\"z\"].sim_router", false),
        ] {
            let (found, wanted) = (found.parse().unwrap(), wanted.parse().unwrap());
            assert_eq!(lies_in(&found, &wanted), expected, "{found} in {wanted}");
        }
    }
}
