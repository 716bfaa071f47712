//! What an apply is about to do and what became of it, written before and after each change.
//!
//! One JSON document a line. What is written at once ends with the CRC-32 of all lines up to
//! there, so that damage is found out. A group of lines that has no such end was being written
//! when the crash came and is ignored: nothing was acknowledged that depends on it.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use isobar_sdk::Address;
use isobar_sdk::provider::IdempotencyKey;
use serde::{Deserialize, Serialize};

use super::file::{
    FormatError, InstanceDocument, decode_instance, encode_instance, parse_address, parse_deposed,
};
use super::recovery::{Recovered, recovered};
use super::{Cipher, CipherError, DeposedKey, Instance, Moves, sealed};
use crate::language::text;

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A change begins.
    Intent {
        /// Of this instance.
        address: Address,
        /// With this key.
        key: IdempotencyKey,
    },
    /// The instance is now this.
    Stored {
        /// Which one.
        address: Address,
        /// What it is.
        instance: Box<Instance>,
    },
    /// The instance is gone.
    Removed {
        /// Which one.
        address: Address,
    },
    /// Instances have other names now.
    Moved {
        /// From where to where.
        moves: Moves,
    },
    /// The instance is replaced by what the next record stores, and is still to be destroyed.
    /// That it is recorded so is the intent to destroy it.
    Deposed {
        /// Which one.
        address: Address,
        /// What tells it apart.
        key: DeposedKey,
    },
    /// What was deposed is gone.
    Discarded {
        /// Which one.
        address: Address,
        /// What tells it apart.
        key: DeposedKey,
    },
    /// The change failed and changed nothing.
    Unchanged {
        /// Which one.
        address: Address,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    Begin {
        lineage: String,
        serial: u64,
    },
    /// Ends what was written at once.
    Check(Sum),
    Intent {
        address: String,
        key: String,
    },
    Stored(Box<InstanceDocument>),
    Removed {
        address: String,
    },
    Moved {
        moves: Vec<(String, String)>,
    },
    Deposed {
        address: String,
        key: String,
    },
    Discarded {
        address: String,
        key: String,
    },
    Unchanged {
        address: String,
    },
}

/// CRC-32 (IEEE 802.3) of all lines but those that hold one, from the first on: what is missing
/// in the middle shows, too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sum(u32);

impl Sum {
    /// The sum with these lines behind the others.
    pub(super) fn and(self, lines: &str) -> Self {
        let mut hash = crc32fast::Hasher::new_with_initial(self.0);
        hash.update(lines.as_bytes());
        Self(hash.finalize())
    }
}

/// Why a journal cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The system does not give it.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It cannot be decrypted.
    #[error(transparent)]
    Sealed(#[from] CipherError),
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    /// Where the last complete write ends; what lies behind it after a failed one is cut off.
    end: u64,
    /// Of all up to there.
    sum: Sum,
    /// What it is encrypted with.
    cipher: Option<Arc<Cipher>>,
}

impl Journal {
    /// Begins a journal for changes to the state of this lineage and serial.
    ///
    /// # Errors
    /// What the system says.
    pub fn create(
        path: &Path,
        lineage: &str,
        serial: u64,
        cipher: Option<Arc<Cipher>>,
    ) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        // It holds secrets in the clear, as the state does.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        let mut journal = Self {
            file,
            path: path.to_owned(),
            end: 0,
            sum: Sum::default(),
            cipher,
        };
        journal.write(&[Line::Begin {
            lineage: lineage.to_owned(),
            serial,
        }])?;
        let folder = path.parent().unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
        Ok(journal)
    }

    /// Writes records so that they survive a crash.
    ///
    /// # Errors
    /// What the system says.
    pub fn append(&mut self, records: &[Record]) -> io::Result<()> {
        let lines: Vec<Line> = records.iter().map(line).collect();
        self.write(&lines)
    }

    fn write(&mut self, lines: &[Line]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let mut text = text_of(lines)?;
        let sum = self.sum.and(&text);
        text += &text_of(&[Line::Check(sum)])?;
        let text = sealed(self.cipher.as_deref(), "journal", text);
        let text = text.map_err(io::Error::other)?;
        let written = self
            .file
            .write_all(text.as_bytes())
            .and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => {
                self.end += text.len() as u64;
                self.sum = sum;
            }
            // Half a line would swallow the next one.
            Err(_) => {
                self.file.set_len(self.end)?;
                self.file.seek(SeekFrom::Start(self.end))?;
            }
        }
        written
    }

    /// Removes the journal, once its records are in the state.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove(self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }

    /// What an earlier command left behind for the state of this lineage and serial.
    ///
    /// # Errors
    /// What the system says; a key that is not there.
    pub fn recover(
        path: &Path,
        lineage: &str,
        serial: u64,
        cipher: Option<&Cipher>,
    ) -> Result<Recovered, JournalError> {
        match text::bytes_of_ordinary(path, text::LONGEST) {
            Ok(bytes) => {
                // A last line may be cut off in the middle of a character.
                let text = String::from_utf8_lossy(&bytes).into_owned();
                Ok(recovered(text, cipher, lineage, serial)?)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Recovered::default()),
            Err(error) => Err(error.into()),
        }
    }
}

