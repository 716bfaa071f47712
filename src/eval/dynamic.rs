//! The blocks in a body, those that are made of a collection unfolded.

use std::collections::BTreeSet;
use std::sync::Arc;

use isobar_sdk::{Diagnostic, Fault, Span, Type, Value};

use super::decode::Decoder;
use crate::language::body::{Block, Body};
use crate::language::dynamic::Dynamic;

/// A block as it is written, or as it is made of an element.
pub(super) struct Given<'b> {
    pub(super) kind: &'b Arc<str>,
    pub(super) labels: Vec<Arc<str>>,
    pub(super) header: &'b Span,
    pub(super) body: &'b Body,
    /// The element that it is made of, under its name.
    pub(super) element: Option<(Arc<str>, Value)>,
}

/// The blocks of a body in the order of the file.
#[derive(Default)]
pub(super) struct Unfolded<'b> {
    pub(super) blocks: Vec<Given<'b>>,
    /// The kinds of which it is not known how many there will be.
    pub(super) unknown: BTreeSet<&'b str>,
}

impl Decoder<'_> {
    /// Evaluates what blocks are made of.
    pub(super) fn unfold<'b>(&mut self, body: &'b Body) -> Unfolded<'b> {
        let mut found = Unfolded::default();
        for block in &body.blocks {
            let result = match block.dynamic() {
                None => {
                    found.blocks.push(written(block));
                    continue;
                }
                Some(read) => read.and_then(|dynamic| self.elements(&dynamic, &mut found)),
            };
            if let Err(fault) = result {
                self.report(*fault);
            }
        }
        found
    }

    fn elements<'b>(
        &mut self,
        dynamic: &Dynamic<'b>,
        into: &mut Unfolded<'b>,
    ) -> Result<(), Fault> {
        let collection = self.evaluate(dynamic.for_each)?;
        let marks = collection.marks();
        if collection.is_unknown() {
            into.unknown.insert(&dynamic.kind.text);
        }
        for (key, value) in pairs(&collection).ok_or_else(|| no_collection(dynamic, &collection))? {
            let element = Value::object([("key", key), ("value", value.marked(marks))]);
            let element = (Arc::clone(&dynamic.iterator), element);
            let labels = self.labels(dynamic, element.clone())?;
            into.blocks.push(Given {
                kind: &dynamic.kind.text,
                labels,
                header: &dynamic.content.header,
                body: &dynamic.content.body,
                element: Some(element),
            });
        }
        Ok(())
    }

    fn labels(
        &mut self,
        dynamic: &Dynamic<'_>,
        element: (Arc<str>, Value),
    ) -> Result<Vec<Arc<str>>, Fault> {
        let Some(attribute) = dynamic.labels else {
            return Ok(Vec::new());
        };
        let labels = self.within(element, |decoder| decoder.evaluate(&attribute.value))?;
        let labels = Type::list(Type::String).convert(&labels).ok();
        let texts = labels.as_ref().and_then(|labels| {
            let items = labels.items()?.iter();
            items.map(|item| Some(Arc::from(item.as_str()?))).collect()
        });
        texts.ok_or_else(|| {
            let detail = "labels must be a list of text that is known at plan time.";
            Box::new(
                Diagnostic::error("L0035", "Invalid dynamic block", detail)
                    .at(&attribute.value.span()),
            )
        })
    }

    /// Decodes with an element under its name.
    pub(super) fn within<T>(
        &mut self,
        element: (Arc<str>, Value),
        work: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let outside = self.bound.len();
        self.bound.push(element);
        let done = work(self);
        self.bound.truncate(outside);
        done
    }
}

fn written(block: &Block) -> Given<'_> {
    Given {
        kind: &block.kind,
        labels: block.labels.iter().map(|l| Arc::clone(&l.text)).collect(),
        header: &block.header,
        body: &block.body,
        element: None,
    }
}

/// The keys and values of a collection. What is unknown gives one element that is, so that what is
/// made of it is looked at, too.
fn pairs(collection: &Value) -> Option<Vec<(Value, Value)>> {
    if collection.is_unknown() {
        return Some(vec![(Value::unknown_of(Type::String), Value::unknown())]);
    }
    Some(match collection.reveal() {
        Value::Map(fields) | Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (Value::String(Arc::clone(key)), value.clone()))
            .collect(),
        Value::Set(items) => items.iter().map(|i| (i.clone(), i.clone())).collect(),
        Value::List(items) | Value::Tuple(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| (Value::from(index), item.clone()))
            .collect(),
        _ => return None,
    })
}

fn no_collection(dynamic: &Dynamic<'_>, given: &Value) -> Fault {
    let detail = format!(
        "for_each takes a list, a set, a map or an object, not a value of type {}.",
        Type::of(given)
    );
    Box::new(
        Diagnostic::error("L0035", "Invalid dynamic block", detail).at(&dynamic.for_each.span()),
    )
}
