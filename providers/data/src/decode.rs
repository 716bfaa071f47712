//! The text of a file of variables to values.

use hcl_edit::expr::{Expression, ObjectKey, UnaryOperator};
use hcl_edit::structure::Structure;
use isobar_sdk::{Number, Value};

/// The attributes of a text as an object.
pub(crate) fn variables(text: &str) -> Result<Value, String> {
    let body = hcl_edit::parser::parse_body(text).map_err(|error| {
        let place = error.location();
        format!(
            "line {}, column {}: {}",
            place.line(),
            place.column(),
            error.message()
        )
    })?;
    let mut fields = Vec::new();
    for structure in &body {
        match structure {
            Structure::Attribute(attribute) => {
                let name = attribute.key.as_str();
                let value = value(&attribute.value);
                fields.push((name, value.map_err(|reason| format!("{name}: {reason}"))?));
            }
            Structure::Block(block) => {
                return Err(format!(
                    "{} is a block, but only variables stand here",
                    block.ident.as_str()
                ));
            }
        }
    }
    Ok(Value::object(fields))
}

fn value(expression: &Expression) -> Result<Value, String> {
    match expression {
        Expression::Null(_) => Ok(Value::NULL),
        Expression::Bool(truth) => Ok((*truth.value()).into()),
        Expression::Number(number) => number_of(&number.value().to_string()),
        Expression::String(text) => Ok(text.value().as_str().into()),
        Expression::Parenthesis(inner) => value(inner.inner()),
        Expression::Array(items) => {
            let items: Result<Vec<Value>, String> = items.iter().map(value).collect();
            items.map(Value::tuple)
        }
        Expression::Object(entries) => {
            let mut fields = Vec::new();
            for (key, entry) in entries {
                fields.push((name(key)?, value(entry.expr())?));
            }
            Ok(Value::object(fields))
        }
        Expression::UnaryOp(operation) => {
            match (operation.operator.value(), value(&operation.expr)?) {
                (UnaryOperator::Neg, Value::Number(number)) => Ok(Value::Number(number.negate())),
                _ => Err(NOT_WRITTEN_OUT.to_owned()),
            }
        }
        Expression::HeredocTemplate(heredoc) => plain(heredoc.template.iter()),
        Expression::StringTemplate(template) => plain(template.iter()),
        _ => Err(NOT_WRITTEN_OUT.to_owned()),
    }
}

const NOT_WRITTEN_OUT: &str = "only values that are written out stand here, without expressions";

fn plain<'a>(
    elements: impl Iterator<Item = &'a hcl_edit::template::Element>,
) -> Result<Value, String> {
    let mut text = String::new();
    for element in elements {
        match element {
            hcl_edit::template::Element::Literal(literal) => text.push_str(literal.value()),
            _ => return Err(NOT_WRITTEN_OUT.to_owned()),
        }
    }
    Ok(text.into())
}

fn number_of(text: &str) -> Result<Value, String> {
    let number: Result<Number, ()> = text.parse();
    number
        .map(Value::Number)
        .map_err(|()| format!("{text} is too large"))
}

fn name(key: &ObjectKey) -> Result<String, String> {
    match key {
        ObjectKey::Ident(name) => Ok(name.as_str().to_owned()),
        ObjectKey::Expression(key) => match value(key)? {
            Value::String(text) => Ok(text.to_string()),
            _ => Err("the key of an object must be a text".to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::variables;

    #[test]
    fn values_that_are_written_out_are_read() {
        let text = "a = 1\nb = [-2.5, \"x\", null]\nc = { d = true, \"e f\" = {} }\n";
        assert_eq!(
            variables(text).unwrap().to_string(),
            "{ a = 1, b = [-2.5, \"x\", null], c = { d = true, e f = {} } }"
        );
    }

    #[test]
    fn what_is_more_is_refused_with_its_name() {
        for (text, reason) in [
            ("a = 1 + 1", "a: only values"),
            ("a = \"${b}\"", "a: only values"),
            ("a {}", "a is a block"),
            ("a = ", "line 1"),
        ] {
            let refusal = variables(text).unwrap_err();
            assert!(refusal.starts_with(reason), "{refusal}");
        }
    }
}
