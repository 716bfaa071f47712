//! What a journal that was left behind says, up to where it can be trusted.

use std::fmt;

use serde::de::IgnoredAny;

use super::journal::{Line, Sum, record};
use super::{Cipher, CipherError, Record, is_sealed, opened};

/// What an earlier command left behind.
#[derive(Debug, Default, PartialEq)]
pub struct Recovered {
    /// What it did, up to the damage.
    pub records: Vec<Record>,
    /// Where the journal cannot be trusted any more.
    pub damage: Option<Damage>,
}

/// Something that no crash leaves behind: a group of lines that was complete and says something
/// else by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The line it was found at, counted from 1; of an encrypted journal, among those inside.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} {}", self.line, self.reason)
    }
}

/// What a journal says for the state of this lineage and serial; nothing where it was begun for
/// another one. A group that is not complete was being written when the crash came, and is left
/// out.
///
/// # Errors
/// A key that is not there.
pub fn recovered(
    text: String,
    cipher: Option<&Cipher>,
    lineage: &str,
    serial: u64,
) -> Result<Recovered, CipherError> {
    let (text, sealed) = unsealed(text, cipher)?;
    let mut reading = Reading::new(&text);
    let damage = reading
        .read(&text)
        .err()
        .or_else(|| sealed.or_else(|| cut_behind(&text)));
    if reading
        .begun
        .as_ref()
        .is_some_and(|begun| *begun != (lineage.to_owned(), serial))
    {
        return Ok(Recovered::default());
    }
    Ok(Recovered {
        records: reading.records,
        damage,
    })
}

/// A journal that is read line by line.
struct Reading {
    /// Whether its groups end with a sum; those of earlier versions do not.
    summed: bool,
    sum: Sum,
    /// The state that it was begun for, once that can be trusted.
    begun: Option<(String, u64)>,
    records: Vec<Record>,
}

impl Reading {
    fn new(text: &str) -> Self {
        let second = text.lines().nth(1);
        Self {
            summed: second.is_none_or(|line| !is_record(line)),
            sum: Sum::default(),
            begun: None,
            records: Vec::new(),
        }
    }

