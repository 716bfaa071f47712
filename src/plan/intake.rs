//! One thing that is there already and becomes part of the state: `isobar import`.

use isobar_sdk::schema::{Presence, Schema};
use isobar_sdk::{Address, Diagnostic, Diagnostics, Fault, Key};

use super::adopt::{adopt, importable, not_configured, parts, refused};
use super::sketch::Sketch;
use super::{Name, Node, Reach, Request, expand, life, propose, provider, setup, unregistered};
use crate::eval::{Ambient, Scope};
use crate::event::Silent;
use crate::language::module::Path;
use crate::language::{Config, Declaration};
use crate::registry::ProviderKey;
use crate::state::{Instance, Status};

/// What the state records for `address`, of which the configuration must have a block, and
/// which its provider calls `id`. Nothing is changed, there or in the state.
///
/// # Errors
/// What is missing in the configuration, or what the provider says.
pub async fn intake(
    request: &Request<'_>,
    address: &Address,
    id: &str,
) -> Result<Instance, Diagnostics> {
    importable(address).map_err(|fault| *fault)?;
    if address.native.is_some() {
        return part(request, address, id).await;
    }
    let sketch = Sketch::of(request);
    let target = match Target::find(request, &sketch, address) {
        Ok(target) => target,
        // What could not be evaluated may be why it is not found.
        Err(fault) if !sketch.faults.has_errors() => return Err((*fault).into()),
        Err(_) => return Err(sketch.faults),
    };
    let root = Scope::new(
        request.config,
        request.facts.clone(),
        request.variables.clone(),
    );
    let used = [target.provider.clone()].into();
    let (providers, found) = setup::providers(request.config, request.registry, &root, &used).await;
    let name = target.provider.to_string();
    let Some(provider) = providers.get(&name) else {
        return Err(found);
    };
    let found = adopt(&**provider, target.schema, address, id).await;
    let attributes = found.map_err(|error| refused(address, error))?;
    let scope = sketch.frames.get(&address.module);
    let reach = Reach::of(&request.selection, &sketch.names);
    let create_first = life::create_first(request.config, &sketch.names, &reach);
    let create_first = create_first.contains(&target.node);
    let life = scope.map(|scope| {
        let scope = (scope, &target.ambient);
        life::life(target.declaration, scope, create_first)
    });
    Ok(Instance {
        provider: name,
        schema_version: target.schema.version,
        attributes,
        dependencies: sketch.names.resources_behind(&target.node),
        status: Status::Ready,
        life: life
            .transpose()
            .map_err(|fault| *fault)?
            .unwrap_or_default(),
    })
}

/// What the state records for a part of a deployment: what a plan would make under that address.
async fn part(request: &Request<'_>, address: &Address, id: &str) -> Result<Instance, Diagnostics> {
    let (plan, mut found) = propose(request, &Silent).await;
    let Some(plan) = plan else {
        return Err(found);
    };
    let Some(planned) = plan.changes.get(address) else {
        let help = parts(request.config, address, plan.changes.keys());
        return Err(not_configured(address, help).into());
    };
    let Some((_, schema)) = request.registry.resource(address.resource_type()) else {
        return Err(found);
    };
    let used = ProviderKey::parse(&planned.provider);
    let root = Scope::new(
        request.config,
        request.facts.clone(),
        request.variables.clone(),
    );
    let (providers, wrong) =
        setup::providers(request.config, request.registry, &root, &[used].into()).await;
    found.extend(wrong);
    let Some(provider) = providers.get(&planned.provider) else {
        return Err(found);
    };
    let attributes = adopt(&**provider, schema, address, id).await;
    Ok(Instance {
        provider: planned.provider.clone(),
        schema_version: schema.version,
        attributes: attributes.map_err(|error| refused(address, error))?,
        dependencies: planned.dependencies.clone(),
        status: Status::Ready,
        life: planned.life,
    })
}

/// An instance of the configuration.
struct Target<'a> {
    declaration: &'a Declaration,
    node: Node,
    ambient: Ambient,
    provider: ProviderKey,
    schema: &'a Schema,
}

