//! The blocks of a configuration, told apart and checked for shape.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::diagnostic::closest;
use isobar_sdk::{Diagnostic, Diagnostics, Span, Type};

use super::body::{Attribute, Block, Body, Label};
use super::expression::{Kind, Located, Part};
use super::noun::NOUNS;
use super::reference::AMBIENT;
use super::types;

/// All that a folder of configuration declares.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// `isobar {}`
    pub settings: Option<Settings>,
    /// `provider "name" {}`
    pub providers: BTreeMap<Arc<str>, ProviderBlock>,
    /// `variable "name" {}`
    pub variables: BTreeMap<Arc<str>, Variable>,
    /// The attributes of all `locals {}`.
    pub locals: BTreeMap<Arc<str>, Attribute>,
    /// `output "name" {}`
    pub outputs: BTreeMap<Arc<str>, Output>,
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
}

/// `provider "name" {}`
#[derive(Debug, Clone)]
pub struct ProviderBlock {
    /// Where the block begins.
    pub header: Span,
    /// Its settings.
    pub body: Body,
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
    /// Whether it may be null.
    pub nullable: bool,
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
    /// `count` or `for_each`.
    pub repetition: Repetition,
    /// The local name of the provider, where the block says it.
    pub provider: Option<(Arc<str>, Span)>,
    /// What must be there before, beside what is referred to.
    pub depends_on: Vec<Located>,
    /// Everything else.
    pub body: Body,
}

/// Whether a block stands for one thing or for several.
#[derive(Debug, Clone)]
pub enum Repetition {
    /// One.
    Once,
    /// As many as this number says.
    Count(Attribute),
    /// One for each element of this.
    ForEach(Attribute),
}

impl Declaration {
    /// Whether it is one of the five nouns.
    #[must_use]
    pub fn is_noun(&self) -> bool {
        NOUNS.contains(&&*self.kind)
    }
}

