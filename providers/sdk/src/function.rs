//! Functions: what they are called, what they take and what they give.

use crate::{Type, Value};

/// A function that a provider offers, called as `provider::NAME::FUNCTION`.
///
/// It rests on its arguments only. They come known, without marks and converted to the types of
/// the parameters; what is unknown gives something unknown, and marks go on to the result.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// What it is called, takes and gives.
    pub signature: Signature,
    /// What it does; an error says why it cannot.
    pub body: fn(&[Value]) -> Result<Value, String>,
}

/// What a function is called, takes and gives.
#[derive(Debug, Clone, Copy)]
pub struct Signature {
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
}

impl Signature {
    /// A function without parameters that gives anything.
    #[must_use]
    pub const fn new(name: &'static str, doc: &'static str) -> Self {
        Self {
            name,
            doc,
            parameters: &[],
            variadic: None,
            result: Shape::Any,
        }
    }

    /// With these parameters.
    #[must_use]
    pub const fn takes(self, parameters: &'static [Parameter]) -> Self {
        Self { parameters, ..self }
    }

    /// With this parameter as often as one likes.
    #[must_use]
    pub const fn any_number_of(self, variadic: Parameter) -> Self {
        Self {
            variadic: Some(variadic),
            ..self
        }
    }

    /// With a result of this type.
    #[must_use]
    pub const fn gives(self, result: Shape) -> Self {
        Self { result, ..self }
    }

    /// The parameter that the argument at `position` is for.
    #[must_use]
    pub fn parameter(&self, position: usize) -> Option<&Parameter> {
        self.parameters.get(position).or(self.variadic.as_ref())
    }
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

impl Parameter {
    /// A parameter of this type.
    #[must_use]
    pub const fn new(name: &'static str, shape: Shape) -> Self {
        Self {
            name,
            doc: "",
            shape,
            nullable: false,
        }
    }

    /// With a meaning that the name does not say.
    #[must_use]
    pub const fn about(self, doc: &'static str) -> Self {
        Self { doc, ..self }
    }

    /// That may be null.
    #[must_use]
    pub const fn or_null(self) -> Self {
        Self {
            nullable: true,
            ..self
        }
    }
}

/// A parameter that is a text.
#[must_use]
pub const fn text(name: &'static str) -> Parameter {
    Parameter::new(name, Shape::String)
}

/// A parameter that is a number.
#[must_use]
pub const fn number(name: &'static str) -> Parameter {
    Parameter::new(name, Shape::Number)
}

/// A parameter of any type.
#[must_use]
pub const fn any(name: &'static str) -> Parameter {
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
