//! The states of other configurations, which are only read.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_stores::{Keep, Kind, Lease, Opened, Settings};
use jiff::Timestamp;

use super::{Remote, State, WebStore, Workspace};

/// What every kind can be told, and what reading does not need.
const OF_WRITERS: [&str; 2] = ["keep", "lease"];

/// The state of a workspace in a place of this kind; `None` if there is none.
///
/// # Errors
/// What is wrong with the settings, or what the place says.
pub fn read_elsewhere(
    kind: &str,
    config: &BTreeMap<String, String>,
    environment: &BTreeMap<String, String>,
    workspace: &str,
) -> Result<Option<State>, String> {
    let kind = Kind::named(kind).ok_or_else(|| format!("there is no backend {kind:?}"))?;
    let mut values = config.clone();
    values.retain(|name, _| !OF_WRITERS.contains(&name.as_str()));
    let settings = Settings {
        values,
        environment: environment.clone(),
    };
    let opened = kind.open(&settings).map_err(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        problems.join("; ")
    })?;
    let workspace: Workspace = workspace.parse().map_err(|error| format!("{error}"))?;
    let state = match opened {
        Opened::Documents(documents) => {
            // Nothing is written, so that no one asks for the time.
            let clock = Arc::new(|| Timestamp::UNIX_EPOCH);
            let remote = Remote::new(
                documents,
                clock,
                Lease::default(),
                Keep::default(),
                Arc::new(|_| ()),
            );
            let remote = remote.map_err(|error| error.to_string())?;
            remote.store(&workspace).read()
        }
        Opened::Web(_) if !workspace.is_default() => {
            return Err("it keeps the state of one workspace only".to_owned());
        }
        Opened::Web(web) => WebStore::new(*web)
            .map_err(|error| error.to_string())?
            .read(),
    };
    state.map_err(|error| error.to_string())
}