    /// Takes in group after group.
    fn read(&mut self, text: &str) -> Result<(), Damage> {
        let mut group = Vec::new();
        for (position, line) in text.split_inclusive('\n').enumerate() {
            if !line.ends_with('\n') {
                break;
            }
            let damage = |reason: &str| Damage {
                line: position + 1,
                reason: reason.to_owned(),
            };
            let read = serde_json::from_str(line)
                .map_err(|error| damage(&format!("is not a record of a journal: {error}")))?;
            match read {
                Line::Check(sum) if sum == self.sum => self.close(&mut group)?,
                Line::Check(_) => {
                    return Err(damage("does not have the sum of the lines before it"));
                }
                read => {
                    self.sum = self.sum.and(line);
                    group.push((position, read));
                    if !self.summed {
                        self.close(&mut group)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Ends a group.
    fn close(&mut self, group: &mut Vec<(usize, Line)>) -> Result<(), Damage> {
        for (position, line) in group.drain(..) {
            let damage = |reason: &str| Damage {
                line: position + 1,
                reason: format!("is not a record of a journal: {reason}"),
            };
            match (line, &self.begun) {
                (Line::Begin { lineage, serial }, None) => self.begun = Some((lineage, serial)),
                (_, None) => return Err(damage("it does not say for which state it was begun")),
                (line, Some(_)) => {
                    let record = record(line).map_err(|error| damage(&error.to_string()));
                    self.records.push(record?);
                }
            }
        }
        Ok(())
    }
}

/// Whether a line is one that earlier versions wrote behind the first, too.
fn is_record(line: &str) -> bool {
    let line = serde_json::from_str(line);
    line.is_ok_and(|line| !matches!(line, Line::Check(_)))
}

/// The lines of a journal whose groups may each be sealed, up to one that was changed.
fn unsealed(
    text: String,
    cipher: Option<&Cipher>,
) -> Result<(String, Option<Damage>), CipherError> {
    if cipher.is_none() && !is_sealed(&text) {
        return Ok((text, None));
    }
    let mut plain = String::new();
    for line in text.split_inclusive('\n') {
        if !line.ends_with('\n') {
            // What was cut off stays so.
            plain += line;
            break;
        }
        match opened(cipher, "journal", line.to_owned()) {
            Ok(open) => plain += &open,
            Err(CipherError::Broken(reason)) => {
                let line = plain.lines().count() + 1;
                let reason = format!("is in an envelope that is broken: {reason}");
                return Ok((plain, Some(Damage { line, reason })));
            }
            Err(error) => return Err(error),
        }
    }
    Ok((plain, None))
}

/// A last line whose end was damaged, and not cut off: a crash leaves no more than a part of it.
fn cut_behind(text: &str) -> Option<Damage> {
    let tail = text.rsplit('\n').next().unwrap_or_default();
    let mut values = serde_json::Deserializer::from_str(tail).into_iter::<IgnoredAny>();
    let whole = values.next().is_some_and(|value| value.is_ok());
    (whole && values.byte_offset() < tail.len()).then(|| Damage {
        line: text.lines().count(),
        reason: "does not end as it was written".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use isobar_sdk::provider::IdempotencyKey;

    use super::super::{Cipher, Journal, Material, Record};
    use super::{Recovered, recovered};

    fn intent(number: usize) -> Record {
        Record::Intent {
            address: format!("isobar_data.ä[{number}]").parse().unwrap(),
            key: IdempotencyKey::new(format!("key-{number}")),
        }
    }

    /// A journal of three groups, and its records.
    fn written(path: &Path, cipher: Option<Arc<Cipher>>) -> (Vec<u8>, Vec<Record>) {
        let mut journal = Journal::create(path, "l", 3, cipher).unwrap();
        let records: Vec<Record> = (0..6).map(intent).collect();
        for group in records.chunks(2) {
            journal.append(group).unwrap();
        }
        (std::fs::read(path).unwrap(), records)
    }

    fn cipher() -> Arc<Cipher> {
        let random = Arc::new(|bytes: &mut [u8]| {
            bytes.fill(7);
            Ok(())
        });
        Arc::new(Cipher::new(Material::Key([1; 32]), Vec::new(), true, random).unwrap())
    }

    fn read(bytes: &[u8], cipher: Option<&Cipher>) -> Option<Recovered> {
        recovered(String::from_utf8_lossy(bytes).into_owned(), cipher, "l", 3).ok()
    }

    #[test]
    fn no_byte_can_be_changed_unseen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        for cipher in [None, Some(cipher())] {
            let (bytes, records) = written(&path, cipher.clone());
            let cipher = cipher.as_deref();
            let whole = read(&bytes, cipher).unwrap();
            assert_eq!((whole.records, whole.damage), (records.clone(), None));
            for place in 0..bytes.len() {
                for bit in 0..8 {
                    let mut changed = bytes.clone();
                    changed[place] ^= 1 << bit;
                    // A key that was never configured is refused, too.
                    let Some(found) = read(&changed, cipher) else {
                        continue;
                    };
                    assert!(found.damage.is_some(), "byte {place}, bit {bit}: {found:?}");
                    assert!(records.starts_with(&found.records), "byte {place}");
                }
            }
        }
    }

    #[test]
    fn a_journal_that_ends_anywhere_says_all_its_complete_groups() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        for cipher in [None, Some(cipher())] {
            let (bytes, records) = written(&path, cipher.clone());
            let mut seen = 0;
            for end in 0..=bytes.len() {
                let found = read(&bytes[..end], cipher.as_deref()).unwrap();
                assert_eq!(found.damage, None, "up to {end}");
                let count = found.records.len();
                assert!(
                    count >= seen && count.is_multiple_of(2) && records.starts_with(&found.records)
                );
                seen = count;
            }
            assert_eq!(seen, records.len());
        }
    }

    #[test]
    fn lines_that_are_missing_in_the_middle_are_missed() {
        let folder = tempfile::tempdir().unwrap();
        let (bytes, records) = written(&folder.path().join("journal"), None);
        let text = String::from_utf8(bytes).unwrap();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let without = [&lines[..5], &lines[8..]].concat().concat();
        let found = read(without.as_bytes(), None).unwrap();
        assert_eq!(found.records, records[..2]);
        assert_eq!(found.damage.unwrap().line, 8);
    }

    #[test]
    fn a_journal_of_an_earlier_version_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let (bytes, records) = written(&folder.path().join("journal"), None);
        let text = String::from_utf8(bytes).unwrap();
        let lines = text.split_inclusive('\n');
        let old: String = lines.filter(|line| !line.contains("check")).collect();
        let found = read(format!("{old}{{\"intent").as_bytes(), None).unwrap();
        assert_eq!((found.records, found.damage), (records, None));
        let found = read(format!("{old}nonsense\n").as_bytes(), None).unwrap();
        assert_eq!(found.damage.unwrap().line, 8);
    }
}
