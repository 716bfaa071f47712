//! Which configuration of a provider a block means, through the modules around it.

use std::sync::Arc;

use isobar_sdk::{Diagnostic, Fault, Key, Span};

use crate::eval::{Ambient, Frames, Instance, evaluate};
use crate::language::config::{ProviderName, ProviderRef};
use crate::language::{Config, Located};
use crate::registry::ProviderKey;

/// A configuration in the root, with the expression of its key and how many modules around the
/// block that stands in.
struct Resolved {
    name: ProviderName,
    key: Option<(Located, usize)>,
}

/// The configuration that a block in an instance of a module means: the one it names, or that of
/// `default` without an alias.
///
/// # Errors
/// An alias that the module was not given, or a key that is not one.
pub(super) fn of_block(
    root: &Config,
    frames: &Frames<'_>,
    (instance, ambient): (&Instance, &Ambient),
    named: Option<&ProviderRef>,
    default: &str,
) -> Result<ProviderKey, Fault> {
    let resolved = resolve(root, instance, named, default)?;
    let Some((located, depth)) = resolved.key else {
        return Ok(ProviderKey {
            name: resolved.name,
            key: None,
        });
    };
    let around = if depth == instance.len() {
        Some(ambient)
    } else {
        frames.ambient(&instance[..=depth])
    };
    let (Some(scope), Some(around)) = (frames.get(&instance[..depth]), around) else {
        return Ok(ProviderKey::default_of(default));
    };
    let value = evaluate(&located, scope, around)?;
    let key = value.as_str().map(|text| Key::Text(text.into()));
    let key = key.or_else(|| value.as_number()?.as_u64().map(Key::Number));
    let key = key.ok_or_else(|| {
        let detail = "The key of a provider must be text that is known at plan time.";
        Box::new(
            Diagnostic::error("P0022", "Invalid key of a provider", detail)
                .at(&located.span())
                .help("Use each.key, or a text."),
        )
    })?;
    Ok(ProviderKey {
        name: resolved.name,
        key: Some(key),
    })
}

/// Follows a name from the module it stands in up to the root.
fn resolve(
    root: &Config,
    instance: &Instance,
    named: Option<&ProviderRef>,
    default: &str,
) -> Result<Resolved, Fault> {
    let path: Vec<Arc<str>> = instance.iter().map(|step| Arc::clone(&step.name)).collect();
    let mut name = named.map_or_else(
        || ProviderName {
            name: default.into(),
            alias: None,
        },
        |named| named.name.clone(),
    );
    let mut key = named
        .and_then(|named| named.key.clone())
        .map(|key| (key, path.len()));
    let mut span = named.map(|named| named.span.clone());
    for depth in (0..path.len()).rev() {
        let call = root
            .module(&path[..depth])
            .and_then(|c| c.calls.get(&path[depth]));
        match call.and_then(|call| call.providers.get(&name)) {
            Some(given) => {
                name = given.name.clone();
                if let Some(given_key) = &given.key {
                    key = Some((given_key.clone(), depth));
                }
                span = Some(given.span.clone());
            }
            None if name.alias.is_none() => {}
            None => {
                return Err(not_given(
                    &name,
                    span.as_ref(),
                    call.map(|call| &call.header),
                ));
            }
        }
    }
    let block = root.providers.get(&name);
    if name.alias.is_some() && block.is_none() {
        return Err(no_block(root, &name, span.as_ref()));
    }
    Ok(Resolved { name, key })
}

/// The fault of a key that the `for_each` of a provider does not have; `there` are the
/// configurations that were made.
pub(super) fn no_instance<'a>(
    key: &ProviderKey,
    place: &Span,
    there: impl Iterator<Item = &'a str>,
) -> Fault {
    let siblings = format!("{}[", key.name);
    let known: Vec<&str> = there.filter(|name| name.starts_with(&siblings)).collect();
    let help = match known.as_slice() {
        [] => format!("Add for_each to the block of provider {}.", key.name),
        known => format!("There are {}.", known.join(", ")),
    };
    let detail = format!("There is no provider {key}.");
    let diagnostic = Diagnostic::error("P0021", "Provider is not configured", detail);
    Box::new(diagnostic.at(place).help(help))
}

fn not_given(name: &ProviderName, span: Option<&Span>, header: Option<&Span>) -> Fault {
    let detail = format!("The module has no provider {name}: its caller does not hand it over.");
    let diagnostic = Diagnostic::error("P0021", "Provider is not configured", detail);
    let mut diagnostic = diagnostic.at_maybe(span).help(format!(
        "Add providers = {{ {name} = … }} to the module block."
    ));
    if let Some(header) = header {
        diagnostic = diagnostic.within(header);
    }
    Box::new(diagnostic)
}

fn no_block(root: &Config, name: &ProviderName, span: Option<&Span>) -> Fault {
    let known: Vec<String> = root
        .providers
        .keys()
        .filter(|known| known.name == name.name)
        .map(ToString::to_string)
        .collect();
    let help = if known.is_empty() {
        format!(
            "Add provider {:?} {{ alias = {:?} }}.",
            name.name,
            name.alias.as_deref().unwrap_or_default()
        )
    } else {
        format!("There are {}.", known.join(", "))
    };
    let detail = format!("No provider block has the name and alias {name}.");
    Box::new(
        Diagnostic::error("P0021", "Provider is not configured", detail)
            .at_maybe(span)
            .help(help),
    )
}
