//! A value given to a variable.

use std::collections::BTreeMap;

use isobar_sdk::diagnostic::sentence;
use isobar_sdk::{Diagnostic, Fault, Span, Value};

use super::{Ambient, Facts, Scope, evaluate};
use crate::language::Config;
use crate::language::config::Variable;

/// Converts a value to the type of its variable and marks it as the variable says.
///
/// # Errors
/// A value that does not fit; what is sensitive is not shown.
pub fn accept(name: &str, variable: &Variable, value: &Value, span: &Span) -> Result<Value, Fault> {
    let place = (!variable.sensitive).then_some(span);
    match variable.ty.convert(value) {
        Ok(value) => Ok(value.marked(variable.marks())),
        Err(mismatch) => {
            let path = mismatch.path.to_string();
            let part = if path.is_empty() {
                String::new()
            } else {
                format!(" at {path}")
            };
            let detail = sentence(&format!(
                "the value of variable {name:?} does not fit{part}: {}",
                mismatch.reason
            ));
            let diagnostic = Diagnostic::error("C0013", "Invalid value of a variable", detail)
                .at_maybe(place)
                .within(&variable.header)
                .help(format!("Give a value of type {}.", variable.ty));
            Err(Box::new(diagnostic))
        }
    }
}

/// The value of a variable that nothing is given to; `None` where it has no default.
///
/// # Errors
/// A default that rests on something else, or does not fit.
pub fn default_of(name: &str, variable: &Variable) -> Result<Option<Value>, Fault> {
    let Some(default) = &variable.default else {
        return Ok(None);
    };
    let nothing = Config::default();
    let scope = Scope::new(&nothing, Facts::default(), BTreeMap::new());
    let value = evaluate(&default.value, &scope, &Ambient::None)?;
    let span = default.value.span();
    if value.is_null() && !variable.nullable {
        return Err(not_null(name, variable, &span));
    }
    accept(name, variable, &value, &span).map(Some)
}

/// The fault of a variable that is given null and must not be.
pub(super) fn not_null(name: &str, variable: &Variable, span: &Span) -> Fault {
    let detail = format!("Variable {name:?} must not be null.");
    let diagnostic = Diagnostic::error("C0013", "Invalid value of a variable", detail)
        .at(span)
        .within(&variable.header)
        .help(format!("Give a value of type {}.", variable.ty));
    Box::new(diagnostic)
}
