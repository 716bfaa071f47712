//! What is wrong with an attribute of a block that stands for several instances.

use std::sync::Arc;

use isobar_sdk::{Fault, Type, Value};

use super::Evaluation;
use crate::language::config::Repetition;
use crate::language::expression::{Expression, Extent, Kind};

impl Evaluation<'_> {
    /// The fault of an attribute that only the instances of a block have, as in `module.m.id` where
    /// the call has `count`; `whole` is the block and what it stands for.
    pub(super) fn of_all_instances(
        &self,
        (block, value): (&Expression, &Value),
        name: &Arc<str>,
        extent: Extent,
    ) -> Option<Fault> {
        let (said, index) = match self.repetition(block)? {
            Repetition::Once | Repetition::If(_) => return None,
            Repetition::Count(_) => ("count", "0".to_owned()),
            Repetition::ForEach(_) => {
                let keys = value.fields().and_then(|fields| fields.keys().next());
                let key = keys.map_or("KEY", |key| &**key);
                ("for_each", Value::from(key).to_string())
            }
        };
        let is_key = match value.reveal() {
            Value::Object(instances) => instances.contains_key(name),
            // Which instances there are is not known, but what each of them has.
            Value::Unknown(unknown) => !has(&unknown.ty, name),
            _ => false,
        };
        if is_key {
            return None;
        }
        let reference = super::reading::spelled(block)?;
        let all = match said {
            "count" => format!("{reference}[*].{name}"),
            _ => format!("values({reference})[*].{name}"),
        };
        let detail = format!(
            "{reference} has {said}: it stands for all of its instances, and {name:?} would be that of one."
        );
        let mut fault = self.fault(extent, "Unsupported attribute", detail);
        fault.help = Some(format!(
            "Name the instance, as in {reference}[{index}].{name}, or take all: {all}."
        ));
        Some(fault)
    }

    /// How often the block is there that an expression refers to as a whole.
    fn repetition(&self, block: &Expression) -> Option<&Repetition> {
        let config = self.scope.config();
        let Kind::Attribute(inner, name) = &block.kind else {
            return None;
        };
        match &inner.kind {
            Kind::Variable(root) if &**root == "module" => {
                config.calls.get(name).map(|call| &call.repetition)
            }
            Kind::Variable(kind) => {
                let place = (Arc::clone(kind), Arc::clone(name));
                let block = config.declarations.get(&place);
                block.map(|block| &block.repetition)
            }
            Kind::Attribute(root, kind) if matches!(&root.kind, Kind::Variable(root) if &**root == "data") =>
            {
                let place = (Arc::clone(kind), Arc::clone(name));
                config.data.get(&place).map(|block| &block.repetition)
            }
            _ => None,
        }
    }
}

/// Whether the elements of a collection of this type have an attribute.
fn has(ty: &Type, name: &str) -> bool {
    match ty {
        Type::List(element) | Type::Map(element) => match &**element {
            Type::Object(fields) => fields.contains_key(name),
            _ => false,
        },
        _ => false,
    }
}
