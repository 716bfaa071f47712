//! The texts that an editor has open, their folders, and what it was told about them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use isobar_sdk::Diagnostic;
use isobar_sdk::diagnostic::sentence;
use lsp_types::{DidChangeTextDocumentParams, PublishDiagnosticsParams, Uri};

use super::buffer::Buffer;
use super::check::{self, Found};
use super::folder::{Folder, Surroundings};
use super::location;
use crate::language::{Sources, parse_file};

/// Every folder with an open text is a configuration of its own: roots of a workspace and modules
/// alike.
pub(super) struct Desk<'a> {
    surroundings: &'a dyn Surroundings,
    open: BTreeMap<PathBuf, Buffer>,
    /// Folders as they were read last.
    folders: BTreeMap<PathBuf, Folder>,
    /// Folders that were not looked at since something changed.
    stale: BTreeSet<PathBuf>,
    /// What is wrong, by the folder that was looked at: a module may be wrong in its caller only.
    found: BTreeMap<PathBuf, Found>,
    /// What the editor was told last.
    told: Found,
}

impl<'a> Desk<'a> {
    pub(super) fn new(surroundings: &'a dyn Surroundings) -> Self {
        Self {
            surroundings,
            open: BTreeMap::new(),
            folders: BTreeMap::new(),
            stale: BTreeSet::new(),
            found: BTreeMap::new(),
            told: Found::new(),
        }
    }

    /// An open text, by its address.
    pub(super) fn text(&self, uri: &Uri) -> Option<&Buffer> {
        self.open.get(&location::path(uri)?)
    }

    /// Opens a text, or closes it.
    pub(super) fn set(&mut self, uri: &Uri, text: Option<Buffer>) {
        let Some(path) = location::path(uri) else {
            return;
        };
        self.stale.extend(path.parent().map(Path::to_owned));
        match text {
            Some(text) => self.open.insert(path, text),
            None => self.open.remove(&path),
        };
        self.forget();
    }

    /// Changes an open text.
    pub(super) fn change(&mut self, given: &DidChangeTextDocumentParams) {
        let uri = &given.text_document.uri;
        if let Some(before) = self.text(uri) {
            let changes = given.content_changes.iter();
            let after = changes.fold(before.clone(), |text, change| text.changed(change));
            self.set(uri, Some(after));
        }
    }

    /// Has all folders read again: each may use what has changed.
    pub(super) fn forget(&mut self) {
        self.folders.clear();
        let roots = self.open.keys().filter_map(|path| path.parent());
        self.stale.extend(roots.map(Path::to_owned));
    }

    /// The folder of an open text.
    pub(super) fn around(&mut self, uri: &Uri) -> Option<&Folder> {
        let path = location::path(uri)?;
        Some(self.folder(path.parent()?))
    }

    /// The folder of an open text, as if the line at a byte were not there: what is being written
    /// often does not parse, and would hide what its block declares.
    pub(super) fn around_without_line(&self, uri: &Uri, offset: usize) -> Option<Folder> {
        let path = location::path(uri)?;
        let mut texts = self.texts();
        let text = texts.get_mut(&path)?;
        let start = text[..offset].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[offset..]
            .find('\n')
            .map_or(text.len(), |newline| offset + newline);
        text.replace_range(start..end, "");
        Some(self.read(path.parent()?, &texts))
    }

    fn texts(&self) -> BTreeMap<PathBuf, String> {
        let texts = self.open.iter();
        texts
            .map(|(path, text)| (path.clone(), text.text().to_owned()))
            .collect()
    }

    fn folder(&mut self, root: &Path) -> &Folder {
        if !self.folders.contains_key(root) {
            let folder = self.read(root, &self.texts());
            self.folders.insert(root.to_owned(), folder);
        }
        &self.folders[root]
    }

    fn read(&self, root: &Path, texts: &BTreeMap<PathBuf, String>) -> Folder {
        let (sources, error) = match self.surroundings.sources(root, texts) {
            Ok(sources) => (sources, None),
            Err(error) => (open_alone(root, texts), Some(error)),
        };
        let registry = self.surroundings.registry(root);
        let machine = self.surroundings.machine(root);
        let mut folder = Folder::new(root.to_owned(), sources, registry, machine);
        if let Some(error) = error {
            folder.found.push(unreadable(&error));
        }
        folder
    }

    /// Looks for mistakes where something has changed; gives what the editor does not know yet.
    pub(super) fn news(&mut self) -> Vec<PublishDiagnosticsParams> {
        for root in std::mem::take(&mut self.stale) {
            if self.open.keys().any(|path| path.parent() == Some(&root)) {
                let mut found = check::folder(self.folder(&root));
                found.extend(self.apart(&root));
                self.found.insert(root, found);
            } else {
                self.found.remove(&root);
            }
        }
        let now = merged(self.found.values());
        let before = std::mem::replace(&mut self.told, now);
        let gone = before.keys().filter(|path| !self.told.contains_key(*path));
        let gone = gone.map(|path| (path, Vec::new()));
        let all = self.told.iter().map(|(path, found)| (path, found.clone()));
        all.chain(gone)
            .filter(|(path, found)| before.get(*path) != Some(found))
            .filter_map(|(path, diagnostics)| {
                let uri = location::uri(path)?;
                Some(PublishDiagnosticsParams::new(uri, diagnostics, None))
            })
            .collect()
    }

    /// Open files of a folder that are no part of its configuration, as values of variables are:
    /// only their syntax is looked at.
    fn apart(&mut self, root: &Path) -> Found {
        let here = |(path, _): &(PathBuf, String)| path.parent() == Some(root);
        let texts: Vec<(PathBuf, String)> = self.texts().into_iter().filter(here).collect();
        let folder = self.folder(root);
        let mut found = Found::new();
        for (path, text) in texts {
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.unwrap_or_default();
            if folder
                .sources
                .configuration()
                .any(|(file, _)| **file == *name)
            {
                continue;
            }
            let mut sources = Sources::default();
            let file = sources.insert(name, text);
            let wrong = parse_file(&file, sources.text(name).unwrap_or_default()).1;
            found.extend(check::by_file(root, &sources, &wrong));
        }
        found
    }
}

/// What is wrong with each file, whichever folder it was seen from.
fn merged<'a>(all: impl Iterator<Item = &'a Found>) -> Found {
    let mut merged = Found::new();
    for (path, diagnostics) in all.flatten() {
        let there = merged.entry(path.clone()).or_default();
        for diagnostic in diagnostics {
            if !there.contains(diagnostic) {
                there.push(diagnostic.clone());
            }
        }
    }
    merged
}

/// The open texts of a folder that cannot be read.
fn open_alone(root: &Path, texts: &BTreeMap<PathBuf, String>) -> Sources {
    let mut sources = Sources::default();
    for (path, text) in texts.iter().filter(|(path, _)| path.parent() == Some(root)) {
        if let Some(name) = path.file_name().and_then(|name| name.to_str()) {
            sources.insert(name, text.as_str());
        }
    }
    sources
}

fn unreadable(error: &std::io::Error) -> Diagnostic {
    let detail = sentence(&error.to_string());
    Diagnostic::error("C0008", "Configuration cannot be read", detail)
        .help("Check that the files are UTF-8 text and that you may read them.")
}
