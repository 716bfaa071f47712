//! A file of tests: what is planned or applied in it, one after the other, and what must hold then.

mod run;
mod stand_in;

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::{Diagnostic, Diagnostics, Span};

pub use run::{Command, Options, Run};
pub use stand_in::{Defaults, Mock, Override, Phase, Source};

use super::body::{Attribute, Block, Body};
use super::config::{ProviderBlock, ProviderName};
use super::expression::{Expression, Kind};
use super::{parse_file, take};

/// `*.test.hcl`
#[derive(Debug, Clone, Default)]
pub struct Trial {
    /// Values for the variables of the configuration, in every run.
    pub variables: BTreeMap<Arc<str>, Attribute>,
    /// `provider "name" {}`, in place of those of the configuration.
    pub providers: BTreeMap<ProviderName, ProviderBlock>,
    /// `mock_provider "name" {}`
    pub mocks: BTreeMap<ProviderName, Mock>,
    /// What is overridden in every run.
    pub overrides: Vec<Override>,
    /// What is done, in this order.
    pub runs: Vec<Run>,
}

impl Trial {
    /// Reads a file of tests.
    #[must_use]
    pub fn read(file: &Arc<str>, text: &str) -> (Self, Diagnostics) {
        let (body, mut diagnostics) = parse_file(file, text);
        let mut trial = Self::default();
        let Body { attributes, blocks } = body;
        let outside = Body {
            attributes,
            blocks: Vec::new(),
        };
        take::leftovers(&outside, &[], &mut diagnostics);
        for block in blocks {
            trial.add(block, &mut diagnostics);
        }
        (trial, diagnostics)
    }

    fn add(&mut self, mut block: Block, diagnostics: &mut Diagnostics) {
        let header = block.header.clone();
        match (&*block.kind, block.labels.as_slice()) {
            ("variables", []) => self.variables.extend(values(&mut block, diagnostics)),
            ("provider", [_]) => {
                let (name, provider) = ProviderBlock::read(block, diagnostics);
                self.check_provider(&name, &header, diagnostics);
                self.providers.insert(name, provider);
            }
            ("mock_provider", [_]) => {
                let (name, mock) = Mock::read(block, diagnostics);
                self.check_provider(&name, &header, diagnostics);
                self.mocks.insert(name, mock);
            }
            _ if Override::is(&block) => {
                let read = Override::read(block, None, diagnostics);
                stand_in::add(&mut self.overrides, read, diagnostics);
            }
            ("run", [label]) => {
                let name = Arc::clone(&label.text);
                if let Some(first) = self.runs.iter().find(|run| run.name == name) {
                    let detail = format!("There is already a run {name:?}.");
                    diagnostics.push(duplicate(detail, &header, &first.header));
                }
                self.runs.push(Run::read(name, block, diagnostics));
            }
            _ => diagnostics.push(stand_in::unexpected(
                &block,
                "A file of tests holds variables {}, provider \"name\" {}, mock_provider \"name\" {}, override_resource {}, override_data {}, override_module {} and run \"name\" {}.",
            )),
        }
    }

    /// Reports a provider that is there already, real or mocked.
    fn check_provider(&self, name: &ProviderName, header: &Span, diagnostics: &mut Diagnostics) {
        let real = self.providers.get(name).map(|provider| &provider.header);
        let first = real.or_else(|| self.mocks.get(name).map(|mock| &mock.header));
        if let Some(first) = first {
            let detail = format!("There is already a provider {name}.");
            diagnostics.push(duplicate(detail, header, first));
        }
    }
}

fn duplicate(detail: String, header: &Span, first: &Span) -> Diagnostic {
    Diagnostic::error("L0009", "Duplicate declaration", detail)
        .at(header)
        .within(first)
        .help("Rename or remove one of them.")
}

/// Whether a value is a word, such as `plan`; one with a dash reads like a difference.
fn is_word(attribute: &Attribute, word: &str) -> bool {
    fn spelled(expression: &Expression) -> Option<String> {
        match &expression.kind {
            Kind::Variable(name) => Some(name.to_string()),
            _ => None,
        }
    }
    spelled(&attribute.value.root).is_some_and(|found| found == word)
}

fn values(block: &mut Block, diagnostics: &mut Diagnostics) -> BTreeMap<Arc<str>, Attribute> {
    let attributes = std::mem::take(&mut block.body.attributes);
    take::leftovers(&block.body, &[], diagnostics);
    let named = attributes.into_iter();
    named.map(|a| (Arc::clone(&a.name), a)).collect()
}
