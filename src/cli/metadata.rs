//! `isobar metadata`

use super::Exit;
use super::args::{Metadata, MetadataCommand};
use super::project;
use super::session::Session;
use crate::eval::functions;
use crate::render;

pub(super) fn run(session: &Session, args: &Metadata) -> Exit {
    match &args.command {
        MetadataCommand::Functions { .. } => {
            let library = project::registry(session).functions();
            let language = functions::all().map(|function| function.signature);
            let document = render::json::signatures(language, &library);
            session.shell.document(&document);
        }
    }
    Exit::Success
}
