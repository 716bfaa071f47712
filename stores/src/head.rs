//! The one document that says what the state is and who may write it.

use std::collections::BTreeSet;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::documents::{Document, Fault, Tag};

/// The version of the format of a head.
const FORMAT: u32 = 1;

/// What the state is, who may write it, and how far the log is part of the state.
///
/// It is only ever replaced by who knows the version that is there, so that whoever takes the
/// lease, which raises `fence`, ends the right of everyone before to replace it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The version of this format.
    format: u32,
    /// The fencing number: raised whenever the right to write goes to someone else.
    pub fence: u64,
    /// Everyone up to this fencing number can no longer write to the log.
    pub closed: u64,
    /// Where the log of one who may still be asleep was ended: his fencing number, and the place
    /// that he would write to next.
    pub seals: BTreeSet<(u64, u64)>,
    /// Who may write.
    pub holder: Option<Holder>,
    /// The versions of the state that are kept, the newest last: that is the state.
    pub versions: Vec<Version>,
    /// Where the log begins that is not in the state: a fencing number, and a position in what
    /// its holder wrote.
    pub folded: (u64, u64),
    /// How many versions have been written, so that no two have one name.
    pub written: u64,
}

/// Who holds the lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Names this hold of the lease, and no other.
    pub id: String,
    /// The command, such as `apply`.
    pub operation: String,
    /// User and host.
    pub who: String,
    /// The process.
    pub pid: u32,
    /// Since when, by the holder's clock.
    pub since: Timestamp,
    /// When it last said that it is still there, by its clock.
    pub renewed: Timestamp,
    /// How long its silence is to be waited for.
    pub lease_milliseconds: u64,
}

/// What its writer says about a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its serial.
    pub serial: u64,
    /// Whose state it is.
    pub lineage: String,
    /// How long the state is before it is encrypted, in bytes.
    #[serde(default)]
    pub size: u64,
    /// What differs from the version before.
    #[serde(default)]
    pub changes: Changes,
    /// Whether it only holds what was there before, so that it goes as soon as there is another.
    #[serde(default)]
    pub interim: bool,
}

impl Entry {
    /// Of a version of which no more is known.
    #[must_use]
    pub fn of(lineage: &str, serial: u64) -> Self {
        Self {
            serial,
            lineage: lineage.to_owned(),
            size: 0,
            changes: Changes::default(),
            interim: false,
        }
    }
}

/// How many resources differ between two versions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// They are new.
    pub added: usize,
    /// They are recorded otherwise.
    pub changed: usize,
    /// They are gone.
    pub removed: usize,
}

/// One version of the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The document that holds it.
    pub name: String,
    /// The SHA-256 of it, in hexadecimal.
    pub digest: String,
    /// How many bytes it has.
    #[serde(default)]
    pub stored: u64,
    /// The command that wrote it.
    pub operation: String,
    /// User and host.
    pub who: String,
    /// When, by the clock of who wrote it.
    pub at: Timestamp,
    /// What its writer says about it.
    #[serde(flatten)]
    pub entry: Entry,
}

impl Head {
    /// The name of the document.
    pub const NAME: &'static str = "head.json";

    /// That of a state which no one has written yet.
    pub(crate) const fn new() -> Self {
        Self {
            format: FORMAT,
            fence: 0,
            closed: 0,
            seals: BTreeSet::new(),
            holder: None,
            versions: Vec::new(),
            folded: (0, 0),
            written: 0,
        }
    }

    pub(crate) fn encode(&self) -> Bytes {
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        text.into()
    }

    pub(crate) fn decode(document: &Document) -> Result<(Self, Tag), Fault> {
        let broken = |reason: String| Fault::Broken {
            name: Self::NAME.to_owned(),
            reason,
        };
        let head: Self =
            serde_json::from_slice(&document.content).map_err(|error| broken(error.to_string()))?;
        if head.format > FORMAT {
            let reason = format!(
                "its format {} is newer than the format {FORMAT} that this version of Isobar reads",
                head.format
            );
            return Err(broken(reason));
        }
        Ok((head, document.tag.clone()))
    }

    /// Whether this hold is the one that may write.
    pub(crate) fn is_held_by(&self, fence: u64, id: &str) -> bool {
        self.fence == fence && self.holder.as_ref().is_some_and(|holder| holder.id == id)
    }
}
