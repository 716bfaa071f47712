//! Operators, with the conversions that Terraform makes for their operands.

use isobar_sdk::diagnostic::sentence;
use isobar_sdk::value::Unknown;
use isobar_sdk::{Number, Type, Value};

use crate::language::expression::{Binary, Unary};

/// Applies an operator with one operand.
///
/// # Errors
/// Why the operand does not fit.
pub(super) fn unary(operator: Unary, value: &Value) -> Result<Value, String> {
    let ty = match operator {
        Unary::Negate => Type::Number,
        Unary::Not => Type::Bool,
    };
    let result = match convert(&ty, value)? {
        Value::Number(number) => Value::Number(number.negate()),
        Value::Bool(truth) => Value::Bool(!truth),
        Value::Unknown(_) => coming(ty),
        _ => return Err("The operand is null.".to_owned()),
    };
    Ok(result.marked(value.marks()))
}

/// Applies an operator with two operands.
///
/// # Errors
/// Why the operands do not fit.
pub(super) fn binary(operator: Binary, left: &Value, right: &Value) -> Result<Value, String> {
    // Equality looks into its operands, so a mark anywhere inside counts.
    let marks = left.all_marks().union(right.all_marks());
    let (left, right) = (left.reveal(), right.reveal());
    let result = match operator {
        Binary::Equal | Binary::NotEqual => equality(operator, left, right),
        Binary::And | Binary::Or => logic(operator, left, right)?,
        Binary::Less | Binary::LessEqual | Binary::Greater | Binary::GreaterEqual => {
            numeric(left, right, Type::Bool, |l, r| {
                Ok(Value::Bool(compare(operator, l, r)))
            })?
        }
        Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Remainder => {
            numeric(left, right, Type::Number, |l, r| arithmetic(operator, l, r))?
        }
    };
    Ok(result.marked(marks))
}

/// What an operator will give: never null.
fn coming(ty: Type) -> Value {
    Value::unknown_of(Unknown::from(ty).not_null())
}

fn equality(operator: Binary, left: &Value, right: &Value) -> Value {
    same(left, right).map_or_else(
        || coming(Type::Bool),
        |equal| Value::Bool(equal == (operator == Binary::Equal)),
    )
}

/// Whether two values are equal, types included; `None` while it cannot be told.
pub(super) fn same(left: &Value, right: &Value) -> Option<bool> {
    let (left, right) = (left.reveal(), right.reveal());
    match (left, right) {
        (Value::Unknown(unknown), other) | (other, Value::Unknown(unknown)) => {
            differs(unknown, other).then_some(false)
        }
        (Value::Null(_), other) | (other, Value::Null(_)) => Some(other.is_null()),
        _ if left.is_wholly_known() && right.is_wholly_known() => {
            let (left, right) = (left.reveal_all(), right.reveal_all());
            Some(Type::of(&left) == Type::of(&right) && left == right)
        }
        (Value::List(l), Value::List(r)) | (Value::Tuple(l), Value::Tuple(r)) => {
            if l.len() != r.len() {
                return Some(false);
            }
            all(l.iter().zip(r.iter()).map(|(l, r)| same(l, r)))
        }
        (Value::Map(l), Value::Map(r)) | (Value::Object(l), Value::Object(r)) => {
            if !l.keys().eq(r.keys()) {
                return Some(false);
            }
            all(l.values().zip(r.values()).map(|(l, r)| same(l, r)))
        }
        // Which elements a set has is not known before all of them are.
        (Value::Set(_), Value::Set(_)) => None,
        _ => Some(false),
    }
}

/// Whether what is known about a value tells that it will not be `other`.
fn differs(unknown: &Unknown, other: &Value) -> bool {
    match other {
        Value::Null(_) => !unknown.nullable,
        Value::Unknown(_) => false,
        _ if is_other_kind(&unknown.ty, &Type::of(other)) => true,
        Value::String(text) => !text.starts_with(&*unknown.prefix),
        _ => false,
    }
}

/// Whether no value is of both types, as far as they are known.
fn is_other_kind(left: &Type, right: &Type) -> bool {
    match (left, right) {
        (Type::Any, _) | (_, Type::Any) => false,
        (Type::List(l), Type::List(r))
        | (Type::Set(l), Type::Set(r))
        | (Type::Map(l), Type::Map(r)) => is_other_kind(l, r),
        (Type::Tuple(l), Type::Tuple(r)) => {
            l.len() != r.len() || l.iter().zip(r).any(|(l, r)| is_other_kind(l, r))
        }
        (Type::Object(l), Type::Object(r)) => {
            let attributes = l.values().zip(r.values());
            !l.keys().eq(r.keys())
                || attributes
                    .into_iter()
                    .any(|(l, r)| is_other_kind(&l.ty, &r.ty))
        }
        _ => left != right,
    }
}

/// Whether all parts are equal; one that cannot be told leaves all open.
fn all(mut parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    parts.try_fold(true, |all, part| Some(part? && all))
}

/// Both operands must be there, also where one alone would decide.
fn logic(operator: Binary, left: &Value, right: &Value) -> Result<Value, String> {
    let (left, right) = (convert(&Type::Bool, left)?, convert(&Type::Bool, right)?);
    match (left.as_bool(), right.as_bool()) {
        (Some(l), Some(r)) if operator == Binary::Or => Ok(Value::Bool(l || r)),
        (Some(l), Some(r)) => Ok(Value::Bool(l && r)),
        _ if left.is_null() || right.is_null() => Err("An operand is null.".to_owned()),
        _ => Ok(coming(Type::Bool)),
    }
}

fn compare(operator: Binary, left: &Number, right: &Number) -> bool {
    match operator {
        Binary::Less => left < right,
        Binary::LessEqual => left <= right,
        Binary::Greater => left > right,
        _ => left >= right,
    }
}

fn arithmetic(operator: Binary, left: &Number, right: &Number) -> Result<Value, String> {
    let zero = right.is_zero();
    let result = match operator {
        Binary::Add => left.checked_add(right),
        Binary::Subtract => left.checked_sub(right),
        Binary::Multiply => left.checked_mul(right),
        Binary::Divide if zero => return Err("Division by zero.".to_owned()),
        Binary::Divide => left.checked_div(right),
        _ if zero => return Err("Division by zero.".to_owned()),
        _ => left.checked_rem(right),
    };
    result
        .map(Value::Number)
        .ok_or_else(|| "The result is too large for a number.".to_owned())
}

fn numeric(
    left: &Value,
    right: &Value,
    result: Type,
    apply: impl Fn(&Number, &Number) -> Result<Value, String>,
) -> Result<Value, String> {
    let left = convert(&Type::Number, left)?;
    let right = convert(&Type::Number, right)?;
    match (left.as_number(), right.as_number()) {
        (Some(left), Some(right)) => apply(left, right),
        _ if left.is_null() || right.is_null() => Err("An operand is null.".to_owned()),
        _ => Ok(coming(result)),
    }
}

fn convert(ty: &Type, value: &Value) -> Result<Value, String> {
    ty.convert(value.reveal())
        .map_err(|mismatch| sentence(&mismatch.to_string()))
}
