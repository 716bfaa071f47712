//! The versions that a state in a shared place has had: the documents that its head lists.

use std::io;

use super::history::Place;
use super::{RemoteError, RemoteStore, StoreError, Tally, Version, from_json, opened};

impl RemoteStore {
    /// All versions, the oldest first. What only holds what was there before is left out.
    pub(super) fn versions(&self) -> Result<Vec<Version>, StoreError> {
        let shared = self.shared.clone();
        let head = self.engine.wait(async move { shared.head().await });
        let head = head.and_then(|head| head.map_err(RemoteError::Fault));
        let head = head.map_err(|error| self.fault(error))?;
        let versions = head.map(|head| head.versions).unwrap_or_default();
        let versions = versions.into_iter().filter(|one| !one.entry.interim);
        Ok(versions.map(Version::from).collect())
    }

    /// The text of a version.
    pub(super) fn text(&self, version: &isobar_stores::Version) -> io::Result<String> {
        let (shared, wanted) = (self.shared.clone(), version.clone());
        let content = self
            .engine
            .wait(async move { shared.version(&wanted).await })
            .and_then(|content| content.map_err(RemoteError::Fault));
        let content = content.map_err(|error| io::Error::other(self.fault(error)))?;
        let text = String::from_utf8(content.to_vec()).map_err(io::Error::other)?;
        opened(self.cipher.as_deref(), "state", text).map_err(io::Error::other)
    }

    /// The serial of the newest version that can be read and has no flaw.
    pub(super) fn last_good(&self) -> Option<u64> {
        let versions = self.versions().ok()?;
        let good = |version: &&Version| {
            let Place::Document(document) = &version.place else {
                return false;
            };
            let text = self.text(document).ok();
            text.is_some_and(|text| from_json(&text).is_ok())
        };
        versions
            .iter()
            .rev()
            .find(good)
            .map(|version| version.serial)
    }
}

impl From<isobar_stores::Version> for Version {
    fn from(document: isobar_stores::Version) -> Self {
        let (entry, changes) = (&document.entry, document.entry.changes);
        Self {
            serial: entry.serial,
            lineage: entry.lineage.clone(),
            at: document.at.to_string(),
            command: document.operation.clone(),
            who: document.who.clone(),
            tally: Tally {
                added: changes.added,
                changed: changes.changed,
                removed: changes.removed,
            },
            size: entry.size,
            stored: document.stored,
            place: Place::Document(document),
        }
    }
}
