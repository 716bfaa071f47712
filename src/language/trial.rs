//! A file of tests: what is planned or applied in it, one after the other, and what must hold then.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::{Diagnostic, Diagnostics, Span};

use super::body::{Attribute, Block, Body};
use super::expression::{Expression, Kind, Located};
use super::lifecycle::Condition;
use super::{parse_file, take};

/// `*.test.hcl`
#[derive(Debug, Clone, Default)]
pub struct Trial {
    /// Values for the variables of the configuration, in every run.
    pub variables: BTreeMap<Arc<str>, Attribute>,
    /// What is done, in this order.
    pub runs: Vec<Run>,
}

/// `run "name" {}`
#[derive(Debug, Clone)]
pub struct Run {
    /// Where the block begins.
    pub header: Span,
    /// Its name.
    pub name: Arc<str>,
    /// How far it goes.
    pub command: Command,
    /// Values for variables in this run.
    pub variables: BTreeMap<Arc<str>, Attribute>,
    /// What must hold.
    pub assertions: Vec<Condition>,
    /// Whose conditions must not hold.
    pub expect_failures: Vec<Located>,
    /// How it is planned.
    pub options: Options,
}

/// How far a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Command {
    /// What would be done is looked at.
    Plan,
    /// It is done.
    #[default]
    Apply,
}

/// `plan_options {}`
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether only what is there is recorded.
    pub refresh_only: bool,
    /// Whether what is there is not read.
    pub skip_refresh: bool,
    /// What the plan is restricted to.
    pub targets: Vec<Located>,
    /// What is replaced.
    pub replaces: Vec<Located>,
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
        match (&*block.kind, block.labels.as_slice()) {
            ("variables", []) => self.variables.extend(values(&mut block, diagnostics)),
            ("run", [label]) => {
                let name = Arc::clone(&label.text);
                if let Some(first) = self.runs.iter().find(|run| run.name == name) {
                    let detail = format!("There is already a run {name:?}.");
                    diagnostics.push(
                        Diagnostic::error("L0009", "Duplicate declaration", detail)
                            .at(&block.header)
                            .within(&first.header)
                            .help("Rename or remove one of them."),
                    );
                }
                self.runs.push(Run::read(name, block, diagnostics));
            }
            (kind, labels) => {
                let detail = format!(
                    "Blocks of type {kind:?} with {} labels are not expected here.",
                    labels.len()
                );
                diagnostics.push(
                    Diagnostic::error("L0004", "Unsupported block type", detail)
                        .at(&block.header)
                        .help("A file of tests holds variables {} and run \"name\" {}."),
                );
            }
        }
    }
}

impl Run {
    fn read(name: Arc<str>, mut block: Block, diagnostics: &mut Diagnostics) -> Self {
        let body = &mut block.body;
        let variables = body.take_block("variables");
        let options = body.take_block("plan_options");
        let run = Self {
            header: block.header,
            name,
            command: body
                .take_attribute("command")
                .map_or(Command::Apply, |given| command(&given, diagnostics)),
            variables: variables
                .map(|mut block| values(&mut block, diagnostics))
                .unwrap_or_default(),
            assertions: Condition::take_all(body, "assert", diagnostics),
            expect_failures: take::list(body, "expect_failures", diagnostics),
            options: options
                .map(|block| Options::read(block, diagnostics))
                .unwrap_or_default(),
        };
        take::leftovers(body, &["command", "expect_failures"], diagnostics);
        run
    }
}

impl Options {
    fn read(mut block: Block, diagnostics: &mut Diagnostics) -> Self {
        let body = &mut block.body;
        let refresh_only = body.take_attribute("mode").is_some_and(|mode| {
            let (normal, only) = (is_word(&mode, "normal"), is_word(&mode, "refresh-only"));
            if !normal && !only {
                let detail = "The mode of a plan is normal or refresh-only.";
                diagnostics.push(
                    Diagnostic::error("L0037", "Invalid word", detail)
                        .at(&mode.value.span())
                        .help("Write mode = refresh-only, without quotes."),
                );
            }
            only
        });
        let options = Self {
            refresh_only,
            skip_refresh: take::flag(body, "refresh", diagnostics) == Some(false),
            targets: take::list(body, "target", diagnostics),
            replaces: take::list(body, "replace", diagnostics),
        };
        take::leftovers(body, &["mode", "refresh", "target", "replace"], diagnostics);
        options
    }
}

fn command(given: &Attribute, diagnostics: &mut Diagnostics) -> Command {
    if is_word(given, "plan") {
        return Command::Plan;
    }
    if !is_word(given, "apply") {
        diagnostics.push(
            Diagnostic::error("L0037", "Invalid word", "A run is a plan or an apply.")
                .at(&given.value.span())
                .help("Write command = plan or command = apply, without quotes."),
        );
    }
    Command::Apply
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
