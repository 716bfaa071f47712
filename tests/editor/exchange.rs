//! Exchanges of messages as they are recorded: `>` what the editor says, `<` what it hears.

use serde_json::Value as Json;

use crate::case::is_recording;
use crate::client::Client;

/// Plays one; gives it with what the server said instead of what is recorded. `root` stands for
/// `/project`.
pub(crate) fn play(recorded: &str, client: &mut Client, root: &str) -> String {
    let mut played = String::new();
    for line in recorded.lines() {
        if let Some(body) = line.strip_prefix("> ") {
            played.push_str(&format!("{line}\n"));
            client.send(&body.replace("/project", root));
            if is_recording() {
                played.extend(client.overhear().iter().map(|heard| shown(heard, root)));
            }
        } else if line.starts_with("< ") {
            if !is_recording() {
                let heard = client.receive();
                played.push_str(&heard.map_or_else(String::new, |heard| shown(&heard, root)));
            }
        } else {
            played.push_str(&format!("{line}\n"));
        }
    }
    client.hang_up();
    while let Some(unexpected) = client.receive() {
        played.push_str(&shown(&unexpected, root));
    }
    played
}

fn shown(heard: &Json, root: &str) -> String {
    let text = heard.to_string().replace(root, "/project");
    let version = format!("\"version\":\"{}\"", env!("CARGO_PKG_VERSION"));
    format!("< {}\n", text.replace(&version, "\"version\":\"…\""))
}
