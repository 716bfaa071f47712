//! Where values come from: through local values, variables and outputs to the blocks that they are
//! attributes of.

use std::collections::BTreeSet;
use std::sync::Arc;

use isobar_sdk::{Address, Fault};

use super::PlannedChange;
use super::drive::{Block, Driver};
use super::expand::NOT_KNOWN;
use super::instance::changed_attributes;
use super::names::{Name, Node};
use crate::change::{Action, Cause, Change};
use crate::eval::{Ambient, Instance, Scope, evaluate};
use crate::language::expression::Located;
use crate::language::module::Path;
use crate::language::reference::{Target, chains, references};

/// A value that is not known, and the names that lead to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Origin {
    /// The names on the way, the first one in the expression itself, as they are written.
    through: Vec<String>,
    /// What must be applied for it to be known.
    blocks: BTreeSet<Address>,
}

/// Where a reference leads.
enum Leads<'a> {
    /// To another expression, which stands in this module.
    On(Instance, &'a Located),
    /// To blocks.
    To(BTreeSet<Address>),
    /// To something that is always known.
    Nowhere,
}

type Seen = BTreeSet<(Instance, String)>;

impl<'a> Driver<'a> {
    /// Says of a number of instances that is not known where that comes from, and how to split the
    /// work.
    pub(super) fn explain(&self, fault: Fault, module: &Instance, located: &Located) -> Fault {
        if fault.code != NOT_KNOWN {
            return fault;
        }
        let mut origins = BTreeSet::new();
        self.unknown(module, located, &[], &mut Seen::new(), &mut origins);
        if origins.is_empty() {
            return fault;
        }
        let mut fault = fault;
        for origin in &origins {
            fault.detail.push('\n');
            fault.detail.push_str(&sentence(origin));
        }
        let targets: BTreeSet<&Address> = origins.iter().flat_map(|o| &o.blocks).collect();
        let flags: Vec<String> = targets.iter().map(|address| flag(address)).collect();
        fault.help = Some(format!(
            "Use values that are known at plan time, or apply what these come from first:\n    isobar apply {}",
            flags.join(" ")
        ));
        fault
    }

    /// Follows every name in an expression that is not known to what it comes from.
    fn unknown(
        &self,
        module: &Instance,
        located: &Located,
        through: &[String],
        seen: &mut Seen,
        found: &mut BTreeSet<Origin>,
    ) {
        let Some(scope) = self.frames.get(module) else {
            return;
        };
        for chain in chains(located) {
            let written = self.written(&chain);
            let value = evaluate(&chain, scope, &Ambient::None);
            let known = value.is_ok_and(|value| value.is_wholly_known());
            if known || !seen.insert((module.clone(), written.clone())) {
                continue;
            }
            let mut through = through.to_vec();
            through.push(written);
            for reference in references(&chain) {
                match self.leads(module, &reference.target) {
                    Leads::On(module, next) => self.unknown(&module, next, &through, seen, found),
                    Leads::To(blocks) => {
                        let through = through.clone();
                        found.insert(Origin { through, blocks });
                    }
                    Leads::Nowhere => {}
                }
            }
        }
    }

    /// Which changes of other blocks the changes of an instance follow.
    pub(super) fn follows(&self, block: &Block<'_>, change: &Change) -> Vec<Cause> {
        let (Some(before), Some(after)) = (change.before(), change.after()) else {
            return Vec::new();
        };
        let body = &block.declaration.body;
        let changed = changed_attributes(before.value(), after);
        let values = changed.iter().filter_map(|name| {
            let attribute = body.attribute(name)?;
            Some((name.as_str(), &attribute.value))
        });
        let triggers = block.declaration.lifecycle.replace_triggered_by.iter();
        let triggers = triggers.map(|located| ("replace_triggered_by", located));
        let mut causes = Vec::new();
        for (attribute, located) in values.chain(triggers) {
            let mut blocks = BTreeSet::new();
            self.behind(&block.module, located, &mut Seen::new(), &mut blocks);
            let changing = blocks.iter().filter_map(|block| {
                let of = self.changing.get(block)?;
                Some(of.as_deref().unwrap_or(block))
            });
            causes.extend(changing.map(|of| Cause::Follows {
                attribute: attribute.to_owned(),
                of: of.clone(),
            }));
        }
        causes
    }

