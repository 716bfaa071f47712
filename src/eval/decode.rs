//! The body of a block to a value of the shape that a schema asks for.

use std::sync::Arc;

use isobar_sdk::diagnostic::sentence;
use isobar_sdk::schema::{self, Nesting, Presence};
use isobar_sdk::value::Named;
use isobar_sdk::{Diagnostic, Diagnostics, Fault, Span, Value};

use super::dynamic::Given;
use super::evaluate::{Bound, evaluate_within};
use super::{Ambient, Scope, ephemeral};
use crate::language::body::{Attribute, Body};
use crate::language::expression::Located;
use crate::language::unsupported_attribute;

/// Evaluates a body whose value is kept in plans and in the state: what is ephemeral cannot
/// stand in it, except in what is write-only. Attributes that are not set are null; what is wrong is reported attribute by
/// attribute and is unknown in the result.
pub fn decode(
    body: &Body,
    schema: &schema::Body,
    header: &Span,
    scope: (&Scope<'_>, &Ambient),
    diagnostics: &mut Diagnostics,
) -> Value {
    let before = diagnostics.iter().count();
    let value = decode_passing(body, schema, header, scope, diagnostics);
    if diagnostics.iter().count() == before {
        ephemeral::report(&schema.withhold(&value), body, header, diagnostics);
    }
    value
}

/// As [`decode`], for what is handed on and kept nowhere: the settings of a provider.
pub fn decode_passing(
    body: &Body,
    schema: &schema::Body,
    header: &Span,
    (scope, ambient): (&Scope<'_>, &Ambient),
    diagnostics: &mut Diagnostics,
) -> Value {
    let mut decoder = Decoder {
        scope,
        ambient,
        bound: Bound::new(),
        diagnostics,
    };
    Value::Object(decoder.body(body, schema, header).into())
}

pub(super) struct Decoder<'a> {
    scope: &'a Scope<'a>,
    ambient: &'a Ambient,
    /// The elements that the blocks around are made of.
    pub(super) bound: Bound,
    diagnostics: &'a mut Diagnostics,
}

impl Decoder<'_> {
    pub(super) fn evaluate(&self, located: &Located) -> Result<Value, Fault> {
        evaluate_within(located, (self.scope, self.ambient), self.bound.clone())
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn body(&mut self, body: &Body, schema: &schema::Body, header: &Span) -> Named {
        let mut fields = Named::default();
        for attribute in &body.attributes {
            match schema.attributes.get_key_value(&*attribute.name) {
                Some((name, known)) => {
                    let value = self.attribute(attribute, known);
                    fields.insert(Arc::clone(name), value);
                }
                None => {
                    let known = schema
                        .attributes
                        .iter()
                        .filter(|(_, a)| a.is_configurable());
                    let names = known.map(|(name, _)| &**name);
                    self.diagnostics
                        .push(unsupported_attribute(attribute, names).within(header));
                }
            }
        }
        for (name, attribute) in &schema.attributes {
            if fields.contains_key(name) {
                continue;
            }
            if attribute.presence == Presence::Required {
                self.missing(&format!("{name} = …"), &attribute.doc, header);
            }
            fields.insert(Arc::clone(name), Value::NULL);
        }
        self.blocks(body, schema, header, &mut fields);
        fields
    }

    fn missing(&mut self, what: &str, doc: &str, header: &Span) {
        self.diagnostics.push(
            Diagnostic::error(
                "E0010",
                "Missing required setting",
                format!("This block needs {what}"),
            )
            .at(header)
            .help(doc.to_owned()),
        );
    }

    fn attribute(&mut self, attribute: &Attribute, known: &schema::Attribute) -> Value {
        let unknown = || Value::unknown_of(known.ty.clone());
        if !known.is_configurable() {
            self.diagnostics.push(
                Diagnostic::error(
                    "E0011",
                    "Attribute cannot be set",
                    format!(
                        "{:?} is told by the provider; it cannot be set.",
                        attribute.name
                    ),
                )
                .at(&attribute.name_span)
                .help("Remove it."),
            );
            return unknown();
        }
        let value = match self.evaluate(&attribute.value) {
            Ok(value) => value,
            Err(fault) => {
                self.diagnostics.push(*fault);
                return unknown();
            }
        };
        if value.is_null() && known.presence == Presence::Required {
            self.diagnostics.push(
                Diagnostic::error(
                    "E0010",
                    "Missing required setting",
                    format!("{:?} must be set, but this is null.", attribute.name),
                )
                .at(&attribute.value.span())
                .help(known.doc.clone()),
            );
        }
        known.ty.convert(&value).unwrap_or_else(|mismatch| {
            let detail = if value.contains_sensitive() {
                "The value does not fit; it is sensitive and not shown.".to_owned()
            } else {
                sentence(&mismatch.to_string())
            };
            self.diagnostics.push(
                Diagnostic::error(
                    "E0012",
                    "Wrong type",
                    format!(
                        "Inappropriate value for {:?}: {}",
                        attribute.name,
                        lower_first(&detail)
                    ),
                )
                .at(&attribute.value.span())
                .help(known.doc.clone()),
            );
            unknown()
        })
    }

    fn blocks(&mut self, body: &Body, schema: &schema::Body, header: &Span, into: &mut Named) {
        let unfolded = self.unfold(body);
        for block in &unfolded.blocks {
            if !schema.blocks.contains_key(&**block.kind) {
                let known: Vec<&str> = schema.blocks.keys().map(String::as_str).collect();
                let help = match &**block.kind {
                    "provisioner" | "connection" => "Isobar runs no commands beside a resource: put them into the image, or around the apply.".to_owned(),
                    _ if known.is_empty() => "No blocks can stand here.".to_owned(),
                    _ => format!("Blocks here are {}.", known.join(", ")),
                };
                self.diagnostics.push(
                    Diagnostic::error(
                        "L0004",
                        "Unsupported block type",
                        format!("Blocks of type {:?} are not expected here.", block.kind),
                    )
                    .at(block.header)
                    .within(header)
                    .help(help),
                );
            }
        }
        for (name, known) in &schema.blocks {
            let given = unfolded.blocks.iter().filter(|b| **b.kind == **name);
            let given: Vec<&Given<'_>> = given.collect();
            let mut values: Vec<Value> =
                given.iter().map(|block| self.block(block, known)).collect();
            let value = match (known.nesting, values.len()) {
                _ if unfolded.unknown.contains(name.as_str()) => Value::unknown(),
                (Nesting::List, _) => Value::list(values),
                (Nesting::Required, 0) => {
                    self.missing(&format!("a {name} block."), &known.doc, header);
                    Value::NULL
                }
                (_, 0) => Value::NULL,
                (_, 1) => values.remove(0),
                _ => {
                    self.diagnostics.push(
                        Diagnostic::error(
                            "L0009",
                            "Duplicate declaration",
                            format!("There can be only one {name} block here."),
                        )
                        .at(given[1].header)
                        .help("Remove one of them."),
                    );
                    values.remove(0)
                }
            };
            into.insert(name.as_str().into(), value);
        }
    }

    fn block(&mut self, block: &Given<'_>, known: &schema::Block) -> Value {
        let body = known.body_of(block.labels.first().map(|label| &**label));
        let decode = |decoder: &mut Self| decoder.body(block.body, body, block.header);
        let mut fields = match &block.element {
            Some(element) => self.within(element.clone(), decode),
            None => decode(self),
        };
        for (name, attribute) in &body.attributes {
            if let (Presence::Default(default), Some(value)) =
                (&attribute.presence, fields.get_mut(name))
                && value.is_null()
            {
                *value = default.clone();
            }
        }
        match (known.label, block.labels.as_slice()) {
            (Some(name), [label]) => {
                fields.insert(name.into(), Value::String(Arc::clone(label)));
            }
            (None, []) => {}
            (label, _) => {
                let shape = if label.is_some() { " \"type\"" } else { "" };
                self.diagnostics.push(
                    Diagnostic::error(
                        "L0006",
                        "Wrong number of labels",
                        format!("This block has {} labels.", block.labels.len()),
                    )
                    .at(block.header)
                    .help(format!("Write {}{shape} {{ … }}", block.kind)),
                );
            }
        }
        Value::Object(fields.into())
    }
}

fn lower_first(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(0..1) {
        first.make_ascii_lowercase();
    }
    text
}
