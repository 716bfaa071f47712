//! The functions of the language: one table, one file per kind.

mod collection;
mod conversion;
mod encoding;
mod numeric;
mod string;

use isobar_sdk::{Type, Value};

/// A function.
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// The least and the greatest number of arguments.
    pub arity: (usize, usize),
    /// The type of its result, for unknown arguments.
    pub result: fn() -> Type,
    /// What it does with arguments that are known and without marks.
    pub body: fn(&[Value]) -> Result<Value, String>,
    /// How it takes arguments that are unknown or marked.
    pub care: Care,
}

/// How a function takes arguments that are unknown or marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// Anything unknown inside makes the result unknown; any mark inside marks the result.
    Deep,
    /// Only arguments that are unknown or marked as a whole count; their parts are passed on.
    Shallow,
    /// The function sees unknown values and marks itself.
    Own,
}

/// As many arguments as one likes.
const ANY: usize = usize::MAX;

/// Every function but `try` and `can`, which the evaluator knows itself.
static TABLES: [&[Function]; 5] = [
    collection::FUNCTIONS,
    conversion::FUNCTIONS,
    encoding::FUNCTIONS,
    numeric::FUNCTIONS,
    string::FUNCTIONS,
];

/// The function of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Function> {
    TABLES
        .into_iter()
        .flatten()
        .find(|function| function.name == name)
}

/// All names.
pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    TABLES
        .into_iter()
        .flatten()
        .map(|function| function.name)
        .chain(["try", "can"])
}

/// Calls a function.
///
/// # Errors
/// What is wrong with the arguments.
pub fn call(function: &Function, arguments: &[Value]) -> Result<Value, String> {
    let (least, most) = function.arity;
    if arguments.len() < least || arguments.len() > most {
        let expected = match (least, most) {
            (least, ANY) => format!("at least {least}"),
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        return Err(format!(
            "it takes {expected} arguments, but {} are given",
            arguments.len()
        ));
    }
    let all_known = |known: fn(&Value) -> bool| arguments.iter().all(known);
    let any = |marked: fn(&Value) -> bool| arguments.iter().any(marked);
    let (known, sensitive) = match function.care {
        Care::Own => return (function.body)(arguments),
        Care::Deep => (
            all_known(Value::is_wholly_known),
            any(Value::contains_sensitive),
        ),
        Care::Shallow => (!any(Value::is_unknown), any(Value::is_sensitive)),
    };
    if !known {
        return Ok(Value::unknown_of((function.result)()).sensitive_if(sensitive));
    }
    let plain: Vec<Value> = arguments
        .iter()
        .map(|argument| match function.care {
            Care::Shallow => argument.reveal().clone(),
            _ => argument.reveal_all(),
        })
        .collect();
    Ok((function.body)(&plain)?.sensitive_if(sensitive))
}

fn text(value: &Value) -> Result<String, String> {
    let converted = Type::String
        .convert(value)
        .map_err(|mismatch| mismatch.to_string())?;
    converted
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| "an argument is null".to_owned())
}

fn number(value: &Value) -> Result<isobar_sdk::Number, String> {
    let converted = Type::Number
        .convert(value)
        .map_err(|mismatch| mismatch.to_string())?;
    converted
        .as_number()
        .cloned()
        .ok_or_else(|| "an argument is null".to_owned())
}

fn whole(value: &Value) -> Result<i64, String> {
    number(value)?
        .as_i64()
        .ok_or_else(|| format!("a whole number is needed, but {value} is not one"))
}

fn items(value: &Value) -> Result<&[Value], String> {
    value
        .items()
        .map(|items| items.as_slice())
        .ok_or_else(|| format!("a list is needed, but this is of type {}", Type::of(value)))
}

fn fields(value: &Value) -> Result<&isobar_sdk::value::Fields, String> {
    value.fields().ok_or_else(|| {
        format!(
            "a map or object is needed, but this is of type {}",
            Type::of(value)
        )
    })
}

fn any() -> Type {
    Type::Any
}

fn string_type() -> Type {
    Type::String
}

fn number_type() -> Type {
    Type::Number
}

fn bool_type() -> Type {
    Type::Bool
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::eval::{Ambient, Facts, Scope, evaluate};
    use crate::language::{Config, parse_expression};

    /// Expression and result; results of failed calls begin with `error:`.
    const CASES: &str = include_str!("../../../testdata/functions/cases.txt");

    fn run(text: &str) -> String {
        let config = Config::default();
        let scope = Scope::new(&config, Facts::default(), BTreeMap::new());
        let located = parse_expression(&"case".into(), text).unwrap();
        evaluate(&located, &scope, &Ambient::None).map_or_else(
            |fault| format!("error: {}", fault.detail),
            |value| value.to_string(),
        )
    }

    #[test]
    fn every_case_gives_its_result() {
        let mut count = 0;
        for line in CASES
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let (expression, expected) = line.rsplit_once(" => ").unwrap();
            assert_eq!(run(expression.trim()), expected.trim(), "{expression}");
            count += 1;
        }
        assert!(count > 90, "{count} cases");
    }

    #[test]
    fn every_function_has_a_case() {
        for name in super::names() {
            assert!(CASES.contains(&format!("{name}(")), "{name} has no case");
        }
    }
}
