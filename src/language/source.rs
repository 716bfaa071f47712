//! The texts a configuration was read from.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use isobar_sdk::{Diagnostics, Span};
use sha2::{Digest, Sha256};

use super::module::joined;
use super::origin::{Origin, OriginError};
use super::text::{LONGEST_SOURCE, read_ordinary};
use super::{parse_file, take};

/// File names, as shown to the user, with their texts, and where modules are installed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    texts: BTreeMap<Arc<str>, Arc<str>>,
    /// Folders of packages that were installed, by their keys.
    installed: BTreeMap<String, String>,
    /// Folders that are another one around them by another name, because of a link.
    around: BTreeMap<String, String>,
}

/// Why a module has no folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unplaced {
    /// Its package is not installed.
    NotInstalled,
    /// Its source cannot be used.
    Invalid(OriginError),
}

/// The most folders that modules are read from.
const MOST_FOLDERS: usize = 4096;
/// How deep modules may call one another.
pub(super) const DEEPEST: usize = 64;
/// The longest part of a line that an excerpt shows.
const LONGEST: usize = 400;

/// A line of a source with the part of it that a span covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt<'a> {
    /// Counted from one.
    pub line: usize,
    /// Counted from one, in characters.
    pub column: usize,
    /// The line without its end.
    pub text: &'a str,
    /// The bytes of `text` that the span covers.
    pub covered: std::ops::Range<usize>,
}

impl Sources {
    /// Reads the files of a folder that Isobar reads, `*.hcl` (tests excepted) and
    /// `*.auto.vars.hcl`, and those of the modules that it calls.
    ///
    /// # Errors
    /// A folder or file that cannot be read.
    pub fn read_folder(root: &Path) -> io::Result<Self> {
        Self::read_with(root, BTreeMap::new())
    }

    /// Reads a folder with the packages that are `installed`: their folders, relative to it, by
    /// their keys.
    ///
    /// # Errors
    /// A folder or file that cannot be read.
    pub fn read_with(root: &Path, installed: BTreeMap<String, String>) -> io::Result<Self> {
        Self::read_over(root, installed, &BTreeMap::new())
    }

    /// The same, where some files, by path without `.` and `..`, have another text than on disk.
    ///
    /// # Errors
    /// A folder or file that cannot be read.
    pub fn read_over(
        root: &Path,
        installed: BTreeMap<String, String>,
        open: &BTreeMap<PathBuf, String>,
    ) -> io::Result<Self> {
        let mut sources = Self {
            texts: BTreeMap::new(),
            installed,
            around: BTreeMap::new(),
        };
        sources.read_below(root, "", open)?;
        Ok(sources)
    }

    /// Reads another folder below the root, or beside it, with the modules that it calls.
    ///
    /// # Errors
    /// A folder or file that cannot be read.
    pub fn read_more(&mut self, root: &Path, folder: &str) -> io::Result<()> {
        self.read_below(root, folder, &BTreeMap::new())
    }

    /// Reads a folder and those of all modules, those that are called least deep first.
    fn read_below(
        &mut self,
        root: &Path,
        first: &str,
        open: &BTreeMap<PathBuf, String>,
    ) -> io::Result<()> {
        self.read_one(root, first, open)?;
        let place = root.join(first).canonicalize()?;
        let start = (first.to_owned(), vec![(place, first.to_owned())]);
        let mut unread = VecDeque::from([start]);
        let mut seen = BTreeSet::from([first.to_owned()]);
        while let Some((folder, around)) = unread.pop_front() {
            for below in self.called_from(&folder) {
                // What is not there is reported where it is called.
                if !seen.insert(below.clone()) || !root.join(&below).is_dir() {
                    continue;
                }
                let place = root.join(&below).canonicalize()?;
                if let Some((_, name)) = around.iter().find(|(folder, _)| *folder == place) {
                    self.around.insert(below, name.clone());
                    continue;
                }
                if around.len() > DEEPEST {
                    // The loader says so where it is called.
                    continue;
                }
                if seen.len() > MOST_FOLDERS {
                    let detail = format!("modules have more than {MOST_FOLDERS} folders");
                    return Err(io::Error::other(detail));
                }
                self.read_one(root, &below, open)?;
                let around = around.iter().cloned().chain([(place, below.clone())]);
                unread.push_back((below, around.collect()));
            }
        }
        Ok(())
    }

