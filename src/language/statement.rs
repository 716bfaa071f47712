//! Blocks that say what became of resources: `moved`, `removed` and `import`.

use std::sync::Arc;

use isobar_sdk::address::{Part, Place};
use isobar_sdk::{Diagnostic, Diagnostics, Key, Span, Value};

use super::body::{Attribute, Block, Body};
use super::config::ProviderRef;
use super::expression::{Expression, Kind, Located};
use super::take;

/// `moved {}`
#[derive(Debug, Clone)]
pub struct Moved {
    /// Where the block begins.
    pub header: Span,
    /// What it was called, in its module.
    pub from: Place,
    /// What it is called now.
    pub to: Place,
}

/// `removed {}`
#[derive(Debug, Clone)]
pub struct Removed {
    /// Where the block begins.
    pub header: Span,
    /// What is no longer in the configuration, in its module.
    pub from: Place,
    /// Whether it is destroyed, rather than forgotten.
    pub destroy: bool,
}

/// `import {}`
#[derive(Debug, Clone)]
pub struct Import {
    /// Where the block begins.
    pub header: Span,
    /// What it becomes; its keys are evaluated.
    pub to: Located,
    /// What the provider calls it.
    pub id: Attribute,
    /// One import for each element of this.
    pub for_each: Option<Attribute>,
    /// The provider, where it is not that of the resource.
    pub provider: Option<ProviderRef>,
}

impl Moved {
    pub(super) fn read(mut block: Block, diagnostics: &mut Diagnostics) -> Option<Self> {
        let from = take_place(&mut block, "from", diagnostics);
        let to = take_place(&mut block, "to", diagnostics);
        take::leftovers(&block.body, &["from", "to"], diagnostics);
        let (from, to) = (from?, to?);
        let same_kind = matches!(
            (&from, &to),
            (Place::Module(_), Place::Module(_)) | (Place::Resource(_), Place::Resource(_))
        );
        if same_kind {
            return Some(Self {
                header: block.header,
                from,
                to,
            });
        }
        let detail = format!("{from} cannot become {to}: one is a module, the other is not.");
        diagnostics.push(
            Diagnostic::error("L0030", "Invalid move", detail)
                .at(&block.header)
                .help("Move a resource to a resource, or a module to a module."),
        );
        None
    }
}

impl Removed {
    pub(super) fn read(mut block: Block, diagnostics: &mut Diagnostics) -> Option<Self> {
        let from = take_place(&mut block, "from", diagnostics);
        let mut destroy = true;
        if let Some(mut lifecycle) = block.body.take_block("lifecycle") {
            destroy = take::flag(&mut lifecycle.body, "destroy", diagnostics).unwrap_or(true);
            take::leftovers(&lifecycle.body, &["destroy"], diagnostics);
        }
        take::leftovers(&block.body, &["from"], diagnostics);
        let from = from?;
        let keyed = from.modules().iter().any(|step| step.key.is_some())
            || matches!(&from, Place::Resource(address) if address.has_key());
        if keyed {
            let detail =
                format!("{from} is one of several instances, but a block as a whole is removed.");
            diagnostics.push(
                Diagnostic::error("L0031", "Invalid removal", detail)
                    .at(&block.header)
                    .help("Leave the key out; to forget one instance, use isobar state rm."),
            );
            return None;
        }
        Some(Self {
            header: block.header,
            from,
            destroy,
        })
    }
}

impl Import {
    pub(super) fn read(mut block: Block, diagnostics: &mut Diagnostics) -> Option<Self> {
        let body = &mut block.body;
        let to = required(body, "to", &block.header, diagnostics);
        let id = required(body, "id", &block.header, diagnostics);
        let for_each = body.take_attribute("for_each");
        let provider = take::provider(body, diagnostics);
        take::leftovers(body, &["to", "id", "for_each", "provider"], diagnostics);
        Some(Self {
            header: block.header,
            to: to?.value,
            id: id?,
            for_each,
            provider,
        })
    }
}

fn required(
    body: &mut Body,
    name: &str,
    header: &Span,
    diagnostics: &mut Diagnostics,
) -> Option<Attribute> {
    let found = body.take_attribute(name);
    if found.is_none() {
        diagnostics.push(
            Diagnostic::error(
                "L0005",
                "Missing attribute",
                format!("The block has no attribute {name:?}."),
            )
            .at(header)
            .help(format!("Add {name} = …")),
        );
    }
    found
}

pub(super) fn take_place(
    block: &mut Block,
    name: &str,
    diagnostics: &mut Diagnostics,
) -> Option<Place> {
    let attribute = required(&mut block.body, name, &block.header, diagnostics)?;
    let found = written_place(&attribute.value.root);
    if found.is_none() {
        diagnostics.push(no_address(&attribute.value.span()));
    }
    found
}

/// What an expression that is an address points at, where its keys are written out.
#[must_use]
pub fn written_place(expression: &Expression) -> Option<Place> {
    let mut literal = |key: &Expression| match &key.kind {
        Kind::Literal(value) => key_of(value),
        _ => None,
    };
    place(expression, &mut literal)
}

/// The diagnostic for what is not an address.
#[must_use]
pub fn no_address(span: &Span) -> Diagnostic {
    Diagnostic::error(
        "L0032",
        "Not an address",
        "This does not name a resource or a module.",
    )
    .at(span)
    .help("Write it without quotes, as in isobar_data.example, isobar_data.example[\"key\"] or module.example.")
}

/// A value as the key of an instance.
#[must_use]
pub fn key_of(value: &Value) -> Option<Key> {
    match value.reveal() {
        Value::String(text) => Some(Key::Text(Arc::clone(text))),
        other => other.as_number()?.as_u64().map(Key::Number),
    }
}

/// What an expression that is an address points at; `key` evaluates what stands in brackets.
pub fn place(
    expression: &Expression,
    key: &mut dyn FnMut(&Expression) -> Option<Key>,
) -> Option<Place> {
    let mut parts = Vec::new();
    flatten(expression, key, &mut parts)?;
    Place::of(parts).ok()
}

fn flatten(
    expression: &Expression,
    key: &mut dyn FnMut(&Expression) -> Option<Key>,
    parts: &mut Vec<Part>,
) -> Option<()> {
    match &expression.kind {
        Kind::Variable(name) => parts.push((Arc::clone(name), Vec::new())),
        Kind::Attribute(inner, name) => {
            flatten(inner, key, parts)?;
            parts.push((Arc::clone(name), Vec::new()));
        }
        Kind::Index(inner, index) => {
            flatten(inner, key, parts)?;
            parts.last_mut()?.1.push(key(index)?);
        }
        _ => return None,
    }
    Some(())
}
