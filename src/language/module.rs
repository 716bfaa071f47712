//! Modules: a block that calls a folder, and the folders of a configuration as a tree.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::{Diagnostic, Diagnostics, Span};

use super::body::{Attribute, Block, Body};
use super::config::{Config, ProviderName, ProviderRef, Repetition};
use super::expression::Located;
use super::locator::masked;
use super::origin::OriginError;
use super::source::{DEEPEST, Sources, Unplaced};
use super::{parse_files, take};

/// The code of the diagnostic for a module that has to be installed first.
pub const NOT_INSTALLED: &str = "L0020";

/// The most modules of a configuration, each counted at every call.
const MOST: usize = 1 << 14;

/// The names of the calls that lead to a module, outermost first; empty for the root.
pub type Path = Arc<[Arc<str>]>;

/// `module "name" {}`
#[derive(Debug, Clone)]
pub struct Call {
    /// The name.
    pub name: Arc<str>,
    /// Where the block begins.
    pub header: Span,
    /// Where the module is, as written.
    pub source: Arc<str>,
    /// Where that stands.
    pub source_span: Span,
    /// Which versions of it, where the block says so.
    pub version: Option<Attribute>,
    /// `count` or `for_each`.
    pub repetition: Repetition,
    /// Which providers of the caller the module gets under which of its own names.
    pub providers: BTreeMap<ProviderName, ProviderRef>,
    /// What must be there before anything in it.
    pub depends_on: Vec<Located>,
    /// The values of its variables.
    pub arguments: BTreeMap<Arc<str>, Attribute>,
    /// What its folder declares; empty where the folder could not be read.
    pub config: Arc<Config>,
}

impl Call {
    /// Reads a block; its folder is not looked at yet.
    pub(super) fn read(mut block: Block, diagnostics: &mut Diagnostics) -> Option<Self> {
        let name = Arc::clone(&block.labels.first()?.text);
        let body = &mut block.body;
        let Some(attribute) = body.take_attribute("source") else {
            diagnostics.push(
                Diagnostic::error(
                    "L0005",
                    "Missing attribute",
                    format!("Module {name:?} has no source."),
                )
                .at(&block.header)
                .help("Add source = \"./folder\"."),
            );
            return None;
        };
        let source = take::literal_text(&attribute, diagnostics)?;
        let call = Self {
            name,
            header: block.header.clone(),
            source: source.into(),
            source_span: attribute.value.span(),
            version: body.take_attribute("version"),
            repetition: Self::repetition(body, diagnostics),
            providers: take::provider_map(body, diagnostics),
            depends_on: take::list(body, "depends_on", diagnostics),
            arguments: body
                .attributes
                .drain(..)
                .map(|attribute| (Arc::clone(&attribute.name), attribute))
                .collect(),
            config: Arc::default(),
        };
        take::leftovers(body, &[], diagnostics);
        Some(call)
    }

    /// How many instances there are. `lifecycle` of a module holds `enabled` and nothing else; a
    /// plain `enabled` is one of its variables.
    fn repetition(body: &mut Body, diagnostics: &mut Diagnostics) -> Repetition {
        let repetition = take::repetition(body, diagnostics);
        if let Some(lifecycle) = body.take_block("lifecycle") {
            take::leftovers(&lifecycle.body, &["enabled"], diagnostics);
        }
        repetition
    }

    /// Where to point at for what is wrong with the source. Lines with credentials are not shown.
    #[must_use]
    pub fn place(&self) -> &Span {
        match masked(&self.source) == *self.source {
            true => &self.source_span,
            false => &self.header,
        }
    }
}

impl Config {
    /// The configuration of a module below this one.
    #[must_use]
    pub fn module(&self, path: &[Arc<str>]) -> Option<&Self> {
        path.iter().try_fold(self, |config, name| {
            config.calls.get(name).map(|call| &*call.config)
        })
    }

    /// This module and all below it with their paths, callers before those they call.
    #[must_use]
    pub fn modules(&self) -> Vec<(Path, &Self)> {
        let mut found: Vec<(Path, &Self)> = vec![(Path::default(), self)];
        let mut next = 0;
        while let Some((path, config)) = found.get(next).cloned() {
            next += 1;
            found.extend(config.calls.iter().map(|(name, call)| {
                let below: Path = path.iter().chain([name]).cloned().collect();
                (below, &*call.config)
            }));
        }
        found
    }
}

