//! The blocks of a configuration, told apart and checked for shape.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use isobar_sdk::diagnostic::closest;
use isobar_sdk::shared::Shared;
use isobar_sdk::value::Marks;
use isobar_sdk::{Diagnostic, Diagnostics, Span, Type};

use super::backend::BackendBlock;
use super::body::{Attribute, Block, Body, Label};
use super::check::Check;
use super::encryption::EncryptionBlock;
use super::expression::Located;
use super::lifecycle::{Condition, Ignore, Lifecycle};
use super::module::Call;
use super::noun::NOUNS;
use super::reference::AMBIENT;
use super::statement::{Import, Moved, Removed};
use super::{take, types};

/// All that a folder of configuration declares.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// `isobar {}`
    pub settings: Option<Settings>,
    /// The folder of the files, relative to that of the root; empty for the root.
    pub folder: Arc<str>,
    /// `provider "name" {}`
    pub providers: BTreeMap<ProviderName, ProviderBlock>,
    /// `variable "name" {}`
    pub variables: BTreeMap<Arc<str>, Variable>,
    /// The attributes of all `locals {}`.
    pub locals: BTreeMap<Arc<str>, Attribute>,
    /// `output "name" {}`
    pub outputs: BTreeMap<Arc<str>, Output>,
    /// `check "name" {}`
    pub checks: BTreeMap<Arc<str>, Check>,
    /// `module "name" {}`
    pub calls: BTreeMap<Arc<str>, Call>,
    /// `moved {}`
    pub moves: Vec<Moved>,
    /// `removed {}`
    pub removals: Vec<Removed>,
    /// `import {}`
    pub imports: Vec<Import>,
    /// Data sources by kind and name.
    pub data: BTreeMap<(Arc<str>, Arc<str>), Declaration>,
    /// Resources and nouns by kind and name.
    pub declarations: BTreeMap<(Arc<str>, Arc<str>), Declaration>,
}

/// `isobar {}`
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the block begins.
    pub header: Span,
    /// The versions of Isobar that the configuration is written for.
    pub required_version: Option<Attribute>,
    /// Where its states are kept; on this machine if it does not say.
    pub backend: Option<BackendBlock>,
    /// With which keys its states are encrypted; not at all if it does not say.
    pub encryption: Option<EncryptionBlock>,
}

/// `provider "name" {}`
#[derive(Debug, Clone)]
pub struct ProviderBlock {
    /// Where the block begins.
    pub header: Span,
    /// One provider for each element of this.
    pub for_each: Option<Attribute>,
    /// Its settings.
    pub body: Body,
}

impl ProviderBlock {
    /// Reads a block with one label.
    pub(super) fn read(mut block: Block, diagnostics: &mut Diagnostics) -> (ProviderName, Self) {
        let name = ProviderName {
            name: Arc::clone(&block.labels[0].text),
            alias: take::text(&mut block.body, "alias", diagnostics).map(Into::into),
        };
        let provider = Self {
            header: block.header,
            for_each: block.body.take_attribute("for_each"),
            body: block.body,
        };
        if let Some(each) = &provider.for_each
            && name.alias.is_none()
        {
            diagnostics.push(
                Diagnostic::error(
                    "L0023",
                    "Provider needs an alias",
                    "A provider with for_each is referred to by its alias and a key.",
                )
                .at(&each.name_span)
                .within(&provider.header)
                .help("Add alias = \"by_zone\", and refer to it with provider = name.by_zone[each.key]."),
            );
        }
        (name, provider)
    }
}

/// The name of a provider in a module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProviderName {
    /// Which provider.
    pub name: Arc<str>,
    /// Which of several configurations of it.
    pub alias: Option<Arc<str>>,
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.alias
            .as_ref()
            .map_or(Ok(()), |alias| write!(f, ".{alias}"))
    }
}

/// A reference to a provider: `name`, `name.alias` or `name.alias[key]`.
#[derive(Debug, Clone)]
pub struct ProviderRef {
    /// Which configuration.
    pub name: ProviderName,
    /// Which of those that `for_each` makes of it.
    pub key: Option<Located>,
    /// Where it stands.
    pub span: Span,
}

