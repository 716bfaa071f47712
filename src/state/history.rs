//! The versions that a state on this machine has had: each in a compressed file of its own, encrypted where the
//! state is, bounded by count, age and size.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::replace::{Disk, replace};
use super::{Cipher, Holder, State, is_sealed, opened};
use crate::language::text::LONGEST;

/// Versions that stay however old they are, or whatever the clock says.
const FEWEST: usize = 5;
/// What all versions together may take, in bytes; the newest few may take more.
const ROOM: u64 = 256 << 20;
/// What versions are sealed for.
const PURPOSE: &str = "history";
/// The longest first line.
const LONGEST_HEAD: u64 = 1 << 20;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// So many versions; none at all if zero.
    pub count: usize,
    /// Not longer than this.
    pub age: SignedDuration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            count: 50,
            age: SignedDuration::from_hours(90 * 24),
        }
    }
}

impl FromStr for Bounds {
    type Err = &'static str;

    /// `COUNT` or `COUNT,DAYS`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "write how many versions are kept, such as 50, and after a comma for how many days at most, such as 50,90";
        let (count, days) = text.split_once(',').unwrap_or((text, "90"));
        let count = count.trim().parse().map_err(|_| wrong)?;
        let days: u32 = days.trim().parse().map_err(|_| wrong)?;
        let age = SignedDuration::from_hours(i64::from(days) * 24);
        Ok(Self { count, age })
    }
}

/// How many resource instances differ from the version before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// They are new.
    pub added: usize,
    /// They are recorded otherwise.
    pub changed: usize,
    /// They are gone.
    pub removed: usize,
}

impl Tally {
    /// Counts.
    #[must_use]
    pub fn of(before: Option<&State>, after: &State) -> Self {
        let Some(before) = before else {
            let added = after.instances.len();
            return Self {
                added,
                ..Self::default()
            };
        };
        let mut tally = Self::default();
        for (address, instance) in &after.instances {
            match before.instances.get(address) {
                None => tally.added += 1,
                Some(was) if was != instance => tally.changed += 1,
                Some(_) => {}
            }
        }
        let kept = after.instances.len() - tally.added;
        tally.removed = before.instances.len() - kept;
        tally
    }
}

/// One version, without what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The serial of the state.
    pub serial: u64,
    /// The life that it belongs to.
    pub lineage: String,
    /// When it was written, as the clock said then.
    pub at: String,
    /// By which command.
    pub command: String,
    /// By whom.
    pub who: String,
    /// What it changed.
    pub tally: Tally,
    /// How long the state is, in bytes.
    pub size: u64,
    /// How much room it takes where it is kept.
    pub stored: u64,
    pub(super) place: Place,
}

/// Where a version is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In a file of this machine.
    File(PathBuf),
    /// In a document of a shared place.
    Document(isobar_stores::Version),
}

/// The first line of a file; the state follows.
#[derive(Serialize, Deserialize)]
struct Head {
    serial: u64,
    lineage: String,
    at: String,
    command: String,
    who: String,
    tally: Tally,
    size: u64,
}

/// The folder of them.
#[derive(Debug, Clone)]
pub struct History {
    folder: PathBuf,
    bounds: Bounds,
    /// What the states in it are encrypted with; what stands before them is not.
    cipher: Option<Arc<Cipher>>,
}

impl History {
    /// That in a folder, which need not be there yet.
    #[must_use]
    pub const fn new(folder: PathBuf, bounds: Bounds, cipher: Option<Arc<Cipher>>) -> Self {
        Self {
            folder,
            bounds,
            cipher,
        }
    }

