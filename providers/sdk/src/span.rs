//! Where in a source file something was written.

use std::sync::Arc;

/// A half-open range of bytes in one source file.
///
/// Line and column are not stored: the renderer derives them from the source text, so that a
/// configuration of many blocks stays small.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The file as the user knows it, relative to the working folder.
    pub file: Arc<str>,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// A span over `range` in `file`.
    #[must_use]
    pub fn new(file: &Arc<str>, range: std::ops::Range<usize>) -> Self {
        Self {
            file: Arc::clone(file),
            start: range.start,
            end: range.end,
        }
    }

    /// The smallest span that holds both, which must lie in one file; otherwise `self`.
    #[must_use]
    pub fn to(&self, other: &Self) -> Self {
        if self.file != other.file {
            return self.clone();
        }
        Self {
            file: Arc::clone(&self.file),
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}