/// `variable "name" {}`
#[derive(Debug, Clone)]
pub struct Variable {
    /// Where the block begins.
    pub header: Span,
    /// The type that values are converted to.
    pub ty: Type,
    /// What it is where nothing else is given.
    pub default: Option<Attribute>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it must never be printed.
    pub sensitive: bool,
    /// Whether its value must not be kept, neither in a plan nor in the state.
    pub ephemeral: bool,
    /// Whether it may be null.
    pub nullable: bool,
    /// What its values must fulfil.
    pub validations: Vec<Condition>,
}

/// `output "name" {}`
#[derive(Debug, Clone)]
pub struct Output {
    /// Where the block begins.
    pub header: Span,
    /// What it shows.
    pub value: Attribute,
    /// Whether it must never be printed.
    pub sensitive: bool,
    /// Whether it gives its caller something that must not be kept.
    pub ephemeral: bool,
    /// What must be there before, beside what is referred to.
    pub depends_on: Vec<Located>,
    /// What must hold for it.
    pub preconditions: Vec<Condition>,
}

impl Variable {
    /// The marks of its values.
    #[must_use]
    pub fn marks(&self) -> Marks {
        marks(self.sensitive, self.ephemeral)
    }
}

impl Output {
    /// The marks of its value.
    #[must_use]
    pub fn marks(&self) -> Marks {
        marks(self.sensitive, self.ephemeral)
    }
}

fn marks(sensitive: bool, ephemeral: bool) -> Marks {
    let sensitive = sensitive.then_some(Marks::SENSITIVE);
    let ephemeral = ephemeral.then_some(Marks::EPHEMERAL);
    sensitive.into_iter().chain(ephemeral).collect()
}

/// A resource or a noun.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// The resource type, or the noun.
    pub kind: Arc<str>,
    /// The name.
    pub name: Arc<str>,
    /// Where the block begins.
    pub header: Span,
    /// The check that it stands in, which alone can refer to it.
    pub check: Option<Arc<str>>,
    /// `count` or `for_each`.
    pub repetition: Repetition,
    /// The provider, where the block says it.
    pub provider: Option<Box<ProviderRef>>,
    /// What must be there before, beside what is referred to.
    pub depends_on: Vec<Located>,
    /// What it says about its own life.
    pub lifecycle: Lifecycle,
    /// Everything else.
    pub body: Body,
}

/// Whether a block stands for one thing or for several. Most stand for one, so what says otherwise
/// is kept elsewhere.
#[derive(Debug, Clone)]
pub enum Repetition {
    /// One.
    Once,
    /// One or none.
    If(Box<Attribute>),
    /// As many as this number says.
    Count(Box<Attribute>),
    /// One for each element of this.
    ForEach(Box<Attribute>),
}

impl Repetition {
    /// What says how many there are.
    #[must_use]
    pub const fn attribute(&self) -> Option<&Attribute> {
        match self {
            Self::Once => None,
            Self::If(attribute) | Self::Count(attribute) | Self::ForEach(attribute) => {
                Some(attribute)
            }
        }
    }
}

impl Declaration {
    /// Whether it is one of the five nouns.
    #[must_use]
    pub fn is_noun(&self) -> bool {
        NOUNS.contains(&&*self.kind)
    }
}

/// What says something about a module itself in the block that calls it.
const MODULE_WORDS: [&str; 8] = [
    "source",
    "version",
    "providers",
    "count",
    "for_each",
    "lifecycle",
    "depends_on",
    "locals",
];

/// What a configuration may have at its top level.
const BLOCKS: [&str; 17] = [
    "isobar",
    "provider",
    "variable",
    "locals",
    "output",
    "module",
    "moved",
    "removed",
    "import",
    "check",
    "resource",
    "data",
    "zone",
    "model",
    "forecast",
    "capacity",
    "deployment",
];

impl Config {
    /// Adds the blocks of one file.
    pub fn add_file(&mut self, body: Body, diagnostics: &mut Diagnostics) {
        for attribute in body.attributes {
            diagnostics.push(
                Diagnostic::error(
                    "L0003",
                    "Attribute outside of a block",
                    format!(
                        "{:?} stands at the top level, where only blocks can stand.",
                        attribute.name
                    ),
                )
                .at(&attribute.name_span)
                .help("Put it into a block; values of your own belong into locals {}."),
            );
        }
        let mut kinds = Shared::default();
        for mut block in body.blocks {
            // The type, which most blocks of a file have in common.
            kinds.share(&mut block.kind);
            if let [kind, _] = block.labels.as_mut_slice() {
                kinds.share(&mut kind.text);
            }
            self.add_block(block, diagnostics);
        }
    }

