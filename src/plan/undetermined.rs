//! Where a value comes from that decides how many instances there are and is not known yet.

use std::collections::BTreeSet;
use std::sync::Arc;

use isobar_sdk::{Address, Fault};

use super::drive::Driver;
use super::expand::NOT_KNOWN;
use super::names::{Name, Node};
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

impl Driver<'_> {
    /// Says of a number of instances that is not known where that comes from, and how to split the
    /// work.
    pub(super) fn explain(&self, fault: Fault, module: &Instance, located: &Located) -> Fault {
        if fault.code != NOT_KNOWN {
            return fault;
        }
        let mut origins = BTreeSet::new();
        let mut seen = BTreeSet::new();
        self.origins(module, located, &[], &mut seen, &mut origins);
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
    fn origins(
        &self,
        module: &Instance,
        located: &Located,
        through: &[String],
        seen: &mut BTreeSet<(Instance, String)>,
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
                self.origin(module, &reference.target, &through, seen, found);
            }
        }
    }

    fn origin(
        &self,
        module: &Instance,
        target: &Target,
        through: &[String],
        seen: &mut BTreeSet<(Instance, String)>,
        found: &mut BTreeSet<Origin>,
    ) {
        let Some(config) = self.frames.get(module).map(Scope::config) else {
            return;
        };
        let path: Path = module.iter().map(|step| Arc::clone(&step.name)).collect();
        let behind = |name: Name| {
            let node: Node = name.within(&path);
            match node.name {
                Name::Block(..) => node.address().into_iter().collect(),
                _ => self.names.resources_behind(&node).into_iter().collect(),
            }
        };
        let mut end = |blocks: BTreeSet<Address>| {
            let through = through.to_vec();
            found.insert(Origin { through, blocks });
        };
        match target {
            Target::Block(kind, name) => end(behind(Name::Block(kind.clone(), name.clone()))),
            Target::Data(kind, name) => end(behind(Name::Data(kind.clone(), name.clone()))),
            Target::Local(name) => {
                if let Some(local) = config.locals.get(name) {
                    self.origins(module, &local.value, through, seen, found);
                }
            }
            Target::Variable(name) => {
                let caller = module.split_last();
                let Some((step, caller)) = caller else { return };
                let caller: Instance = caller.to_vec();
                let calls = self.frames.get(&caller).map(Scope::config);
                let call = calls.and_then(|config| config.calls.get(&step.name));
                if let Some(argument) = call.and_then(|call| call.arguments.get(name)) {
                    self.origins(&caller, &argument.value, through, seen, found);
                }
            }
            Target::Module(call, Some(output)) => {
                let inner: Path = path.iter().chain([call]).cloned().collect();
                let below = config.calls.get(call).map(|call| &call.config);
                let output = below.and_then(|config| config.outputs.get(output));
                let instance = self.frames.instances(&inner).into_iter().next();
                if let (Some(output), Some(instance)) = (output, instance) {
                    self.origins(&instance, &output.value.value, through, seen, found);
                }
            }
            Target::Module(_, None) | Target::Ambient(_) | Target::Bare(_) => {}
        }
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
