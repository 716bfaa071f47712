//! Why a provider call failed, told apart by what the caller does next.

use std::time::Duration;

use crate::Path;

/// What the caller does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// The thing is gone: forget it, or create it again.
    NotFound,
    /// Someone else holds or changed it: read again, or adopt it.
    Conflict,
    /// The account may not have more: never retried.
    Quota,
    /// Too many calls: wait, then the same call again.
    Throttled {
        /// How long the other side asks to wait, where it says so.
        after: Option<Duration>,
    },
    /// The credentials do not allow it: never retried.
    Denied,
    /// The request itself is wrong.
    Invalid {
        /// The attribute to blame; the root where none is.
        path: Path,
    },
    /// No answer, or none that tells what became of the call: the same call again, with the
    /// same idempotency key.
    Unavailable,
}

/// A failed provider call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What the caller does next.
    pub kind: ErrorKind,
    /// What happened, in the platform's words where it gave any.
    pub message: String,
    /// What the user can do about it.
    pub help: Option<String>,
}

impl Error {
    /// A failure of the given kind.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            help: None,
        }
    }

    /// The thing is gone.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    /// Someone else holds or changed it.
    #[must_use]
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, message)
    }

    /// The account may not have more.
    #[must_use]
    pub fn quota(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Quota, message)
    }

    /// The request is wrong at `path`.
    #[must_use]
    pub fn invalid(path: Path, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid { path }, message)
    }

    /// No answer, or none that tells what became of the call.
    #[must_use]
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, message)
    }

    /// With what the user can do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether the same call with the same key may succeed later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Throttled { .. } | ErrorKind::Unavailable
        )
    }
}
