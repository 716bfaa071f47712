//! `isobar version`

use serde_json::json;

use super::Exit;
use super::args::Version;
use super::session::Session;

pub(super) fn run(session: &Session, args: &Version) -> Exit {
    let version = env!("CARGO_PKG_VERSION");
    let platform = format!("{}_{}", std::env::consts::OS, std::env::consts::ARCH);
    if args.json {
        let document = json!({ "isobar_version": version, "platform": platform });
        session.shell.document(&document);
    } else {
        session
            .shell
            .result(&format!("Isobar v{version}\non {platform}"));
    }
    Exit::Success
}