    fn add_block(&mut self, block: Block, diagnostics: &mut Diagnostics) {
        let labels = match &*block.kind {
            "isobar" | "locals" | "moved" | "removed" | "import" => 0,
            "resource" | "data" => 2,
            kind if BLOCKS.contains(&kind) => 1,
            _ => return diagnostics.push(unknown_block(&block)),
        };
        if block.labels.len() != labels {
            return diagnostics.push(wrong_labels(&block, labels));
        }
        if let Some(diagnostic) = block.labels.iter().find_map(invalid_name) {
            return diagnostics.push(diagnostic);
        }
        match &*block.kind {
            "isobar" => self.add_settings(block, diagnostics),
            "provider" => self.add_provider(block, diagnostics),
            "variable" => self.add_variable(block, diagnostics),
            "locals" => self.add_locals(block, diagnostics),
            "output" => self.add_output(block, diagnostics),
            "module" => self.add_call(block, diagnostics),
            "check" => self.add_check(block, diagnostics),
            "moved" => self.moves.extend(Moved::read(block, diagnostics)),
            "removed" => self.removals.extend(Removed::read(block, diagnostics)),
            "import" => self.imports.extend(Import::read(block, diagnostics)),
            _ => self.add_declaration(block, diagnostics),
        }
    }

    fn add_settings(&mut self, mut block: Block, diagnostics: &mut Diagnostics) {
        let required_version = block.body.take_attribute("required_version");
        let backend = block.body.take_block("backend");
        let backend = backend.and_then(|block| BackendBlock::read(block, diagnostics));
        let encryption = block.body.take_block("encryption");
        let encryption = encryption.and_then(|block| EncryptionBlock::read(block, diagnostics));
        take::leftovers(&block.body, &["required_version"], diagnostics);
        let header = block.header.clone();
        if let Some(first) = self.settings.replace(Settings {
            header: block.header,
            required_version,
            backend,
            encryption,
        }) {
            diagnostics.push(duplicate("isobar block", &header, &first.header));
        }
    }

    fn add_provider(&mut self, block: Block, diagnostics: &mut Diagnostics) {
        let header = block.header.clone();
        let (name, provider) = ProviderBlock::read(block, diagnostics);
        if let Some(first) = self.providers.insert(name, provider) {
            diagnostics.push(duplicate("provider", &header, &first.header));
        }
    }

    fn add_call(&mut self, block: Block, diagnostics: &mut Diagnostics) {
        let Some(call) = Call::read(block, diagnostics) else {
            return;
        };
        let header = call.header.clone();
        if let Some(first) = self.calls.insert(Arc::clone(&call.name), call) {
            diagnostics.push(duplicate("module", &header, &first.header));
        }
    }

    fn add_variable(&mut self, mut block: Block, diagnostics: &mut Diagnostics) {
        let label = &block.labels[0];
        if MODULE_WORDS.contains(&&*label.text) {
            let detail = format!(
                "{:?} is a word of module blocks, where the variable would be set.",
                label.text
            );
            diagnostics.push(
                Diagnostic::error("L0007", "Reserved name", detail)
                    .at(&label.span)
                    .help("Give the variable another name."),
            );
        }
        let name = Arc::clone(&label.text);
        let header = block.header.clone();
        let body = &mut block.body;
        let ty = body
            .take_attribute("type")
            .map(|a| types::constraint(&a.value))
            .transpose();
        let variable = Variable {
            header: header.clone(),
            ty: ty
                .unwrap_or_else(|diagnostic| {
                    diagnostics.push(*diagnostic);
                    None
                })
                .unwrap_or(Type::Any),
            default: body.take_attribute("default"),
            description: take::text(body, "description", diagnostics),
            sensitive: take::flag(body, "sensitive", diagnostics).unwrap_or(false),
            ephemeral: take::flag(body, "ephemeral", diagnostics).unwrap_or(false),
            nullable: take::flag(body, "nullable", diagnostics).unwrap_or(true),
            validations: Condition::take_all(body, "validation", diagnostics),
        };
        let known = [
            "type",
            "default",
            "description",
            "sensitive",
            "ephemeral",
            "nullable",
        ];
        take::leftovers(body, &known, diagnostics);
        for condition in &variable.validations {
            condition.check_looks_at(&name, diagnostics);
        }
        if let Some(first) = self.variables.insert(name, variable) {
            diagnostics.push(duplicate("variable", &header, &first.header));
        }
    }

