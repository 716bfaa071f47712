//! What is wrong with a state that can be read: a digest that does not fit, records that
//! contradict one another.

use std::fmt;

use indexmap::IndexSet;
use memchr::{memchr, memchr2};
use rustc_hash::FxBuildHasher;
use sha2::{Digest, Sha256};

/// How many flaws are told one by one.
const TOLD: usize = 20;
/// How many bytes are hashed at once.
const PIECE: usize = 1 << 14;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Someone changed the file, or it was damaged.
    #[error("its content does not have the digest that it names, so it was changed or damaged")]
    Digest,
    /// There is no lineage.
    #[error("it has no lineage")]
    NoLineage,
    /// Two records claim the same address.
    #[error("{0} is recorded twice")]
    Twice(String),
    /// A provider that cannot be one.
    #[error("{address} has {provider:?} for a provider")]
    Provider {
        /// Of which instance.
        address: String,
        /// What stands there.
        provider: String,
    },
    /// An instance that rests on itself.
    #[error("{0} depends on itself")]
    Itself(String),
}

/// All that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaws(pub Vec<Flaw>);

impl fmt::Display for Flaws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, flaw) in self.0.iter().take(TOLD).enumerate() {
            let between = if position == 0 { "" } else { "; " };
            write!(f, "{between}{flaw}")?;
        }
        match self.0.len().saturating_sub(TOLD) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// Addresses and providers as they are read, one after the other.
#[derive(Debug, Default)]
pub(super) struct Check {
    seen: IndexSet<String, FxBuildHasher>,
    /// What was found.
    pub(super) flaws: Vec<Flaw>,
}

impl Check {
    /// Looks at one record, which may depend on itself; `name` is unique in a state.
    pub(super) fn record(&mut self, name: String, provider: &str, on_itself: bool) {
        let odd = |c: char| c.is_whitespace() || c.is_control();
        // The key of an alias may be any text.
        let name_of = provider.split('[').next().unwrap_or_default();
        if name_of.contains(odd) || name_of.split('.').any(str::is_empty) {
            self.flaws.push(Flaw::Provider {
                address: name.clone(),
                provider: provider.to_owned(),
            });
        }
        if on_itself {
            self.flaws.push(Flaw::Itself(name.clone()));
        }
        if let (place, false) = self.seen.insert_full(name) {
            self.flaws.push(Flaw::Twice(self.seen[place].clone()));
        }
    }
}

/// SHA-256 of the canonical form of a document: without space between its tokens.
pub(super) fn digest(document: &str) -> String {
    let mut hash = Sha256::new();
    packed(document, |bytes| hash.update(bytes));
    finish(hash)
}

/// The document with its digest as its last member.
pub(super) fn signed(mut document: String) -> String {
    let digest = digest(&document);
    let open = document.trim_end();
    let open = open.strip_suffix('}').unwrap_or(open).trim_end().len();
    document.truncate(open);
    document.push_str(",\n  \"digest\": \"");
    document.push_str(&digest);
    document.push_str("\"\n}\n");
    document
}

/// Whether a document has the digest that it names as its last member.
pub(super) fn holds(document: &str) -> bool {
    let Some(at) = document.rfind("\"digest\"") else {
        return false;
    };
    let (before, after) = document.split_at(at);
    let mut rest = Vec::new();
    packed(after, |bytes| rest.extend_from_slice(bytes));
    let named = rest.strip_prefix(b"\"digest\":\"");
    let named = named.and_then(|named| named.strip_suffix(b"\"}"));
    let before = before.trim_end().strip_suffix(',');
    let (Some(named), Some(before)) = (named, before) else {
        return false;
    };
    let mut hash = Sha256::new();
    packed(before, |bytes| hash.update(bytes));
    hash.update(b"}");
    finish(hash).as_bytes() == named
}

fn finish(hash: Sha256) -> String {
    let bytes = hash.finalize();
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

/// Gives away a document without the space outside its texts, piece by piece. Every byte of a
/// state goes through here on each read and write, so it goes from quote to quote, and from one
/// run of tokens to the next, rather than from byte to byte.
fn packed(document: &str, sink: impl FnMut(&[u8])) {
    let mut pieces = Pieces {
        buffer: Vec::with_capacity(PIECE),
        sink,
    };
    let mut rest = document.as_bytes();
    while let Some(open) = memchr(b'"', rest) {
        let (between, from) = rest.split_at(open);
        pieces.put_packed(between);
        let length = quoted(from);
        let (text, behind) = from.split_at(length);
        pieces.put(text);
        rest = behind;
    }
    pieces.put_packed(rest);
    pieces.end();
}

/// How long the text is that begins with a quote here, its quotes included; all of it where it
/// does not end.
fn quoted(from: &[u8]) -> usize {
    let mut at = 1;
    while let Some(next) = from.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += next + 1;
        if from[at - 1] == b'"' {
            return at;
        }
        // What is escaped ends nothing.
        at += 1;
    }
    from.len()
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// What is given away, gathered into pieces.
struct Pieces<S> {
    buffer: Vec<u8>,
    sink: S,
}

impl<S: FnMut(&[u8])> Pieces<S> {
    fn put(&mut self, bytes: &[u8]) {
        if self.buffer.len() + bytes.len() > PIECE {
            (self.sink)(&self.buffer);
            self.buffer.clear();
        }
        match bytes.len() {
            0..PIECE => self.buffer.extend_from_slice(bytes),
            _ => (self.sink)(bytes),
        }
    }

    /// What stands outside of texts, without its space.
    fn put_packed(&mut self, bytes: &[u8]) {
        for token in bytes.split(|byte| is_space(*byte)) {
            if !token.is_empty() {
                self.put(token);
            }
        }
    }

    fn end(mut self) {
        (self.sink)(&self.buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::{Check, Flaw, Flaws, digest, holds, signed};

    #[test]
    fn space_between_tokens_does_not_count_and_all_else_does() {
        let document = "{\n  \"a\": \"x \\\" y\",\n  \"b\": [1, 2]\n}\n";
        let text = signed(document.to_owned());
        assert!(text.contains(&digest(document)));
        assert!(holds(&text));
        let packed = text.replace("\n", "").replace("[1, 2]", "[1,2]");
        assert!(holds(&packed), "{packed}");
        for (from, to) in [
            ("x ", "x"),
            ("[1", "[3"),
            ("\n}", ", \"c\": 1}"),
            ("sha256:", "sha256:0"),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            assert!(!holds(&changed), "{changed}");
        }
    }

    #[test]
    fn contradictions_are_all_told() {
        let mut check = Check::default();
        check.record("a.b".to_owned(), "sim.east", true);
        check.record("a.b".to_owned(), "", false);
        let told = Flaws(check.flaws.clone()).to_string();
        assert_eq!(check.flaws.len(), 3);
        assert_eq!(check.flaws[0], Flaw::Itself("a.b".to_owned()));
        assert!(
            told.contains("a.b is recorded twice") && told.contains("\"\""),
            "{told}"
        );
    }
}
