//! Expressions: what stands to the right of an equals sign.

use std::sync::Arc;

use isobar_sdk::{Span, Value};

/// A range of bytes in the file of the enclosing [`Located`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// An expression and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub extent: Extent,
}

/// The kinds of expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `null`, `true`, `1.5`, `"text"`.
    Literal(Value),
    /// `"a ${b} c"`, heredocs.
    Template(Vec<Part>),
    /// `[a, b]`.
    Tuple(Vec<Expression>),
    /// `{ a = b }`; keys are expressions, names among them as literals.
    Object(Vec<(Expression, Expression)>),
    /// The name a reference begins with.
    Variable(Arc<str>),
    /// `a.b`.
    Attribute(Box<Expression>, Arc<str>),
    /// `a[b]`.
    Index(Box<Expression>, Box<Expression>),
    /// `a[*].b[0]`: the expression, and what is taken of each element.
    Splat(Box<Expression>, Vec<Access>),
    /// `!a`, `-a`.
    Unary(Unary, Box<Expression>),
    /// `a + b`.
    Binary(Binary, Box<(Expression, Expression)>),
    /// `a ? b : c`.
    Conditional(Box<(Expression, Expression, Expression)>),
    /// `f(a, b...)`.
    Call(Box<Call>),
    /// `[for k, v in c : e if f]`, `{for k, v in c : a => b...}`.
    For(Box<For>),
}

/// A step of a splat, taken of each element.
#[derive(Debug, Clone, PartialEq)]
pub enum Access {
    /// `.name`
    Attribute(Arc<str>),
    /// `[index]`
    Index(Expression),
    /// `[*]`: what follows is taken of each element of the element.
    Splat,
}

/// Operators with one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unary {
    /// `-`
    Negate,
    /// `!`
    Not,
}

/// Operators with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
    /// `&&`
    And,
    /// `||`
    Or,
}

/// A function call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Name, with its namespace as in `provider::local::f`.
    pub name: Arc<str>,
    /// Arguments.
    pub arguments: Vec<Expression>,
    /// Whether the last argument is spread with `...`.
    pub expand_last: bool,
}

/// A `for` expression.
#[derive(Debug, Clone, PartialEq)]
pub struct For {
    /// The name of the key or index.
    pub key_name: Option<Arc<str>>,
    /// The name of the element.
    pub value_name: Arc<str>,
    /// What is gone through.
    pub collection: Expression,
    /// The key of each result; present for objects.
    pub key: Option<Expression>,
    /// Each result.
    pub value: Expression,
    /// Whether results with one key are grouped.
    pub grouping: bool,
    /// Which elements count.
    pub condition: Option<Expression>,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Text as it stands.
    Text(Arc<str>),
    /// `${a}`
    Interpolation(Expression),
    /// `%{ if a }…%{ else }…%{ endif }`
    If(Expression, Vec<Part>, Vec<Part>),
    /// `%{ for k, v in c }…%{ endfor }`
    For(Box<ForPart>),
}

/// A `for` directive of a template.
#[derive(Debug, Clone, PartialEq)]
pub struct ForPart {
    /// The name of the key or index.
    pub key_name: Option<Arc<str>>,
    /// The name of the element.
    pub value_name: Arc<str>,
    /// What is gone through.
    pub collection: Expression,
    /// What is written for each element.
    pub body: Vec<Part>,
}

/// An expression with the file it stands in.
#[derive(Debug, Clone, PartialEq)]
pub struct Located {
    /// The file.
    pub file: Arc<str>,
    /// The expression.
    pub root: Expression,
}

impl Located {
    /// Where the whole expression stands.
    #[must_use]
    pub fn span(&self) -> Span {
        self.root.extent.in_file(&self.file)
    }
}

impl Extent {
    /// The extent of a range of bytes; beyond 4 GiB it saturates.
    #[must_use]
    pub fn new(range: std::ops::Range<usize>) -> Self {
        let narrow = |position| u32::try_from(position).unwrap_or(u32::MAX);
        Self {
            start: narrow(range.start),
            end: narrow(range.end),
        }
    }

    /// As a span in `file`.
    #[must_use]
    pub fn in_file(self, file: &Arc<str>) -> Span {
        Span::new(file, self.start as usize..self.end as usize)
    }
}
