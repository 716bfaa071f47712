//! What a function is: its name, what it takes and gives, and its body.

use isobar_sdk::{Type, Value};

use super::caller::Caller;

/// A function of the language.
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub doc: &'static str,
    /// What it takes, in order.
    pub parameters: &'static [Parameter],
    /// What it takes behind those, as often as one likes.
    pub variadic: Option<Parameter>,
    /// The type of its result.
    pub result: Shape,
    pub(super) care: Care,
    pub(super) body: Body,
}

/// A parameter of a function.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it means, where the name does not say it.
    pub doc: &'static str,
    /// The type that arguments are converted to.
    pub shape: Shape,
    /// Whether it may be null.
    pub nullable: bool,
}

/// A type that can stand in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Any type at all.
    Any,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// Text.
    String,
    /// Elements of one type, in order.
    List(&'static Shape),
    /// Elements of one type, each once.
    Set(&'static Shape),
    /// Elements of one type by name.
    Map(&'static Shape),
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
            name,
            doc,
            parameters: &[],
            variadic: None,
            result: Shape::Any,
            care: Care::Deep,
            body,
        }
    }

    /// With these parameters.
    pub(super) const fn takes(self, parameters: &'static [Parameter]) -> Self {
        Self { parameters, ..self }
    }

    /// With this parameter as often as one likes.
    pub(super) const fn any_number_of(self, variadic: Parameter) -> Self {
        Self {
            variadic: Some(variadic),
            ..self
        }
    }

    /// With a result of this type.
    pub(super) const fn gives(self, result: Shape) -> Self {
        Self { result, ..self }
    }

    /// With this care for unknown values and marks.
    pub(super) const fn care(self, care: Care) -> Self {
        Self { care, ..self }
    }

    /// The parameter that the argument at `position` is for.
    #[must_use]
    pub fn parameter(&self, position: usize) -> Option<&Parameter> {
        self.parameters.get(position).or(self.variadic.as_ref())
    }
}

impl Parameter {
    /// A parameter of this type.
    pub(super) const fn new(name: &'static str, shape: Shape) -> Self {
        Self {
            name,
            doc: "",
            shape,
            nullable: false,
        }
    }

    /// With a meaning that the name does not say.
    pub(super) const fn about(self, doc: &'static str) -> Self {
        Self { doc, ..self }
    }

    /// That may be null.
    pub(super) const fn or_null(self) -> Self {
        Self {
            nullable: true,
            ..self
        }
    }
}

/// A parameter that is a text.
pub(super) const fn text(name: &'static str) -> Parameter {
    Parameter::new(name, Shape::String)
}

/// A parameter that is a number.
pub(super) const fn number(name: &'static str) -> Parameter {
    Parameter::new(name, Shape::Number)
}

/// A parameter of any type.
pub(super) const fn any(name: &'static str) -> Parameter {
    Parameter::new(name, Shape::Any)
}

impl From<Shape> for Type {
    fn from(shape: Shape) -> Self {
        match shape {
            Shape::Any => Self::Any,
            Shape::Bool => Self::Bool,
            Shape::Number => Self::Number,
            Shape::String => Self::String,
            Shape::List(element) => Self::list(Self::from(*element)),
            Shape::Set(element) => Self::Set(Box::new(Self::from(*element))),
            Shape::Map(element) => Self::map(Self::from(*element)),
        }
    }
}
