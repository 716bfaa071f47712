//! Type constraints, as in `type = list(string)`.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::diagnostic::sentence;
use isobar_sdk::types::Field;
use isobar_sdk::{Diagnostic, Fault, Type, Value};

use super::expression::{Call, Expression, Extent, Kind, Located, Part, Unary};

/// Reads an expression as a type constraint.
///
/// # Errors
/// What is not a type, and what would be one.
pub fn constraint(located: &Located) -> Result<Type, Fault> {
    // The two words alone are what the oldest configurations have.
    if let Kind::Variable(name) = &located.root.kind {
        match &**name {
            "list" => return Ok(Type::list(Type::Any)),
            "map" => return Ok(Type::map(Type::Any)),
            _ => {}
        }
    }
    Reader { located }.read(&located.root)
}

struct Reader<'a> {
    located: &'a Located,
}

impl Reader<'_> {
    fn wrong(&self, extent: Extent, detail: impl Into<String>) -> Fault {
        Box::new(
            Diagnostic::error("L0010", "Invalid type", detail)
                .at(&extent.in_file(&self.located.file))
                .help("Types are any, string, number, bool, list(T), set(T), map(T), tuple([T, …]) and object({ name = T, … })."),
        )
    }

    fn read(&self, expression: &Expression) -> Result<Type, Fault> {
        let extent = expression.extent;
        match &expression.kind {
            Kind::Variable(name) => match &**name {
                "any" => Ok(Type::Any),
                "string" => Ok(Type::String),
                "number" => Ok(Type::Number),
                "bool" => Ok(Type::Bool),
                "list" | "set" | "map" | "tuple" | "object" => {
                    let detail = format!("{name} needs the type of what is in it.");
                    Err(self.wrong(extent, detail))
                }
                _ => Err(self.wrong(extent, format!("There is no type named {name:?}."))),
            },
            Kind::Call(call) => self.call(call, extent),
            _ => Err(self.wrong(extent, "This is not a type constraint.")),
        }
    }

    fn call(&self, call: &Call, extent: Extent) -> Result<Type, Fault> {
        let argument = match call.arguments.as_slice() {
            [argument] if !call.expand_last => argument,
            _ if &*call.name == "optional" => return Err(self.misplaced(extent)),
            _ => {
                let detail = format!("{} takes one argument.", call.name);
                return Err(self.wrong(extent, detail));
            }
        };
        match (&*call.name, &argument.kind) {
            ("list", _) => self.read(argument).map(Type::list),
            ("set", _) => self.read(argument).map(Type::set),
            ("map", _) => self.read(argument).map(Type::map),
            ("tuple", Kind::Tuple(items)) => {
                let types: Result<_, _> = items.iter().map(|item| self.read(item)).collect();
                types.map(Type::Tuple)
            }
            ("tuple", _) => Err(self.wrong(argument.extent, "tuple takes a list of types.")),
            ("object", Kind::Object(items)) => self.object(items),
            ("object", _) => {
                let detail = "object takes the types of its attributes in braces.";
                Err(self.wrong(argument.extent, detail))
            }
            ("optional", _) => Err(self.misplaced(extent)),
            (name, _) => Err(self.wrong(extent, format!("There is no type named {name:?}."))),
        }
    }

    fn misplaced(&self, extent: Extent) -> Fault {
        self.wrong(extent, "Only attributes of an object can be optional.")
    }

    fn object(&self, items: &[(Expression, Expression)]) -> Result<Type, Fault> {
        let mut fields = BTreeMap::new();
        for (key, ty) in items {
            let Kind::Literal(Value::String(name)) = &key.kind else {
                let detail = "The name of an attribute is written out, without parentheses.";
                return Err(self.wrong(key.extent, detail));
            };
            let field = self.field(ty)?;
            if fields.insert(Arc::clone(name), field).is_some() {
                let detail = format!("Attribute {name:?} stands twice.");
                return Err(self.wrong(key.extent, detail));
            }
        }
        Ok(Type::Object(fields))
    }

    /// A type, or `optional(T)`, or `optional(T, default)`.
    fn field(&self, expression: &Expression) -> Result<Field, Fault> {
        let Kind::Call(call) = &expression.kind else {
            let ty = self.read(expression)?;
            return Ok(Field { ty, default: None });
        };
        let (ty, default) = match (&*call.name, call.arguments.as_slice()) {
            ("optional", [ty]) => (self.read(ty)?, None),
            ("optional", [ty, default]) => (self.read(ty)?, Some(default)),
            ("optional", _) => {
                let detail = "optional takes a type, and a default if there is one.";
                return Err(self.wrong(expression.extent, detail));
            }
            _ => {
                let ty = self.read(expression)?;
                return Ok(Field { ty, default: None });
            }
        };
        let given = default.map(|default| {
            constant(default).ok_or_else(|| {
                let detail = "A default of an attribute is written out, without references.";
                self.wrong(default.extent, detail)
            })
        });
        let given = given.transpose()?.unwrap_or(Value::NULL);
        let default = ty.convert(&given).map_err(|mismatch| {
            let detail = format!("The default does not fit: {mismatch}");
            self.wrong(expression.extent, sentence(&detail))
        })?;
        Ok(Field {
            ty,
            default: Some(default),
        })
    }
}