    /// The folders of the modules that the files of a folder call.
    fn called_from(&self, folder: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (file, text) in self.configuration_of(folder) {
            if !text.contains("module") {
                continue;
            }
            let (body, _) = parse_file(file, text);
            for block in body.blocks.iter().filter(|block| &*block.kind == "module") {
                let source = block.body.attribute("source");
                let source = source
                    .and_then(|attribute| take::literal_text(attribute, &mut Diagnostics::new()));
                found.extend(source.and_then(|source| self.module_folder(folder, &source).ok()));
            }
        }
        found
    }

    fn read_one(
        &mut self,
        root: &Path,
        folder: &str,
        open: &BTreeMap<PathBuf, String>,
    ) -> io::Result<()> {
        let path = root.join(folder);
        let named = |error: io::Error, path: &Path| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        };
        let is_read = |name: &str| {
            is_configuration(name) || (folder.is_empty() && is_automatic_variables(name))
        };
        for entry in std::fs::read_dir(&path).map_err(|error| named(error, &path))? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(name) = name.filter(|name| is_read(name)) else {
                continue;
            };
            if !path.is_dir() {
                let text = read_ordinary(&path, LONGEST_SOURCE);
                let text = text.map_err(|error| named(error, &path))?;
                self.insert(&within(folder, name), text);
            }
        }
        let here = PathBuf::from(joined("", &path.to_string_lossy()));
        for (path, text) in open.iter().filter(|(path, _)| path.parent() == Some(&here)) {
            let name = path.file_name().and_then(|name| name.to_str());
            if let Some(name) = name.filter(|name| is_read(name)) {
                self.insert(&within(folder, name), text.as_str());
            }
        }
        Ok(())
    }

    /// The folder that the source of a module means for a caller in `folder`, both relative to
    /// the root.
    ///
    /// # Errors
    /// Why there is none.
    pub fn module_folder(&self, folder: &str, source: &str) -> Result<String, Unplaced> {
        let origin = Origin::of(folder, source).map_err(Unplaced::Invalid)?;
        // A package knows nothing of what surrounds it.
        let mut packages = self.installed.values();
        let around = packages.find(|package| is_in(folder, package));
        if let (Some(package), Some(path)) = (around, origin.path())
            && !is_in(path, package)
        {
            return Err(Unplaced::Invalid(OriginError::Outside));
        }
        match origin {
            Origin::Folder(below) => Ok(below),
            Origin::Package { package, within } => match self.installed.get(&package.key) {
                Some(folder) if within.is_empty() => Ok(folder.clone()),
                Some(folder) => Ok(format!("{folder}/{within}")),
                None => Err(Unplaced::NotInstalled),
            },
        }
    }

    /// The packages that files were read from, with their folders.
    pub fn packages(&self) -> impl Iterator<Item = (&str, &str)> {
        let used = |folder: &str| self.texts.keys().any(|file| is_in(file, folder));
        let pairs = self
            .installed
            .iter()
            .map(|(key, folder)| (&**key, &**folder));
        pairs.filter(move |(_, folder)| used(folder))
    }

    /// Where packages are installed, by their keys.
    #[must_use]
    pub const fn installed(&self) -> &BTreeMap<String, String> {
        &self.installed
    }

    /// Says where a package is installed.
    pub fn install(&mut self, key: &str, folder: &str) {
        self.installed.insert(key.to_owned(), folder.to_owned());
    }

    /// The name under which a folder is known that a link leads back to.
    pub(super) fn known<'a>(&'a self, folder: &'a str) -> &'a str {
        self.around.get(folder).map_or(folder, |known| known)
    }

    /// Adds a text.
    pub fn insert(&mut self, file: &str, text: impl Into<Arc<str>>) -> Arc<str> {
        let file: Arc<str> = file.into();
        self.texts.insert(Arc::clone(&file), text.into());
        file
    }

    /// The text of a file.
    #[must_use]
    pub fn text(&self, file: &str) -> Option<&str> {
        self.texts.get(file).map(|text| &**text)
    }

    /// All files with their texts, in name order.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.texts.iter()
    }

    /// The files that hold configuration.
    pub fn configuration(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.texts.iter().filter(|(file, _)| is_configuration(file))
    }

    /// The files of one folder that hold configuration.
    pub fn configuration_of(&self, folder: &str) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        let here =
            move |file: &str| file.rsplit_once('/').map_or("", |(folder, _)| folder) == folder;
        self.configuration().filter(move |(file, _)| here(file))
    }

    /// The files whose variable values are taken without being asked for.
    pub fn automatic_variables(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.texts
            .iter()
            .filter(|(file, _)| is_automatic_variables(file))
    }

    /// SHA-256 over names and texts of the configuration, in hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (file, text) in self.configuration() {
            hash.update((file.len() as u64).to_le_bytes());
            hash.update(file.as_bytes());
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
        hash.finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// The first line that a span covers.
    #[must_use]
    pub fn excerpt(&self, span: &Span) -> Option<Excerpt<'_>> {
        let text = self.text(&span.file)?;
        let start = floor_boundary(text, span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..]
            .find('\n')
            .map_or(text.len(), |newline| start + newline);
        let end = floor_boundary(text, span.end).clamp(start, line_end);
        let whole = text[line_start..line_end].trim_end_matches('\r');
        // What is wrong may be the end of the line itself.
        let within = |position: usize| (position - line_start).min(whole.len());
        let covered = within(start)..within(end);
        let (text_shown, covered) = window(whole, covered);
        Some(Excerpt {
            line: text[..line_start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            text: text_shown,
            covered,
        })
    }
}

