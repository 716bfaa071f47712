//! What a plan is restricted to: `-target`, `-exclude` and `-replace`.

use std::collections::BTreeSet;
use std::sync::Arc;

use isobar_sdk::address::{Mode, Place};
use isobar_sdk::diagnostic::closest;
use isobar_sdk::{Address, Diagnostic, Diagnostics};

use super::names::{Name, Names, Node};
use crate::state::State;

/// What the user asked to be planned, beside the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only these, and what they rest on; everything where this is empty.
    pub targets: Vec<Place>,
    /// Not these, nor what rests on them.
    pub excludes: Vec<Place>,
    /// These are to be replaced.
    pub replace: Vec<Address>,
}

impl Selection {
    /// Whether something may be left out.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        !(self.targets.is_empty() && self.excludes.is_empty())
    }

    /// Whether an instance is to be replaced: it was named, or all of its deployment was.
    #[must_use]
    pub fn replaces(&self, address: &Address) -> bool {
        self.replace.iter().any(|wanted| {
            let whole = address.native.is_some() && wanted.native.is_none();
            wanted == address || (whole && Place::Resource(wanted.clone()).contains(address))
        })
    }
}

/// The names that a plan evaluates, and which of their instances it looks at.
#[derive(Debug, Clone)]
pub struct Reach<'a> {
    selection: &'a Selection,
    /// The names that are left out.
    left_out: BTreeSet<Node>,
    /// Blocks of which all instances are needed, because something rests on them.
    needed: BTreeSet<Node>,
}

impl<'a> Reach<'a> {
    /// What is reached by a selection.
    #[must_use]
    pub fn of(selection: &'a Selection, names: &Names) -> Self {
        let mut reach = Self {
            selection,
            left_out: BTreeSet::new(),
            needed: BTreeSet::new(),
        };
        if !selection.is_partial() {
            return reach;
        }
        let mut nodes: BTreeSet<Node> = names.dag.nodes().cloned().collect();
        if !selection.targets.is_empty() {
            let targets = |node: &Node| selection.targets.iter().any(|place| meets(place, node));
            let asked = |node: &&Node| is_block(node) && targets(node);
            let asked: Vec<&Node> = names.dag.nodes().filter(asked).collect();
            let below = closure(asked.iter().copied(), &|node| names.dag.dependencies(node));
            nodes = asked.into_iter().cloned().collect();
            nodes.extend(below.iter().cloned());
            reach.needed = below;
            nodes.extend(outputs_of(names, &nodes));
        }
        let excluded = |node: &&Node| selection.excludes.iter().any(|place| meets(place, node));
        for node in names.dag.nodes().filter(excluded) {
            let whole = selection
                .excludes
                .iter()
                .any(|place| meets(place, node) && !has_key(place));
            if whole {
                nodes.remove(node);
            }
            for above in closure([node], &|node| names.dag.dependents(node)) {
                nodes.remove(&above);
            }
        }
        let left_out = names.dag.nodes().filter(|node| !nodes.contains(node));
        reach.left_out = left_out.cloned().collect();
        reach
    }

    /// Whether a name is evaluated.
    #[must_use]
    pub fn has(&self, node: &Node) -> bool {
        !self.left_out.contains(node)
    }

    /// Whether an instance is looked at.
    #[must_use]
    pub fn includes(&self, address: &Address) -> bool {
        let selection = self.selection;
        if !selection.is_partial() {
            return true;
        }
        let node = node_of(address);
        if self.left_out.contains(&node) {
            return false;
        }
        let asked = selection.targets.is_empty()
            || selection
                .targets
                .iter()
                .any(|place| place.contains(address))
            || self.needed.contains(&node);
        asked
            && !selection
                .excludes
                .iter()
                .any(|place| place.contains(address))
    }

    /// Whether an instance of a deployment is looked at, be it in some of its zones.
    #[must_use]
    pub fn includes_some(&self, owner: &Address) -> bool {
        let selection = self.selection;
        let node = node_of(owner);
        let asked = |place: &Place| match place {
            Place::Module(_) => place.contains(owner),
            Place::Resource(wanted) => {
                Place::Resource(wanted.beside(owner).owner()).contains(owner)
            }
        };
        let targets = &selection.targets;
        let meant = targets.is_empty() || targets.iter().any(asked) || self.needed.contains(&node);
        let excluded = selection.excludes.iter().any(|place| place.contains(owner));
        meant && !excluded && !self.left_out.contains(&node)
    }

