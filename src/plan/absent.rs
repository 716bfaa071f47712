//! Imports of what has no block yet, for which one can be written.

use std::collections::{BTreeMap, BTreeSet};

use isobar_sdk::diagnostic::closest;
use isobar_sdk::schema::Schema;
use isobar_sdk::{Address, Diagnostic, Diagnostics, Fault, Key, Known};

use super::adopt::{adopt, refused, targets};
use super::intake::suggested;
use super::sketch::Sketch;
use super::{Request, provider, setup};
use crate::eval::{Ambient, Instance, Scope};
use crate::language::module::Path;
use crate::language::statement::Import;
use crate::registry::ProviderKey;

/// Something that is there and has no block.
#[derive(Debug, Clone)]
pub struct Absent<'a> {
    /// What it is to be called.
    pub address: Address,
    /// What its provider calls it.
    pub id: String,
    /// The provider that its block names, where it is not the usual one.
    pub provider: Option<String>,
    /// What its type may set.
    pub schema: &'a Schema,
    /// What it is, sensitive attributes marked.
    pub attributes: Known,
}

/// Finds them, with what the providers know about them.
///
/// # Errors
/// Imports that no block can be written for, and what the providers say.
pub async fn absent<'a>(request: &'a Request<'a>) -> Result<Vec<Absent<'a>>, Diagnostics> {
    let sketch = Sketch::of(request);
    let mut diagnostics = Diagnostics::new();
    let mut wanted = BTreeMap::new();
    for import in &request.config.imports {
        match missing(request, &sketch, import) {
            Ok(found) => wanted.extend(found),
            Err(found) => diagnostics.extend(found),
        }
    }
    let used: BTreeSet<ProviderKey> = wanted.values().map(|one| one.provider.clone()).collect();
    let root = Scope::new(
        request.config,
        request.facts.clone(),
        request.variables.clone(),
    );
    let (providers, found) = setup::providers(request.config, request.registry, &root, &used).await;
    diagnostics.extend(found);
    let mut all = Vec::new();
    for (address, one) in wanted {
        let Some(provider) = providers.get(&one.provider.to_string()) else {
            continue;
        };
        match adopt(&**provider, one.schema, &address, &one.id).await {
            Ok(attributes) => all.push(Absent {
                provider: one.named(),
                id: one.id,
                schema: one.schema,
                attributes,
                address,
            }),
            Err(error) => diagnostics.push(refused(&address, error).at(&one.import.header)),
        }
    }
    match diagnostics.has_errors() {
        true => Err(diagnostics),
        false => Ok(all),
    }
}

/// An import without a block.
struct Wanted<'a> {
    import: &'a Import,
    id: String,
    provider: ProviderKey,
    schema: &'a Schema,
}

impl Wanted<'_> {
    /// How a block names the provider; `None` where it need not.
    fn named(&self) -> Option<String> {
        self.provider.name.alias.as_ref()?;
        Some(self.provider.to_string())
    }
}

/// The targets of an import that have no block.
fn missing<'a>(
    request: &'a Request<'a>,
    sketch: &Sketch<'a>,
    import: &'a Import,
) -> Result<Vec<(Address, Wanted<'a>)>, Diagnostics> {
    let Some(root) = sketch.frames.get(&[]) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    let mut diagnostics = Diagnostics::new();
    let targets = targets(import, root).map_err(|fault| *fault)?;
    let all: Vec<Address> = targets.iter().map(|(address, _)| address.clone()).collect();
    for (address, id) in targets {
        let path = path(&address);
        let module = request.config.module(&path);
        let key = (address.kind.clone(), address.name.clone());
        let declared = module.is_some_and(|module| module.declarations.contains_key(&key));
        let recorded = request.state.map(|state| &state.instances);
        // What is there of a deployment does not tell what the deployment is.
        let part = address.native.is_some();
        if declared || part || recorded.is_some_and(|all| all.contains_key(&address)) {
            continue;
        }
        match wanted(request, sketch, (import, &address, id)) {
            Ok(wanted) => found.push((address, wanted)),
            // Those of one block are told once.
            Err(refusal) => diagnostics.push(refusal.told(request, import, &address, &all)),
        }
    }
    match diagnostics.is_empty() {
        true => Ok(found),
        false => Err(diagnostics),
    }
}

/// The calls that lead to the module of an address.
fn path(address: &Address) -> Path {
    address.module.iter().map(|s| s.name.clone()).collect()
}

/// Why no block is written.
enum Refusal {
    /// It stands in a module.
    InModule,
    /// It is one of several.
    Several,
    /// Nobody knows its type.
    UnknownType,
    /// Its provider cannot be told.
    Provider(Fault),
}

fn wanted<'a>(
    request: &'a Request<'a>,
    sketch: &Sketch<'a>,
    (import, address, id): (&'a Import, &Address, String),
) -> Result<Wanted<'a>, Refusal> {
    if !address.module.is_empty() {
        return Err(Refusal::InModule);
    }
    if address.key.is_some() {
        return Err(Refusal::Several);
    }
    let resource = request.registry.resource(&address.kind);
    let (kind, schema) = resource.ok_or(Refusal::UnknownType)?;
    let around = (&Instance::new(), &Ambient::None);
    let named = import.provider.as_ref();
    let provider = provider::of_block(request.config, &sketch.frames, around, named, kind)
        .map_err(Refusal::Provider)?;
    Ok(Wanted {
        import,
        id,
        provider,
        schema,
    })
}

impl Refusal {
    /// The diagnostic, with what is to be written by hand where that helps.
    fn told(
        self,
        request: &Request<'_>,
        import: &Import,
        address: &Address,
        all: &[Address],
    ) -> Diagnostic {
        let config = request.config.module(&path(address));
        let (why, help) = match (self, config) {
            (Self::Provider(fault), _) => return *fault,
            (Self::UnknownType, _) => {
                let why = format!("no provider has a resource type {:?}", &*address.kind);
                let meant = closest(&address.kind, request.registry.resource_types());
                let help = meant.map_or_else(
                    || "Correct the type, or leave the import out.".to_owned(),
                    |meant| format!("Did you mean {meant:?}?"),
                );
                (why, help)
            }
            (_, None) => (
                "it stands in a module that the configuration does not have".to_owned(),
                "Call the module first, or correct the address.".to_owned(),
            ),
            (Self::InModule, Some(config)) => (
                "it stands in a module, and blocks are written for the root only".to_owned(),
                by_hand(request, &format!(" in {}", config.folder), address, all),
            ),
            (Self::Several, Some(_)) => (
                "it has several instances, and what tells them apart cannot be known from them"
                    .to_owned(),
                by_hand(request, "", address, all),
            ),
        };
        let block = address.block();
        let detail = format!("No block can be written for {block}: {why}.");
        Diagnostic::error("P0037", "Configuration cannot be generated", detail)
            .at(&import.header)
            .help(help)
    }
}

/// What to write for an address, with those others of its block that are imported with it.
fn by_hand(request: &Request<'_>, place: &str, address: &Address, all: &[Address]) -> String {
    let block = address.everywhere();
    let same = all.iter().filter(|other| other.everywhere() == block);
    let keys: Vec<&Key> = same.filter_map(|other| other.key.as_ref()).collect();
    let begun = suggested(address, &keys, request.registry.resource(&address.kind));
    format!(
        "Write the block by hand{place}; the plan then shows where it differs from what is there:\n\n{begun}"
    )
}
