//! What can go wrong with a package.

use std::io;
use std::path::Path;

use isobar_sdk::Diagnostic;
use isobar_sdk::diagnostic::sentence;

use super::LOCK_FILE;

/// Why a package cannot be used.
#[derive(Debug)]
pub enum PackageError {
    /// A program that is needed is not there.
    NoTool {
        /// What it is called.
        program: &'static str,
        /// The package of the system that has it.
        package: &'static str,
    },
    /// It could not be fetched.
    Unreachable(String),
    /// The repository has no such branch, tag or commit.
    NoReference {
        /// What was asked for.
        reference: String,
        /// What there is that reads alike.
        like: Option<String>,
    },
    /// The repository no longer has the commit of the lock file.
    NoCommit(String),
    /// It could not be unpacked.
    NotAnArchive(String),
    /// The archive is another one than the source says.
    Checksum {
        /// What it should be.
        wanted: String,
        /// What it is.
        found: String,
    },
    /// Something in it leads out of it, or is neither file nor folder.
    Escape(String),
    /// It is not what the lock file says.
    Differs {
        /// When that was seen.
        moment: Moment,
        /// The digest of the lock file.
        wanted: String,
        /// The digest of what is there.
        found: String,
    },
    /// Files cannot be written or read.
    Io(String),
}

/// When a package was seen not to be what the lock file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// After it had been fetched.
    Fetched,
    /// Before it was used.
    Used,
}

impl PackageError {
    /// What the system says about a path.
    pub(super) fn io(path: &Path, error: &io::Error) -> Self {
        Self::Io(format!("{}: {error}", path.display()))
    }

    /// The diagnostic for a package.
    #[must_use]
    pub fn diagnostic(&self, key: &str) -> Diagnostic {
        match self {
            Self::NoTool { program, package } => Diagnostic::error(
                "M0001",
                "Program is missing",
                format!("{key:?} is fetched with {program}, which is not on this machine."),
            )
            .help(format!("Install it: the package is called {package}.")),
            Self::Unreachable(said) => Diagnostic::error(
                "M0002",
                "Module cannot be fetched",
                format!("{key:?} could not be had: {}.", said.trim_end_matches('.')),
            )
            .help("Check the address, the network and the credentials."),
            Self::NoReference { reference, like } => Diagnostic::error(
                "M0003",
                "No such version of a module",
                format!("{key:?} has no branch, tag or commit {reference:?}."),
            )
            .help(like.as_ref().map_or_else(
                || "Correct ref; a shortened commit cannot be had together with depth.".to_owned(),
                |like| format!("Did you mean {like:?}?"),
            )),
            Self::NoCommit(commit) => Diagnostic::error(
                "M0003",
                "No such version of a module",
                format!("{key:?} no longer has the commit {commit}, which {LOCK_FILE} names."),
            )
            .help("isobar init -upgrade takes what there is now; look at it first."),
            Self::NotAnArchive(said) => Diagnostic::error(
                "M0004",
                "Module cannot be unpacked",
                format!("What {key:?} leads to is not an archive of this kind: {}.",
                    said.trim_end_matches('.')),
            )
            .help("Check the file; ?archive=tar.gz in the source says what it is where its name does not."),
            Self::Checksum { wanted, found } => Diagnostic::error(
                "M0006",
                "Module is not what was locked",
                format!("The file of {key:?} has the SHA-256 {found}, but the source says {wanted}."),
            )
            .help("Find out why it was changed, then correct checksum."),
            Self::Escape(what) => Diagnostic::error(
                "M0005",
                "Module leads out of its folder",
                format!("{key:?} is refused: {what}."),
            )
            .help("A module may only hold files and folders, and links between these."),
            Self::Differs { moment, wanted, found } => differs(*moment, key, wanted, found),
            Self::Io(said) => Diagnostic::error(
                "M0010",
                "Modules cannot be installed",
                sentence(said),
            )
            .help("Check the rights to the folder and the space on the disk."),
        }
    }
}

fn differs(moment: Moment, key: &str, wanted: &str, found: &str) -> Diagnostic {
    let (what, help) = match moment {
        Moment::Fetched => (
            "What was fetched",
            "Find out why it was changed; isobar init -upgrade then records the new content.",
        ),
        Moment::Used => (
            "What is installed",
            "Run isobar init, which installs what was locked. Keep changes of your own outside of the installed folder.",
        ),
    };
    let detail =
        format!("{what} for {key:?} has the digest {found}, but {LOCK_FILE} says {wanted}.");
    Diagnostic::error("M0006", "Module is not what was locked", detail).help(help)
}
