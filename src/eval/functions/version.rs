//! Functions of semantic versions.

use isobar_sdk::Value;
use semver::Version;

use super::function::text as text_of;
use super::{Function, Parameter, Shape, items, text};
use crate::language::Constraint;

const VERSIONS: Parameter = Parameter::new("versions", Shape::List(&Shape::String));

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "semver_compare",
        semver_compare,
        "-1, 0 or 1: whether the first version is before, the same as or after the second.",
    )
    .takes(&[text_of("version_a"), text_of("version_b")])
    .gives(Shape::Number),
    Function::new("semver_max", semver_max, "The greatest of the versions.")
        .takes(&[VERSIONS])
        .gives(Shape::String),
    Function::new(
        "semver_satisfies",
        semver_satisfies,
        "Whether a version is one that a constraint such as \">= 1.2, < 2.0\" or \"~> 1.2\" allows.",
    )
    .takes(&[text_of("version"), text_of("constraint")])
    .gives(Shape::Bool),
    Function::new(
        "semver_sort",
        semver_sort,
        "The versions from the least to the greatest.",
    )
    .takes(&[VERSIONS])
    .gives(Shape::List(&Shape::String)),
];

/// A version, with or without a `v` before it; numbers that are left out are 0.
fn version(text: &str) -> Result<Version, String> {
    let bare = text.strip_prefix('v').unwrap_or(text);
    let numbers = bare.find(['-', '+']).unwrap_or(bare.len());
    let missing = match bare[..numbers].matches('.').count() {
        0 => ".0.0",
        1 => ".0",
        _ => "",
    };
    let full = format!("{}{missing}{}", &bare[..numbers], &bare[numbers..]);
    Version::parse(&full).map_err(|error| format!("{text:?} is not a version: {error}"))
}

fn semver_compare(arguments: &[Value]) -> Result<Value, String> {
    let (left, right) = (
        version(text(&arguments[0])?)?,
        version(text(&arguments[1])?)?,
    );
    Ok(Value::from(left.cmp_precedence(&right) as i64))
}

fn semver_satisfies(arguments: &[Value]) -> Result<Value, String> {
    let constraint = text(&arguments[1])?;
    let parsed = Constraint::parse(constraint).ok_or_else(|| {
        format!("{constraint:?} is not a constraint such as \">= 1.2, < 2.0\" or \"~> 1.2\"")
    })?;
    Ok(parsed.allows(&version(text(&arguments[0])?)?).into())
}

/// The versions in order, each with the text that it was given as.
fn sorted(list: &Value) -> Result<Vec<Value>, String> {
    let mut versions = Vec::new();
    for item in items(list)? {
        versions.push((version(text(item)?)?, item.clone()));
    }
    versions.sort_by(|(left, _), (right, _)| left.cmp_precedence(right));
    Ok(versions.into_iter().map(|(_, text)| text).collect())
}

fn semver_max(arguments: &[Value]) -> Result<Value, String> {
    sorted(&arguments[0])?
        .pop()
        .ok_or_else(|| "there are no versions".to_owned())
}

fn semver_sort(arguments: &[Value]) -> Result<Value, String> {
    Ok(Value::list(sorted(&arguments[0])?))
}
