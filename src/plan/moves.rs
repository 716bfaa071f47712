//! The state under the names that the configuration gives to what it holds.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use isobar_sdk::address::{ModuleStep, Place};
use isobar_sdk::{Address, Diagnostic, Diagnostics, Key, Span};

use crate::language::Config;
use crate::language::config::Repetition;
use crate::language::module::Path;
use crate::language::statement::Moved;
use crate::state::{Moves, State};

/// A state after its moves.
pub(super) struct Renamed<'a> {
    /// The instances under their new addresses.
    pub(super) state: Cow<'a, State>,
    /// The old address of each that was moved, by its new one.
    pub(super) moves: BTreeMap<Address, Address>,
}

/// Carries out the `moved` blocks of all modules, and the moves that adding or removing `count`
/// implies: the instance without a key and that with key 0 are one and the same.
pub(super) fn rename<'a>(
    config: &Config,
    state: &'a State,
    diagnostics: &mut Diagnostics,
) -> Renamed<'a> {
    let modules = config.modules();
    let statements: Vec<(&Path, &Moved)> = modules
        .iter()
        .flat_map(|(path, module)| module.moves.iter().map(move |moved| (path, moved)))
        .collect();
    check(config, &statements, diagnostics);
    let mut wanted: BTreeMap<Address, Address> = BTreeMap::new();
    for address in state.instances.keys() {
        let followed = follow(&statements, address).filter(|new| new != address);
        if let Some(new) = followed.or_else(|| implied(config, state, address)) {
            wanted.insert(address.clone(), new);
        }
    }
    let moves = possible(state, wanted, diagnostics);
    if moves.is_empty() {
        return Renamed {
            state: Cow::Borrowed(state),
            moves,
        };
    }
    let mut renamed = state.clone();
    let pairs: Moves = moves.clone().into_iter().collect();
    let taken = renamed.take(&pairs);
    renamed.put(taken);
    Renamed {
        state: Cow::Owned(renamed),
        moves: moves.into_iter().map(|(old, new)| (new, old)).collect(),
    }
}

/// Follows moves until none applies any more; `None` where none does. Each applies once at most,
/// so that a circle ends.
fn follow(statements: &[(&Path, &Moved)], address: &Address) -> Option<Address> {
    let mut current = None;
    let mut open: Vec<&(&Path, &Moved)> = statements.iter().collect();
    loop {
        let next = open.iter().enumerate().find_map(|(place, (path, moved))| {
            let current = current.as_ref().unwrap_or(address);
            Some((place, step(path, moved, current)?))
        });
        let Some((place, new)) = next else {
            return current;
        };
        open.remove(place);
        current = Some(new);
    }
}

/// What a move makes of an address; `None` where it does not apply.
fn step(path: &Path, moved: &Moved, address: &Address) -> Option<Address> {
    let around = address.module.get(..path.len())?;
    if !around.iter().map(|step| &step.name).eq(path.iter()) {
        return None;
    }
    let inner = &address.module[path.len()..];
    let module = |steps: &[ModuleStep]| around.iter().chain(steps).cloned().collect();
    match (&moved.from, &moved.to) {
        (Place::Module(from), Place::Module(to)) => {
            let (last, before) = from.split_last()?;
            let (found, rest) = inner.get(before.len()..)?.split_first()?;
            if inner[..before.len()] != *before || found.name != last.name {
                return None;
            }
            let mut to = to.clone();
            let end = to.last_mut()?;
            if last.key.is_none() && end.key.is_none() {
                end.key.clone_from(&found.key);
            } else if found.key != last.key {
                return None;
            }
            to.extend_from_slice(rest);
            Some(Address {
                module: module(&to),
                ..address.clone()
            })
        }
        (Place::Resource(from), Place::Resource(to)) => {
            let same = *inner == *from.module
                && (from.mode, &from.kind, &from.name)
                    == (address.mode, &address.kind, &address.name);
            if !same {
                return None;
            }
            let (key, zone) = address.rekeyed(from, to)?;
            Some(Address {
                module: module(&to.module),
                key,
                zone,
                native: address.native.clone(),
                ..to.clone()
            })
        }
        _ => None,
    }
}

