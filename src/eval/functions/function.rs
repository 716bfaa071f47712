//! A function of the language: its signature, its body and how it is called.

pub(super) use isobar_sdk::function::{Parameter, Shape, Signature, any, number, text};
use isobar_sdk::{Type, Value};

use super::caller::Caller;
use super::outcome::{Outcome, present};

/// A function of the language.
#[derive(Clone, Copy)]
pub struct Function {
    /// What it is called, takes and gives.
    pub signature: Signature,
    pub(super) care: Care,
    pub(super) outcome: Option<fn(&[Type]) -> Outcome>,
    pub(super) body: Body,
}

/// How a function takes arguments that are unknown or marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// Anything unknown inside makes the result unknown; any mark inside marks the result.
    Deep,
    /// Arguments that are unknown as a whole make the result unknown, and their parts are
    /// passed on; any mark inside marks the result.
    Open,
    /// Only arguments that are unknown or marked as a whole count; their parts are passed on.
    Shallow,
    /// The function sees unknown values and marks itself.
    Own,
}

/// What a function does.
#[derive(Clone, Copy)]
pub(super) enum Body {
    /// It rests on its arguments only.
    Pure(fn(&[Value]) -> Result<Value, String>),
    /// The evaluator does it, because its arguments may fail.
    Lazy,
    /// It asks the machine, or evaluates a template.
    Asking(fn(&[Value], &Caller<'_>) -> Result<Value, String>),
}

impl Function {
    /// A function that rests on its arguments only.
    pub(super) const fn new(
        name: &'static str,
        body: fn(&[Value]) -> Result<Value, String>,
        doc: &'static str,
    ) -> Self {
        Self::with(name, Body::Pure(body), doc)
    }

    /// A function that asks its caller for more.
    pub(super) const fn asking(
        name: &'static str,
        body: fn(&[Value], &Caller<'_>) -> Result<Value, String>,
        doc: &'static str,
    ) -> Self {
        Self::with(name, Body::Asking(body), doc)
    }

    /// A function that the evaluator knows itself.
    pub(super) const fn lazy(name: &'static str, doc: &'static str) -> Self {
        Self::with(name, Body::Lazy, doc)
    }

    const fn with(name: &'static str, body: Body, doc: &'static str) -> Self {
        Self {
            signature: Signature::new(name, doc),
            care: Care::Deep,
            outcome: None,
            body,
        }
    }

    /// With a result whose type rests on those of the arguments.
    pub(super) const fn resulting(self, outcome: fn(&[Type]) -> Outcome) -> Self {
        Self {
            outcome: Some(outcome),
            ..self
        }
    }

    /// What is known about the result while the arguments are not.
    pub(super) fn result(&self, arguments: &[Value]) -> Outcome {
        let open = |value: &Value| value.is_unknown() && Type::of(value) == Type::Any;
        if arguments.iter().any(open) {
            // Where something may be of any type, nothing is told about the others.
            return Ok(Type::Any.into());
        }
        match self.outcome {
            Some(outcome) => outcome(&arguments.iter().map(Type::of).collect::<Vec<_>>()),
            None => Ok(present(self.signature.result.into())),
        }
    }

    /// With these parameters.
    pub(super) const fn takes(self, parameters: &'static [Parameter]) -> Self {
        Self {
            signature: self.signature.takes(parameters),
            ..self
        }
    }

    /// With this parameter as often as one likes.
    pub(super) const fn any_number_of(self, variadic: Parameter) -> Self {
        Self {
            signature: self.signature.any_number_of(variadic),
            ..self
        }
    }

    /// With a result of this type.
    pub(super) const fn gives(self, result: Shape) -> Self {
        Self {
            signature: self.signature.gives(result),
            ..self
        }
    }

    /// With this care for unknown values and marks.
    pub(super) const fn care(self, care: Care) -> Self {
        Self { care, ..self }
    }
}

impl From<isobar_sdk::Function> for Function {
    fn from(offered: isobar_sdk::Function) -> Self {
        Self {
            signature: offered.signature,
            care: Care::Deep,
            outcome: None,
            body: Body::Pure(offered.body),
        }
    }
}
