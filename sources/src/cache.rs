//! What sources told last, in files: what is long past need not be asked again, and where a
//! source fails there is the last that was good.

use std::fs;
use std::io;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::source::Reading;

/// The most sources that are kept; the one that was used longest ago goes first.
const FILES: usize = 64;
/// The most readings of one source that are kept.
const READINGS: usize = 500_000;
const VERSION: u32 = 1;

/// A folder of what sources told last.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
}

/// What a source told last.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// When.
    pub taken: Timestamp,
    /// Readings before this do not change any more.
    pub settled: Timestamp,
    /// In order of time, with lines left out.
    pub readings: Vec<Reading>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    /// What it is, for people.
    source: String,
    taken: Timestamp,
    settled: Timestamp,
    /// SHA-256 of all that follows.
    digest: String,
}

impl Cache {
    /// What is kept in this folder, which need not be there.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn path(&self, identity: &str) -> PathBuf {
        self.folder.join(format!("{identity}.readings"))
    }

    /// What the source with this [identity](crate::Settings::identity) told last; `None` where
    /// nothing is kept, or what is kept is not whole.
    #[must_use]
    pub fn get(&self, identity: &str) -> Option<Kept> {
        let text = fs::read_to_string(self.path(identity)).ok()?;
        let (header, body) = text.split_once('\n')?;
        let header: Header = serde_json::from_str(header).ok()?;
        if header.version != VERSION || header.digest != digest(body) {
            return None;
        }
        Some(Kept {
            taken: header.taken,
            settled: header.settled,
            readings: body.lines().map(parse).collect::<Option<_>>()?,
        })
    }

    /// Keeps what a source told; `source` says for people which one. What is too much is not kept.
    ///
    /// # Errors
    /// Why it could not be written. Nothing is half written.
    pub fn put(&self, identity: &str, source: &str, kept: &Kept) -> io::Result<()> {
        if kept.readings.len() > READINGS {
            return Ok(());
        }
        fs::create_dir_all(&self.folder)?;
        let body: String = kept.readings.iter().map(line).collect();
        let header = Header {
            version: VERSION,
            source: source.to_owned(),
            taken: kept.taken,
            settled: kept.settled,
            digest: digest(&body),
        };
        // One that reads meanwhile sees the old file or the new one.
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        serde_json::to_writer(&mut file, &header)?;
        file.write_all(b"\n")?;
        file.write_all(body.as_bytes())?;
        file.persist(self.path(identity))
            .map_err(|error| error.error)?;
        self.bound();
        Ok(())
    }

    /// Removes what was used longest ago, where there is too much.
    fn bound(&self) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut files: Vec<(SystemTime, PathBuf)> = entries
            .filter(|entry| is_ours(&entry.path()))
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        files.sort();
        let beyond = files.len().saturating_sub(FILES);
        for (_, path) in &files[..beyond] {
            // What cannot be removed now is tried again next time.
            let _ = fs::remove_file(path);
        }
    }
}

fn is_ours(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "readings")
}

fn line(reading: &Reading) -> String {
    let value = reading.value.map(|value| value.to_string());
    format!(
        "{} {}\n",
        reading.at.as_nanosecond(),
        value.unwrap_or_default()
    )
}

fn parse(line: &str) -> Option<Reading> {
    let (at, value) = line.split_once(' ')?;
    Some(Reading {
        at: Timestamp::from_nanosecond(at.parse().ok()?).ok()?,
        value: match value {
            "" => None,
            value => Some(value.parse().ok()?),
        },
        line: None,
    })
}

fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(value: f64) -> Kept {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let reading = |at, value| Reading {
            at,
            value,
            line: None,
        };
        Kept {
            taken: at(1_000),
            settled: at(500),
            readings: vec![reading(at(0), Some(value)), reading(at(60), None)],
        }
    }

    #[test]
    fn what_is_put_is_got_back_to_the_last_bit() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("telemetry"));
        assert_eq!(cache.get("a"), None);
        let value = 0.1 + 0.2;
        cache
            .put("a", "prometheus http://host", &kept(value))
            .unwrap();
        assert_eq!(cache.get("a"), Some(kept(value)));
        assert_eq!(cache.get("b"), None);
    }

    #[test]
    fn what_is_not_whole_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned());
        cache.put("a", "csv", &kept(1.0)).unwrap();
        let path = cache.path("a");
        let text = fs::read_to_string(&path).unwrap();
        for broken in [
            &text[..text.len() - 3],
            "",
            "{}\n",
            &text.replace("0 1\n", "0 2\n"),
        ] {
            fs::write(&path, broken).unwrap();
            assert_eq!(cache.get("a"), None, "{broken:?}");
        }
    }

    #[test]
    fn there_are_never_too_many_files() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned());
        for number in 0..FILES + 3 {
            cache.put(&number.to_string(), "csv", &kept(1.0)).unwrap();
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), FILES);
        assert!(cache.get(&(FILES + 2).to_string()).is_some());
    }
}