/// The address that follows from `count` having been added or removed, if it is another one.
fn implied(config: &Config, state: &State, address: &Address) -> Option<Address> {
    let path: Vec<Arc<str>> = address.module.iter().map(|s| Arc::clone(&s.name)).collect();
    let block = (Arc::clone(&address.kind), Arc::clone(&address.name));
    let declaration = config
        .module(&path)
        .and_then(|module| module.declarations.get(&block));
    let key = match (declaration.map(|d| &d.repetition), &address.key) {
        (Some(Repetition::Count(_)), None) => Some(Key::Number(0)),
        (Some(Repetition::Once | Repetition::If(_)), Some(Key::Number(0))) => None,
        _ => return None,
    };
    let new = address.instance(key);
    let owner = new.owner();
    let mut there = state.instances.range(owner.clone()..);
    if there
        .next()
        .is_some_and(|(found, _)| found.owner() == owner)
    {
        return None;
    }
    Some(new)
}

/// The moves whose goal is free, or becomes free; the others are told and left out.
fn possible(
    state: &State,
    mut wanted: BTreeMap<Address, Address>,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<Address, Address> {
    loop {
        let mut goals = BTreeSet::new();
        let blocked = wanted.iter().find(|(_, new)| {
            let stays = state.instances.contains_key(*new) && !wanted.contains_key(*new);
            stays || !goals.insert(*new)
        });
        let Some((old, new)) = blocked.map(|(old, new)| (old.clone(), new.clone())) else {
            return wanted;
        };
        let detail =
            format!("{old} should become {new}, but there is something of that name already.");
        diagnostics.push(
            Diagnostic::warning("P0031", "Move is not possible", detail)
                .about(&old)
                .help(
                    "Decide which of them to keep: use isobar state mv, or remove the moved block.",
                ),
        );
        wanted.remove(&old);
    }
}

/// Reports moves that contradict the configuration or one another.
fn check(config: &Config, statements: &[(&Path, &Moved)], diagnostics: &mut Diagnostics) {
    let mut seen: BTreeMap<(&Path, &Place), &Moved> = BTreeMap::new();
    for (path, moved) in statements {
        if !has_key(&moved.to) && still_there(config, path, &moved.from) {
            let detail = format!(
                "{} was moved to {}, but its block is still in the configuration.",
                moved.from, moved.to
            );
            diagnostics.push(
                contradiction(detail, &moved.header)
                    .help("Remove the old block, or the moved block."),
            );
        }
        if moved.from == moved.to {
            let detail = format!("{} is moved to itself.", moved.from);
            diagnostics.push(contradiction(detail, &moved.header).help("Remove the moved block."));
        }
        if let Some(first) = seen.insert((path, &moved.from), moved)
            && first.to != moved.to
        {
            let detail = format!(
                "{} is moved to {} here, and to {} in {}.",
                moved.from, moved.to, first.to, first.header.file
            );
            diagnostics.push(
                contradiction(detail, &moved.header)
                    .within(&first.header)
                    .help("Keep one of them."),
            );
        }
    }
}

fn contradiction(detail: String, header: &Span) -> Diagnostic {
    Diagnostic::error("P0030", "Contradicting move", detail).at(header)
}

/// Whether a place is one of several instances.
fn has_key(place: &Place) -> bool {
    match place {
        Place::Module(steps) => steps.last().is_some_and(|step| step.key.is_some()),
        Place::Resource(address) => address.has_key(),
    }
}

/// Whether a block as a whole is still declared.
pub(super) fn still_there(config: &Config, path: &Path, place: &Place) -> bool {
    let names = place.modules().iter().map(|step| &step.name);
    let path: Vec<Arc<str>> = path.iter().chain(names).cloned().collect();
    match place {
        Place::Module(steps) => {
            steps.iter().all(|step| step.key.is_none()) && config.module(&path).is_some()
        }
        Place::Resource(address) => {
            let block = (Arc::clone(&address.kind), Arc::clone(&address.name));
            let module = config.module(&path);
            !address.has_key()
                && module.is_some_and(|module| module.declarations.contains_key(&block))
        }
    }
}