    /// Keeps one more version, and lets go of those beyond the bounds. The order of versions is
    /// that in which they were kept, whatever the clock says.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn keep(
        &self,
        disk: &dyn Disk,
        (state, text): (&State, &str),
        tally: Tally,
        by: &Holder,
    ) -> io::Result<()> {
        if self.bounds.count == 0 {
            return Ok(());
        }
        std::fs::create_dir_all(&self.folder)?;
        self.close(disk)?;
        let order = self.names()?.last().map_or(1, |(last, _)| last + 1);
        let head = Head {
            serial: state.serial,
            lineage: state.lineage.clone(),
            at: by.since.clone(),
            command: by.operation.clone(),
            who: by.who.clone(),
            tally,
            size: text.len() as u64,
        };
        let path = self.folder.join(format!("{order:010}.json.gz"));
        replace(disk, &path, &self.packed(&head, text)?)?;
        self.forget(by.since.parse().ok())
    }

    /// The content of a file.
    fn packed(&self, head: &Head, text: &str) -> io::Result<Vec<u8>> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        serde_json::to_writer(&mut packed, head)?;
        packed.write_all(b"\n")?;
        match self.cipher.as_deref() {
            None => packed.write_all(text.as_bytes())?,
            Some(cipher) => packed.write_all(seal(cipher, text)?.as_bytes())?,
        }
        packed.finish()
    }

    /// Seals what was kept before states were encrypted, so that nothing of it stays in clear.
    /// Where only what is sealed may be read, no one knows who wrote it, and it stays.
    fn close(&self, disk: &dyn Disk) -> io::Result<()> {
        let Some(cipher) = self.cipher.as_deref() else {
            return Ok(());
        };
        for (_, path) in self.names()? {
            let Ok((head, mut rest)) = head(&path) else {
                continue;
            };
            let mut bytes = Vec::new();
            if (&mut rest).take(64).read_to_end(&mut bytes).is_err()
                || is_sealed(&String::from_utf8_lossy(&bytes))
                || rest.take(LONGEST).read_to_end(&mut bytes).is_err()
            {
                continue;
            }
            let text = String::from_utf8_lossy(&bytes);
            if let Ok(None) = cipher.open(PURPOSE, &text) {
                replace(disk, &path, &self.packed(&head, &text)?)?;
            }
        }
        Ok(())
    }

    /// Removes the oldest beyond the bounds.
    fn forget(&self, now: Option<Timestamp>) -> io::Result<()> {
        let names = self.names()?;
        let mut room = ROOM;
        for (place, (_, path)) in names.iter().rev().enumerate() {
            let size = std::fs::metadata(path)?.len();
            let fits = room >= size;
            room = room.saturating_sub(size);
            let few = place < FEWEST.min(self.bounds.count);
            let many = place >= self.bounds.count;
            if !few && (many || !fits || self.is_old(path, now)) {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Whether a version is older than is kept; one of which that cannot be told is not.
    fn is_old(&self, path: &Path, now: Option<Timestamp>) -> bool {
        let then = head(path).ok().and_then(|(head, _)| head.at.parse().ok());
        let (Some(now), Some(then)) = (now, then) else {
            return false;
        };
        now.duration_since(then) > self.bounds.age
    }

    /// All versions, the oldest first; a file that is none is left out.
    ///
    /// # Errors
    /// What the system says.
    pub fn versions(&self) -> io::Result<Vec<Version>> {
        let names = self.names()?;
        let found = names.into_iter().filter_map(|(_, path)| {
            let (head, _) = head(&path).ok()?;
            let stored = std::fs::metadata(&path).map_or(0, |data| data.len());
            Some(Version {
                serial: head.serial,
                lineage: head.lineage,
                at: head.at,
                command: head.command,
                who: head.who,
                tally: head.tally,
                size: head.size,
                stored,
                place: Place::File(path),
            })
        });
        Ok(found.collect())
    }

    /// The text of a version.
    ///
    /// # Errors
    /// What the system says; a file that is damaged.
    pub fn text(&self, version: &Version) -> io::Result<String> {
        let Place::File(path) = &version.place else {
            return Err(io::Error::other("it is not kept on this machine"));
        };
        let (_, rest) = head(path)?;
        let mut text = String::new();
        rest.take(LONGEST + 1).read_to_string(&mut text)?;
        let packed = is_sealed(&text);
        text = opened(self.cipher.as_deref(), PURPOSE, text).map_err(io::Error::other)?;
        if packed {
            text = unpacked(&text)?;
        }
        if text.len() as u64 == version.size {
            Ok(text)
        } else {
            let reason = "it does not hold as much as it says";
            Err(io::Error::new(io::ErrorKind::InvalidData, reason))
        }
    }

    /// The serial of the newest version that can be read and has no flaw.
    #[must_use]
    pub fn last_good(&self) -> Option<u64> {
        let versions = self.versions().ok()?;
        let good = |version: &&Version| {
            let text = self.text(version).ok();
            text.is_some_and(|text| super::from_json(&text).is_ok())
        };
        versions
            .iter()
            .rev()
            .find(good)
            .map(|version| version.serial)
    }

    /// The files, in their order.
    fn names(&self) -> io::Result<Vec<(u64, PathBuf)>> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let order = name.and_then(|name| name.strip_suffix(".json.gz")?.parse().ok());
            names.extend(order.map(|order| (order, path.clone())));
        }
        names.sort();
        Ok(names)
    }
}

