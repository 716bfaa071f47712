//! The functions of the language: one table, one file per kind.

mod caller;
mod charset;
mod conversion;
mod crypto;
mod csv;
mod date;
mod date_pattern;
mod decimal;
mod digest;
mod encoding;
mod file;
mod float;
mod format;
mod function;
mod glob;
mod json;
mod library;
mod mapping;
mod moment;
mod network;
mod numeric;
mod outcome;
mod pattern;
mod regex;
mod sequence;
mod set;
mod string;
mod template;
mod version;
mod yaml;
mod yaml_scalar;
mod yaml_text;

pub use caller::Caller;
pub use function::{Care, Function};
pub use library::Library;

use isobar_sdk::value::Marks;
use isobar_sdk::{Number, Type, Value};

use function::{Body, Parameter, Shape};

/// Every function.
static TABLES: [&[Function]; 19] = [
    conversion::FUNCTIONS,
    crypto::FUNCTIONS,
    csv::FUNCTIONS,
    date::FUNCTIONS,
    digest::FUNCTIONS,
    encoding::FUNCTIONS,
    file::FUNCTIONS,
    format::FUNCTIONS,
    json::FUNCTIONS,
    mapping::FUNCTIONS,
    network::FUNCTIONS,
    numeric::FUNCTIONS,
    regex::FUNCTIONS,
    sequence::FUNCTIONS,
    set::FUNCTIONS,
    string::FUNCTIONS,
    template::FUNCTIONS,
    version::FUNCTIONS,
    yaml::FUNCTIONS,
];

/// All functions.
pub fn all() -> impl Iterator<Item = &'static Function> + Clone {
    TABLES.into_iter().flatten()
}

/// The function of this name.
fn find(name: &str) -> Option<&'static Function> {
    all().find(|function| function.signature.name == name)
}

/// All names.
pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    all().map(|function| function.signature.name)
}

/// What a YAML text says, as `yamldecode` gives it.
///
/// # Errors
/// Why it is not YAML, and where.
pub fn yaml_value(text: &str) -> Result<Value, String> {
    yaml::yamldecode(&[text.into()])
}

/// Calls a function.
///
/// # Errors
/// What is wrong with the arguments.
pub fn call(
    function: &Function,
    arguments: &[Value],
    caller: &Caller<'_>,
) -> Result<Value, String> {
    let arguments = accept(function, arguments)?;
    let run = |arguments: &[Value]| match function.body {
        Body::Pure(body) => body(arguments),
        Body::Asking(body) => body(arguments, caller),
        Body::Lazy => Err("it takes expressions and not values".to_owned()),
    };
    let any = |test: fn(&Value) -> bool| arguments.iter().any(test);
    let marks = |of: fn(&Value) -> Marks| arguments.iter().map(of).collect();
    let (unknown, marks): (bool, Marks) = match function.care {
        Care::Own => return run(&arguments),
        Care::Deep => (
            any(|argument| !argument.is_wholly_known()),
            marks(Value::all_marks),
        ),
        Care::Open => (any(Value::is_unknown), marks(Value::all_marks)),
        Care::Shallow => (any(Value::is_unknown), marks(Value::marks)),
    };
    if unknown {
        return Ok(Value::unknown_of(function.result(&arguments)?).marked(marks));
    }
    let plain: Vec<Value> = arguments
        .iter()
        .map(|argument| match function.care {
            Care::Shallow => argument.reveal().clone(),
            _ => argument.reveal_all(),
        })
        .collect();
    let given = run(&plain)?;
    // Only an empty collection does not tell the type of its elements by itself.
    let is_empty = given.items().is_some_and(|items| items.is_empty())
        || given.fields().is_some_and(|fields| fields.is_empty());
    let given = if is_empty {
        Type::from(function.signature.result)
            .convert(&given)
            .unwrap_or(given)
    } else {
        given
    };
    Ok(given.marked(marks))
}

/// The arguments, converted to the types of the parameters.
fn accept(function: &Function, arguments: &[Value]) -> Result<Vec<Value>, String> {
    let least = function.signature.parameters.len();
    let many = function.signature.variadic.is_none() && arguments.len() > least;
    if many || arguments.len() < least {
        let open = if function.signature.variadic.is_some() {
            "at least "
        } else {
            ""
        };
        let plural = if least == 1 { "" } else { "s" };
        return Err(format!(
            "it takes {open}{least} argument{plural}, but {} are given",
            arguments.len()
        ));
    }
    arguments
        .iter()
        .enumerate()
        .filter_map(|(position, argument)| {
            Some((function.signature.parameter(position)?, argument))
        })
        .map(|(parameter, argument)| {
            let converted = Type::from(parameter.shape)
                .convert(argument)
                .map_err(|mismatch| format!("{}: {mismatch}", parameter.name))?;
            if converted.is_null() && !parameter.nullable {
                return Err(format!("{} must not be null", parameter.name));
            }
            Ok(converted)
        })
        .collect()
}

/// The arguments of a body by position; the table and [`accept`] make sure that they are there.
fn text(value: &Value) -> Result<&str, String> {
    value
        .as_str()
        .ok_or_else(|| "a text is needed, but this is null".to_owned())
}

fn number(value: &Value) -> Result<Number, String> {
    value
        .as_number()
        .cloned()
        .ok_or_else(|| "a number is needed, but this is null".to_owned())
}