    /// The instances that a plan to destroy looks at: those asked for and all that rest on them,
    /// but none that is excluded, nor what an excluded one rests on.
    #[must_use]
    pub fn destroyed(&self, state: &State) -> BTreeSet<Address> {
        let all = || state.instances.keys();
        let rests_on = |above: &Address, below: &Address| {
            let names = [below.clone(), below.block(), below.everywhere()];
            let instance = state.instances.get(above);
            instance.is_some_and(|i| i.dependencies.iter().any(|d| names.contains(d)))
        };
        let selection = self.selection;
        let asked = |address: &&Address| {
            selection.targets.is_empty() || selection.targets.iter().any(|p| p.contains(address))
        };
        let above = |address: &Address| all().filter(|a| rests_on(a, address)).collect();
        let mut found: BTreeSet<Address> = all().filter(asked).cloned().collect();
        let more = closure(found.iter(), &above);
        found.extend(more);
        let excluded = |a: &&Address| selection.excludes.iter().any(|p| p.contains(a));
        let kept: BTreeSet<Address> = all().filter(excluded).cloned().collect();
        let below = |address: &Address| all().filter(|b| rests_on(address, b)).collect();
        let spared = closure(kept.iter(), &below);
        found.retain(|address| !kept.contains(address) && !spared.contains(address));
        found
    }

    /// Says that the plan is partial, and what of the selection names nothing.
    pub(super) fn report(&self, names: &Names, state: &State, diagnostics: &mut Diagnostics) {
        let selection = self.selection;
        let known = |place: &Place| {
            names.dag.nodes().any(|node| meets(place, node))
                || state
                    .instances
                    .keys()
                    .any(|address| place.contains(address))
        };
        let replace = selection.replace.iter().cloned().map(Place::Resource);
        let places = selection.targets.iter().chain(&selection.excludes).cloned();
        for place in places.chain(replace).filter(|place| !known(place)) {
            let addresses = names.dag.nodes().filter_map(Node::address);
            let candidates: Vec<String> = addresses.map(|a| a.to_string()).collect();
            let help = closest(&place.to_string(), candidates.iter().map(String::as_str));
            let help = help.map_or_else(
                || "Correct the address; isobar state list shows what is recorded.".to_owned(),
                |meant| format!("Did you mean {meant}?"),
            );
            let detail = format!("{place} is neither in the configuration nor in the state.");
            diagnostics
                .push(Diagnostic::warning("P0034", "Selection matches nothing", detail).help(help));
        }
        if selection.is_partial() {
            let detail = "The plan looks only at what was selected with -target or -exclude; the rest may differ from the configuration.";
            diagnostics.push(
                Diagnostic::warning("P0033", "Plan is partial", detail)
                    .help("Plan again without them when the exception is over."),
            );
        }
    }
}

/// The name of the block of an instance.
fn node_of(address: &Address) -> Node {
    let path: Vec<Arc<str>> = address.module.iter().map(|s| Arc::clone(&s.name)).collect();
    let (kind, name) = (Arc::clone(&address.kind), Arc::clone(&address.name));
    let name = match address.mode {
        Mode::Managed => Name::Block(kind, name),
        Mode::Data => Name::Data(kind, name),
    };
    name.within(&path.into())
}

fn is_block(node: &Node) -> bool {
    matches!(node.name, Name::Block(..) | Name::Data(..))
}

/// The outputs of the root, with all that they rest on, that show resources of a selection and no
/// others.
fn outputs_of(names: &Names, selected: &BTreeSet<Node>) -> BTreeSet<Node> {
    let mut found = BTreeSet::new();
    let is_output = |node: &&Node| node.module.is_empty() && matches!(node.name, Name::Output(_));
    for output in names.dag.nodes().filter(is_output) {
        let behind = closure([output], &|node| names.dag.dependencies(node));
        let mut blocks = behind.iter().filter(|node| is_block(node)).peekable();
        if blocks.peek().is_some() && blocks.all(|node| selected.contains(node)) {
            found.insert(output.clone());
            found.extend(behind);
        }
    }
    found
}

/// Whether some instance of a name can be at a place.
fn meets(place: &Place, node: &Node) -> bool {
    let steps = place.modules();
    let around = node.module.len() >= steps.len()
        && steps
            .iter()
            .zip(&*node.module)
            .all(|(step, name)| step.name == *name);
    match place {
        Place::Module(_) => {
            around
                && matches!(
                    node.name,
                    Name::Block(..) | Name::Data(..) | Name::Output(_)
                )
        }
        Place::Resource(wanted) => {
            around
                && node.module.len() == steps.len()
                && node.address().is_some_and(|address| {
                    (address.mode, &address.kind, &address.name)
                        == (wanted.mode, &wanted.kind, &wanted.name)
                })
        }
    }
}

fn has_key(place: &Place) -> bool {
    place.modules().iter().any(|step| step.key.is_some())
        || matches!(place, Place::Resource(address) if address.has_key())
}

/// All that can be reached from some, these themselves left out unless they are reached.
fn closure<'n, T: Ord + Clone + 'n>(
    from: impl IntoIterator<Item = &'n T>,
    next: &dyn Fn(&T) -> Vec<&'n T>,
) -> BTreeSet<T> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&T> = from.into_iter().flat_map(next).collect();
    while let Some(item) = open.pop() {
        if found.insert(item.clone()) {
            open.extend(next(item));
        }
    }
    found
}
