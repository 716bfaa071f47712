//! What is there already and becomes part of the state: `import` blocks.

use std::collections::BTreeMap;

use isobar_sdk::address::{Mode, Place};
use isobar_sdk::schema::Schema;
use isobar_sdk::{Address, Diagnostic, Diagnostics, Error, Fault, Key, Known, Provider};

use super::drive::{Block, Driver};
use super::expand::expand;
use crate::eval::{Ambient, Scope, ephemeral, evaluate};
use crate::language::Config;
use crate::language::config::Repetition;
use crate::language::noun::NOUNS;
use crate::language::statement::{self, Import};

impl Driver<'_> {
    /// What the provider calls the instances of a block that are to be imported, or what of a
    /// deployment is.
    pub(super) fn imports(&mut self, block: &Block<'_>) -> BTreeMap<Address, String> {
        let mut found = BTreeMap::new();
        let config = self.request.config;
        for import in &config.imports {
            let Some(root) = self.frames.get(&[]) else {
                continue;
            };
            if block_of(import).is_none_or(|address| address != block.address().everywhere()) {
                continue;
            }
            match targets(import, root) {
                Ok(targets) => found.extend({
                    let here = |(address, _): &(Address, _)| address.block() == block.address();
                    targets.into_iter().filter(here)
                }),
                Err(fault) => self.diagnostics.push(*fault),
            }
        }
        found
    }

    /// What the provider calls those parts of a deployment that are to be imported by a plan.
    pub(super) fn part_imports(&mut self, block: &Block<'_>) -> BTreeMap<Address, String> {
        match self.request.mode {
            super::Mode::Normal => self.imports(block),
            super::Mode::Destroy | super::Mode::RefreshOnly => BTreeMap::new(),
        }
    }

    /// Looks at those parts of a deployment that are to be imported, so that the deployment is
    /// sized from what is there. What cannot be adopted is told where its change is planned.
    pub(super) async fn adopt_parts(&mut self, block: &Block<'_>) {
        for (address, id) in self.part_imports(block) {
            let Some(zone) = &address.zone else {
                continue;
            };
            let zone = self.nouns.zones.get(&**zone);
            let provider = zone.and_then(|zone| self.providers.get(&zone.provider));
            let resource = self.request.registry.resource(address.resource_type());
            let (Some(provider), Some((_, schema))) = (provider, resource) else {
                continue;
            };
            if self.state.instances.contains_key(&address) {
                continue;
            }
            if let Ok(found) = adopt(&**provider, schema, &address, &id).await {
                self.observed.insert(address, Some(found));
            }
        }
    }

    /// Reports imports of what has no block, or of instances that a block does not have.
    pub(super) fn check_imports(&mut self) {
        let config = self.request.config;
        for import in &config.imports {
            let Some(root) = self.frames.get(&[]) else {
                continue;
            };
            let Ok(targets) = targets(import, root) else {
                continue;
            };
            for (address, _) in targets {
                let known = self.changes.contains_key(&address) || !self.reach.includes(&address);
                if known || self.diagnostics.has_errors() {
                    continue;
                }
                let help = match address.native {
                    None => "Add its resource block, or let isobar plan -generate-config-out=FILE write one.".to_owned(),
                    Some(_) => parts(config, &address, self.changes.keys()),
                };
                self.diagnostics
                    .push(not_configured(&address, help).at(&import.header));
            }
        }
    }
}

/// The diagnostic for an import that the configuration has nothing for.
pub(super) fn not_configured(address: &Address, help: String) -> Diagnostic {
    let detail = format!("{address} is not in the configuration.");
    Diagnostic::error("P0035", "Import of what is not configured", detail).help(help)
}

/// Says what the deployment of an address is made of.
pub(super) fn parts<'a>(
    config: &Config,
    address: &Address,
    all: impl Iterator<Item = &'a Address>,
) -> String {
    let key = (address.kind.clone(), address.name.clone());
    let module = config.module(
        &address
            .module
            .iter()
            .map(|s| s.name.clone())
            .collect::<Vec<_>>(),
    );
    if module.is_none_or(|module| !module.declarations.contains_key(&key)) {
        let (kind, name) = key;
        return format!("Write its block first: {kind} {name:?} {{ … }}.");
    }
    let same = |other: &&Address| other.native.is_some() && other.block() == address.block();
    let parts: Vec<String> = all.filter(same).map(ToString::to_string).collect();
    match parts.is_empty() {
        true => "The deployment is made of nothing; let its zones have replicas first.".to_owned(),
        false => format!("The deployment is made of:\n\n{}", parts.join("\n")),
    }
}

