//! `isobar serve`

use std::net::SocketAddr;

use isobar_sdk::Diagnostic;

use super::args::Serve;
use super::failure::Stopped;
use super::session::Session;
use super::{Exit, interrupt};
use crate::providers::{self, Server};

pub(super) fn run(session: &Session, args: Serve) -> Result<Exit, Stopped> {
    let shell = session.shell.clone();
    let shown = args.model.display().to_string();
    let server = Server {
        model: session.path(&args.model),
        name: args.name,
        version: args.version,
        address: SocketAddr::new(args.host, args.port),
        workers: args.workers,
        instance: args.instance,
    };
    session.answer(async move {
        let shutdown = interrupt::termination().map_err(|error| deaf(&error))?;
        let listening = move |address| shell.tell(&format!("Serving {shown} on http://{address}"));
        providers::serve(server, shutdown, listening).await
    })??;
    Ok(Exit::Success)
}

/// The system does not let signals be heard, so the process could not be ended in order.
pub(super) fn deaf(error: &std::io::Error) -> Diagnostic {
    let detail = format!("The signals that end the process cannot be heard: {error}.");
    Diagnostic::error("C0002", "No resources to work with", detail)
        .help("Raise the limit of open files of this user.")
}
