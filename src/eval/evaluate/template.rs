//! Templates: texts with sequences.

use isobar_sdk::diagnostic::sentence;
use isobar_sdk::value::{Marks, Unknown};
use isobar_sdk::{Fault, Type, Value};

use super::Evaluation;
use super::comprehension::elements;
use crate::eval::bounds::{self, TURN};
use crate::language::expression::{Extent, ForPart, Part};

impl Evaluation<'_> {
    pub(super) fn template(&mut self, parts: &[Part]) -> Result<Value, Fault> {
        let mut text = Text::default();
        self.write_parts(parts, &mut text)?;
        let value = if text.unknown {
            Value::unknown_of(Unknown::text(certain(&text.text)))
        } else {
            Value::from(text.text)
        };
        Ok(value.marked(text.marks))
    }

    fn write_parts(&mut self, parts: &[Part], text: &mut Text) -> Result<(), Fault> {
        for part in parts {
            match part {
                Part::Text(literal) => text.push(literal),
                Part::Interpolation(expression) => {
                    let value = self.value(expression)?;
                    text.mark(&value);
                    self.write_value(value.reveal(), expression.extent, text)?;
                }
                Part::If(condition, then, otherwise) => {
                    let truth = self.value(condition)?;
                    text.mark(&truth);
                    if truth.is_unknown() {
                        text.unknown = true;
                        for parts in [then, otherwise] {
                            text.marks = text.marks.union(self.marks_of(parts));
                        }
                        continue;
                    }
                    let (taken, other) = match Type::Bool.convert(truth.reveal()) {
                        Ok(Value::Bool(true)) => (then, otherwise),
                        Ok(Value::Bool(false)) => (otherwise, then),
                        _ => {
                            let detail = "The condition must be true or false.";
                            return Err(self.fault(condition.extent, "Invalid condition", detail));
                        }
                    };
                    self.write_parts(taken, text)?;
                    text.marks = text.marks.union(self.marks_of(other));
                }
                Part::For(each) => self.write_for(each, text)?,
            }
        }
        Ok(())
    }

    /// The marks of what is not taken, which count as those of the result of a conditional do.
    fn marks_of(&mut self, parts: &[Part]) -> Marks {
        let mut text = Text::default();
        let written = self.write_parts(parts, &mut text);
        written.map(|()| text.marks).unwrap_or_default()
    }

    fn write_for(&mut self, each: &ForPart, text: &mut Text) -> Result<(), Fault> {
        let collection = self.value(&each.collection)?;
        text.mark(&collection);
        if collection.is_unknown() {
            text.unknown = true;
            return Ok(());
        }
        let elements = elements(&collection).ok_or_else(|| {
            let detail = format!("A value of type {} has no elements.", Type::of(&collection));
            self.fault(each.collection.extent, "Invalid collection", detail)
        })?;
        for (key, value) in elements {
            self.spend(TURN, each.collection.extent)?;
            let outside = self.bound.len();
            self.bind(each.key_name.as_ref(), &each.value_name, key, value);
            let written = self.write_parts(&each.body, text);
            self.bound.truncate(outside);
            written?;
        }
        Ok(())
    }

    fn write_value(&self, value: &Value, extent: Extent, text: &mut Text) -> Result<(), Fault> {
        if value.is_unknown() {
            text.unknown = true;
            return Ok(());
        }
        match Type::String.convert(value) {
            Ok(Value::String(part)) => {
                bounds::text(text.text.len() + part.len())
                    .map_err(|reason| self.too_much(extent, sentence(&reason)))?;
                text.push(&part);
            }
            Ok(_) => {
                let detail = "This value is null, which cannot be part of a text.";
                return Err(self.fault(extent, "Invalid template", detail));
            }
            Err(mismatch) => {
                let detail = sentence(&mismatch.to_string());
                return Err(self.fault(extent, "Invalid template", detail));
            }
        }
        Ok(())
    }
}

/// What has been written so far; once something is unknown, what stood before it.
#[derive(Default)]
struct Text {
    text: String,
    unknown: bool,
    marks: Marks,
}

impl Text {
    fn push(&mut self, part: &str) {
        if !self.unknown {
            self.text.push_str(part);
        }
    }

    fn mark(&mut self, value: &Value) {
        self.marks = self.marks.union(value.marks());
    }
}

/// The beginning of a text that no continuation can change: a letter may yet be joined by an
/// accent, so it must be followed by something.
fn certain(text: &str) -> &str {
    let last = text.char_indices().next_back();
    match last {
        Some((place, last)) if last.is_alphanumeric() => &text[..place],
        _ => text,
    }
}