impl<'a> Target<'a> {
    fn find(
        request: &'a Request<'a>,
        sketch: &Sketch<'a>,
        address: &Address,
    ) -> Result<Self, Fault> {
        let path: Path = address.module.iter().map(|s| s.name.clone()).collect();
        let Some(config) = request.config.module(&path) else {
            return Err(no_module(address));
        };
        let key = (address.kind.clone(), address.name.clone());
        let Some(declaration) = config.declarations.get(&key) else {
            return Err(no_block(request, config, address));
        };
        let Some((kind, schema)) = request.registry.resource(&address.kind) else {
            let unknown = unregistered::resource(declaration, request.registry);
            return Err(Box::new(unknown));
        };
        let Some(scope) = sketch.frames.get(&address.module) else {
            return Err(no_module(address));
        };
        let instances = expand(&declaration.repetition, scope)?;
        let known: Vec<String> = instances
            .iter()
            .map(|(key, _)| address.instance(key.clone()).to_string())
            .collect();
        let found = instances.into_iter().find(|(key, _)| *key == address.key);
        let (_, ambient) = found.ok_or_else(|| no_instance(declaration, address, &known))?;
        let named = declaration.provider.as_deref();
        let around = (&address.module, &ambient);
        let provider = provider::of_block(request.config, &sketch.frames, around, named, kind)?;
        let name = Name::Block(address.kind.clone(), address.name.clone());
        Ok(Self {
            declaration,
            node: Node { module: path, name },
            ambient,
            provider,
            schema,
        })
    }
}

const CODE: &str = "P0035";

fn no_module(address: &Address) -> Fault {
    let detail = format!("{address} stands in a module that the configuration does not have.");
    Diagnostic::error(CODE, "Import of what is not configured", detail)
        .help("Call the module first, or correct the address.")
        .into()
}

fn no_instance(declaration: &Declaration, address: &Address, known: &[String]) -> Fault {
    let help = match known.is_empty() {
        true => "Its block has no instances; let for_each or count make it first.".to_owned(),
        false => format!("Its block has {}.", known.join(", ")),
    };
    let detail = format!("{address} is not in the configuration.");
    Diagnostic::error(CODE, "Import of what is not configured", detail)
        .at(&declaration.header)
        .help(help)
        .into()
}

fn no_block(request: &Request<'_>, config: &Config, address: &Address) -> Fault {
    let place = match &*config.folder {
        "" => String::new(),
        folder => format!(" in {folder}"),
    };
    let detail = format!("The configuration has no block for {address}.");
    let keys: Vec<&Key> = address.key.iter().collect();
    let block = suggested(address, &keys, request.registry.resource(&address.kind));
    Diagnostic::error(CODE, "Import of what is not configured", detail)
        .help(format!("Add the block first{place}:\n\n{block}"))
        .into()
}

/// The beginning of a block for an address with these keys.
pub(super) fn suggested(address: &Address, keys: &[&Key], kind: Option<(&str, &Schema)>) -> String {
    let mut text = format!("resource {:?} {:?} {{\n", &*address.kind, &*address.name);
    let counted = keys.iter().filter_map(|key| match key {
        Key::Number(number) => Some(number + 1),
        Key::Text(_) => None,
    });
    let named = keys.iter().filter_map(|key| match key {
        Key::Text(key) => Some(format!("{key:?}")),
        Key::Number(_) => None,
    });
    let named: Vec<String> = named.collect();
    if let Some(count) = counted.max() {
        text.push_str(&format!("  count = {count}\n"));
    } else if !named.is_empty() {
        text.push_str(&format!("  for_each = toset([{}])\n", named.join(", ")));
    }
    if let Some((_, schema)) = kind {
        let attributes = schema.body.attributes.iter();
        let required = attributes.filter(|(_, one)| one.presence == Presence::Required);
        text.extend(required.map(|(name, _)| format!("  {name} = …\n")));
    }
    text.push('}');
    text
}
