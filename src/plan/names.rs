//! Who refers to whom: the graph over the names of a configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use isobar_sdk::diagnostic::closest;
use isobar_sdk::{Address, Diagnostic, Diagnostics, Span};

use crate::graph::Dag;
use crate::language::config::{Declaration, Repetition};
use crate::language::expression::Located;
use crate::language::reference::{Reference, Target, references};
use crate::language::{Config, noun};

/// Something with a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    /// `var.name`
    Variable(Arc<str>),
    /// `local.name`
    Local(Arc<str>),
    /// A resource or a noun.
    Block(Arc<str>, Arc<str>),
    /// `output "name"`
    Output(Arc<str>),
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "var.{name}"),
            Self::Local(name) => write!(f, "local.{name}"),
            Self::Block(kind, name) => write!(f, "{kind}.{name}"),
            Self::Output(name) => write!(f, "output.{name}"),
        }
    }
}

/// The names of a configuration with their references.
#[derive(Debug, Clone)]
pub struct Names {
    /// The graph.
    pub dag: Dag<Node>,
}

impl Names {
    /// Draws the graph. References to nothing and cycles are reported; the graph has no edge
    /// for them.
    #[must_use]
    pub fn of(config: &Config) -> (Self, Diagnostics) {
        let mut builder = Builder {
            config,
            dag: Dag::default(),
            found: Diagnostics::new(),
        };
        builder.draw();
        let Builder { dag, mut found, .. } = builder;
        if let Err(cycles) = dag.order() {
            for cycle in cycles {
                found.push(cycle_diagnostic(config, &cycle));
            }
        }
        (Self { dag }, found)
    }

    /// All names, each behind those it refers to; empty where there is a cycle.
    #[must_use]
    pub fn order(&self) -> Vec<&Node> {
        self.dag.order().unwrap_or_default()
    }

    /// The blocks with instances that a block rests on: those it refers to itself or through
    /// variables, local values and nouns.
    #[must_use]
    pub fn resources_behind(&self, node: &Node) -> Vec<Address> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open = self.dag.dependencies(node);
        while let Some(next) = open.pop() {
            if !seen.insert(next) {
                continue;
            }
            match next {
                Node::Block(kind, name) if has_instances(kind) => {
                    found.insert(Address::new(kind, name));
                }
                _ => open.extend(self.dag.dependencies(next)),
            }
        }
        found.into_iter().collect()
    }
}

/// Whether blocks of this kind have instances in the state.
fn has_instances(kind: &str) -> bool {
    kind == "deployment" || noun::schema(kind).is_none()
}

struct Builder<'a> {
    config: &'a Config,
    dag: Dag<Node>,
    found: Diagnostics,
}

