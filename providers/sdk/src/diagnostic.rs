//! What the user is told when something is wrong, as a value.

use crate::{Address, Path, Span};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The command goes on.
    Warning,
    /// The command ends without doing what was asked.
    Error,
}

/// One thing the user should know, with its place and its fix.
///
/// `summary` is constant text, so that the same mistake always reads the same and can be
/// searched for; everything specific is in `detail`, which says what, where and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable identifier, such as `L0003`; listed in `docs/diagnostics.md`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Constant text; never holds user input.
    pub summary: &'static str,
    /// What exactly, and why it matters.
    pub detail: String,
    /// The place the user has to look at.
    pub subject: Option<Span>,
    /// A wider place around the subject, such as the block's header.
    pub context: Option<Span>,
    /// The resource it is about.
    pub address: Option<Address>,
    /// The attribute it is about.
    pub path: Option<Path>,
    /// What to do about it.
    pub help: Option<String>,
    /// What the references at the subject stood for.
    pub readings: Vec<Reading>,
}

/// A reference of an expression, and what it stood for when something went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// As it is written, such as `var.sizes["small"]`.
    pub reference: String,
    /// Its value on one line, or what is to be known of it: `is "b"`, `is sensitive`.
    pub statement: String,
}

impl Diagnostic {
    /// Whether a reader would find the same in another.
    fn says_the_same(&self, other: &Self) -> bool {
        let said = |found: &Self| (found.severity, found.summary);
        said(self) == said(other)
            && self.detail == other.detail
            && self.subject == other.subject
            && self.address == other.address
            && self.path == other.path
    }

    /// An error.
    #[must_use]
    pub fn error(code: &'static str, summary: &'static str, detail: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            summary,
            detail: detail.into(),
            subject: None,
            context: None,
            address: None,
            path: None,
            help: None,
            readings: Vec::new(),
        }
    }

    /// A warning.
    #[must_use]
    pub fn warning(code: &'static str, summary: &'static str, detail: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, summary, detail)
        }
    }

    /// With its place.
    #[must_use]
    pub fn at(mut self, subject: &Span) -> Self {
        self.subject = Some(subject.clone());
        self
    }

    /// With its place, where one is known.
    #[must_use]
    pub fn at_maybe(mut self, subject: Option<&Span>) -> Self {
        self.subject = subject.cloned();
        self
    }

    /// With the wider place around its subject.
    #[must_use]
    pub fn within(mut self, context: &Span) -> Self {
        self.context = Some(context.clone());
        self
    }

    /// With the resource it is about.
    #[must_use]
    pub fn about(mut self, address: &Address) -> Self {
        self.address = Some(address.clone());
        self
    }

    /// With the attribute it is about.
    #[must_use]
    pub fn on(mut self, path: Path) -> Self {
        self.path = Some(path);
        self
    }

    /// With what the references at the subject stood for.
    #[must_use]
    pub fn reading(mut self, readings: Vec<Reading>) -> Self {
        self.readings = readings;
        self
    }

    /// With what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A diagnostic that ends something; boxed, because it is rare and large.
pub type Fault = Box<Diagnostic>;

/// All that was found, in the order of finding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// These, each only once: two checks may find the same, under codes of their own.
    #[must_use]
    pub fn without_repeats(self) -> Self {
        let mut kept: Vec<Diagnostic> = Vec::with_capacity(self.0.len());
        for diagnostic in self.0 {
            if !kept
                .iter()
                .any(|earlier| earlier.says_the_same(&diagnostic))
            {
                kept.push(diagnostic);
            }
        }
        Self(kept)
    }

    /// Nothing found.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds one, unless the very same is already there; with other values behind it, it still is
    /// the same.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let same = |there: &Diagnostic| {
            (there.code, &there.context, &there.help)
                == (diagnostic.code, &diagnostic.context, &diagnostic.help)
                && there.says_the_same(&diagnostic)
        };
        if !self.0.iter().any(same) {
            self.0.push(diagnostic);
        }
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: Self) {
        for diagnostic in other.0 {
            self.push(diagnostic);
        }
    }

    /// Whether any of them is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether nothing was found.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order of finding.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The candidate that `given` was most likely meant to be, if any is close enough.
#[must_use]
pub fn closest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(given, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().max(given.len()) / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// A clause as a sentence: with a capital and a full stop. A place or a name that it begins
/// with, such as `us-east` or `var.a`, stays as it is.
#[must_use]
pub fn sentence(clause: &str) -> String {
    let mut text = clause.trim_end_matches('.').to_owned();
    let word = clause.split([' ', '\n']).next().unwrap_or_default();
    let word = word.trim_end_matches([',', ':', ';']);
    if word.chars().all(|c| c.is_alphabetic() || c == '\'')
        && let Some(first) = text.get_mut(0..1)
    {
        first.make_ascii_uppercase();
    }
    text.push('.');
    text
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn a_sentence_begins_with_a_capital_unless_it_begins_with_a_name() {
        for (clause, expected) in [
            ("there is no zone", "There is no zone."),
            ("it isn't there.", "It isn't there."),
            ("can't be", "Can't be."),
            ("sim-us-east has none", "sim-us-east has none."),
            ("var.a is 1", "var.a is 1."),
            ("backend: gone", "Backend: gone."),
            ("", "."),
        ] {
            assert_eq!(sentence(clause), expected);
        }
    }
}
