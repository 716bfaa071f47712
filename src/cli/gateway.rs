//! `isobar gateway`, which the local provider starts

use super::args::Gateway;
use super::failure::Stopped;
use super::serve::deaf;
use super::session::Session;
use super::{Exit, interrupt};
use crate::providers;

pub(super) fn run(session: &Session, args: &Gateway) -> Result<Exit, Stopped> {
    let config = session.path(&args.config);
    session.answer(async move {
        let shutdown = interrupt::termination().map_err(|error| deaf(&error))?;
        providers::gateway(&config, shutdown).await
    })??;
    Ok(Exit::Success)
}