/// A path as it is meant in the folder `caller`, without `.` and, where that is possible, without
/// `..`: relative to the root, or absolute.
pub(super) fn joined(caller: &str, path: &str) -> String {
    let whole = match path.starts_with('/') || caller.is_empty() {
        true => path.to_owned(),
        false => format!("{caller}/{path}"),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    let slash = if whole.starts_with('/') { "/" } else { "" };
    format!("{slash}{}", parts.join("/"))
}

/// Builds the tree of modules from the texts of their folders.
pub(super) struct Loader<'a> {
    pub(super) sources: &'a Sources,
    /// Folders that were read already.
    loaded: BTreeMap<String, Arc<Config>>,
    /// How many modules each folder that was read stands for, itself and all below it.
    sizes: BTreeMap<String, usize>,
    /// The folders around the one that is being read.
    around: Vec<String>,
    diagnostics: Diagnostics,
}

impl<'a> Loader<'a> {
    pub(super) const fn new(sources: &'a Sources) -> Self {
        Self {
            sources,
            loaded: BTreeMap::new(),
            sizes: BTreeMap::new(),
            around: Vec::new(),
            diagnostics: Diagnostics::new(),
        }
    }

    /// What is wrong; the folders are held by no one but those that were given them.
    pub(super) fn finish(self) -> Diagnostics {
        self.diagnostics
    }

    /// The configuration of a folder with all that it calls.
    pub(super) fn folder(&mut self, folder: &str) -> Arc<Config> {
        if let Some(config) = self.loaded.get(folder) {
            return Arc::clone(config);
        }
        let mut config = Config {
            folder: folder.into(),
            ..Config::default()
        };
        let texts: Vec<_> = self.sources.configuration_of(folder).collect();
        for (body, found) in parse_files(&texts) {
            self.diagnostics.extend(found);
            config.add_file(body, &mut self.diagnostics);
        }
        self.around.push(folder.to_owned());
        let mut size = 1;
        for call in config.calls.values_mut() {
            if let Some(below) = self.resolve(folder, call) {
                let config = self.folder(&below);
                let with = size + self.sizes.get(&below).copied().unwrap_or(1);
                if with > MOST {
                    let reason = format!("there are more than {MOST} modules below this one");
                    self.diagnostics.push(too_many(call, &reason));
                    continue;
                }
                size = with;
                call.config = config;
                check_arguments(call, &mut self.diagnostics);
            }
        }
        self.around.pop();
        let config = Arc::new(config);
        self.sizes.insert(folder.to_owned(), size);
        self.loaded.insert(folder.to_owned(), Arc::clone(&config));
        config
    }

    /// The folder that a call means; what is wrong with it is reported.
    fn resolve(&mut self, caller: &str, call: &Call) -> Option<String> {
        let registry = Unplaced::Invalid(OriginError::Registry);
        let folder = match self.sources.module_folder(caller, &call.source) {
            Err(error) if error == registry || call.version.is_none() => {
                self.diagnostics.push(unplaced(call, &error));
                return None;
            }
            result => {
                if let Some(version) = &call.version {
                    self.diagnostics.push(without_version(call, version));
                }
                result.ok()?
            }
        };
        let known = self.sources.known(&folder);
        if self.around.iter().any(|around| around == known) {
            self.diagnostics.push(
                Diagnostic::error(
                    "L0021",
                    "Module calls itself",
                    format!(
                        "Module {:?} is the folder {:?}, which this call is part of.",
                        call.name,
                        shown(known)
                    ),
                )
                .at(&call.source_span)
                .within(&call.header)
                .help("Remove the call, or move what both need into a module of its own."),
            );
            return None;
        }
        if self.around.len() > DEEPEST {
            let reason = format!("modules call one another more than {DEEPEST} deep");
            self.diagnostics.push(too_many(call, &reason));
            return None;
        }
        if self.sources.configuration_of(&folder).next().is_none() {
            self.diagnostics.push(
                Diagnostic::error(
                    "L0022",
                    "Module has no configuration",
                    format!("There is no file that ends in .hcl in {:?}.", shown(&folder)),
                )
                .at(&call.source_span)
                .within(&call.header)
                .help("Correct the source; it is relative to the folder of the file that it stands in."),
            );
            return None;
        }
        Some(folder)
    }
}

/// The diagnostic for a call that would make the tree of modules too large.
fn too_many(call: &Call, reason: &str) -> Diagnostic {
    let detail = format!("With module {:?}, {reason}.", call.name);
    Diagnostic::error("L0026", "Too many modules", detail)
        .at(&call.source_span)
        .within(&call.header)
        .help("Repeat a module with for_each instead of calling it in many places.")
}

