//! `regex`, `regexall` and `replace`.

use std::collections::BTreeMap;

use isobar_sdk::{Type, Value};
use regex::Captures;

use crate::eval::bounds;

use super::function::text as text_of;
use super::pattern::Pattern;
use super::{Function, Parameter, Shape, text};

const PATTERN: Parameter = text_of("pattern");
const STRING: Parameter = text_of("string");

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "regex",
        regex,
        "What a regular expression finds first: text, or its groups by position or name.",
    )
    .takes(&[PATTERN, STRING]),
    Function::new("regexall", regexall, "All that a regular expression finds.")
        .takes(&[PATTERN, STRING])
        .gives(Shape::List(&Shape::Any)),
    Function::new(
        "replace",
        replace,
        "The text with each occurrence replaced; between slashes stands a regular expression.",
    )
    .takes(&[text_of("str"), text_of("substr"), text_of("replace")])
    .gives(Shape::String),
];

fn regex(arguments: &[Value]) -> Result<Value, String> {
    let pattern = Pattern::parse(text(&arguments[0])?)?;
    let shape = Groups::of(&pattern)?;
    let found = pattern.regex.captures(text(&arguments[1])?);
    let found = found.ok_or_else(|| "the text has nothing that matches the pattern".to_owned())?;
    Ok(shape.value(&pattern, &found))
}

fn regexall(arguments: &[Value]) -> Result<Value, String> {
    let pattern = Pattern::parse(text(&arguments[0])?)?;
    let shape = Groups::of(&pattern)?;
    let found = pattern.regex.captures_iter(text(&arguments[1])?);
    let most = bounds::MOST_PARTS / (pattern.groups.len() + 1);
    let values = found.map(|found| shape.value(&pattern, &found));
    let values: Vec<Value> = values.take(most + 1).collect();
    if values.len() > most {
        return Err(format!("the pattern matches more than {most} times"));
    }
    // What no match tells, the pattern does where it has no groups.
    let element = match shape {
        Groups::None => Type::String,
        _ => Type::Any,
    };
    Ok(Value::list_of(&element, values))
}

/// Which value a match becomes.
enum Groups {
    /// Without groups: the text.
    None,
    /// A tuple.
    Unnamed,
    /// An object.
    Named,
}

impl Groups {
    fn of(pattern: &Pattern) -> Result<Self, String> {
        let named = pattern.groups.iter().filter(|name| name.is_some()).count();
        match (named, pattern.groups.len()) {
            (_, 0) => Ok(Self::None),
            (0, _) => Ok(Self::Unnamed),
            (named, all) if named == all => Ok(Self::Named),
            _ => Err("either all groups of a pattern have names, or none".to_owned()),
        }
    }

    fn value(&self, pattern: &Pattern, found: &Captures<'_>) -> Value {
        let group = |position: usize| {
            let text = found.get(position).map(|group| group.as_str());
            text.map_or(NO_TEXT, Value::from)
        };
        match self {
            Self::None => group(0),
            Self::Unnamed => Value::tuple((1..found.len()).map(group).collect()),
            Self::Named => {
                let names = pattern.groups.iter().flatten().enumerate();
                let fields: BTreeMap<&str, Value> = names
                    .map(|(position, name)| (name.as_str(), group(position + 1)))
                    .collect();
                Value::object(fields)
            }
        }
    }
}

/// A group that matched nothing.
const NO_TEXT: Value = Value::Null(Type::String);

fn replace(arguments: &[Value]) -> Result<Value, String> {
    let (whole, from, to) = (
        text(&arguments[0])?,
        text(&arguments[1])?,
        text(&arguments[2])?,
    );
    let between = from
        .strip_prefix('/')
        .and_then(|from| from.strip_suffix('/'));
    let Some(written) = between else {
        let grown = whole.matches(from).count().saturating_mul(to.len());
        bounds::text(whole.len().saturating_add(grown))?;
        return Ok(whole.replace(from, to).into());
    };
    let pattern = Pattern::parse(written)?;
    let (mut result, mut end) = (String::new(), 0);
    for found in pattern.regex.captures_iter(whole) {
        let Some(all) = found.get(0) else { continue };
        result.push_str(&whole[end..all.start()]);
        result.push_str(&expand(to, &pattern, &found));
        bounds::text(result.len())?;
        end = all.end();
    }
    result.push_str(&whole[end..]);
    Ok(result.into())
}

/// A replacement with `$1`, `$name` and `${name}` filled in; `$$` is a dollar sign. A name is as
/// long as it can be, and one that matched nothing is empty.
fn expand(replacement: &str, pattern: &Pattern, found: &Captures<'_>) -> String {
    let mut result = String::new();
    let mut rest = replacement;
    while let Some((before, behind)) = rest.split_once('$') {
        result.push_str(before);
        if let Some(after) = behind.strip_prefix('$') {
            result.push('$');
            rest = after;
            continue;
        }
        let word = |text: &str| {
            text.find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(text.len())
        };
        let (name, after) = match behind.strip_prefix('{') {
            Some(inner) => {
                let (name, after) = inner.split_at(word(inner));
                (name, after.strip_prefix('}'))
            }
            None => {
                let (name, after) = behind.split_at(word(behind));
                (name, Some(after))
            }
        };
        match after {
            Some(after) if !name.is_empty() => {
                result.push_str(group(name, pattern, found));
                rest = after;
            }
            _ => {
                result.push('$');
                rest = behind;
            }
        }
    }
    result + rest
}

/// What a group matched, by number or name.
fn group<'t>(name: &str, pattern: &Pattern, found: &Captures<'t>) -> &'t str {
    let at = |position: usize| found.get(position).map(|group| group.as_str());
    let matched = if name.bytes().all(|byte| byte.is_ascii_digit()) {
        name.parse().ok().and_then(at)
    } else {
        let mut names = pattern.groups.iter().enumerate();
        names.find_map(|(position, group)| {
            (group.as_deref() == Some(name)).then(|| at(position + 1))?
        })
    };
    matched.unwrap_or_default()
}