    /// All blocks that an expression rests on.
    fn behind(
        &self,
        module: &Instance,
        located: &Located,
        seen: &mut Seen,
        found: &mut BTreeSet<Address>,
    ) {
        for reference in references(located) {
            if !seen.insert((module.clone(), format!("{:?}", reference.target))) {
                continue;
            }
            match self.leads(module, &reference.target) {
                Leads::On(module, next) => self.behind(&module, next, seen, found),
                Leads::To(blocks) => found.extend(blocks),
                Leads::Nowhere => {}
            }
        }
    }

    /// Takes up the change of an instance.
    pub(super) fn take_up(&mut self, address: Address, planned: PlannedChange) {
        if planned.change.action() != Action::Keep {
            let block = address.everywhere();
            let only = (address != block).then(|| Box::new(address.clone()));
            // Of several instances the block stands for all.
            self.changing
                .entry(block)
                .and_modify(|changing| *changing = Some(Box::new(address.block())))
                .or_insert(only);
        }
        self.changes.insert(address, planned);
    }

    fn leads(&self, module: &Instance, target: &Target) -> Leads<'a> {
        let Some(config) = self.frames.get(module).map(Scope::config) else {
            return Leads::Nowhere;
        };
        let path: Path = module.iter().map(|step| Arc::clone(&step.name)).collect();
        match target {
            Target::Block(kind, name) => {
                let node: Node = Name::Block(kind.clone(), name.clone()).within(&path);
                Leads::To(node.address().into_iter().collect())
            }
            Target::Data(kind, name) => {
                let node: Node = Name::Data(kind.clone(), name.clone()).within(&path);
                Leads::To(self.names.resources_behind(&node).into_iter().collect())
            }
            Target::Local(name) => {
                let local = config.locals.get(name);
                local.map_or(Leads::Nowhere, |local| {
                    Leads::On(module.clone(), &local.value)
                })
            }
            Target::Variable(name) => self.argument(module, name).unwrap_or(Leads::Nowhere),
            Target::Module(call, Some(output)) => {
                let inner: Path = path.iter().chain([call]).cloned().collect();
                let below = config.calls.get(call).map(|call| &call.config);
                let output = below.and_then(|config| config.outputs.get(output));
                let instance = self.frames.instances(&inner).into_iter().next();
                match (output, instance) {
                    (Some(output), Some(instance)) => Leads::On(instance, &output.value.value),
                    _ => Leads::Nowhere,
                }
            }
            Target::Module(_, None) | Target::Ambient(_) | Target::Bare(_) => Leads::Nowhere,
        }
    }

    /// What the caller of a module sets one of its variables to.
    fn argument(&self, module: &Instance, name: &Arc<str>) -> Option<Leads<'a>> {
        let (step, caller) = module.split_last()?;
        let call = self.frames.get(caller)?.config().calls.get(&step.name)?;
        let argument = call.arguments.get(name)?;
        Some(Leads::On(caller.to_vec(), &argument.value))
    }

    /// An expression as it is written.
    fn written(&self, located: &Located) -> String {
        let span = located.span();
        let text = self.request.sources.text(&span.file);
        let text = text.and_then(|text| text.get(span.start..span.end));
        text.unwrap_or_default().trim().to_owned()
    }
}

fn sentence(origin: &Origin) -> String {
    match origin.through.as_slice() {
        [] => String::new(),
        [only] => format!("{only} is not known before an apply."),
        [first, rest @ ..] => format!(
            "{first} comes from {}, which is not known before an apply.",
            rest.join(", that from ")
        ),
    }
}

/// The flag that restricts an apply to a block, as a shell takes it.
fn flag(address: &Address) -> String {
    let address = address.to_string();
    if address.contains(['"', '[']) {
        format!("-target='{address}'")
    } else {
        format!("-target={address}")
    }
}