    fn add_locals(&mut self, block: Block, diagnostics: &mut Diagnostics) {
        let nothing = Body {
            attributes: Vec::new(),
            blocks: block.body.blocks,
        };
        take::leftovers(&nothing, &[], diagnostics);
        for attribute in block.body.attributes {
            let span = attribute.name_span.clone();
            if let Some(first) = self.locals.insert(Arc::clone(&attribute.name), attribute) {
                diagnostics.push(duplicate("local value", &span, &first.name_span));
            }
        }
    }

    fn add_output(&mut self, mut block: Block, diagnostics: &mut Diagnostics) {
        let name = Arc::clone(&block.labels[0].text);
        let header = block.header.clone();
        let body = &mut block.body;
        let value = body.take_attribute("value");
        take::text(body, "description", diagnostics);
        let sensitive = take::flag(body, "sensitive", diagnostics).unwrap_or(false);
        let ephemeral = take::flag(body, "ephemeral", diagnostics).unwrap_or(false);
        let depends_on = take::list(body, "depends_on", diagnostics);
        let preconditions = Condition::take_all(body, "precondition", diagnostics);
        let known = [
            "value",
            "description",
            "sensitive",
            "ephemeral",
            "depends_on",
        ];
        take::leftovers(body, &known, diagnostics);
        let Some(value) = value else {
            return diagnostics.push(
                Diagnostic::error(
                    "L0005",
                    "Missing attribute",
                    format!("Output {name:?} has no value."),
                )
                .at(&header)
                .help("Add value = …"),
            );
        };
        if let Some(first) = self.outputs.insert(
            name,
            Output {
                header: header.clone(),
                value,
                sensitive,
                ephemeral,
                depends_on,
                preconditions,
            },
        ) {
            diagnostics.push(duplicate("output", &header, &first.header));
        }
    }

    fn add_check(&mut self, block: Block, diagnostics: &mut Diagnostics) {
        let name = Arc::clone(&block.labels[0].text);
        let (check, data) = Check::read(block, diagnostics);
        for declaration in data {
            self.add_data(declaration, diagnostics);
        }
        let header = check.header.clone();
        if let Some(first) = self.checks.insert(name, check) {
            diagnostics.push(duplicate("check", &header, &first.header));
        }
    }

    fn add_data(&mut self, declaration: Declaration, diagnostics: &mut Diagnostics) {
        let header = declaration.header.clone();
        let key = (Arc::clone(&declaration.kind), Arc::clone(&declaration.name));
        if let Some(first) = self.data.insert(key, declaration) {
            diagnostics.push(duplicate("data source", &header, &first.header));
        }
    }

    fn add_declaration(&mut self, mut block: Block, diagnostics: &mut Diagnostics) {
        let (kind, name) = match block.labels.as_slice() {
            [kind, _] if is_reserved(&kind.text) => return diagnostics.push(reserved(kind)),
            [kind, name] => (Arc::clone(&kind.text), Arc::clone(&name.text)),
            [name] => (Arc::clone(&block.kind), Arc::clone(&name.text)),
            _ => return,
        };
        let header = block.header.clone();
        let declaration = Declaration {
            kind: Arc::clone(&kind),
            name: Arc::clone(&name),
            header: header.clone(),
            check: None,
            repetition: take::repetition(&mut block.body, diagnostics),
            provider: take::provider(&mut block.body, diagnostics).map(Box::new),
            depends_on: take::list(&mut block.body, "depends_on", diagnostics),
            lifecycle: Lifecycle::take(&mut block.body, diagnostics),
            body: block.body,
        };
        if declaration.is_noun() {
            check_life(&declaration, diagnostics);
        }
        if &*block.kind == "data" {
            return self.add_data(declaration, diagnostics);
        }
        if let Some(first) = self.declarations.insert((kind, name), declaration) {
            let what = if first.is_noun() {
                "block of this kind"
            } else {
                "resource"
            };
            diagnostics.push(duplicate(what, &header, &first.header));
        }
    }
}