/// The diagnostic for a version of something that is no registry's.
fn without_version(call: &Call, version: &Attribute) -> Diagnostic {
    Diagnostic::error(
        "L0025",
        "Module has no versions",
        format!(
            "Module {:?} comes from no registry, so there is nothing to choose a version from.",
            call.name
        ),
    )
    .at(&version.name_span)
    .within(&call.header)
    .help("Remove version; behind the address of a git repository, ?ref=v1.2.0 chooses a tag.")
}

/// The diagnostic for a module that has no folder.
fn unplaced(call: &Call, error: &Unplaced) -> Diagnostic {
    let source = masked(&call.source);
    match error {
        Unplaced::NotInstalled => Diagnostic::error(
            NOT_INSTALLED,
            "Module is not installed",
            format!("Module {:?} comes from {source:?}, which is not on this machine yet.", call.name),
        )
        .help("Run isobar init, which installs it; a folder on this machine begins with ./ or ../"),
        Unplaced::Invalid(error) => Diagnostic::error(
            "L0024",
            "Invalid source of a module",
            format!("The source {source:?} of module {:?} {error}.", call.name),
        )
        .help(match error {
            OriginError::Registry => "Name its repository, as in source = \"git::https://example.org/module.git?ref=v1\".",
            OriginError::NotAnArchive => "Put git:: before the URL of a repository; behind that of an archive ?archive=zip says what it is.",
            OriginError::Setting(_) => "Behind the question mark, git repositories have ref and depth, archives archive and checksum=sha256:….",
            OriginError::Outside => "Name a folder inside, without ..",
            OriginError::Unclear | OriginError::Transport(_) => {
                "Write ./folder, git::https://example.org/module.git?ref=v1, git@example.org:module.git or the path or URL of a .zip or .tar.gz."
            }
        }),
    }
    .at(call.place())
    .within(&call.header)
}

/// Reports values for variables that a module does not have, and variables without a value.
fn check_arguments(call: &Call, diagnostics: &mut Diagnostics) {
    let variables = &call.config.variables;
    for (name, argument) in &call.arguments {
        if !variables.contains_key(name) {
            let known = variables.keys().map(|name| &**name);
            diagnostics.push(take::unsupported_attribute(argument, known).within(&call.header));
        }
    }
    for (name, variable) in variables {
        if variable.default.is_none() && !call.arguments.contains_key(name) {
            diagnostics.push(
                Diagnostic::error(
                    "L0005",
                    "Missing attribute",
                    format!(
                        "Module {:?} needs a value for its variable {name:?}.",
                        call.name
                    ),
                )
                .at(&call.header)
                .help(format!("Add {name} = … to the module block.")),
            );
        }
    }
}

fn shown(folder: &str) -> &str {
    if folder.is_empty() { "." } else { folder }
}

#[cfg(test)]
mod tests {
    use super::joined;
    use crate::language::{Sources, load};

    #[test]
    fn sources_are_relative_to_their_caller() {
        for (caller, source, folder) in [
            ("", "./a", "a"),
            ("", "../a", "../a"),
            ("a/b", "../c", "a/c"),
            ("a", "../..", ".."),
            ("a", "/x/y", "/x/y"),
            ("/.x/y", "./z", "/.x/y/z"),
        ] {
            assert_eq!(joined(caller, source), folder, "{source}");
        }
    }

    #[test]
    fn modules_are_found_below_one_another() {
        let mut sources = Sources::default();
        sources.insert(
            "main.hcl",
            "module \"a\" {\n  source = \"./m\"\n  x = 1\n}\n",
        );
        sources.insert(
            "m/main.hcl",
            "variable \"x\" {}\nmodule \"b\" {\n  source = \"../n\"\n}\n",
        );
        sources.insert("n/main.hcl", "locals {\n  x = 1\n}\n");
        let (config, diagnostics) = load(&sources);
        assert!(!diagnostics.has_errors(), "{diagnostics:#?}");
        let below = config.module(&["a".into(), "b".into()]).unwrap();
        assert!(below.locals.contains_key("x"));
        assert_eq!(config.modules().len(), 3);
    }

    #[test]
    fn a_module_that_calls_itself_is_refused() {
        let mut sources = Sources::default();
        sources.insert("main.hcl", "module \"a\" {\n  source = \"./m\"\n}\n");
        sources.insert("m/main.hcl", "module \"b\" {\n  source = \"./\"\n}\n");
        let (_, diagnostics) = load(&sources);
        let codes: Vec<&str> = diagnostics.iter().map(|d| d.code).collect();
        assert_eq!(codes, ["L0021"]);
    }
}
