//! Type constraints, as in `type = list(string)`.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::types::Field;
use isobar_sdk::{Diagnostic, Fault, Type, Value};

use super::expression::{Call, Expression, Kind, Located};

/// Reads an expression as a type constraint.
///
/// # Errors
/// What is not a type, and what would be one.
pub fn constraint(located: &Located) -> Result<Type, Fault> {
    read(located, &located.root)
}

fn read(located: &Located, expression: &Expression) -> Result<Type, Fault> {
    let wrong = || {
        Box::new(
        Diagnostic::error("L0010", "Invalid type", "This is not a type constraint.")
            .at(&expression.extent.in_file(&located.file))
            .help("Types are any, string, number, bool, list(T), set(T), map(T), tuple([T, …]) and object({ name = T, … })."),
        )
    };
    match &expression.kind {
        Kind::Variable(name) => match &**name {
            "any" => Ok(Type::Any),
            "string" => Ok(Type::String),
            "number" => Ok(Type::Number),
            "bool" => Ok(Type::Bool),
            "list" => Ok(Type::list(Type::Any)),
            "set" => Ok(Type::Set(Box::new(Type::Any))),
            "map" => Ok(Type::map(Type::Any)),
            _ => Err(wrong()),
        },
        Kind::Call(call) => read_call(located, call).unwrap_or_else(|| Err(wrong())),
        _ => Err(wrong()),
    }
}

fn read_call(located: &Located, call: &Call) -> Option<Result<Type, Fault>> {
    let [argument] = call.arguments.as_slice() else {
        return None;
    };
    let element = || read(located, argument);
    Some(match (&*call.name, &argument.kind) {
        ("list", _) => element().map(Type::list),
        ("set", _) => element().map(|ty| Type::Set(Box::new(ty))),
        ("map", _) => element().map(Type::map),
        ("tuple", Kind::Tuple(items)) => items
            .iter()
            .map(|item| read(located, item))
            .collect::<Result<_, _>>()
            .map(Type::Tuple),
        ("object", Kind::Object(items)) => items
            .iter()
            .filter_map(|(key, ty)| match &key.kind {
                Kind::Literal(Value::String(name)) => Some((name, ty)),
                _ => None,
            })
            .map(|(name, ty)| Ok((Arc::clone(name), read_field(located, ty)?)))
            .collect::<Result<BTreeMap<_, _>, _>>()
            .map(Type::Object),
        _ => return None,
    })
}

/// A type, or `optional(T)`, or `optional(T, default)`.
fn read_field(located: &Located, expression: &Expression) -> Result<Field, Fault> {
    if let Kind::Call(call) = &expression.kind
        && &*call.name == "optional"
        && let [ty, rest @ ..] = call.arguments.as_slice()
    {
        let ty = read(located, ty)?;
        let default = match rest {
            [
                Expression {
                    kind: Kind::Literal(value),
                    ..
                },
            ] => value.clone(),
            _ => Value::NULL,
        };
        let default = ty.convert(&default).unwrap_or(Value::NULL);
        return Ok(Field {
            ty,
            default: Some(default),
        });
    }
    Ok(Field {
        ty: read(located, expression)?,
        default: None,
    })
}

#[cfg(test)]
mod tests {
    use super::constraint;
    use crate::language::parse_expression;

    #[test]
    fn types_are_read() {
        for text in [
            "any",
            "list(string)",
            "map(list(number))",
            "tuple([string, bool])",
        ] {
            let located = parse_expression(&"x".into(), text).unwrap();
            assert_eq!(constraint(&located).unwrap().to_string(), text);
        }
        let located =
            parse_expression(&"x".into(), "object({ a = optional(string, \"d\") })").unwrap();
        assert_eq!(
            constraint(&located).unwrap().to_string(),
            "object({a = string})"
        );
        for text in ["strin", "list(string, string)", "1"] {
            let located = parse_expression(&"x".into(), text).unwrap();
            assert!(constraint(&located).is_err(), "{text}");
        }
    }
}
