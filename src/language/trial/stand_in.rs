//! What stands in for the real thing in a test: mocked providers, and overrides of resources, data
//! sources and modules.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::address::{Mode, Place};
use isobar_sdk::{Diagnostic, Diagnostics, Span};

use super::super::body::{Attribute, Block, Body};
use super::super::config::ProviderName;
use super::super::{parse_file, statement, take};
use super::is_word;

/// When a value that is made up becomes known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// In the plan.
    Plan,
    /// When it is applied, as with a real provider.
    #[default]
    Apply,
}

/// `mock_provider "name" {}`
#[derive(Debug, Clone)]
pub struct Mock {
    /// Where the block begins.
    pub header: Span,
    /// The folder with more of its blocks.
    pub source: Option<Source>,
    /// What its resources have, by type.
    pub resources: BTreeMap<Arc<str>, Defaults>,
    /// What its data sources tell, by type.
    pub data: BTreeMap<Arc<str>, Defaults>,
    /// What single resources have, and single data sources tell.
    pub overrides: Vec<Override>,
    /// For blocks that do not say it themselves.
    phase: Option<Phase>,
}

/// A folder, with the place that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// As written.
    pub text: Arc<str>,
    /// Where it stands.
    pub span: Span,
}

/// `mock_resource "type" {}` and `mock_data "type" {}`
#[derive(Debug, Clone)]
pub struct Defaults {
    /// Where the block begins.
    pub header: Span,
    /// Values of attributes that the provider sets.
    pub values: Option<Attribute>,
    /// When they become known.
    pub phase: Phase,
}

/// `override_resource {}`, `override_data {}` and `override_module {}`
#[derive(Debug, Clone)]
pub struct Override {
    /// Where the block begins.
    pub header: Span,
    /// What is overridden.
    pub target: Place,
    /// Where that stands.
    pub target_span: Span,
    /// The values of its attributes or outputs.
    pub values: Option<Attribute>,
    /// When they become known.
    pub phase: Phase,
}

/// The blocks that override something.
const OVERRIDES: [&str; 3] = ["override_resource", "override_data", "override_module"];

impl Mock {
    /// When what it makes up becomes known, where no block of it says otherwise.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase.unwrap_or_default()
    }

    /// Reads a block.
    pub(super) fn read(mut block: Block, diagnostics: &mut Diagnostics) -> (ProviderName, Self) {
        let body = &mut block.body;
        let name = ProviderName {
            name: Arc::clone(&block.labels[0].text),
            alias: take::text(body, "alias", diagnostics).map(Into::into),
        };
        let mut mock = Self {
            header: block.header,
            source: Source::take(body, diagnostics),
            resources: BTreeMap::new(),
            data: BTreeMap::new(),
            overrides: Vec::new(),
            phase: phase(body, diagnostics),
        };
        mock.add(std::mem::take(&mut body.blocks), diagnostics);
        take::leftovers(body, &["alias", "source", "override_during"], diagnostics);
        (name, mock)
    }

    /// Adds the blocks of a file of its folder; those of the block itself come first.
    pub fn add_file(&mut self, file: &Arc<str>, text: &str) -> Diagnostics {
        let (mut body, mut diagnostics) = parse_file(file, text);
        self.add(std::mem::take(&mut body.blocks), &mut diagnostics);
        take::leftovers(&body, &[], &mut diagnostics);
        diagnostics
    }

    fn add(&mut self, blocks: Vec<Block>, diagnostics: &mut Diagnostics) {
        for block in blocks {
            match (&*block.kind, block.labels.as_slice()) {
                ("mock_resource" | "mock_data", [label]) => {
                    let kind = Arc::clone(&label.text);
                    let defaults = match &*block.kind {
                        "mock_data" => &mut self.data,
                        _ => &mut self.resources,
                    };
                    let read = Defaults::read(block, self.phase, diagnostics);
                    defaults.entry(kind).or_insert(read);
                }
                ("override_resource" | "override_data", []) => {
                    let read = Override::read(block, self.phase, diagnostics);
                    add(&mut self.overrides, read, diagnostics);
                }
                _ => diagnostics.push(unexpected(
                    &block,
                    "A mocked provider holds mock_resource \"type\" {}, mock_data \"type\" {}, override_resource {} and override_data {}.",
                )),
            }
        }
    }
}

