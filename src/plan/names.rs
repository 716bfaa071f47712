//! Who refers to whom: the graph over the names of a configuration and its modules.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use isobar_sdk::address::{Mode, ModuleStep};
use isobar_sdk::{Address, Diagnostic, Diagnostics, Span};

use super::{adopt, cycle, undeclared};
use crate::graph::Dag;
use crate::language::config::Declaration;
use crate::language::expression::Located;
use crate::language::lifecycle::Condition;
use crate::language::module::{Call, Path};
use crate::language::reference::{Reference, Target, references, references_within};
use crate::language::statement::Import;
use crate::language::{Config, noun};

/// Something with a name, in a module; instances of modules and blocks are not told apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// The calls that lead to its module.
    pub module: Path,
    /// Its name there.
    pub name: Name,
}

/// A name in a module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// Which instances `module "name"` has.
    Call(Arc<str>),
    /// `var.name`
    Variable(Arc<str>),
    /// `local.name`
    Local(Arc<str>),
    /// A resource or a noun.
    Block(Arc<str>, Arc<str>),
    /// A data source.
    Data(Arc<str>, Arc<str>),
    /// `output "name"`
    Output(Arc<str>),
    /// The validations of `variable "name"`.
    Validation(Arc<str>),
    /// `check "name"`
    Check(Arc<str>),
}

