//! `isobar fmt`

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use isobar_sdk::{Diagnostic, Diagnostics};

use super::Exit;
use super::args::Fmt;
use super::session::Session;
use crate::format::format;
use crate::language::Sources;
use crate::render;

/// What the standard input is called in diagnostics.
const STDIN: &str = "<stdin>";

pub(super) fn run(session: &Session, args: &Fmt) -> Exit {
    let mut work = Work {
        session,
        args,
        changed: false,
        diagnostics: Diagnostics::new(),
        sources: Sources::default(),
    };
    if args.paths == [Path::new("-")] {
        work.standard_input();
    } else if args.paths.is_empty() {
        work.folder(session.folder());
    } else {
        for path in &args.paths {
            work.given(&session.path(path));
        }
    }
    session.shell.diagnostics(&work.diagnostics, &work.sources);
    if work.diagnostics.has_errors() {
        Exit::Refused
    } else if args.check && work.changed {
        Exit::Unformatted
    } else {
        Exit::Success
    }
}

struct Work<'a> {
    session: &'a Session,
    args: &'a Fmt,
    /// Whether a file is, or would be, changed.
    changed: bool,
    diagnostics: Diagnostics,
    /// The files that the diagnostics point into.
    sources: Sources,
}

impl Work<'_> {
    fn standard_input(&mut self) {
        let mut bytes = Vec::new();
        let read = io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes);
        let Some((text, formatted)) = self.formatted(STDIN, read) else {
            return;
        };
        self.changed |= text != formatted;
        if self.args.diff {
            let diff = render::unified::diff(STDIN, &text, &formatted);
            self.session.shell.data(&diff);
        } else if !self.args.check {
            self.print(formatted);
        }
    }

    /// Formats what was named on the command line.
    fn given(&mut self, path: &Path) {
        if path.is_dir() {
            return self.folder(path);
        }
        let name = self.name(path);
        let problem = if !path.is_file() {
            "is neither a file nor a folder"
        } else if is_configuration(path) {
            return self.file(path);
        } else {
            "does not end in .hcl"
        };
        let detail = format!("{name} {problem}.");
        self.diagnostics.push(
            Diagnostic::error("C0080", "Nothing to format", detail)
                .help("Name files that end in .hcl, folders, or - for the standard input."),
        );
    }

    /// Formats the files of a folder. Hidden files and folders are left alone, as are links to
    /// folders.
    fn folder(&mut self, path: &Path) {
        let entries = fs::read_dir(path).and_then(|entries| {
            let entries = entries.map(|entry| entry.and_then(|e| Ok((e.path(), e.file_type()?))));
            entries.collect::<io::Result<Vec<_>>>()
        });
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(&self.name(path), &error),
        };
        entries.sort_by(|(left, _), (right, _)| left.cmp(right));
        for (path, kind) in entries {
            if is_hidden(&path) {
                continue;
            }
            if kind.is_dir() && self.args.recursive {
                self.folder(&path);
            } else if is_configuration(&path) && path.is_file() {
                self.file(&path);
            }
        }
    }

    fn file(&mut self, path: &Path) {
        let name = self.name(path);
        let Some((text, formatted)) = self.formatted(&name, fs::read(path)) else {
            return;
        };
        let Fmt {
            check, diff, list, ..
        } = *self.args;
        let write = self.args.write && !check;
        let shell = &self.session.shell;
        if !(list || write || diff || check) {
            return self.print(formatted);
        }
        if text == formatted {
            return;
        }
        self.changed = true;
        if list {
            shell.data(&format!("{name}\n"));
        }
        if diff {
            shell.data(&render::unified::diff(&name, &text, &formatted));
        }
        if write && let Err(error) = replace(path, &formatted) {
            let detail = format!("{name} is left as it is: {error}.");
            self.diagnostics.push(
                Diagnostic::error("C0082", "File cannot be written", detail)
                    .help("Check the rights and the space of its folder."),
            );
        }
    }

    /// A text that was read, as it is and in the common layout.
    fn formatted(&mut self, name: &str, read: io::Result<Vec<u8>>) -> Option<(String, String)> {
        let text = read.and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other));
        let text = match text {
            Ok(text) => text,
            Err(error) => {
                self.unreadable(name, &error);
                return None;
            }
        };
        let file: Arc<str> = name.into();
        match format(&file, &text) {
            Ok(formatted) => Some((text, formatted)),
            Err(diagnostics) => {
                self.diagnostics.extend(diagnostics);
                self.sources.insert(name, text);
                None
            }
        }
    }

    /// Prints a text, whose last line ends even where that of the file does not.
    fn print(&self, mut text: String) {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        self.session.shell.data(&text);
    }

    fn unreadable(&mut self, name: &str, error: &io::Error) {
        let detail = format!("{name}: {error}.");
        self.diagnostics.push(
            Diagnostic::error("C0081", "File cannot be read", detail)
                .help("Files to format are text in UTF-8 that this user may read."),
        );
    }

    /// A path as it is shown: from the folder that the program works in.
    fn name(&self, path: &Path) -> String {
        let inside = path.strip_prefix(self.session.folder()).unwrap_or(path);
        let plain: PathBuf = inside.components().collect();
        let shown = plain.strip_prefix(".").unwrap_or(&plain);
        shown.display().to_string()
    }
}

/// Writes a file whole or not at all, with the rights that it had. A link stays one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = path.canonicalize()?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file()
        .set_permissions(fs::metadata(&path)?.permissions())?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(())
}

fn is_configuration(path: &Path) -> bool {
    path.extension() == Some(OsStr::new("hcl"))
}

fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.as_encoded_bytes().starts_with(b".")
}
