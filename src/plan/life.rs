//! What a block says about its life, evaluated for one instance.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use isobar_sdk::address::Place;
use isobar_sdk::{Address, Diagnostic, Fault, Number, Path, Step, Type};

use super::drive::{Block, Driver};
use super::{Name, Names, Node, Reach};
use crate::change::Action;
use crate::eval::{Ambient, Scope, evaluate};
use crate::language::body::Attribute;
use crate::language::expression::{Expression, Kind, Located};
use crate::language::{Config, Declaration, statement};
use crate::state::Life;

/// What is recorded with an instance of a block.
///
/// # Errors
/// A `prevent_destroy` that is neither true nor false.
pub(super) fn life(
    declaration: &Declaration,
    around: (&Scope<'_>, &Ambient),
    create_first: bool,
) -> Result<Life, Fault> {
    let prevent = declaration.lifecycle.prevent_destroy.as_ref();
    let protected = prevent.map(|prevent| {
        prevents(prevent, around).map_err(|fault| Box::new(fault.within(&declaration.header)))
    });
    Ok(Life {
        protected: protected.transpose()?.unwrap_or(false),
        create_first,
    })
}

impl Driver<'_> {
    /// What is recorded with an instance.
    pub(super) fn life(&self, block: &Block<'_>, ambient: &Ambient) -> Result<Life, Fault> {
        let create_first = self.create_first.contains(block.node);
        match self.frames.get(&block.module) {
            Some(scope) => life(block.declaration, (scope, ambient), create_first),
            None => Ok(Life {
                protected: false,
                create_first,
            }),
        }
    }

    /// Whether the block of an instance that is to go says that it must not, as far as that can be
    /// told without what `each` or `count` mean in it.
    pub(super) fn protects(&self, address: &Address) -> bool {
        let path: Vec<Arc<str>> = address.module.iter().map(|s| Arc::clone(&s.name)).collect();
        let Some(config) = self.request.config.module(&path) else {
            return false;
        };
        let key = (Arc::clone(&address.kind), Arc::clone(&address.name));
        let declaration = config.declarations.get(&key);
        let prevent = declaration.and_then(|d| d.lifecycle.prevent_destroy.as_ref());
        // Where the instance of its module goes with it, a constant still counts.
        let bare = || Scope::new(config, self.request.facts.clone(), BTreeMap::new());
        prevent.is_some_and(|prevent| {
            let says_so = match self.frames.get(&address.module) {
                Some(scope) => prevents(prevent, (scope, &Ambient::None)),
                None => prevents(prevent, (&bare(), &Ambient::None)),
            };
            says_so.unwrap_or(false)
        })
    }

    /// Whether something changes that an instance is replaced together with.
    pub(super) fn triggered(&self, block: &Block<'_>, ambient: &Ambient) -> Result<bool, Fault> {
        let Some(scope) = self.frames.get(&block.module) else {
            return Ok(false);
        };
        for located in &block.declaration.lifecycle.replace_triggered_by {
            let (place, path) = trigger(located, scope, ambient)?;
            let place = match place {
                Place::Resource(address) => Place::Resource(Address {
                    module: block
                        .module
                        .iter()
                        .chain(&address.module)
                        .cloned()
                        .collect(),
                    ..address
                }),
                Place::Module(_) => return Err(Box::new(statement::no_address(&located.span()))),
            };
            let mut changes = self
                .changes
                .iter()
                .filter(|(address, _)| place.contains(address));
            if changes.any(|(_, planned)| touches(&planned.change, &path)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Checks `prevent_destroy` where it is known already.
pub(super) fn prevents_if_known(
    prevent: &Attribute,
    (scope, ambient): (&Scope<'_>, &Ambient),
) -> Result<(), Fault> {
    let value = evaluate(&prevent.value, scope, ambient)?;
    match value.is_unknown() {
        true => Ok(()),
        false => prevents(prevent, (scope, ambient)).map(drop),
    }
}

fn prevents(prevent: &Attribute, (scope, ambient): (&Scope<'_>, &Ambient)) -> Result<bool, Fault> {
    let value = evaluate(&prevent.value, scope, ambient)?;
    let truth = Type::Bool.convert(value.reveal()).ok();
    let truth = truth.and_then(|truth| truth.as_bool());
    truth.ok_or_else(|| {
        let detail = "prevent_destroy must be true or false, and known at plan time.";
        Box::new(
            Diagnostic::error("P0041", "Invalid prevent_destroy", detail)
                .at(&prevent.value.span())
                .help("Use a value that is known at plan time, such as a variable."),
        )
    })
}

/// The blocks whose replacements are made first: those in reach that say so, and all that they rest
/// on. If that were destroyed first, they could neither stay nor be made anew before.
pub(super) fn create_first<'a>(
    config: &Config,
    names: &'a Names,
    reach: &Reach<'_>,
) -> BTreeSet<&'a Node> {
    let says_so = |node: &&Node| {
        if !reach.has(node) {
            return false;
        }
        let Name::Block(kind, name) = &node.name else {
            return false;
        };
        let module = config.module(&node.module);
        let key = (Arc::clone(kind), Arc::clone(name));
        let declaration = module.and_then(|module| module.declarations.get(&key));
        // A deployment has its new version first in any case, and one name for what it makes.
        let of_resource = declaration.filter(|declaration| !declaration.is_noun());
        of_resource.is_some_and(|d| d.lifecycle.create_before_destroy == Some(true))
    };
    let mut open: Vec<&Node> = names.dag.nodes().filter(says_so).collect();
    let mut found = BTreeSet::new();
    while let Some(node) = open.pop() {
        if found.insert(node) {
            open.extend(names.dag.dependencies(node));
        }
    }
    found
}

/// Whether a change replaces or updates what is at a path.
fn touches(change: &crate::change::Change, path: &Path) -> bool {
    let (Some(before), Some(after)) = (change.before(), change.after()) else {
        return false;
    };
    let moves = matches!(change.action(), Action::Update | Action::Replace);
    moves && (path.steps().is_empty() || before.value().get(path) != after.get(path))
}

/// The block or instance, and the attribute in it, that an element of `replace_triggered_by` names.
fn trigger(
    located: &Located,
    scope: &Scope<'_>,
    ambient: &Ambient,
) -> Result<(Place, Path), Fault> {
    let mut rest = &located.root;
    let mut steps: Vec<Step> = Vec::new();
    loop {
        let mut failed = None;
        let mut key = |root: &Expression| {
            let located = Located {
                file: located.file.clone(),
                root: root.clone(),
            };
            let value = evaluate(&located, scope, ambient);
            value
                .map_err(|fault| failed = Some(fault))
                .ok()
                .and_then(|v| statement::key_of(&v))
        };
        // What stands behind the name of a block is an attribute, not a native resource.
        if let Some(Place::Resource(address)) = statement::place(rest, &mut key)
            && address.native.is_none()
        {
            steps.reverse();
            let path = steps
                .into_iter()
                .fold(Path::root(), |path, step| path.then(step));
            return Ok((Place::Resource(address), path));
        }
        if let Some(fault) = failed {
            return Err(fault);
        }
        rest = match &rest.kind {
            Kind::Attribute(inner, name) => {
                steps.push(Step::Attribute(name.clone()));
                inner
            }
            Kind::Index(inner, index) => {
                if let Kind::Literal(value) = &index.kind {
                    let place = value.as_number().and_then(Number::as_u64);
                    let place = place.and_then(|n| usize::try_from(n).ok());
                    let key = value.as_str().map(|key| Step::Key(key.into()));
                    steps.extend(place.map(Step::Index).or(key));
                }
                inner
            }
            _ => return Err(Box::new(statement::no_address(&located.span()))),
        };
    }
}
