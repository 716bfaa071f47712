//! What a block says in attributes of the language itself, taken out of its body.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::diagnostic::closest;
use isobar_sdk::{Diagnostic, Diagnostics, Span};

use super::body::{Attribute, Body};
use super::config::{ProviderName, ProviderRef, Repetition};
use super::expression::{Expression, Kind, Located, Part};
use super::reference::references;

/// Reports what is still in a body after everything known was taken out.
pub(super) fn leftovers(body: &Body, known: &[&str], diagnostics: &mut Diagnostics) {
    for attribute in &body.attributes {
        diagnostics.push(unsupported_attribute(attribute, known.iter().copied()));
    }
    for block in &body.blocks {
        diagnostics.push(
            Diagnostic::error(
                "L0004",
                "Unsupported block type",
                format!("Blocks of type {:?} are not expected here.", block.kind),
            )
            .at(&block.header),
        );
    }
}

/// The diagnostic for an attribute that is not among `known`.
#[must_use]
pub fn unsupported_attribute<'a>(
    attribute: &Attribute,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Diagnostic {
    let help = closest(&attribute.name, known.clone()).map_or_else(
        || {
            let known: Vec<&str> = known.collect();
            if known.is_empty() {
                "No attribute can be set here.".to_owned()
            } else {
                format!("Attributes here are {}.", known.join(", "))
            }
        },
        |meant| format!("Did you mean {meant:?}?"),
    );
    Diagnostic::error(
        "L0005",
        "Unsupported attribute",
        format!(
            "An attribute named {:?} is not expected here.",
            attribute.name
        ),
    )
    .at(&attribute.name_span)
    .help(help)
}

pub(super) fn flag(body: &mut Body, name: &str, diagnostics: &mut Diagnostics) -> Option<bool> {
    let attribute = body.take_attribute(name)?;
    if let Kind::Literal(value) = &attribute.value.root.kind
        && let Some(flag) = value.as_bool()
    {
        return Some(flag);
    }
    diagnostics.push(constant_needed(&attribute, "true or false"));
    None
}

/// Text that is written out.
pub(super) fn text(body: &mut Body, name: &str, diagnostics: &mut Diagnostics) -> Option<String> {
    let attribute = body.take_attribute(name)?;
    literal_text(&attribute, diagnostics)
}

/// The text that an attribute is written out as; anything else is reported.
pub fn literal_text(attribute: &Attribute, diagnostics: &mut Diagnostics) -> Option<String> {
    match &attribute.value.root.kind {
        Kind::Literal(value) if value.as_str().is_some() => value.as_str().map(str::to_owned),
        Kind::Template(parts) if parts.iter().all(|p| matches!(p, Part::Text(_))) => {
            let texts = parts.iter().filter_map(|part| match part {
                Part::Text(text) => Some(&**text),
                _ => None,
            });
            Some(texts.collect())
        }
        _ => {
            diagnostics.push(constant_needed(attribute, "text"));
            None
        }
    }
}

fn constant_needed(attribute: &Attribute, what: &str) -> Diagnostic {
    Diagnostic::error(
        "L0011",
        "Constant value required",
        format!(
            "{:?} must be written out as {what}: it is read before anything is evaluated.",
            attribute.name
        ),
    )
    .at(&attribute.value.span())
}

pub(super) fn repetition(body: &mut Body, diagnostics: &mut Diagnostics) -> Repetition {
    let lifecycle = body
        .blocks
        .iter_mut()
        .find(|block| &*block.kind == "lifecycle");
    let inside = lifecycle.and_then(|block| block.body.take_attribute("enabled"));
    let mut attribute = |name| body.take_attribute(name).map(Box::new);
    let given: Vec<Repetition> = [
        attribute("count").map(Repetition::Count),
        attribute("for_each").map(Repetition::ForEach),
        inside.map(Box::new).map(Repetition::If),
    ]
    .into_iter()
    .flatten()
    .collect();
    if let [first, second, ..] = given.as_slice()
        && let (Some(first), Some(second)) = (first.attribute(), second.attribute())
    {
        let detail = format!(
            "{} and {} both say how many there are of a block; it can have only one of them.",
            first.name, second.name
        );
        diagnostics.push(
            Diagnostic::error("L0008", "More than one number of instances", detail)
                .at(&second.name_span)
                .help("Remove one of them."),
        );
    }
    given.into_iter().next().unwrap_or(Repetition::Once)
}

