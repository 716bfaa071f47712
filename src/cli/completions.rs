//! `isobar completions`

use super::Exit;
use super::args::{Completions, program};
use super::session::Session;

pub(super) fn run(session: &Session, args: &Completions) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut program(), "isobar", &mut script);
    session.shell.data(&String::from_utf8_lossy(&script));
    Exit::Success
}
