//! hcl-edit's syntax tree to ours, so that theirs can be freed file by file.

use std::sync::Arc;
use std::vec::IntoIter;

use hcl_edit::expr as theirs;
use hcl_edit::structure;
use hcl_edit::template::{Directive, Element, HeredocTemplate, Strip, Template};
use isobar_sdk::{Span, Value};

use super::body::{Attribute, Block, Body, Label};
use super::escape;
use super::expression::{
    Access, Binary, Call, Expression, Extent, For, ForPart, Kind, Located, Part, Unary,
};
use super::trim::{self, Layout, Piece};

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
            Theirs::HeredocTemplate(heredoc) => self.heredoc(heredoc),
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
        // Between the sign and the digits may be space and comments.
        let digits = text.trim_start_matches('-').rsplit([' ', '\t', '/']).next();
        let sign = if text.starts_with('-') { "-" } else { "" };
        let plain = format!("{sign}{}", digits.unwrap_or_default());
        plain.parse().map_or(Value::NULL, Value::Number)
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
                    theirs::ObjectKey::Expression(key) => self.object_key(key),
                };
                (key, self.expression(value.expr()))
            })
            .collect()
    }

    /// A key that is not a name to the parser: `null`, `true` and `false` are names here, too.
    fn object_key(&self, key: &theirs::Expression) -> Expression {
        let word = match key {
            theirs::Expression::Null(_) => "null",
            theirs::Expression::Bool(truth) if *truth.value() => "true",
            theirs::Expression::Bool(_) => "false",
            _ => return self.expression(key),
        };
        Expression {
            kind: Kind::Literal(Value::from(word)),
            extent: self.extent(key),
        }
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
                    let index = self.legacy_index(operator, *index.value());
                    Kind::Index(Box::new(current), Box::new(index))
                }
                Operator::AttrSplat(_) | Operator::FullSplat(_) => {
                    let full = matches!(operator.value(), Operator::FullSplat(_));
                    let accesses = self.accesses(&mut operators, full, &mut end);
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

    /// What a splat takes of each element: attributes only behind `.*`, everything behind `[*]`.
    fn accesses<'e>(
        &self,
        operators: &mut Operators<'e>,
        full: bool,
        end: &mut u32,
    ) -> Vec<Access> {
        use theirs::TraversalOperator as Operator;
        let mut accesses = Vec::new();
        while let Some(next) = operators.peek().copied() {
            let access = match next.value() {
                Operator::GetAttr(name) => Access::Attribute(name.as_str().into()),
                Operator::Index(index) if full => Access::Index(self.expression(index)),
                Operator::LegacyIndex(index) if full => {
                    Access::Index(self.legacy_index(next, *index.value()))
                }
                Operator::FullSplat(_) if full => Access::Splat,
                _ => break,
            };
            *end = self.extent(next).end;
            operators.next();
            accesses.push(access);
        }
        accesses
    }

    /// `.0` as `[0]`.
    fn legacy_index(&self, operator: &impl hcl_edit::Span, index: u64) -> Expression {
        let position = usize::try_from(index).unwrap_or(usize::MAX);
        Expression {
            kind: Kind::Literal(Value::from(position)),
            extent: self.extent(operator),
        }
    }

    /// A quoted template; one that is a single interpolation is that expression, whatever its
    /// type.
    fn template(&self, elements: &[&Element]) -> Kind {
        if let [Element::Interpolation(only)] = elements {
            return self.expression(&only.expr).kind;
        }
        Kind::Template(self.whole(elements, Layout::Quoted))
    }

    /// A template that is a text of its own; one that is a single interpolation is that
    /// expression.
    pub(super) fn whole_template(&self, template: &Template) -> Located {
        let elements: Vec<&Element> = template.iter().collect();
        let kind = match elements.as_slice() {
            [Element::Interpolation(_)] => self.template(&elements),
            _ => Kind::Template(self.whole(&elements, Layout::Heredoc)),
        };
        let extent = self.extent(template);
        Located {
            root: Expression { kind, extent },
            file: Arc::clone(self.file),
        }
    }

    fn heredoc(&self, heredoc: &HeredocTemplate) -> Kind {
        let start = self.extent(heredoc).start as usize - self.offset;
        let dashed = self
            .text
            .get(start..)
            .unwrap_or_default()
            .starts_with("<<-");
        let layout = if dashed {
            Layout::Indented
        } else {
            Layout::Heredoc
        };
        let elements: Vec<&Element> = heredoc.template.iter().collect();
        Kind::Template(self.whole(&elements, layout))
    }

    /// Lowers a template that does not stand inside of another.
    fn whole(&self, elements: &[&Element], layout: Layout) -> Vec<Part> {
        let mut flat = Flat {
            lowering: self,
            layout,
            pieces: Vec::new(),
            literals: 0,
            depth: 0,
        };
        flat.elements(elements.iter().copied());
        let texts = trim::texts(flat.pieces, layout, flat.literals);
        self.parts(elements.iter().copied(), &mut texts.into_iter())
    }

    /// Lowers the elements of a template with the texts of its literals.
    fn parts<'e>(
        &self,
        elements: impl IntoIterator<Item = &'e Element>,
        texts: &mut IntoIter<String>,
    ) -> Vec<Part> {
        let part = |element: &Element| match element {
            Element::Literal(_) => Part::Text(texts.next().unwrap_or_default().into()),
            Element::Interpolation(interpolation) => {
                Part::Interpolation(self.expression(&interpolation.expr))
            }
            Element::Directive(directive) => self.directive(directive, texts),
        };
        elements.into_iter().map(part).collect()
    }

    fn directive(&self, directive: &Directive, texts: &mut IntoIter<String>) -> Part {
        match directive {
            Directive::If(branch) => {
                let condition = self.expression(&branch.if_expr.cond_expr);
                let then = self.parts(&branch.if_expr.template, texts);
                let otherwise = branch.else_expr.as_ref();
                let otherwise = otherwise.map(|other| self.parts(&other.template, texts));
                Part::If(condition, then, otherwise.unwrap_or_default())
            }
            Directive::For(each) => Part::For(Box::new(ForPart {
                key_name: each
                    .for_expr
                    .key_var
                    .as_ref()
                    .map(|name| name.as_str().into()),
                value_name: each.for_expr.value_var.as_str().into(),
                collection: self.expression(&each.for_expr.collection_expr),
                body: self.parts(&each.for_expr.template, texts),
            })),
        }
    }
}

