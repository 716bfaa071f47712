//! Named documents that can be written on a condition: all that is asked of a place.

use std::fmt;

use bytes::Bytes;
use futures::future::BoxFuture;

/// What tells one version of a document from every other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag(pub String);

/// A document as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What it holds.
    pub content: Bytes,
    /// Which version of it this is.
    pub tag: Tag,
}

/// When a document may be written.
#[derive(Debug, Clone, Copy)]
pub enum Condition<'a> {
    /// There is none yet.
    Absent,
    /// It is still this version.
    Still(&'a Tag),
}

/// Why a place did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The condition of a write does not hold.
    #[error("{name} was written by someone else")]
    Conflict {
        /// The document.
        name: String,
    },
    /// It cannot be reached, or refuses.
    #[error("{name}: {reason}")]
    Failed {
        /// The document, or the place.
        name: String,
        /// What it says.
        reason: String,
    },
    /// What it holds is not what was written.
    #[error("{name} is broken: {reason}")]
    Broken {
        /// The document.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Fault {
    /// A fault of a place, with all that its error rests on.
    #[must_use]
    pub fn failed(name: &str, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut reason = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            let text = error.to_string();
            if !reason.contains(&text) {
                reason = format!("{reason}: {text}");
            }
            source = error.source();
        }
        Self::Failed {
            name: name.to_owned(),
            reason,
        }
    }
}

/// A place that keeps named documents. Names are made of `a-z0-9._-` and `/`.
///
/// A write that succeeded is seen by every read and list that begins behind it, and of several
/// writes on one condition at most one succeeds.
pub trait Documents: fmt::Debug + Send + Sync {
    /// Where this is, for people; without secrets.
    fn place(&self) -> String;

    /// A document; `None` if there is none.
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Document>, Fault>>;

    /// Writes a document if the condition holds, else [`Fault::Conflict`]. After any other fault
    /// it may have been written, or be written later.
    fn put<'a>(
        &'a self,
        name: &'a str,
        content: Bytes,
        condition: Condition<'a>,
    ) -> BoxFuture<'a, Result<Tag, Fault>>;

    /// Removes a document, which may be gone already.
    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Fault>>;

    /// The names of all documents that begin so, in order.
    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, Fault>>;
}

/// Writes a document whose content no one else would write. A fault, or a conflict with what an
/// attempt of our own has written after all, is cleared up by looking.
pub(crate) async fn settle(
    documents: &dyn Documents,
    name: &str,
    content: Bytes,
    condition: Condition<'_>,
) -> Result<Tag, Fault> {
    let fault = match documents.put(name, content.clone(), condition).await {
        Ok(tag) => return Ok(tag),
        Err(fault) => fault,
    };
    match documents.get(name).await {
        Ok(Some(found)) if found.content == content => Ok(found.tag),
        _ => Err(fault),
    }
}