/// Whether something is of a kind that can be imported: a resource, or what a deployment is made
/// of.
///
/// # Errors
/// Why it is not.
pub fn importable(address: &Address) -> Result<(), Fault> {
    let (block, kind) = (address.block(), &*address.kind);
    let (why, help) = if address.mode == Mode::Data {
        (
            "a data source is asked whenever it is needed, and no state keeps what it told",
            "Leave the import out; the data block is enough.".to_owned(),
        )
    } else if address.native.is_some() || !NOUNS.contains(&kind) {
        return Ok(());
    } else if kind == "deployment" {
        (
            "a deployment is made of several resources, each with an id of its own",
            format!(
                "Import these one by one, such as {block}[\"ZONE\"].TYPE; isobar plan lists them."
            ),
        )
    } else {
        (
            "it is described by its block alone, and nothing that runs anywhere stands for it",
            "Leave the import out; the block is enough. What runs belongs to a deployment and is imported as deployment.NAME[\"ZONE\"].TYPE.".to_owned(),
        )
    };
    let detail = format!("{block} cannot be imported: {why}.");
    Err(Diagnostic::error("P0045", "Cannot be imported", detail)
        .help(help)
        .into())
}

/// Reports the import blocks that are for what cannot be imported.
pub(super) fn check_kinds(config: &Config, diagnostics: &mut Diagnostics) {
    for import in &config.imports {
        let any = &mut |_: &crate::language::Expression| Some(Key::Text("".into()));
        let place = statement::place(&import.to.root, any);
        if let Some(Place::Resource(address)) = place
            && let Err(fault) = importable(&address)
        {
            diagnostics.push(fault.at(&import.to.span()).within(&import.header));
        }
    }
}

/// The block that an import is for, without any key; `None` if it names none.
pub(super) fn block_of(import: &Import) -> Option<Address> {
    let any = &mut |_: &crate::language::Expression| Some(Key::Text("".into()));
    match statement::place(&import.to.root, any)? {
        Place::Resource(address) => Some(address.everywhere()),
        Place::Module(_) => None,
    }
}

/// The instances of an import with what the provider calls them.
///
/// # Errors
/// A target that is no resource, or an id that is no text that is known now.
pub(super) fn targets(import: &Import, scope: &Scope<'_>) -> Result<Vec<(Address, String)>, Fault> {
    let repetition = import
        .for_each
        .clone()
        .map(Box::new)
        .map_or(Repetition::Once, Repetition::ForEach);
    expand(&repetition, scope)?
        .into_iter()
        .map(|(_, ambient)| target(import, scope, &ambient))
        .collect()
}

fn target(
    import: &Import,
    scope: &Scope<'_>,
    ambient: &Ambient,
) -> Result<(Address, String), Fault> {
    let to = &import.to;
    let mut failed = None;
    let mut key = |root: &crate::language::Expression| {
        let located = crate::language::Located {
            file: to.file.clone(),
            root: root.clone(),
        };
        match evaluate(&located, scope, ambient) {
            Ok(value) => statement::key_of(&value),
            Err(fault) => {
                failed = Some(fault);
                None
            }
        }
    };
    let place = statement::place(&to.root, &mut key);
    let address = match (place, failed) {
        (_, Some(fault)) => return Err(fault),
        (Some(Place::Resource(address)), None) => address,
        _ => return Err(Box::new(statement::no_address(&to.span()))),
    };
    let id = evaluate(&import.id.value, scope, ambient)?;
    if id.is_ephemeral() {
        return Err(ephemeral::kept("The id", &import.id.value.span()));
    }
    match id.as_str().filter(|id| !id.is_empty()) {
        Some(id) => Ok((address, id.to_owned())),
        None => Err(Box::new(
            Diagnostic::error(
                "P0036",
                "Invalid id of an import",
                "The id must be text that is known at plan time and not empty.",
            )
            .at(&import.id.value.span())
            .help("Write the name or id that the platform gave to it."),
        )),
    }
}

/// What a provider has under an id, sensitive attributes marked.
///
/// # Errors
/// The provider cannot import, has nothing of that id, or says something else.
pub(super) async fn adopt(
    provider: &dyn Provider,
    schema: &Schema,
    address: &Address,
    id: &str,
) -> Result<Known, Error> {
    let kind = address.resource_type();
    let Some(import) = provider.import() else {
        let reason = format!("the provider of {kind} cannot import");
        let help = "leave the import out: this provider manages only what it has made itself";
        return Err(Error::unavailable(reason).help(help));
    };
    match import.import(kind, id).await? {
        Some(found) => {
            let marked = schema.body.withhold(&schema.body.conceal(found.value()));
            Ok(Known::new(marked).unwrap_or(found))
        }
        None => {
            let reason = format!("there is no {kind} with the id {id:?} to import");
            Err(Error::not_found(reason))
        }
    }
}

/// The diagnostic for what a provider says about an import.
pub(super) fn refused(address: &Address, error: Error) -> Diagnostic {
    let detail = isobar_sdk::diagnostic::sentence(&error.message);
    let mut diagnostic = Diagnostic::error("P0038", "Import refused", detail).about(address);
    diagnostic.help = error.help;
    diagnostic
}
