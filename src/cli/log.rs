//! What the program does, line by line, for who looks for a fault: `ISOBAR_LOG`.
//!
//! The lines come from the closed set of events and from the steps of commands. Values of the
//! configuration and of the state are not among them, so no secret can be.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::environment::now;

/// How much is told; each level has the lines of those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// What failed.
    Error,
    /// What may be wrong.
    Warn,
    /// What commands do.
    Info,
    /// What happens to each resource.
    Debug,
    /// Everything.
    Trace,
}

impl Level {
    const ALL: [(&str, Self); 5] = [
        ("error", Self::Error),
        ("warn", Self::Warn),
        ("info", Self::Info),
        ("debug", Self::Debug),
        ("trace", Self::Trace),
    ];

    /// The level that a text names; `None` for `off`, everything for what is not known.
    pub(super) fn of(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        if matches!(text.as_str(), "off" | "none" | "0") {
            return None;
        }
        let named = Self::ALL.iter().find(|(name, _)| *name == text);
        Some(named.map_or(Self::Trace, |(_, level)| *level))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Warn => "WARN",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
            Self::Trace => "TRACE",
        }
    }
}

/// Where lines go.
enum Destination {
    Stderr,
    File(Mutex<File>),
}

/// Takes lines up to a level.
pub(super) struct Log {
    level: Level,
    destination: Destination,
}

impl Log {
    /// A log to the end of a file, or to stderr.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub(super) fn open(level: Level, path: Option<&Path>) -> io::Result<Self> {
        let file = path.map(|path| OpenOptions::new().append(true).create(true).open(path));
        let destination = match file.transpose()? {
            Some(file) => Destination::File(Mutex::new(file)),
            None => Destination::Stderr,
        };
        Ok(Self { level, destination })
    }

    /// Whether lines of a level are taken.
    pub(super) fn takes(&self, level: Level) -> bool {
        level <= self.level
    }

    /// Takes a line; gives it back where it is to be told on stderr.
    pub(super) fn line(&self, level: Level, text: &str) -> Option<String> {
        if !self.takes(level) {
            return None;
        }
        let text = text.replace('\n', " ");
        let line = format!("{} [{}] {text}", now(), level.name());
        match &self.destination {
            Destination::Stderr => Some(line),
            Destination::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                // A log that cannot be written must not stop what it is about.
                let _unheard = writeln!(file, "{line}");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Level, Log};

    #[test]
    fn a_level_has_the_lines_of_those_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = Log::open(Level::Info, Some(&path)).unwrap();
        assert_eq!(log.line(Level::Info, "two\nlines"), None);
        assert_eq!(log.line(Level::Debug, "hidden"), None);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.ends_with(" [INFO] two lines\n"), "{text}");
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn what_is_not_a_level_means_everything() {
        assert_eq!(Level::of("1"), Some(Level::Trace));
        assert_eq!(Level::of("DEBUG"), Some(Level::Debug));
        assert_eq!(Level::of("off"), None);
    }
}