/// Reports what a noun cannot say about its life. A deployment says it for all that it makes; the
/// other nouns make nothing that could be replaced or kept.
fn check_life(declaration: &Declaration, diagnostics: &mut Diagnostics) {
    let life = &declaration.lifecycle;
    let makes = &*declaration.kind == "deployment";
    let ignores = life.ignore_changes != Ignore::Nothing;
    let of_instances = life.create_before_destroy == Some(true)
        || !life.replace_triggered_by.is_empty()
        || life.prevent_destroy.is_some();
    let detail = if !makes && (ignores || of_instances) {
        format!(
            "A {} makes nothing: of lifecycle it can have enabled, precondition and postcondition.",
            declaration.kind
        )
    } else if ignores {
        "A state keeps what a deployment has made and not its own arguments, so that ignore_changes has nothing to keep them from.".to_owned()
    } else if makes && life.create_before_destroy == Some(false) {
        "A deployment runs a new version before the old one goes; it cannot be told to stop serving in between.".to_owned()
    } else {
        return;
    };
    diagnostics.push(
        Diagnostic::error("L0034", "Unsupported in lifecycle", detail)
            .at(&declaration.header)
            .help("Remove the other settings."),
    );
}

/// Whether references to a resource of this type would mean something else.
fn is_reserved(kind: &str) -> bool {
    NOUNS.contains(&kind)
        || AMBIENT.contains(&kind)
        || matches!(kind, "var" | "local" | "data" | "module")
}

fn reserved(kind: &Label) -> Diagnostic {
    let text = &kind.text;
    let help = if NOUNS.contains(&&**text) {
        format!("Write {text} \"name\" {{ … }}, without resource.")
    } else {
        "Use the type of a resource.".to_owned()
    };
    Diagnostic::error(
        "L0007",
        "Reserved name",
        format!("{text:?} cannot be a resource type: references to it mean something else."),
    )
    .at(&kind.span)
    .help(help)
}

fn unknown_block(block: &Block) -> Diagnostic {
    let help = match &*block.kind {
        "terraform" => "Settings stand in isobar {}; providers are part of this build and need no required_providers.".to_owned(),
        kind => closest(kind, BLOCKS).map_or_else(
            || format!("Blocks at the top level are {}.", BLOCKS.join(", ")),
            |meant| format!("Did you mean {meant:?}?"),
        ),
    };
    Diagnostic::error(
        "L0004",
        "Unsupported block type",
        format!("Blocks of type {:?} are not expected here.", block.kind),
    )
    .at(&block.header)
    .help(help)
}

fn wrong_labels(block: &Block, expected: usize) -> Diagnostic {
    let shape = match expected {
        0 => format!("{} {{ … }}", block.kind),
        1 => format!("{} \"name\" {{ … }}", block.kind),
        _ => format!("{} \"type\" \"name\" {{ … }}", block.kind),
    };
    Diagnostic::error(
        "L0006",
        "Wrong number of labels",
        format!(
            "A {} block has {expected} labels, but this one has {}.",
            block.kind,
            block.labels.len()
        ),
    )
    .at(&block.header)
    .help(format!("Write {shape}"))
}

fn invalid_name(label: &Label) -> Option<Diagnostic> {
    let mut characters = label.text.chars();
    let first = characters
        .next()
        .is_some_and(|c| c.is_alphabetic() || c == '_');
    let valid = first && characters.all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    (!valid).then(|| {
        Diagnostic::error(
            "L0007",
            "Invalid name",
            format!("{:?} is not a name.", label.text),
        )
        .at(&label.span)
        .help("A name begins with a letter or an underscore and goes on with letters, digits, underscores and dashes.")
    })
}

fn duplicate(what: &'static str, here: &Span, first: &Span) -> Diagnostic {
    Diagnostic::error(
        "L0009",
        "Duplicate declaration",
        format!("There is already a {what} of this name, in {}.", first.file),
    )
    .at(here)
    .within(first)
    .help("Rename or remove one of them.")
}
