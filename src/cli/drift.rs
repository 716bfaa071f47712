//! `isobar drift`

use super::Exit;
use super::args::Drift;
use super::failure::Stopped;
use super::plan::{Draft, leave};
use super::session::Session;
use crate::plan::deviations;
use crate::render;

pub(super) fn run(session: &Session, args: &Drift) -> Result<Exit, Stopped> {
    let draft = Draft::to_compare(session, args)?;
    let plan = draft.plan(session)?;
    let found = deviations(&plan);
    let shell = &session.shell;
    if args.json {
        shell.document(&render::deviation::json(&found));
    } else {
        let mut text = render::deviation::human(&found, &shell.style());
        if !found.deviations.is_empty() && !session.environment.automation {
            text.push_str("\nSee how it would be corrected with:\n  isobar plan\n");
        }
        shell.result(&text);
    }
    let exit = if found.deviations.is_empty() {
        Exit::Success
    } else {
        Exit::Drift
    };
    leave((draft, plan));
    Ok(exit)
}
