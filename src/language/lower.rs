//! hcl-edit's syntax tree to ours, so that theirs can be freed file by file.

use std::sync::Arc;

use hcl_edit::expr as theirs;
use hcl_edit::structure;
use hcl_edit::template::{Directive, Element, Strip, Template};
use isobar_sdk::{Span, Value};

use super::body::{Attribute, Block, Body, Label};
use super::expression::{
    Access, Binary, Call, Expression, Extent, For, ForPart, Kind, Located, Part, Unary,
};

/// Lowers the trees of one file; `offset` is added to every position, for parts of files that
/// were parsed on their own.
pub(super) struct Lowering<'a> {
    pub(super) file: &'a Arc<str>,
    /// What was parsed.
    pub(super) text: &'a str,
    pub(super) offset: usize,
}

impl Lowering<'_> {
    fn span(&self, node: &impl hcl_edit::Span) -> Span {
        let range = node.span().unwrap_or_default();
        Span::new(
            self.file,
            range.start + self.offset..range.end + self.offset,
        )
    }

    fn extent(&self, node: &impl hcl_edit::Span) -> Extent {
        let range = node.span().unwrap_or_default();
        Extent::new(range.start + self.offset..range.end + self.offset)
    }

    pub(super) fn body(&self, body: &structure::Body) -> Body {
        Body {
            attributes: body
                .attributes()
                .map(|attribute| self.attribute(attribute))
                .collect(),
            blocks: body.blocks().map(|block| self.block(block)).collect(),
        }
    }

    fn attribute(&self, attribute: &structure::Attribute) -> Attribute {
        Attribute {
            name: attribute.key.as_str().into(),
            name_span: self.span(&attribute.key),
            value: self.located(&attribute.value),
        }
    }

    pub(super) fn located(&self, expression: &theirs::Expression) -> Located {
        Located {
            file: Arc::clone(self.file),
            root: self.expression(expression),
        }
    }

    fn block(&self, block: &structure::Block) -> Block {
        let labels: Vec<Label> = block
            .labels
            .iter()
            .map(|label| Label {
                text: label.as_str().into(),
                span: self.span(label),
            })
            .collect();
        let first = self.span(&block.ident);
        Block {
            kind: block.ident.as_str().into(),
            header: labels
                .last()
                .map_or_else(|| first.clone(), |last| first.to(&last.span)),
            labels,
            body: self.body(&block.body),
        }
    }

    fn boxed(&self, expression: &theirs::Expression) -> Box<Expression> {
        Box::new(self.expression(expression))
    }

    pub(super) fn expression(&self, expression: &theirs::Expression) -> Expression {
        use theirs::Expression as Theirs;
        let kind = match expression {
            Theirs::Null(_) => Kind::Literal(Value::NULL),
            Theirs::Bool(truth) => Kind::Literal(Value::Bool(*truth.value())),
            Theirs::Number(number) => Kind::Literal(self.number(number)),
            Theirs::String(text) => Kind::Literal(Value::from(text.value().as_str())),
            Theirs::Array(array) => {
                Kind::Tuple(array.iter().map(|item| self.expression(item)).collect())
            }
            Theirs::Object(object) => Kind::Object(self.object(object)),
            Theirs::StringTemplate(template) => {
                let elements: Vec<&Element> = template.iter().collect();
                self.template(&elements)
            }
            Theirs::HeredocTemplate(heredoc) => {
                let elements: Vec<&Element> = heredoc.template.iter().collect();
                Kind::Template(self.parts(&elements, Edges::default()))
            }
            Theirs::Parenthesis(inner) => self.expression(inner.inner()).kind,
            Theirs::Variable(name) => Kind::Variable(name.as_str().into()),
            Theirs::Conditional(conditional) => Kind::Conditional(Box::new((
                self.expression(&conditional.cond_expr),
                self.expression(&conditional.true_expr),
                self.expression(&conditional.false_expr),
            ))),
            Theirs::FuncCall(call) => Kind::Call(Box::new(self.call(call))),
            Theirs::Traversal(traversal) => return self.traversal(traversal),
            Theirs::UnaryOp(operation) => {
                let operator = match operation.operator.value() {
                    theirs::UnaryOperator::Neg => Unary::Negate,
                    theirs::UnaryOperator::Not => Unary::Not,
                };
                Kind::Unary(operator, self.boxed(&operation.expr))
            }
            Theirs::BinaryOp(operation) => Kind::Binary(
                lower_operator(*operation.operator.value()),
                Box::new((
                    self.expression(&operation.lhs_expr),
                    self.expression(&operation.rhs_expr),
                )),
            ),
            Theirs::ForExpr(each) => Kind::For(Box::new(self.for_expression(each))),
        };
        Expression {
            kind,
            extent: self.extent(expression),
        }
    }

    /// The number as the text says it: the parser keeps no more than 64 bits of it.
    fn number(&self, number: &hcl_edit::Formatted<hcl_edit::Number>) -> Value {
        let range = hcl_edit::Span::span(number).unwrap_or_default();
        let text = self.text.get(range).unwrap_or_default();
        text.parse().map_or(Value::NULL, Value::Number)
    }

    fn object(&self, object: &theirs::Object) -> Vec<(Expression, Expression)> {
        object
            .iter()
            .map(|(key, value)| {
                let key = match key {
                    theirs::ObjectKey::Ident(name) => Expression {
                        kind: Kind::Literal(Value::from(name.as_str())),
                        extent: self.extent(name),
                    },
                    theirs::ObjectKey::Expression(key) => self.expression(key),
                };
                (key, self.expression(value.expr()))
            })
            .collect()
    }

    fn call(&self, call: &theirs::FuncCall) -> Call {
        let mut name = String::new();
        for part in &call.name.namespace {
            name.push_str(part.as_str());
            name.push_str("::");
        }
        name.push_str(call.name.name.as_str());
        Call {
            name: name.into(),
            arguments: call
                .args
                .iter()
                .map(|argument| self.expression(argument))
                .collect(),
            expand_last: call.args.expand_final(),
        }
    }

    fn for_expression(&self, each: &theirs::ForExpr) -> For {
        For {
            key_name: each.intro.key_var.as_ref().map(|name| name.as_str().into()),
            value_name: each.intro.value_var.as_str().into(),
            collection: self.expression(&each.intro.collection_expr),
            key: each.key_expr.as_ref().map(|key| self.expression(key)),
            value: self.expression(&each.value_expr),
            grouping: each.grouping,
            condition: each
                .cond
                .as_ref()
                .map(|condition| self.expression(&condition.expr)),
        }
    }

    /// A chain of accesses; a splat takes all accesses behind it (`[*]`), or the attributes
    /// behind it (`.*`), into itself.
    fn traversal(&self, traversal: &theirs::Traversal) -> Expression {
        use theirs::TraversalOperator as Operator;
        let start = self.extent(traversal).start;
        let mut current = self.expression(&traversal.expr);
        let mut operators = traversal.operators.iter().peekable();
        while let Some(operator) = operators.next() {
            let mut end = self.extent(operator).end;
            let kind = match operator.value() {
                Operator::GetAttr(name) => Kind::Attribute(Box::new(current), name.as_str().into()),
                Operator::Index(index) => Kind::Index(Box::new(current), self.boxed(index)),
                Operator::LegacyIndex(index) => {
                    let position = usize::try_from(*index.value()).unwrap_or(usize::MAX);
                    let literal = Kind::Literal(Value::from(position));
                    let index = Expression {
                        kind: literal,
                        extent: self.extent(operator),
                    };
                    Kind::Index(Box::new(current), Box::new(index))
                }
                Operator::AttrSplat(_) | Operator::FullSplat(_) => {
                    let full = matches!(operator.value(), Operator::FullSplat(_));
                    let mut accesses = Vec::new();
                    while let Some(next) = operators.peek() {
                        match next.value() {
                            Operator::GetAttr(name) => {
                                accesses.push(Access::Attribute(name.as_str().into()));
                            }
                            Operator::Index(index) if full => {
                                accesses.push(Access::Index(self.expression(index)));
                            }
                            _ => break,
                        }
                        end = self.extent(*next).end;
                        operators.next();
                    }
                    Kind::Splat(Box::new(current), accesses)
                }
            };
            current = Expression {
                kind,
                extent: Extent { start, end },
            };
        }
        current
    }

    /// A quoted template; one that is a single interpolation is that expression, whatever its
    /// type.
    /// A template that is a text of its own.
    pub(super) fn whole_template(&self, template: &Template) -> Located {
        let elements: Vec<&Element> = template.iter().collect();
        Located {
            root: Expression {
                kind: self.template(&elements),
                extent: self.extent(template),
            },
            file: Arc::clone(self.file),
        }
    }

    fn template(&self, elements: &[&Element]) -> Kind {
        if let [Element::Interpolation(only)] = elements {
            return self.expression(&only.expr).kind;
        }
        Kind::Template(self.parts(elements, Edges::default()))
    }

    fn nested(&self, template: &Template, edges: Edges) -> Vec<Part> {
        let elements: Vec<&Element> = template.iter().collect();
        self.parts(&elements, edges)
    }

    /// Lowers the elements of a template; a trim marker takes the white space off the text on
    /// its side.
    fn parts(&self, elements: &[&Element], edges: Edges) -> Vec<Part> {
        let mut parts = Vec::with_capacity(elements.len());
        for (position, element) in elements.iter().enumerate() {
            let part = match element {
                Element::Literal(text) => {
                    let before = position.checked_sub(1).and_then(|p| elements.get(p));
                    let after = elements.get(position + 1);
                    let mut text = text.value().as_str();
                    if before.map_or(edges.start, |element| outer_strip(element).1) {
                        text = text.trim_start();
                    }
                    if after.map_or(edges.end, |element| outer_strip(element).0) {
                        text = text.trim_end();
                    }
                    Part::Text(text.into())
                }
                Element::Interpolation(interpolation) => {
                    Part::Interpolation(self.expression(&interpolation.expr))
                }
                Element::Directive(directive) => self.directive(directive),
            };
            parts.push(part);
        }
        parts
    }

    fn directive(&self, directive: &Directive) -> Part {
        match directive {
            Directive::If(branch) => {
                let opening = ends(branch.if_expr.strip).1;
                let closing = ends(branch.endif_expr.strip).0;
                let middle = branch
                    .else_expr
                    .as_ref()
                    .map(|otherwise| ends(otherwise.strip));
                let then = Edges {
                    start: opening,
                    end: middle.map_or(closing, |(start, _)| start),
                };
                let otherwise = branch.else_expr.as_ref().map(|otherwise| {
                    let edges = Edges {
                        start: ends(otherwise.strip).1,
                        end: closing,
                    };
                    self.nested(&otherwise.template, edges)
                });
                Part::If(
                    self.expression(&branch.if_expr.cond_expr),
                    self.nested(&branch.if_expr.template, then),
                    otherwise.unwrap_or_default(),
                )
            }
            Directive::For(each) => {
                let edges = Edges {
                    start: ends(each.for_expr.strip).1,
                    end: ends(each.endfor_expr.strip).0,
                };
                Part::For(Box::new(ForPart {
                    key_name: each
                        .for_expr
                        .key_var
                        .as_ref()
                        .map(|name| name.as_str().into()),
                    value_name: each.for_expr.value_var.as_str().into(),
                    collection: self.expression(&each.for_expr.collection_expr),
                    body: self.nested(&each.for_expr.template, edges),
                }))
            }
        }
    }
}