/// A text compressed and then sealed: what is sealed cannot be compressed any more.
fn seal(cipher: &Cipher, text: &str) -> io::Result<String> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text.as_bytes())?;
    let packed = STANDARD.encode(packed.finish()?);
    cipher.seal(PURPOSE, &packed).map_err(io::Error::other)
}

/// The text that was compressed before it was sealed.
fn unpacked(packed: &str) -> io::Result<String> {
    let packed = STANDARD.decode(packed).map_err(io::Error::other)?;
    let mut text = String::new();
    let reader = GzDecoder::new(packed.as_slice());
    reader.take(LONGEST + 1).read_to_string(&mut text)?;
    Ok(text)
}

/// The first line of a file, and what follows.
fn head(path: &Path) -> io::Result<(Head, impl Read + use<>)> {
    let mut reader = BufReader::new(GzDecoder::new(BufReader::new(File::open(path)?)));
    let mut line = Vec::new();
    (&mut reader)
        .take(LONGEST_HEAD)
        .read_until(b'\n', &mut line)?;
    Ok((serde_json::from_slice(&line)?, reader))
}

#[cfg(test)]
mod tests {
    use super::{Bounds, History, Place, Tally};
    use crate::state::replace::Machine;
    use crate::state::{Holder, State, to_json};

    fn keep(history: &History, serial: u64, since: &str) {
        let mut state = State::new("l".to_owned());
        state.serial = serial;
        let holder = Holder {
            id: "1".to_owned(),
            operation: "apply".to_owned(),
            who: "ann@host".to_owned(),
            pid: 7,
            since: since.to_owned(),
        };
        let text = to_json(&state);
        let kept = history.keep(&Machine, (&state, &text), Tally::default(), &holder);
        kept.unwrap();
    }

    fn serials(history: &History) -> Vec<u64> {
        let versions = history.versions().unwrap();
        versions.iter().map(|version| version.serial).collect()
    }

    #[test]
    fn count_and_age_bound_it_and_the_clock_does_not_order_it() {
        let folder = tempfile::tempdir().unwrap();
        let bounds: Bounds = "8,30".parse().unwrap();
        let history = History::new(folder.path().join("history"), bounds, None);
        assert_eq!(serials(&history), [] as [u64; 0]);
        for serial in 1..=10 {
            keep(&history, serial, "2026-03-01T00:00:00Z");
        }
        assert_eq!(serials(&history), [3, 4, 5, 6, 7, 8, 9, 10]);
        // Backwards: nothing is older than now.
        keep(&history, 11, "2020-01-01T00:00:00Z");
        assert_eq!(serials(&history), [4, 5, 6, 7, 8, 9, 10, 11]);
        // Far ahead: the newest few stay.
        keep(&history, 12, "2090-01-01T00:00:00Z");
        assert_eq!(serials(&history), [8, 9, 10, 11, 12]);
        let last = history.versions().unwrap().pop().unwrap();
        let text = history.text(&last).unwrap();
        assert_eq!(crate::state::from_json(&text).unwrap().serial, 12);
        // What is damaged is not offered.
        let Place::File(path) = &last.place else {
            unreachable!("it is on this machine")
        };
        std::fs::write(path, b"broken").unwrap();
        assert_eq!(history.last_good(), Some(11));
    }

    #[test]
    fn nothing_is_kept_where_nothing_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::new(folder.path().join("history"), "0".parse().unwrap(), None);
        keep(&history, 1, "2026-03-01T00:00:00Z");
        assert!(!folder.path().join("history").exists());
        assert!("many".parse::<Bounds>().is_err());
    }
}
