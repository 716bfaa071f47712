//! Operators, with the conversions that Terraform makes for their operands.

use isobar_sdk::diagnostic::sentence;
use isobar_sdk::{Number, Type, Value};

use crate::language::expression::{Binary, Unary};

/// Applies an operator with one operand.
///
/// # Errors
/// Why the operand does not fit.
pub(super) fn unary(operator: Unary, value: &Value) -> Result<Value, String> {
    let (ty, apply): (Type, fn(&Value) -> Option<Value>) = match operator {
        Unary::Negate => (Type::Number, |v| {
            v.as_number().map(|n| Value::Number(n.clone().negate()))
        }),
        Unary::Not => (Type::Bool, |v| v.as_bool().map(|truth| Value::Bool(!truth))),
    };
    let operand = convert(&ty, value)?;
    let result = if operand.is_unknown() {
        Some(Value::unknown_of(ty))
    } else {
        apply(&operand)
    };
    let result = result.ok_or_else(|| "The operand is null.".to_owned())?;
    Ok(result.sensitive_if(value.is_sensitive()))
}

/// Applies an operator with two operands.
///
/// # Errors
/// Why the operands do not fit.
pub(super) fn binary(operator: Binary, left: &Value, right: &Value) -> Result<Value, String> {
    // Equality looks into its operands, so a mark anywhere inside counts.
    let sensitive = left.contains_sensitive() || right.contains_sensitive();
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
    Ok(result.sensitive_if(sensitive))
}

/// Null is comparable with everything, also with what is unknown only in part.
fn equality(operator: Binary, left: &Value, right: &Value) -> Value {
    let equal = same(left, right);
    equal.map_or(Value::unknown_of(Type::Bool), |equal| {
        Value::Bool(equal == (operator == Binary::Equal))
    })
}

/// Whether two values are equal; `None` while it cannot be told.
fn same(left: &Value, right: &Value) -> Option<bool> {
    match (left.reveal(), right.reveal()) {
        (Value::Unknown(unknown), Value::Null(_)) | (Value::Null(_), Value::Unknown(unknown))
            if !unknown.nullable =>
        {
            Some(false)
        }
        (Value::Unknown(_), _) | (_, Value::Unknown(_)) => None,
        (Value::List(l) | Value::Tuple(l), Value::List(r) | Value::Tuple(r)) => {
            if l.len() != r.len() {
                return Some(false);
            }
            all(l.iter().zip(r.iter()).map(|(l, r)| same(l, r)))
        }
        (Value::Map(l) | Value::Object(l), Value::Map(r) | Value::Object(r)) => {
            if !l.keys().eq(r.keys()) {
                return Some(false);
            }
            all(l.values().zip(r.values()).map(|(l, r)| same(l, r)))
        }
        (left, right) => Some(left == right),
    }
}

fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut undecided = false;
    for part in parts {
        match part {
            Some(true) => {}
            Some(false) => return Some(false),
            None => undecided = true,
        }
    }
    (!undecided).then_some(true)
}

fn logic(operator: Binary, left: &Value, right: &Value) -> Result<Value, String> {
    let left = convert(&Type::Bool, left)?;
    let right = convert(&Type::Bool, right)?;
    let decisive = operator == Binary::Or;
    match (left.as_bool(), right.as_bool()) {
        (Some(l), Some(r)) => Ok(Value::Bool(if decisive { l || r } else { l && r })),
        (Some(known), None) | (None, Some(known)) if known == decisive => Ok(Value::Bool(decisive)),
        _ if left.is_null() || right.is_null() => Err("An operand is null.".to_owned()),
        _ => Ok(Value::unknown_of(Type::Bool)),
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
        _ => Ok(Value::unknown_of(result)),
    }
}

fn convert(ty: &Type, value: &Value) -> Result<Value, String> {
    ty.convert(value.reveal())
        .map_err(|mismatch| sentence(&mismatch.to_string()))
}