/// Whether the markers around a template trim its first and its last text.
#[derive(Clone, Copy, Default)]
struct Edges {
    start: bool,
    end: bool,
}

/// Whether an element trims the text before it and the text behind it.
fn outer_strip(element: &Element) -> (bool, bool) {
    match element {
        Element::Literal(_) => (false, false),
        Element::Interpolation(interpolation) => ends(interpolation.strip),
        Element::Directive(directive) => match &**directive {
            Directive::If(branch) => (
                ends(branch.if_expr.strip).0,
                ends(branch.endif_expr.strip).1,
            ),
            Directive::For(each) => (ends(each.for_expr.strip).0, ends(each.endfor_expr.strip).1),
        },
    }
}

const fn ends(strip: Strip) -> (bool, bool) {
    match strip {
        Strip::None => (false, false),
        Strip::Start => (true, false),
        Strip::End => (false, true),
        Strip::Both => (true, true),
    }
}

const fn lower_operator(operator: theirs::BinaryOperator) -> Binary {
    use theirs::BinaryOperator as Theirs;
    match operator {
        Theirs::Eq => Binary::Equal,
        Theirs::NotEq => Binary::NotEqual,
        Theirs::LessEq => Binary::LessEqual,
        Theirs::GreaterEq => Binary::GreaterEqual,
        Theirs::Less => Binary::Less,
        Theirs::Greater => Binary::Greater,
        Theirs::Plus => Binary::Add,
        Theirs::Minus => Binary::Subtract,
        Theirs::Mul => Binary::Multiply,
        Theirs::Div => Binary::Divide,
        Theirs::Mod => Binary::Remainder,
        Theirs::And => Binary::And,
        Theirs::Or => Binary::Or,
    }
}