impl Source {
    /// Takes the attribute `source` out.
    pub(super) fn take(body: &mut Body, diagnostics: &mut Diagnostics) -> Option<Self> {
        let attribute = body.take_attribute("source")?;
        Some(Self {
            text: take::literal_text(&attribute, diagnostics)?.into(),
            span: attribute.value.span(),
        })
    }
}

impl Defaults {
    fn read(mut block: Block, around: Option<Phase>, diagnostics: &mut Diagnostics) -> Self {
        let body = &mut block.body;
        let defaults = Self {
            header: block.header,
            values: body.take_attribute("defaults"),
            phase: phase(body, diagnostics).or(around).unwrap_or_default(),
        };
        take::leftovers(body, &["defaults", "override_during"], diagnostics);
        defaults
    }
}

impl Override {
    /// Whether a block is one.
    pub(super) fn is(block: &Block) -> bool {
        OVERRIDES.contains(&&*block.kind) && block.labels.is_empty()
    }

    /// Reads a block; without a target it overrides nothing.
    pub(super) fn read(
        mut block: Block,
        around: Option<Phase>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let body = &mut block.body;
        let values = match &*block.kind {
            "override_module" => "outputs",
            _ => "values",
        };
        let read = (
            body.take_attribute(values),
            phase(body, diagnostics).or(around).unwrap_or_default(),
        );
        let target_span = body.attribute("target").map(|target| target.value.span());
        let place = statement::take_place(&mut block, "target", diagnostics);
        take::leftovers(
            &block.body,
            &["target", values, "override_during"],
            diagnostics,
        );
        let (place, target_span) = (place?, target_span?);
        if !matches(&block.kind, &place) {
            diagnostics.push(wrong_target(&block, &place, &target_span));
            return None;
        }
        let (values, phase) = read;
        Some(Self {
            header: block.header,
            target: place,
            target_span,
            values,
            phase,
        })
    }
}

/// Whether a block of this kind can override this.
fn matches(kind: &str, place: &Place) -> bool {
    match place {
        Place::Module(_) => kind == "override_module",
        Place::Resource(address) if address.mode == Mode::Data => kind == "override_data",
        Place::Resource(_) => kind == "override_resource",
    }
}

fn wrong_target(block: &Block, place: &Place, span: &Span) -> Diagnostic {
    let (what, right) = match place {
        Place::Module(_) => ("a module", "override_module"),
        Place::Resource(address) if address.mode == Mode::Data => {
            ("a data source", "override_data")
        }
        Place::Resource(_) => ("a resource", "override_resource"),
    };
    let detail = format!("{place} is {what}, which {} does not override.", block.kind);
    Diagnostic::error("L0038", "Override of something else", detail)
        .at(span)
        .within(&block.header)
        .help(format!("Write {right} {{}}, or correct the target."))
}

/// Adds an override; two of the same target in one place contradict each other.
pub(super) fn add(all: &mut Vec<Override>, read: Option<Override>, diagnostics: &mut Diagnostics) {
    let Some(read) = read else { return };
    if let Some(first) = all.iter().find(|there| there.target == read.target) {
        let detail = format!("{} is overridden already.", read.target);
        diagnostics.push(
            Diagnostic::error("L0009", "Duplicate declaration", detail)
                .at(&read.target_span)
                .within(&first.header)
                .help("Remove one of them."),
        );
        return;
    }
    all.push(read);
}

/// The diagnostic for a block that does not stand here.
pub(super) fn unexpected(block: &Block, help: &str) -> Diagnostic {
    let labels = match block.labels.len() {
        1 => "one label".to_owned(),
        count => format!("{count} labels"),
    };
    let detail = format!(
        "Blocks of type {:?} with {labels} are not expected here.",
        block.kind
    );
    Diagnostic::error("L0004", "Unsupported block type", detail)
        .at(&block.header)
        .help(help)
}

/// Takes `override_during` out.
fn phase(body: &mut Body, diagnostics: &mut Diagnostics) -> Option<Phase> {
    let attribute = body.take_attribute("override_during")?;
    if is_word(&attribute, "plan") {
        return Some(Phase::Plan);
    }
    if !is_word(&attribute, "apply") {
        let detail = "Something is overridden during plan or during apply.";
        diagnostics.push(
            Diagnostic::error("L0037", "Invalid word", detail)
                .at(&attribute.value.span())
                .help("Write override_during = plan, or leave it out."),
        );
    }
    Some(Phase::Apply)
}