impl Builder<'_> {
    fn draw(&mut self) {
        let config = self.config;
        for name in config.variables.keys() {
            self.dag.add(Node::Variable(Arc::clone(name)));
        }
        for (name, attribute) in &config.locals {
            self.refer(&Node::Local(Arc::clone(name)), &attribute.value);
        }
        for (name, output) in &config.outputs {
            self.refer(&Node::Output(Arc::clone(name)), &output.value.value);
        }
        for ((kind, name), declaration) in &config.declarations {
            let node = Node::Block(Arc::clone(kind), Arc::clone(name));
            self.dag.add(node.clone());
            for located in expressions(declaration) {
                self.refer(&node, located);
            }
        }
        for provider in config.providers.values() {
            for located in provider.body.expressions() {
                for reference in references(located) {
                    self.provider_reference(&reference);
                }
            }
        }
    }

    fn refer(&mut self, node: &Node, located: &Located) {
        self.dag.add(node.clone());
        for reference in references(located) {
            if let Some(target) = self.target(&reference) {
                self.dag.depend(node.clone(), target);
            }
        }
    }

    /// The settings of providers are needed before anything is read, so they may rest on
    /// variables and local values only.
    fn provider_reference(&mut self, reference: &Reference) {
        if let Some(Node::Block(kind, name)) = self.target(reference) {
            self.found.push(
                Diagnostic::error(
                    "P0003",
                    "Provider rests on a resource",
                    format!("The settings of a provider are needed before {kind}.{name} is known."),
                )
                .at(&reference.span)
                .help("Use variables and local values only."),
            );
        }
    }

    fn target(&mut self, reference: &Reference) -> Option<Node> {
        let config = self.config;
        let (node, exists) = match &reference.target {
            Target::Ambient(_) => return None,
            Target::Variable(name) => (
                Node::Variable(Arc::clone(name)),
                config.variables.contains_key(name),
            ),
            Target::Local(name) => (
                Node::Local(Arc::clone(name)),
                config.locals.contains_key(name),
            ),
            Target::Block(kind, name) => {
                let key = (Arc::clone(kind), Arc::clone(name));
                (
                    Node::Block(Arc::clone(kind), Arc::clone(name)),
                    config.declarations.contains_key(&key),
                )
            }
            Target::Bare(name) => {
                self.found.push(bare(name, &reference.span));
                return None;
            }
        };
        if exists {
            return Some(node);
        }
        self.found.push(self.undeclared(&node, &reference.span));
        None
    }

    fn undeclared(&self, node: &Node, span: &Span) -> Diagnostic {
        let config = self.config;
        let name = |name: &Arc<str>| name.to_string();
        let (given, candidates, declare): (&Arc<str>, Vec<String>, String) = match node {
            Node::Variable(given) => (
                given,
                config.variables.keys().map(name).collect(),
                format!("variable {given:?} {{}}"),
            ),
            Node::Local(given) => (
                given,
                config.locals.keys().map(name).collect(),
                format!("locals {{ {given} = … }}"),
            ),
            Node::Output(given) => (given, Vec::new(), String::new()),
            Node::Block(kind, given) => {
                let names = config.declarations.keys().filter(|(k, _)| k == kind);
                let declare = if noun::schema(kind).is_some() {
                    format!("{kind} {given:?} {{ … }}")
                } else {
                    format!("resource {kind:?} {given:?} {{ … }}")
                };
                (given, names.map(|(_, n)| n.to_string()).collect(), declare)
            }
        };
        let help = closest(given, candidates.iter().map(String::as_str)).map_or_else(
            || format!("Declare it with {declare}, or correct the name."),
            |meant| format!("Did you mean {meant:?}?"),
        );
        Diagnostic::error(
            "P0001",
            "Reference to nothing",
            format!("There is no {node} in this configuration."),
        )
        .at(span)
        .help(help)
    }
}

fn bare(name: &str, span: &Span) -> Diagnostic {
    Diagnostic::error(
        "P0001",
        "Reference to nothing",
        format!("{name:?} alone refers to nothing; a reference reads kind.name, as in zone.east."),
    )
    .at(span)
    .help(format!("If text is meant, put it into quotes: {name:?}."))
}

/// All expressions of a declaration.
fn expressions(declaration: &Declaration) -> Vec<&Located> {
    let mut found = declaration.body.expressions();
    if let Repetition::Count(attribute) | Repetition::ForEach(attribute) = &declaration.repetition {
        found.push(&attribute.value);
    }
    found.extend(&declaration.depends_on);
    found
}

fn cycle_diagnostic(config: &Config, cycle: &[&Node]) -> Diagnostic {
    let names: Vec<String> = cycle.iter().map(ToString::to_string).collect();
    let first = names.first().cloned().unwrap_or_default();
    let places: BTreeMap<&Node, Span> = cycle
        .iter()
        .filter_map(|node| Some((*node, place(config, node)?)))
        .collect();
    Diagnostic::error(
        "P0002",
        "Cycle",
        format!(
            "These rest on one another: {} → {first}.",
            names.join(" → ")
        ),
    )
    .at_maybe(places.values().next())
    .help("Remove one of the references.")
}

fn place(config: &Config, node: &Node) -> Option<Span> {
    match node {
        Node::Variable(name) => config.variables.get(name).map(|v| v.header.clone()),
        Node::Local(name) => config.locals.get(name).map(|a| a.name_span.clone()),
        Node::Output(name) => config.outputs.get(name).map(|o| o.header.clone()),
        Node::Block(kind, name) => config
            .declarations
            .get(&(Arc::clone(kind), Arc::clone(name)))
            .map(|declaration| declaration.header.clone()),
    }
}