/// The part of a long line around what is covered.
fn window(line: &str, covered: std::ops::Range<usize>) -> (&str, std::ops::Range<usize>) {
    if line.len() <= LONGEST {
        return (line, covered);
    }
    let from = floor_boundary(line, covered.start.saturating_sub(LONGEST / 4));
    let to = floor_boundary(line, from + LONGEST);
    let end = covered.end.clamp(covered.start, to) - from;
    (&line[from..to], covered.start - from..end)
}

/// The name of a file in a folder, relative to the root.
fn within(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// Whether a path is that of a folder or of something below it.
fn is_in(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a file of this name holds configuration.
#[must_use]
pub fn is_configuration(file: &str) -> bool {
    // Hidden files are those of programs: the lock file, what editors leave.
    let name = file.rsplit('/').next().unwrap_or(file);
    name.ends_with(".hcl")
        && !name.starts_with('.')
        && !name.ends_with(".vars.hcl")
        && !name.ends_with(".test.hcl")
        && !name.ends_with(".mock.hcl")
}

fn is_automatic_variables(file: &str) -> bool {
    file.ends_with(".auto.vars.hcl")
}

fn floor_boundary(text: &str, position: usize) -> usize {
    let mut position = position.min(text.len());
    while !text.is_char_boundary(position) {
        position -= 1;
    }
    position
}

#[cfg(test)]
mod tests {
    use isobar_sdk::Span;

    use super::Sources;

    #[test]
    fn an_excerpt_is_the_line_of_the_span() {
        let mut sources = Sources::default();
        let file = sources.insert("main.hcl", "a = 1\nbü = xyz\n");
        let excerpt = sources.excerpt(&Span::new(&file, 12..15)).unwrap();
        assert_eq!(
            (excerpt.line, excerpt.column, excerpt.text),
            (2, 6, "bü = xyz")
        );
        assert_eq!(&excerpt.text[excerpt.covered], "xyz");
        let long = format!("a = \"{}\"\n", "x".repeat(100_000));
        let file_long = sources.insert("long.hcl", long);
        let excerpt = sources
            .excerpt(&Span::new(&file_long, 50_000..100_000))
            .unwrap();
        assert_eq!(excerpt.text.len(), 400);
        assert_eq!(excerpt.covered, 100..400);
        let file_wide = sources.insert("wide.hcl", "a = \r\r\n");
        let excerpt = sources.excerpt(&Span::new(&file_wide, 5..6)).unwrap();
        assert_eq!((excerpt.text, excerpt.covered), ("a = ", 4..4));
        let end = sources.excerpt(&Span::new(&file, 900..901)).unwrap();
        assert_eq!(end.line, 3);
    }
}
