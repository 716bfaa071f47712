//! What the references in an expression stood for, told beside what is wrong with it.

use std::fmt::{self, Write};

use isobar_sdk::diagnostic::Reading;
use isobar_sdk::{Fault, Value};

use super::{Evaluation, is_scalar};
use crate::language::expression::{Expression, Extent, Kind};
use crate::language::reference::parts;

/// As many references are told of one expression at most.
const MOST: usize = 8;

/// As many characters of a value are shown at most.
const LONGEST: usize = 60;

impl Evaluation<'_> {
    /// Adds to a fault what the references at its subject stand for, unless that was done closer to
    /// it, where more names are bound.
    pub(super) fn tell(&mut self, mut fault: Fault, expression: &Expression) -> Fault {
        let Some(subject) = &fault.subject else {
            return fault;
        };
        if self.silent || !fault.readings.is_empty() || subject.file != *self.file {
            return fault;
        }
        let within = Extent::new(subject.start..subject.end);
        fault.readings = self.readings(expression, Some(within));
        fault
    }

    /// What the references in an expression stand for, each once, those outside of `within` left out.
    pub(super) fn readings(
        &mut self,
        expression: &Expression,
        within: Option<Extent>,
    ) -> Vec<Reading> {
        let silent = std::mem::replace(&mut self.silent, true);
        let (mut open, mut found) = (vec![expression], Vec::<(u32, Reading)>::new());
        while let Some(expression) = open.pop() {
            let asked = within.is_none_or(|within| covers(within, expression.extent));
            let reference = spelled(expression).filter(|_| asked);
            // What has no value itself may be made of what has.
            let (Some(reference), Ok(value)) = (reference, self.value(expression)) else {
                open.extend(parts(expression));
                continue;
            };
            if let Some(statement) = statement(&value)
                && !found.iter().any(|(_, told)| told.reference == reference)
            {
                let reading = Reading {
                    reference,
                    statement,
                };
                found.push((expression.extent.start, reading));
            }
        }
        self.silent = silent;
        found.sort_by_key(|(place, _)| *place);
        found.truncate(MOST);
        found.into_iter().map(|(_, reading)| reading).collect()
    }
}

fn covers(outer: Extent, inner: Extent) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// A reference as it is written, if it has no index but literal ones.
pub(super) fn spelled(expression: &Expression) -> Option<String> {
    match &expression.kind {
        Kind::Variable(root) => Some(root.to_string()),
        Kind::Attribute(inner, name) => Some(format!("{}.{name}", spelled(inner)?)),
        Kind::Index(inner, index) => match &index.kind {
            Kind::Literal(index) => Some(format!("{}[{index}]", spelled(inner)?)),
            _ => None,
        },
        _ => None,
    }
}

/// What there is to say of a value; `None` where next to nothing is known of it.
fn statement(value: &Value) -> Option<String> {
    if value.contains_ephemeral() {
        return Some("is ephemeral".to_owned());
    }
    if value.contains_sensitive() {
        return Some("is sensitive".to_owned());
    }
    if let Value::Unknown(unknown) = value.reveal() {
        let ty = Some(&unknown.ty).filter(|ty| is_scalar(ty));
        return ty.map(|ty| format!("is a {ty} that is known after apply"));
    }
    let mut text = Short(String::from("is "));
    Some(match write!(text, "{value}") {
        Ok(()) => text.0,
        Err(fmt::Error) => text.0 + "…",
    })
}

/// A text that takes no more than its first characters, so that large values are not written out.
struct Short(String);

impl Write for Short {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = LONGEST.saturating_sub(self.0.chars().count());
        match more.char_indices().nth(room) {
            None => self.0.push_str(more),
            Some((end, _)) => {
                self.0.push_str(&more[..end]);
                return Err(fmt::Error);
            }
        }
        Ok(())
    }
}
