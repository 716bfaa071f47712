//! The programs of the system that fetch and unpack.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use super::PackageError;

/// A program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tool {
    program: &'static str,
    package: &'static str,
}

pub(super) const GIT: Tool = Tool::new("git", "git");
pub(super) const CURL: Tool = Tool::new("curl", "curl");
pub(super) const TAR: Tool = Tool::new("tar", "tar");
pub(super) const UNZIP: Tool = Tool::new("unzip", "unzip");
/// tar starts it.
pub(super) const GZIP: Tool = Tool::new("gzip", "gzip");
/// tar starts it.
pub(super) const BZIP2: Tool = Tool::new("bzip2", "bzip2");
/// tar starts it.
pub(super) const XZ: Tool = Tool::new("xz", "xz-utils");

/// Variables with which a caller, such as a hook of git, or its user would bend what a program
/// does with the paths that it is given.
const BENDING: [&str; 13] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_TEMPLATE_DIR",
    "TAR_OPTIONS",
    "UNZIP",
    "UNZIPOPT",
    "ZIPINFO",
];

/// How a program ended that could be started.
pub(super) enum Ended {
    /// Well, with what it wrote.
    Well(String),
    /// Not well, with what it said.
    Badly(String),
}

impl Tool {
    const fn new(program: &'static str, package: &'static str) -> Self {
        Self { program, package }
    }

    /// The program, not yet started: it asks nobody and speaks plainly.
    pub(super) fn command(self) -> Command {
        let mut command = Command::new(self.program);
        for name in BENDING {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C");
        command
    }

    /// Runs a command of this program, which gets `input` to read.
    pub(super) fn run(self, command: &mut Command, input: &str) -> Result<Ended, PackageError> {
        command.stdin(match input.is_empty() {
            true => Stdio::null(),
            false => Stdio::piped(),
        });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| self.unstarted(&error))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that does not listen says why when it ends.
            let _unheard = stdin.write_all(input.as_bytes());
        }
        let output = child
            .wait_with_output()
            .map_err(|error| self.unstarted(&error))?;
        Ok(match output.status.success() {
            true => Ended::Well(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Ended::Badly(said(self.program, &String::from_utf8_lossy(&output.stderr))),
        })
    }

    /// Fails if the program is not there.
    pub(super) fn must_exist(self) -> Result<(), PackageError> {
        self.run(self.command().arg("--version"), "").map(drop)
    }

    fn unstarted(self, error: &io::Error) -> PackageError {
        let Self { program, package } = self;
        match error.kind() {
            io::ErrorKind::NotFound => PackageError::NoTool { program, package },
            _ => PackageError::Io(format!("{program} cannot be started: {error}")),
        }
    }
}

/// What a program said, on one line: the first says why, what follows is what it did about it.
fn said(program: &str, text: &str) -> String {
    let mut lines = text.lines().map(str::trim);
    let telling = lines.clone().find(|line| line.starts_with("fatal:"));
    let line = telling.or_else(|| lines.find(|line| !line.is_empty()));
    let line = line.unwrap_or("it did not say why");
    let line = line.trim_start_matches("fatal: ");
    let line = line.strip_prefix(&format!("{program}: ")).unwrap_or(line);
    format!("{program} says: {line}")
}
