//! What happens to packages of modules, for people.

use crate::package::Step;

/// One line.
#[must_use]
pub fn package(key: &str, step: &Step<'_>) -> String {
    let what = match step {
        Step::Fetching => "fetching".to_owned(),
        Step::Fetched(entry) => named("fetched", entry.commit.as_deref()),
        Step::Kept(entry) => named("is there", entry.commit.as_deref()),
        Step::Changed { from, to } => match (&from.commit, &to.commit) {
            (Some(from), Some(to)) if from != to => {
                format!("has changed from commit {} to {}", short(from), short(to))
            }
            _ => "has changed".to_owned(),
        },
    };
    format!("{key}: {what}")
}

fn named(what: &str, commit: Option<&str>) -> String {
    commit.map_or_else(
        || what.to_owned(),
        |commit| format!("{what}, commit {}", short(commit)),
    )
}

fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}