fn text_of(lines: &[Line]) -> io::Result<String> {
    let mut text = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut text, line).map_err(io::Error::other)?;
        text.push(b'\n');
    }
    String::from_utf8(text).map_err(io::Error::other)
}

/// Records as lines of a journal, without its beginning.
pub(super) fn encode(records: &[Record]) -> io::Result<String> {
    text_of(&records.iter().map(line).collect::<Vec<_>>())
}

/// The records of complete lines without the beginning of a journal.
pub(super) fn decode(text: &str) -> io::Result<Vec<Record>> {
    let read = |(position, text): (usize, &str)| {
        let read = serde_json::from_str(text).map_err(|error| error.to_string());
        let read = read.and_then(|read| record(read).map_err(|error| error.to_string()));
        read.map_err(|reason| broken(position, &reason))
    };
    text.lines().enumerate().map(read).collect()
}

fn broken(position: usize, reason: &str) -> io::Error {
    let line = position + 1;
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("line {line} is not a record of a journal: {reason}"),
    )
}

fn line(record: &Record) -> Line {
    match record {
        Record::Intent { address, key } => Line::Intent {
            address: address.to_string(),
            key: key.to_string(),
        },
        Record::Stored { address, instance } => {
            Line::Stored(Box::new(encode_instance(address, instance)))
        }
        Record::Removed { address } => Line::Removed {
            address: address.to_string(),
        },
        Record::Moved { moves } => Line::Moved {
            moves: moves
                .iter()
                .map(|(from, to)| (from.to_string(), to.to_string()))
                .collect(),
        },
        Record::Deposed { address, key } => Line::Deposed {
            address: address.to_string(),
            key: key.to_string(),
        },
        Record::Discarded { address, key } => Line::Discarded {
            address: address.to_string(),
            key: key.to_string(),
        },
        Record::Unchanged { address } => Line::Unchanged {
            address: address.to_string(),
        },
    }
}

pub(super) fn record(line: Line) -> Result<Record, FormatError> {
    let misplaced = |reason: &str| Err(FormatError::Malformed(reason.to_owned()));
    Ok(match line {
        Line::Begin { .. } => return misplaced("it begins a second time"),
        Line::Check(_) => return misplaced("it ends a group that is none"),
        Line::Intent { address, key } => Record::Intent {
            address: parse_address(&address)?,
            key: IdempotencyKey::new(key),
        },
        Line::Stored(document) => {
            let (address, instance) = decode_instance(*document)?;
            Record::Stored {
                address,
                instance: Box::new(instance),
            }
        }
        Line::Removed { address } => Record::Removed {
            address: parse_address(&address)?,
        },
        Line::Moved { moves } => {
            let parsed = moves
                .iter()
                .map(|(from, to)| Ok((parse_address(from)?, parse_address(to)?)));
            Record::Moved {
                moves: parsed.collect::<Result<_, FormatError>>()?,
            }
        }
        Line::Deposed { address, key } => Record::Deposed {
            address: parse_address(&address)?,
            key: parse_deposed(&key)?,
        },
        Line::Discarded { address, key } => Record::Discarded {
            address: parse_address(&address)?,
            key: parse_deposed(&key)?,
        },
        Line::Unchanged { address } => Record::Unchanged {
            address: parse_address(&address)?,
        },
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use isobar_sdk::provider::IdempotencyKey;

    use super::super::Recovered;
    use super::{Journal, Record};

    #[cfg(unix)]
    #[test]
    fn only_its_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        // What an earlier version left is closed, too.
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        Journal::create(&path, "l", 1, None).unwrap();
        let rights = std::fs::metadata(&path).unwrap().permissions();
        assert_eq!(rights.mode() & 0o777, 0o600);
    }

    #[test]
    fn records_survive_and_a_cut_line_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::create(&path, "l", 3, None).unwrap();
        let records = [
            Record::Intent {
                address: "isobar_data.a".parse().unwrap(),
                key: IdempotencyKey::new("k"),
            },
            Record::Removed {
                address: "isobar_data.b".parse().unwrap(),
            },
        ];
        journal.append(&records).unwrap();
        // Cut in the middle of a character, too.
        journal.file.write_all(b"{\"removed\":{\"addr\xc3").unwrap();
        let found = Journal::recover(&path, "l", 3, None).unwrap();
        assert_eq!(found.records, records);
        assert_eq!(found.damage, None);
        let found = Journal::recover(&path, "l", 4, None).unwrap();
        assert_eq!(found, Recovered::default());
        journal.file.write_all(b"\n").unwrap();
        let found = Journal::recover(&path, "l", 3, None).unwrap();
        assert_eq!(
            (&found.records[..], found.damage.unwrap().line),
            (&records[..], 6)
        );
        let none = Journal::recover(&folder.path().join("none"), "l", 3, None);
        assert_eq!(none.unwrap(), Recovered::default());
    }
}
