//! Imports of what has no block yet, for which one can be written.

use std::collections::{BTreeMap, BTreeSet};

use isobar_sdk::schema::Schema;
use isobar_sdk::{Address, Diagnostic, Diagnostics, Fault, Known};

use super::adopt::{adopt, refused, targets};
use super::sketch::Sketch;
use super::{Request, provider, setup};
use crate::eval::{Ambient, Instance, Scope};
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
    for (address, id) in targets(import, root).map_err(|fault| *fault)? {
        let path: Vec<_> = address.module.iter().map(|s| s.name.clone()).collect();
        let module = request.config.module(&path);
        let key = (address.kind.clone(), address.name.clone());
        let declared = module.is_some_and(|module| module.declarations.contains_key(&key));
        let recorded = request.state.map(|state| &state.instances);
        if declared || recorded.is_some_and(|all| all.contains_key(&address)) {
            continue;
        }
        let wanted = wanted(request, sketch, (import, &address, id)).map_err(|fault| *fault)?;
        found.push((address, wanted));
    }
    Ok(found)
}

fn wanted<'a>(
    request: &'a Request<'a>,
    sketch: &Sketch<'a>,
    (import, address, id): (&'a Import, &Address, String),
) -> Result<Wanted<'a>, Fault> {
    if !address.module.is_empty() {
        let why = "it stands in a module, and blocks are written for the root only";
        return Err(impossible(import, address, why));
    }
    if address.key.is_some() {
        let why = "it is one of several, and what tells them apart cannot be known from them";
        return Err(impossible(import, address, why));
    }
    let Some((kind, schema)) = request.registry.resource(&address.kind) else {
        let why = "no provider has a resource of its type";
        return Err(impossible(import, address, why));
    };
    let around = (&Instance::new(), &Ambient::None);
    let named = import.provider.as_ref();
    let provider = provider::of_block(request.config, &sketch.frames, around, named, kind)?;
    Ok(Wanted {
        import,
        id,
        provider,
        schema,
    })
}

fn impossible(import: &Import, address: &Address, why: &str) -> Fault {
    let detail = format!("No block can be written for {address}: {why}.");
    Diagnostic::error("P0037", "Configuration cannot be generated", detail)
        .at(&import.header)
        .help("Write the block by hand; then the import needs nothing else.")
        .into()
}