impl Name {
    /// This name in a module.
    #[must_use]
    pub fn within(self, module: &Path) -> Node {
        Node {
            module: Arc::clone(module),
            name: self,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(name) => write!(f, "module.{name}"),
            Self::Variable(name) => write!(f, "var.{name}"),
            Self::Local(name) => write!(f, "local.{name}"),
            Self::Block(kind, name) => write!(f, "{kind}.{name}"),
            Self::Data(kind, name) => write!(f, "data.{kind}.{name}"),
            Self::Output(name) => write!(f, "output.{name}"),
            Self::Validation(name) => write!(f, "validation.{name}"),
            Self::Check(name) => write!(f, "check.{name}"),
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in &*self.module {
            write!(f, "module.{name}.")?;
        }
        self.name.fmt(f)
    }
}

impl Node {
    /// The address of all instances of a block, in all instances of its module.
    #[must_use]
    pub fn address(&self) -> Option<Address> {
        let (mode, kind, name) = match &self.name {
            Name::Block(kind, name) => (Mode::Managed, kind, name),
            Name::Data(kind, name) => (Mode::Data, kind, name),
            _ => return None,
        };
        let step = |name: &Arc<str>| ModuleStep {
            name: Arc::clone(name),
            key: None,
        };
        Some(Address {
            module: self.module.iter().map(step).collect(),
            mode,
            ..Address::of(Arc::clone(kind), Arc::clone(name))
        })
    }
}

/// The names of a configuration with their references.
#[derive(Debug, Clone, Default)]
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
            root: config,
            dag: Dag::default(),
            found: Diagnostics::new(),
            told: BTreeSet::new(),
        };
        for (path, module) in config.modules() {
            builder.module(&path, module);
        }
        let Builder { dag, mut found, .. } = builder;
        if let Err(cycles) = dag.order() {
            for cycle in cycles {
                found.push(cycle::diagnostic(config, &cycle));
            }
        }
        (Self { dag }, found)
    }

    /// What an expression outside of all blocks refers to without it being there.
    #[must_use]
    pub fn missing(config: &Config, located: &Located) -> Diagnostics {
        let mut builder = Builder {
            root: config,
            dag: Dag::default(),
            found: Diagnostics::new(),
            told: BTreeSet::new(),
        };
        for reference in references(located) {
            builder.targets(&Path::default(), &reference);
        }
        builder.found
    }

    /// All names, each behind those it refers to; empty where there is a cycle.
    #[must_use]
    pub fn order(&self) -> Vec<&Node> {
        self.dag.order().unwrap_or_default()
    }

    /// All names in waves: those of one rest on earlier ones only, deployments as late and so as
    /// many together as can be; none where there is a cycle.
    #[must_use]
    pub fn waves(&self) -> Vec<Vec<&Node>> {
        super::cohort::waves(&self.dag)
    }

    /// The blocks with instances that a block rests on: those it refers to itself or through
    /// variables, local values, outputs and nouns.
    #[must_use]
    pub fn resources_behind(&self, node: &Node) -> Vec<Address> {
        let mut found = Vec::new();
        let mut passed = BTreeSet::new();
        let mut open = self.dag.dependencies(node);
        while let Some(next) = open.pop() {
            match &next.name {
                Name::Block(kind, _) if has_instances(kind) => found.extend(next.address()),
                _ if passed.insert(next) => open.extend(self.dag.dependencies(next)),
                _ => {}
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The variables, outputs and data sources that may change when a block becomes known.
    #[must_use]
    pub fn passed_on_from(&self, node: &Node) -> BTreeSet<&Node> {
        let mut found = BTreeSet::new();
        let mut open = self.dag.dependents(node);
        while let Some(next) = open.pop() {
            let goes_on = match &next.name {
                Name::Block(..) | Name::Call(_) | Name::Validation(_) | Name::Check(_) => false,
                Name::Local(_) | Name::Variable(_) | Name::Output(_) | Name::Data(..) => {
                    found.insert(next)
                }
            };
            if goes_on {
                open.extend(self.dag.dependents(next));
            }
        }
        found.retain(|node| !matches!(node.name, Name::Local(_)));
        found
    }
}

/// Whether blocks of this kind have instances in the state.
fn has_instances(kind: &str) -> bool {
    kind == "deployment" || noun::schema(kind).is_none()
}

struct Builder<'a> {
    root: &'a Config,
    dag: Dag<Node>,
    found: Diagnostics,
    /// References to nothing that were reported: a folder may be called several times.
    told: BTreeSet<(Arc<str>, usize)>,
}

impl<'a> Builder<'a> {
    fn module(&mut self, path: &Path, config: &'a Config) {
        let nodes = names(config);
        for name in nodes {
            let node = name.within(path);
            self.dag.add(node.clone());
            if let Some((call, caller)) = path.split_last() {
                let caller: Path = caller.into();
                self.dag
                    .depend(node, Name::Call(Arc::clone(call)).within(&caller));
            }
        }
        for (name, attribute) in &config.locals {
            self.refer(
                &Name::Local(Arc::clone(name)).within(path),
                &attribute.value,
            );
        }
        for (name, output) in &config.outputs {
            let node = Name::Output(Arc::clone(name)).within(path);
            self.refer(&node, &output.value.value);
            for located in output.preconditions.iter().flat_map(Condition::expressions) {
                self.refer(&node, located);
            }
            for located in &output.depends_on {
                self.wait(&node, located);
            }
        }
        for (name, variable) in &config.variables {
            let node = Name::Validation(Arc::clone(name)).within(path);
            for located in variable.validations.iter().flat_map(Condition::expressions) {
                self.refer(&node, located);
            }
        }
        for (name, check) in &config.checks {
            let node = Name::Check(Arc::clone(name)).within(path);
            for located in check.assertions.iter().flat_map(Condition::expressions) {
                self.refer(&node, located);
            }
        }
        for call in config.calls.values() {
            self.call(path, call);
        }
        let blocks = config
            .declarations
            .iter()
            .map(|((kind, name), declaration)| {
                let name = Name::Block(Arc::clone(kind), Arc::clone(name));
                (name, declaration)
            });
        let data = config.data.iter().map(|((kind, name), declaration)| {
            let name = Name::Data(Arc::clone(kind), Arc::clone(name));
            (name, declaration)
        });
        for (name, declaration) in blocks.chain(data) {
            let node = name.within(path);
            for reference in references_within(&declaration.body) {
                self.depend(path, &node, &reference);
            }
            for located in expressions(declaration) {
                self.refer(&node, located);
            }
            for located in &declaration.depends_on {
                self.wait(&node, located);
            }
        }
        for import in &config.imports {
            self.import(path, import);
        }
        self.providers(path, config);
    }

    /// What an import refers to must be known before the block that it is for.
    fn import(&mut self, path: &Path, import: &Import) {
        let Some(address) = adopt::block_of(import) else {
            return;
        };
        let below: Vec<Arc<str>> = address.module.iter().map(|s| Arc::clone(&s.name)).collect();
        let node = Name::Block(address.kind, address.name).within(&below.into());
        let each = import.for_each.iter().map(|each| &each.value);
        for located in each.chain([&import.id.value]) {
            self.refer_from(path, &node, located);
        }
    }

    fn call(&mut self, path: &Path, call: &'a Call) {
        let node = Name::Call(Arc::clone(&call.name)).within(path);
        if let Some(attribute) = call.repetition.attribute() {
            self.refer(&node, &attribute.value);
        }
        for located in &call.depends_on {
            self.wait(&node, located);
        }
        let below: Path = path.iter().chain([&call.name]).cloned().collect();
        for (name, argument) in &call.arguments {
            if call.config.variables.contains_key(name) {
                let node = Name::Variable(Arc::clone(name)).within(&below);
                self.refer_from(path, &node, &argument.value);
            }
        }
    }

    /// The settings of providers are needed before anything is read, so they may rest on
    /// variables and local values only.
    fn providers(&mut self, path: &Path, config: &'a Config) {
        for provider in config.providers.values() {
            if !path.is_empty() {
                self.found.push(
                    Diagnostic::error(
                        "P0020",
                        "Provider inside of a module",
                        "Providers are configured where the configuration begins, and handed to modules.",
                    )
                    .at(&provider.header)
                    .help("Move the block to the root, and add providers = { … } to the module block if it has an alias."),
                );
                continue;
            }
            let each = provider.for_each.iter().map(|attribute| &attribute.value);
            let each = each.flat_map(references);
            for reference in references_within(&provider.body).into_iter().chain(each) {
                self.provider_reference(path, &reference);
            }
        }
    }

    fn provider_reference(&mut self, path: &Path, reference: &Reference) {
        for node in self.targets(path, reference) {
            if matches!(
                node.name,
                Name::Block(..) | Name::Data(..) | Name::Output(_)
            ) {
                self.found.push(
                    Diagnostic::error(
                        "P0003",
                        "Provider rests on a resource",
                        format!("The settings of a provider are needed before {node} is known."),
                    )
                    .at(&reference.span)
                    .help("Use variables and local values only."),
                );
            }
        }
    }

    fn refer(&mut self, node: &Node, located: &Located) {
        let module = Arc::clone(&node.module);
        self.refer_from(&module, node, located);
    }

    /// Adds the references of an expression that stands in the module at `path`.
    fn refer_from(&mut self, path: &Path, node: &Node, located: &Located) {
        for reference in references(located) {
            self.depend(path, node, &reference);
        }
    }

    fn depend(&mut self, path: &Path, node: &Node, reference: &Reference) {
        for target in self.targets(path, reference) {
            self.edge(node, target, &reference.span);
        }
    }

    /// Adds an edge. What stands in a check can be referred to from there only.
    fn edge(&mut self, node: &Node, target: Node, span: &Span) {
        let check = self.check_around(&target);
        if let Some(check) = check
            && (node.module != target.module || !self.stands_in(node, &check))
        {
            self.tell(undeclared::scoped(&target.name, &check, span));
        }
        self.dag.depend(node.clone(), target);
    }

    fn stands_in(&self, node: &Node, check: &Arc<str>) -> bool {
        match &node.name {
            Name::Check(name) => name == check,
            _ => self.check_around(node).as_ref() == Some(check),
        }
    }

    /// The check that a data source stands in.
    fn check_around(&self, node: &Node) -> Option<Arc<str>> {
        let Name::Data(kind, name) = &node.name else {
            return None;
        };
        let data = &self.root.module(&node.module)?.data;
        let declaration = data.get(&(Arc::clone(kind), Arc::clone(name)))?;
        declaration.check.clone()
    }

    /// Adds what stands in `depends_on`: a module there means everything in it.
    fn wait(&mut self, node: &Node, located: &Located) {
        for reference in references(located) {
            let Target::Module(call, None) = &reference.target else {
                let module = Arc::clone(&node.module);
                self.depend(&module, node, &reference);
                continue;
            };
            let start: Path = node.module.iter().chain([call]).cloned().collect();
            let Some(config) = self.root.module(&start) else {
                self.targets(&node.module, &reference);
                continue;
            };
            for (below, config) in config.modules() {
                let path: Path = start.iter().chain(&*below).cloned().collect();
                for name in names(config) {
                    if !matches!(name, Name::Check(_) | Name::Validation(_)) {
                        self.dag.depend(node.clone(), name.within(&path));
                    }
                }
            }
        }
    }

    /// The nodes that a reference from the module at `path` leads to.
    fn targets(&mut self, path: &Path, reference: &Reference) -> Vec<Node> {
        let Some(config) = self.root.module(path) else {
            return Vec::new();
        };
        let name = match &reference.target {
            Target::Ambient(_) => return Vec::new(),
            Target::Variable(name) => Name::Variable(Arc::clone(name)),
            Target::Local(name) => Name::Local(Arc::clone(name)),
            Target::Block(kind, name) => Name::Block(Arc::clone(kind), Arc::clone(name)),
            Target::Data(kind, name) => Name::Data(Arc::clone(kind), Arc::clone(name)),
            Target::Module(call, output) => {
                return self.outputs(path, config, (call, output.as_ref()), &reference.span);
            }
            Target::Bare(name) => {
                self.tell(undeclared::bare(name, &reference.span));
                return Vec::new();
            }
        };
        let node = name.within(path);
        // What is in the graph is there, which is found out sooner.
        if self.dag.has(&node) || exists(config, &node.name) {
            return vec![node];
        }
        self.tell(undeclared::diagnostic(config, &node.name, &reference.span));
        Vec::new()
    }

    /// The outputs of a module that a reference needs, and the instances of the module.
    fn outputs(
        &mut self,
        path: &Path,
        config: &Config,
        (name, output): (&Arc<str>, Option<&Arc<str>>),
        span: &Span,
    ) -> Vec<Node> {
        let Some(call) = config.calls.get(name) else {
            self.tell(undeclared::diagnostic(
                config,
                &Name::Call(Arc::clone(name)),
                span,
            ));
            return Vec::new();
        };
        let below: Path = path.iter().chain([name]).cloned().collect();
        let wanted = |name: &&Arc<str>| output.is_none_or(|output| output == *name);
        let mut found: Vec<Node> = call
            .config
            .outputs
            .keys()
            .filter(wanted)
            .map(|name| Name::Output(Arc::clone(name)).within(&below))
            .collect();
        if let Some(output) = output
            && found.is_empty()
        {
            let name = Name::Output(Arc::clone(output));
            self.tell(undeclared::diagnostic(&call.config, &name, span));
        }
        found.push(Name::Call(Arc::clone(name)).within(path));
        found
    }

    fn tell(&mut self, diagnostic: Diagnostic) {
        let place = diagnostic.subject.as_ref();
        let place = place.map(|span| (Arc::clone(&span.file), span.start));
        if place.is_none_or(|place| self.told.insert(place)) {
            self.found.push(diagnostic);
        }
    }
}

/// All names that a module declares.
fn names(config: &Config) -> Vec<Name> {
    let variables = config.variables.keys().cloned().map(Name::Variable);
    let locals = config.locals.keys().cloned().map(Name::Local);
    let outputs = config.outputs.keys().cloned().map(Name::Output);
    let calls = config.calls.keys().cloned().map(Name::Call);
    let blocks = config.declarations.keys().cloned();
    let blocks = blocks.map(|(kind, name)| Name::Block(kind, name));
    let data = config.data.keys().cloned();
    let data = data.map(|(kind, name)| Name::Data(kind, name));
    let validated = config
        .variables
        .iter()
        .filter(|(_, v)| !v.validations.is_empty());
    let validations = validated.map(|(name, _)| Name::Validation(Arc::clone(name)));
    let checks = config.checks.keys().cloned().map(Name::Check);
    variables
        .chain(validations)
        .chain(checks)
        .chain(locals)
        .chain(outputs)
        .chain(calls)
        .chain(blocks)
        .chain(data)
        .collect()
}

fn exists(config: &Config, name: &Name) -> bool {
    match name {
        Name::Validation(name) => config.variables.contains_key(name),
        Name::Check(name) => config.checks.contains_key(name),
        Name::Call(name) => config.calls.contains_key(name),
        Name::Variable(name) => config.variables.contains_key(name),
        Name::Local(name) => config.locals.contains_key(name),
        Name::Output(name) => config.outputs.contains_key(name),
        Name::Block(kind, name) => config
            .declarations
            .contains_key(&(Arc::clone(kind), Arc::clone(name))),
        Name::Data(kind, name) => config
            .data
            .contains_key(&(Arc::clone(kind), Arc::clone(name))),
    }
}

/// The expressions of a declaration outside of its body.
fn expressions(declaration: &Declaration) -> Vec<&Located> {
    let attribute = declaration.repetition.attribute();
    let mut found: Vec<&Located> = attribute
        .map(|attribute| &attribute.value)
        .into_iter()
        .collect();
    found.extend(declaration.lifecycle.expressions());
    let provider = declaration.provider.as_ref();
    found.extend(provider.and_then(|provider| provider.key.as_ref()));
    found
}
