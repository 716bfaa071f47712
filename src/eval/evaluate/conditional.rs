//! `a ? b : c`, whose two results have one type.

use isobar_sdk::diagnostic::sentence;
use isobar_sdk::value::Unknown;
use isobar_sdk::{Fault, Type, Value};

use super::Evaluation;
use crate::language::expression::Expression;

impl Evaluation<'_> {
    pub(super) fn conditional(
        &mut self,
        (condition, then, otherwise): &(Expression, Expression, Expression),
    ) -> Result<Value, Fault> {
        let truth = self.value(condition)?;
        if truth.is_unknown() {
            // What is wrong with a result that may not be taken counts once it is.
            let mut open = |result| self.quietly(result).unwrap_or_else(|_| Value::unknown());
            let (then, otherwise) = (open(then), open(otherwise));
            let marks = truth.marks().union(then.all_marks());
            let marks = marks.union(otherwise.all_marks());
            let ty = self.one_type(condition, &then, &otherwise)?;
            return Ok(undecided(ty, &then, &otherwise).marked(marks));
        }
        let converted = Type::Bool.convert(truth.reveal()).map_err(|mismatch| {
            let about = (sentence(&mismatch.to_string()), &[&truth][..]);
            self.fault_about(condition.extent, "Invalid condition", about)
        })?;
        let (taken, other) = match converted {
            Value::Bool(true) => (self.value(then)?, self.quietly(otherwise).ok()),
            Value::Bool(false) => (self.value(otherwise)?, self.quietly(then).ok()),
            _ => {
                let detail = "The condition is null; it must be true or false.";
                return Err(self.fault(condition.extent, "Invalid condition", detail));
            }
        };
        // What is not taken decides the type too, if it can be evaluated at all.
        let Some(other) = other else {
            return Ok(taken.marked(truth.marks()));
        };
        let size = taken.extent().parts + other.extent().parts;
        self.spend(size, condition.extent)?;
        let ty = self.one_type(condition, &taken, &other)?;
        let marks = truth.marks().union(other.marks());
        let value = ty.convert(&taken).map_err(|mismatch| {
            let about = (sentence(&mismatch.to_string()), &[&taken][..]);
            self.fault_about(condition.extent, "Invalid result", about)
        })?;
        Ok(value.marked(marks))
    }

    fn one_type(&self, condition: &Expression, left: &Value, right: &Value) -> Result<Type, Fault> {
        let (left, right) = match (left.reveal(), right.reveal()) {
            // What may be of any type later may be it here, too.
            (Value::Unknown(unknown), _) | (_, Value::Unknown(unknown))
                if unknown.ty == Type::Any =>
            {
                return Ok(Type::Any);
            }
            (left, right) => (Type::of(left), Type::of(right)),
        };
        Type::unify([&left, &right]).ok_or_else(|| {
            let detail = format!(
                "Both results must be of one type, but one is of type {left} and the other of type {right}."
            );
            let mut fault = self.fault(condition.extent, "Results of two types", detail);
            fault.help = Some("Convert one of them, for instance with tostring().".to_owned());
            fault
        })
    }
}

/// One of two values, when it is not known which.
fn undecided(ty: Type, then: &Value, otherwise: &Value) -> Value {
    let (then, otherwise) = (then.reveal_all(), otherwise.reveal_all());
    let same_number = ty == Type::Number && then.is_wholly_known() && then == otherwise;
    if same_number || (then.is_null() && otherwise.is_null()) {
        return ty.convert(&then).unwrap_or(then);
    }
    let nullable = |value: &Value| match value {
        Value::Unknown(unknown) => unknown.nullable,
        other => other.is_null(),
    };
    let unknown = Unknown::from(ty);
    Value::unknown_of(if nullable(&then) || nullable(&otherwise) {
        unknown
    } else {
        unknown.not_null()
    })
}