/// The value of an expression that is written out.
fn constant(expression: &Expression) -> Option<Value> {
    match &expression.kind {
        Kind::Literal(value) => Some(value.clone()),
        Kind::Template(parts) => {
            let text = |part: &Part| match part {
                Part::Text(text) => Some(text.to_string()),
                _ => None,
            };
            parts
                .iter()
                .map(text)
                .collect::<Option<String>>()
                .map(Value::from)
        }
        Kind::Unary(Unary::Negate, inner) => match constant(inner)? {
            Value::Number(number) => Some(Value::Number(number.negate())),
            _ => None,
        },
        Kind::Tuple(items) => {
            let items: Option<Vec<Value>> = items.iter().map(constant).collect();
            items.map(Value::tuple)
        }
        Kind::Object(items) => {
            let mut fields = BTreeMap::new();
            for (key, value) in items {
                let name: Arc<str> = constant(key)?.as_str()?.into();
                fields.insert(name, constant(value)?);
            }
            Some(Value::Object(fields.into()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use isobar_sdk::{Type, Value};

    use super::constraint;
    use crate::language::parse_expression;

    fn read(text: &str) -> Result<Type, String> {
        let located = parse_expression(&"x".into(), text).unwrap();
        constraint(&located).map_err(|fault| fault.detail.clone())
    }

    #[test]
    fn types_are_read() {
        for text in [
            "any",
            "list(string)",
            "map(list(number))",
            "tuple([string, bool])",
            "set(object({a = list(any)}))",
        ] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
        assert_eq!(read("list").unwrap(), Type::list(Type::Any));
    }

    #[test]
    fn what_is_no_type_is_told() {
        for (text, part) in [
            ("strin", "no type named"),
            ("set", "needs the type"),
            ("list(map)", "needs the type"),
            ("list(string, string)", "one argument"),
            ("lst(string)", "no type named"),
            ("1", "not a type"),
            ("optional(string)", "Only attributes"),
            ("list(optional(string))", "Only attributes"),
            ("object(string)", "in braces"),
            ("tuple(string)", "list of types"),
            ("object({ (a) = string })", "written out"),
            ("object({ a = optional() })", "optional takes"),
            ("object({ a = optional(string, 1, 2) })", "optional takes"),
            ("object({ a = optional(number, \"x\") })", "does not fit"),
            ("object({ a = optional(string, var.x) })", "written out"),
        ] {
            let detail = read(text).unwrap_err();
            assert!(detail.contains(part), "{text}: {detail}");
        }
    }

    #[test]
    fn defaults_are_filled_in_at_every_depth() {
        let text = "list(object({ a = optional(string, \"d\"), b = optional(object({ c = optional(number, -1) }), {}), e = optional(bool) }))";
        let ty = read(text).unwrap();
        let given = Value::tuple(vec![Value::object([("a", Value::NULL)])]);
        let value = ty.convert(&given).unwrap();
        assert_eq!(
            value.to_string(),
            r#"[{ a = "d", b = { c = -1 }, e = null }]"#
        );
    }
}