/// What a configuration may have at its top level.
const BLOCKS: [&str; 11] = [
    "isobar",
    "provider",
    "variable",
    "locals",
    "output",
    "resource",
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
        for block in body.blocks {
            self.add_block(block, diagnostics);
        }
    }

    fn add_block(&mut self, block: Block, diagnostics: &mut Diagnostics) {
        let labels = match &*block.kind {
            "isobar" | "locals" => 0,
            "resource" => 2,
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
            _ => self.add_declaration(block, diagnostics),
        }
    }

    fn add_settings(&mut self, mut block: Block, diagnostics: &mut Diagnostics) {
        let required_version = block.body.take_attribute("required_version");
        leftovers(&block.body, &["required_version"], diagnostics);
        let header = block.header.clone();
        if let Some(first) = self.settings.replace(Settings {
            header: block.header,
            required_version,
        }) {
            diagnostics.push(duplicate("isobar block", &header, &first.header));
        }
    }

    fn add_provider(&mut self, block: Block, diagnostics: &mut Diagnostics) {
        let name = Arc::clone(&block.labels[0].text);
        let header = block.header.clone();
        let provider = ProviderBlock {
            header: block.header,
            body: block.body,
        };
        if let Some(first) = self.providers.insert(name, provider) {
            diagnostics.push(duplicate("provider", &header, &first.header));
        }
    }

    fn add_variable(&mut self, mut block: Block, diagnostics: &mut Diagnostics) {
        let name = Arc::clone(&block.labels[0].text);
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
            description: take_text(body, "description", diagnostics),
            sensitive: take_flag(body, "sensitive", diagnostics).unwrap_or(false),
            nullable: take_flag(body, "nullable", diagnostics).unwrap_or(true),
        };
        let known = ["type", "default", "description", "sensitive", "nullable"];
        leftovers(body, &known, diagnostics);
        if let Some(first) = self.variables.insert(name, variable) {
            diagnostics.push(duplicate("variable", &header, &first.header));
        }
    }

    fn add_locals(&mut self, block: Block, diagnostics: &mut Diagnostics) {
        let nothing = Body {
            attributes: Vec::new(),
            blocks: block.body.blocks,
        };
        leftovers(&nothing, &[], diagnostics);
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
        take_text(body, "description", diagnostics);
        let sensitive = take_flag(body, "sensitive", diagnostics).unwrap_or(false);
        leftovers(body, &["value", "description", "sensitive"], diagnostics);
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
            },
        ) {
            diagnostics.push(duplicate("output", &header, &first.header));
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
            repetition: take_repetition(&mut block.body, diagnostics),
            provider: take_provider(&mut block.body, diagnostics),
            depends_on: take_list(&mut block.body, "depends_on", diagnostics),
            body: block.body,
        };
        if let Repetition::Count(attribute) | Repetition::ForEach(attribute) =
            &declaration.repetition
            && declaration.is_noun()
            && &*kind != "zone"
        {
            diagnostics.push(
                Diagnostic::error(
                    "L0008",
                    "Unsupported meta-argument",
                    format!(
                        "A {kind} cannot be repeated with {}; resources and zones can.",
                        attribute.name
                    ),
                )
                .at(&attribute.name_span)
                .help(format!("Write one {kind} block for each.")),
            );
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
    let help = closest(&block.kind, BLOCKS).map_or_else(
        || format!("Blocks at the top level are {}.", BLOCKS.join(", ")),
        |meant| format!("Did you mean {meant:?}?"),
    );
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

/// Reports what is still in a body after everything known was taken out.
fn leftovers(body: &Body, known: &[&str], diagnostics: &mut Diagnostics) {
    for attribute in &body.attributes {
        diagnostics.push(unsupported_attribute(attribute, known.iter().copied()));
    }
    for block in &body.blocks {
        diagnostics.push(
            Diagnostic::error(
                "L0004",
                "Unsupported block type",
                format!("Blocks of type {:?} are not expected here.", block.kind),
            )
            .at(&block.header),
        );
    }
}

/// The diagnostic for an attribute that is not among `known`.
#[must_use]
pub fn unsupported_attribute<'a>(
    attribute: &Attribute,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Diagnostic {
    let help = closest(&attribute.name, known.clone()).map_or_else(
        || {
            let known: Vec<&str> = known.collect();
            if known.is_empty() {
                "No attribute can be set here.".to_owned()
            } else {
                format!("Attributes here are {}.", known.join(", "))
            }
        },
        |meant| format!("Did you mean {meant:?}?"),
    );
    Diagnostic::error(
        "L0005",
        "Unsupported attribute",
        format!(
            "An attribute named {:?} is not expected here.",
            attribute.name
        ),
    )
    .at(&attribute.name_span)
    .help(help)
}

fn take_flag(body: &mut Body, name: &str, diagnostics: &mut Diagnostics) -> Option<bool> {
    let attribute = body.take_attribute(name)?;
    if let Kind::Literal(value) = &attribute.value.root.kind
        && let Some(flag) = value.as_bool()
    {
        return Some(flag);
    }
    diagnostics.push(constant_needed(&attribute, "true or false"));
    None
}

fn take_text(body: &mut Body, name: &str, diagnostics: &mut Diagnostics) -> Option<String> {
    let attribute = body.take_attribute(name)?;
    match &attribute.value.root.kind {
        Kind::Literal(value) if value.as_str().is_some() => value.as_str().map(str::to_owned),
        Kind::Template(parts) if parts.iter().all(|p| matches!(p, Part::Text(_))) => {
            let texts = parts.iter().filter_map(|part| match part {
                Part::Text(text) => Some(&**text),
                _ => None,
            });
            Some(texts.collect())
        }
        _ => {
            diagnostics.push(constant_needed(&attribute, "text"));
            None
        }
    }
}

fn constant_needed(attribute: &Attribute, what: &str) -> Diagnostic {
    Diagnostic::error(
        "L0011",
        "Constant value required",
        format!(
            "{:?} must be written out as {what}: it is read before anything is evaluated.",
            attribute.name
        ),
    )
    .at(&attribute.value.span())
}

fn take_repetition(body: &mut Body, diagnostics: &mut Diagnostics) -> Repetition {
    match (
        body.take_attribute("count"),
        body.take_attribute("for_each"),
    ) {
        (None, None) => Repetition::Once,
        (Some(count), None) => Repetition::Count(count),
        (None, Some(each)) => Repetition::ForEach(each),
        (Some(count), Some(each)) => {
            diagnostics.push(
                Diagnostic::error(
                    "L0008",
                    "Both count and for_each",
                    "A block can be repeated by count or by for_each, not by both.",
                )
                .at(&each.name_span)
                .help("Remove one of them."),
            );
            Repetition::Count(count)
        }
    }
}

fn take_provider(body: &mut Body, diagnostics: &mut Diagnostics) -> Option<(Arc<str>, Span)> {
    let attribute = body.take_attribute("provider")?;
    if let Kind::Variable(name) = &attribute.value.root.kind {
        return Some((Arc::clone(name), attribute.value.span()));
    }
    diagnostics.push(
        Diagnostic::error(
            "L0012",
            "Invalid provider reference",
            "A provider is named without quotes, as in provider = local.",
        )
        .at(&attribute.value.span())
        .help("Write the name of the provider without quotes."),
    );
    None
}

fn take_list(body: &mut Body, name: &str, diagnostics: &mut Diagnostics) -> Vec<Located> {
    let Some(attribute) = body.take_attribute(name) else {
        return Vec::new();
    };
    if let Kind::Tuple(items) = attribute.value.root.kind {
        let file = attribute.value.file;
        return items
            .into_iter()
            .map(|root| Located {
                file: Arc::clone(&file),
                root,
            })
            .collect();
    }
    diagnostics.push(
        Diagnostic::error(
            "L0013",
            "List required",
            format!("{name} must be a list of references."),
        )
        .at(&attribute.value.span())
        .help(format!("Write {name} = [zone.example]")),
    );
    Vec::new()
}
