//! `templatefile` and `templatestring`.

use std::sync::Arc;

use isobar_sdk::diagnostic::sentence;
use isobar_sdk::{Type, Value};

use super::caller::Caller;
use super::file::read_text;
use super::function::{any, text as text_of};
use super::{Care, Function, Parameter, Shape};
use crate::eval::evaluate::evaluate_template;
use crate::language::parse_template;

const VARS: Parameter = any("vars").about("What the template can refer to, by name.");

pub(super) static FUNCTIONS: &[Function] = &[
    Function::asking(
        "templatefile",
        templatefile,
        "The text of a file with its template filled in.",
    )
    .takes(&[text_of("path"), VARS])
    .care(Care::Own),
    Function::asking(
        "templatestring",
        templatestring,
        "A text with its template filled in.",
    )
    .takes(&[
        text_of("template")
            .about("A reference to the text; templates written out need no function."),
        VARS,
    ])
    .gives(Shape::String)
    .care(Care::Own),
];

fn templatefile(arguments: &[Value], caller: &Caller<'_>) -> Result<Value, String> {
    if caller.depth() > 0 {
        return Err("a template cannot fill in another one".to_owned());
    }
    let (path, vars) = (&arguments[0], &arguments[1]);
    let marks = path.marks().union(vars.marks());
    let Some(name) = path.as_str() else {
        return Ok(Value::unknown().marked(marks));
    };
    let text = read_text(name, caller)?;
    let filled = fill(name, &text, vars.reveal(), caller)?;
    Ok(filled.marked(marks))
}

fn templatestring(arguments: &[Value], caller: &Caller<'_>) -> Result<Value, String> {
    let (template, vars) = (&arguments[0], &arguments[1]);
    let marks = template.marks().union(vars.marks());
    let Some(text) = template.as_str() else {
        return Ok(Value::unknown_of(Type::String).marked(marks));
    };
    let filled = fill("<template>", text, vars.reveal(), caller)?;
    let filled = Type::String
        .convert(&filled)
        .map_err(|mismatch| format!("the template gives no text: {mismatch}"))?;
    Ok(filled.marked(marks))
}

/// A template filled in; of a type of its own where it is a single interpolation.
fn fill(name: &str, text: &str, vars: &Value, caller: &Caller<'_>) -> Result<Value, String> {
    if vars.is_unknown() {
        return Ok(Value::unknown());
    }
    let fields = vars
        .fields()
        .ok_or_else(|| format!("vars must be a map or object, not {}", Type::of(vars)))?;
    if let Some(wrong) = fields.keys().find(|name| !is_name(name)) {
        return Err(format!("{wrong:?} cannot be the name of a variable"));
    }
    let file: Arc<str> = name.into();
    let located = parse_template(&file, text).map_err(|fault| within(text, &fault))?;
    let bound = fields
        .iter()
        .map(|(name, value)| (Arc::clone(name), value.clone()))
        .collect();
    let value = evaluate_template(&located, caller.facts(), bound, caller.depth() + 1)
        .map_err(|fault| within(text, &fault))?;
    if value.is_null() {
        return Err("the template gives null".to_owned());
    }
    Ok(value)
}

/// What is wrong in a template, with the place in it.
fn within(text: &str, fault: &isobar_sdk::Diagnostic) -> String {
    let detail = sentence(&fault.detail);
    match &fault.subject {
        Some(span) => {
            let before = text.get(..span.start).unwrap_or(text);
            let line = before.matches('\n').count() + 1;
            format!("{} line {line}: {detail}", span.file)
        }
        None => detail,
    }
}

/// Whether a text can be the name of a variable.
fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
        && characters.all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}
