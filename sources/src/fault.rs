//! What can go wrong with a source, told apart by what is to be done about it.

/// Why a source gave no readings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It does not answer, or has too much to do: the same question may succeed later.
    #[error("{what}")]
    Unavailable {
        /// What happened, and how often it was tried.
        what: String,
    },
    /// It does not accept who asks.
    #[error("{what}")]
    Refused {
        /// What it said.
        what: String,
        /// Where the credentials come from.
        help: String,
    },
    /// It does not understand, or does not have, what it is asked for.
    #[error("{what}")]
    Question {
        /// What it said.
        what: String,
        /// What to change in the settings.
        help: String,
    },
    /// What it gave is not one series of rates.
    #[error("{what}")]
    Unusable {
        /// The line of a file, from 1, where one line is at fault.
        line: Option<u64>,
        /// What is wrong, with the offending text.
        what: String,
        /// What to change so that it works.
        help: String,
    },
}

impl Fault {
    pub(crate) fn unavailable(what: impl Into<String>) -> Self {
        Self::Unavailable { what: what.into() }
    }

    pub(crate) fn question(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Question {
            what: what.into(),
            help: help.into(),
        }
    }

    pub(crate) fn unusable(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Unusable {
            line: None,
            what: what.into(),
            help: help.into(),
        }
    }

    /// The line of a file that is at fault.
    #[must_use]
    pub const fn line(&self) -> Option<u64> {
        match self {
            Self::Unusable { line, .. } => *line,
            _ => None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> &str {
        match self {
            Self::Unavailable { .. } => {
                "check that it runs and can be reached from here, and try again; with on_error = \"last_good\" a plan goes on with what it told last"
            }
            Self::Refused { help, .. }
            | Self::Question { help, .. }
            | Self::Unusable { help, .. } => help,
        }
    }
}

/// The text in quotes, cut to what fits into a message.
pub(crate) fn abbreviate(text: &str) -> String {
    const LONGEST: usize = 40;
    shorten(text, LONGEST)
}

/// The text in quotes, cut to this many characters.
pub(crate) fn shorten(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return format!("{text:?}");
    }
    let head: String = text.chars().take(longest).collect();
    format!("{head:?}…")
}

/// What a library says, with what is behind it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut behind = error.source();
    while let Some(cause) = behind {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        behind = cause.source();
    }
    text
}