fn truth(value: &Value) -> Result<bool, String> {
    value
        .as_bool()
        .ok_or_else(|| "a bool is needed, but this is null".to_owned())
}

fn whole(value: &Value) -> Result<i64, String> {
    let number = number(value)?;
    number
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use isobar_sdk::{Type, Value};

    use super::Caller;
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
        let mut wrong = Vec::new();
        for line in CASES
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let (expression, expected) = line.rsplit_once(" => ").unwrap();
            let result = run(expression.trim());
            if result != expected.trim() {
                wrong.push(format!("{expression} => {result}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn every_function_has_a_case_and_says_what_it_does() {
        let console = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/console");
        let mut cases = CASES.to_owned();
        for entry in std::fs::read_dir(console).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                cases.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
        for function in super::all() {
            let name = function.signature.name;
            assert!(cases.contains(&format!("{name}(")), "{name} has no case");
            assert!(function.signature.doc.ends_with('.'), "{name} says nothing");
        }
    }

    #[test]
    fn names_stand_once() {
        let mut names: Vec<&str> = super::all()
            .map(|function| function.signature.name)
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    /// Values that are at the edge of what a function takes.
    fn edges() -> Vec<Value> {
        let numbers = [
            "0",
            "-1",
            "1.5",
            "62",
            "1e40",
            "-1e-40",
            "9223372036854775807",
        ];
        let texts = [
            "",
            "a",
            "é\u{301}👨‍👩‍👧",
            "%",
            "%[",
            "%1$é",
            "(?P<n>[^]]",
            "\\",
            "/[/",
            "$${",
            "{",
            "[[",
            "- *a",
            "&a [*a]",
            "2026-01-01T00:00:00Z",
            "-9999999h",
            "10.0.0.0/8",
            "::/0",
            "=",
            "~/..",
            "a,b\n\"",
            "1.2.3-",
            "YYYY'",
            "**/[",
            "UTF-16",
            "99999999999999999999",
        ];
        let mut values = vec![Value::NULL, true.into(), Value::unknown()];
        values.extend(numbers.map(|text| Value::Number(text.parse().unwrap())));
        values.extend(texts.map(Value::from));
        let inside = vec![Value::NULL, "a".into(), Value::unknown(), 1_i64.into()];
        let nested = Value::tuple(vec![Value::list(vec![]), Value::tuple(inside.clone())]);
        values.extend([
            Value::tuple(vec![]),
            Value::list_of(&Type::String, vec![]),
            Value::set(vec!["a".into(), "b".into()]),
            Value::list(vec!["b".into(), Value::from("a").sensitive()]),
            Value::object([("a", nested.clone()), ("", "x".into())]),
            Value::map([("a", Value::list(vec!["x".into()]))]),
            Value::tuple(inside),
            nested.ephemeral(),
        ]);
        values
    }

    /// The functions that tell of marks, or take them off.
    const WITHOUT: [&str; 3] = ["issensitive", "nonsensitive", "type"];

    #[test]
    fn no_function_loses_a_mark() {
        let facts = Facts::default().acting();
        let caller = Caller::new(&facts, 0);
        let edges = edges();
        let plain: Vec<Value> = edges.iter().map(Value::reveal_all).collect();
        let mut kept = BTreeMap::new();
        let functions = super::all().filter(|f| !WITHOUT.contains(&f.signature.name));
        for function in functions.filter(|f| f.signature.name != "bcrypt") {
            let name = function.signature.name;
            for (first, a) in plain.iter().enumerate() {
                for (second, b) in plain.iter().enumerate().skip(first % 4).step_by(4) {
                    let c = &plain[(first * 7 + second * 3) % plain.len()];
                    let all = [a, b, c];
                    for count in 1..=all.len() {
                        for place in 0..count {
                            let mut given: Vec<Value> =
                                all[..count].iter().copied().cloned().collect();
                            given[place] = given[place].clone().sensitive().ephemeral();
                            if let Ok(result) = super::call(function, &given, &caller) {
                                assert!(
                                    result.contains_sensitive(),
                                    "{name}({given:?}) = {result:?}"
                                );
                                *kept.entry(name).or_insert(0) += 1;
                            }
                        }
                    }
                }
            }
        }
        assert!(
            kept.len() > 90,
            "{} functions: {:?}",
            kept.len(),
            kept.keys()
        );
    }

    /// That it ends at all is what counts: neither in a panic nor after a long time.
    #[test]
    fn no_argument_makes_a_function_panic() {
        let facts = Facts::default().acting();
        let caller = Caller::new(&facts, 0);
        let edges = edges();
        let mut calls = 0;
        for function in super::all().filter(|f| f.signature.name != "bcrypt") {
            for (first, a) in edges.iter().enumerate() {
                let _ = super::call(function, std::slice::from_ref(a), &caller);
                for (second, b) in edges.iter().enumerate() {
                    let _ = super::call(function, &[a.clone(), b.clone()], &caller);
                    let c = &edges[(first * 7 + second * 3) % edges.len()];
                    let _ = super::call(function, &[a.clone(), b.clone(), c.clone()], &caller);
                    calls += 2;
                }
            }
            let _ = super::call(function, &[], &caller);
        }
        assert!(calls > 100_000, "{calls} calls");
    }
}