/// The provider that a block names.
pub(super) fn provider(body: &mut Body, diagnostics: &mut Diagnostics) -> Option<ProviderRef> {
    let attribute = body.take_attribute("provider")?;
    let found = provider_ref(&attribute.value.file, &attribute.value.root);
    if found.is_none() {
        diagnostics.push(no_provider(&attribute.value.span()));
    }
    found
}

/// `providers = { theirs = ours }` of a module call.
pub(super) fn provider_map(
    body: &mut Body,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<ProviderName, ProviderRef> {
    let Some(attribute) = body.take_attribute("providers") else {
        return BTreeMap::new();
    };
    let file = &attribute.value.file;
    let Kind::Object(items) = &attribute.value.root.kind else {
        diagnostics.push(no_provider(&attribute.value.span()));
        return BTreeMap::new();
    };
    let mut map = BTreeMap::new();
    for (key, value) in items {
        let theirs = match &key.kind {
            Kind::Literal(name) => name.as_str().map(|name| ProviderName {
                name: name.into(),
                alias: None,
            }),
            _ => provider_ref(file, key).map(|found| found.name),
        };
        match (theirs, provider_ref(file, value)) {
            (Some(theirs), Some(ours)) => {
                map.insert(theirs, ours);
            }
            _ => diagnostics.push(no_provider(&value.extent.in_file(file))),
        }
    }
    map
}

/// `name`, `name.alias` or `name.alias["key"]`.
fn provider_ref(file: &Arc<str>, expression: &Expression) -> Option<ProviderRef> {
    let span = expression.extent.in_file(file);
    let (inner, key) = match &expression.kind {
        Kind::Index(inner, key) => (&**inner, Some(key)),
        _ => (expression, None),
    };
    let name = match &inner.kind {
        Kind::Variable(name) => ProviderName {
            name: Arc::clone(name),
            alias: None,
        },
        Kind::Attribute(root, alias) => match &root.kind {
            Kind::Variable(name) => ProviderName {
                name: Arc::clone(name),
                alias: Some(Arc::clone(alias)),
            },
            _ => return None,
        },
        _ => return None,
    };
    let key = key.map(|root| Located {
        file: Arc::clone(file),
        root: Expression::clone(root),
    });
    Some(ProviderRef { name, key, span })
}

fn no_provider(span: &Span) -> Diagnostic {
    Diagnostic::error(
        "L0012",
        "Invalid provider reference",
        "A provider is named without quotes, as in provider = local or provider = local.alias.",
    )
    .at(span)
    .help("Write the name of the provider without quotes.")
}

pub(super) fn list(body: &mut Body, name: &str, diagnostics: &mut Diagnostics) -> Vec<Located> {
    let Some(attribute) = body.take_attribute(name) else {
        return Vec::new();
    };
    if let Kind::Tuple(items) = attribute.value.root.kind {
        let file = attribute.value.file;
        let items = items.into_iter().map(|root| Located {
            file: Arc::clone(&file),
            root,
        });
        let (references, others): (Vec<Located>, Vec<Located>) =
            items.partition(|item| !references(item).is_empty());
        for other in others {
            let detail = format!("An element of {name} refers to nothing.");
            diagnostics.push(
                Diagnostic::error("L0013", "List of references required", detail)
                    .at(&other.span())
                    .help("Name a block without quotes, as in zone.example."),
            );
        }
        return references;
    }
    diagnostics.push(
        Diagnostic::error(
            "L0013",
            "List of references required",
            format!("{name} must be a list of references."),
        )
        .at(&attribute.value.span())
        .help(format!("Write {name} = [zone.example]")),
    );
    Vec::new()
}
