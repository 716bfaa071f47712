//! What is done in a file of tests, one after the other, and what must hold then.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::{Diagnostic, Diagnostics, Span};

use super::super::body::{Attribute, Block};
use super::super::config::{ProviderName, ProviderRef};
use super::super::expression::Located;
use super::super::lifecycle::Condition;
use super::super::take;
use super::stand_in::{self, Override, Source};
use super::{is_word, values};

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
    /// Which providers of the file of tests it has, by the names that its configuration uses; where
    /// there are none, all of them by their own names.
    pub providers: BTreeMap<ProviderName, ProviderRef>,
    /// The folder that is planned in place of the configuration.
    pub module: Option<Source>,
    /// The name of its state; runs of the same name share it.
    pub state_key: Option<Arc<str>>,
    /// What is overridden in this run.
    pub overrides: Vec<Override>,
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

impl Run {
    pub(super) fn read(name: Arc<str>, mut block: Block, diagnostics: &mut Diagnostics) -> Self {
        let overrides = overrides(&mut block, diagnostics);
        let module = module(&mut block, diagnostics);
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
            providers: take::provider_map(body, diagnostics),
            module,
            state_key: take::text(body, "state_key", diagnostics).map(Into::into),
            overrides,
        };
        let known = ["command", "expect_failures", "providers", "state_key"];
        take::leftovers(body, &known, diagnostics);
        run
    }
}

fn overrides(block: &mut Block, diagnostics: &mut Diagnostics) -> Vec<Override> {
    let blocks = std::mem::take(&mut block.body.blocks).into_iter();
    let (overriding, others) = blocks.partition(Override::is);
    block.body.blocks = others;
    let mut overrides = Vec::new();
    let overriding: Vec<Block> = overriding;
    for block in overriding {
        let read = Override::read(block, None, diagnostics);
        stand_in::add(&mut overrides, read, diagnostics);
    }
    overrides
}

/// The folder that `module {}` names.
fn module(run: &mut Block, diagnostics: &mut Diagnostics) -> Option<Source> {
    let mut block = run.body.take_block("module")?;
    let source = Source::take(&mut block.body, diagnostics);
    take::leftovers(&block.body, &["source"], diagnostics);
    if source.is_none() {
        diagnostics.push(
            Diagnostic::error("L0005", "Missing attribute", "The module has no source.")
                .at(&block.header)
                .within(&run.header)
                .help("Add source = \"./folder\"."),
        );
    }
    source
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
