//! Conditions: preconditions, postconditions, validations and assertions.

use isobar_sdk::{Diagnostic, Fault, Type};

use super::evaluate::readings;
use super::{Ambient, Scope, evaluate};
use crate::language::lifecycle::Condition;

/// What became of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It does not; the message says what to tell.
    Broken(String),
    /// That is not known yet.
    Open,
}

/// Evaluates a condition, and its message where it does not hold.
///
/// # Errors
/// A condition that is no bool, or a message that cannot be shown.
pub fn judge(
    condition: &Condition,
    scope: &Scope<'_>,
    ambient: &Ambient,
) -> Result<Verdict, Fault> {
    let span = condition.condition.value.span();
    let wrong = |detail: &str| {
        let diagnostic = Diagnostic::error("E0014", "Invalid condition", detail.to_owned());
        let diagnostic = diagnostic.at(&span).within(&condition.header);
        Box::new(diagnostic.help("A condition must be true or false."))
    };
    let value = evaluate(&condition.condition.value, scope, ambient)?;
    if value.is_unknown() {
        return Ok(Verdict::Open);
    }
    let truth = Type::Bool.convert(value.reveal()).ok();
    match truth.and_then(|truth| truth.as_bool()) {
        Some(true) => Ok(Verdict::Holds),
        Some(false) => message(condition, scope, ambient).map(Verdict::Broken),
        None if value.is_null() => Err(wrong("The condition is null.")),
        None => Err(wrong("The condition is neither true nor false.")),
    }
}

fn message(condition: &Condition, scope: &Scope<'_>, ambient: &Ambient) -> Result<String, Fault> {
    let located = &condition.error_message.value;
    let wrong = |detail: &str, help: &str| {
        let diagnostic = Diagnostic::error("E0015", "Invalid error message", detail.to_owned());
        Box::new(
            diagnostic
                .at(&located.span())
                .within(&condition.header)
                .help(help),
        )
    };
    let value = evaluate(located, scope, ambient)?;
    if value.contains_ephemeral() {
        return Err(wrong(
            "The condition does not hold, and its message would show something ephemeral.",
            "Leave it out of the message, or take it out with ephemeralasnull().",
        ));
    }
    if value.contains_sensitive() {
        return Err(wrong(
            "The condition does not hold, and its message would show something sensitive.",
            "Leave it out of the message, or take the mark off with nonsensitive().",
        ));
    }
    if value.is_unknown() {
        return Ok("The condition does not hold; its message is not known yet.".to_owned());
    }
    let text = Type::String.convert(&value).ok();
    let text = text.as_ref().and_then(|text| text.as_str());
    // Users write these as they want them read.
    text.map(ToOwned::to_owned)
        .ok_or_else(|| wrong("The message is no text.", "Write error_message = \"…\"."))
}

/// The diagnostic for a condition that does not hold, with what it looked at.
#[must_use]
pub fn broken(condition: &Condition, message: &str, place: (&Scope<'_>, &Ambient)) -> Diagnostic {
    let diagnostic = Diagnostic::error("E0016", "Condition does not hold", message.to_owned());
    diagnostic
        .at(&condition.condition.value.span())
        .within(&condition.header)
        .reading(readings(&condition.condition.value, place))
}