/// What stands behind a value, from some place on.
type Operators<'e> =
    std::iter::Peekable<std::slice::Iter<'e, hcl_edit::Decorated<theirs::TraversalOperator>>>;

/// The pieces of a template with all templates inside, in the order of the text.
struct Flat<'a> {
    lowering: &'a Lowering<'a>,
    layout: Layout,
    pieces: Vec<Piece>,
    literals: usize,
    /// How many directives stand around.
    depth: usize,
}

impl Flat<'_> {
    fn elements<'e>(&mut self, elements: impl IntoIterator<Item = &'e Element>) {
        for element in elements {
            match element {
                Element::Literal(text) => self.literal(text),
                Element::Interpolation(interpolation) => self.sequence(interpolation.strip),
                Element::Directive(directive) => match &**directive {
                    Directive::If(branch) => {
                        self.sequence(branch.if_expr.strip);
                        self.template(&branch.if_expr.template);
                        if let Some(otherwise) = &branch.else_expr {
                            self.sequence(otherwise.strip);
                            self.template(&otherwise.template);
                        }
                        self.sequence(branch.endif_expr.strip);
                    }
                    Directive::For(each) => {
                        self.sequence(each.for_expr.strip);
                        self.template(&each.for_expr.template);
                        self.sequence(each.endfor_expr.strip);
                    }
                },
            }
        }
    }

    fn template(&mut self, template: &Template) {
        self.depth += 1;
        self.elements(template.iter());
        self.depth -= 1;
    }

    fn literal(&mut self, text: &hcl_edit::Spanned<String>) {
        let place = self.literals;
        self.literals += 1;
        if self.layout == Layout::Quoted && self.depth == 0 {
            return self.pieces.push(Piece::Text(place, text.value().clone()));
        }
        let range = hcl_edit::Span::span(text).unwrap_or_default();
        let raw = self.lowering.text.get(range).unwrap_or_default();
        // The parser leaves what is escaped within a directive as it is.
        if self.layout == Layout::Quoted {
            return self.pieces.push(Piece::Text(place, escape::quoted(raw)));
        }
        // The parser has taken an indent off already, by other rules: read the text itself.
        for line in raw.split_inclusive('\n') {
            let line = line.replace("$${", "${").replace("%%{", "%{");
            self.pieces.push(Piece::Text(place, line));
        }
    }

    fn sequence(&mut self, strip: Strip) {
        let (before, after) = ends(strip);
        self.pieces.push(Piece::Sequence { before, after });
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
