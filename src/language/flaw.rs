//! What the parser takes and must not be taken.
//!
//! It bounds brackets and operators itself, but not chains of accesses (`a.b.c`), which nest in
//! our tree and not in its text; in the directives of quoted templates it takes quotes and line
//! ends as they are; and behind a dot it takes a line end that ends the expression.

use hcl_edit::Span as _;
use hcl_edit::Spanned;
use hcl_edit::expr::{
    Array, Expression, ForExpr, FuncArgs, Object, Parenthesis, Traversal, TraversalOperator,
};
use hcl_edit::structure::Body;
use hcl_edit::template::{Directive, HeredocTemplate, Interpolation, StringTemplate, Template};
use hcl_edit::visit::{
    Visit, visit_array, visit_directive, visit_expr, visit_for_expr, visit_func_args,
    visit_heredoc_template, visit_interpolation, visit_object, visit_parenthesis,
    visit_string_template, visit_traversal, visit_traversal_operator,
};

/// The most accesses on the way to any part of an expression.
const MOST_ACCESSES: usize = 256;

/// What must not be taken, and the byte at which it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flaw {
    pub(super) kind: Kind,
    pub(super) start: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// So many accesses that walking them would exhaust the stack.
    Chain,
    /// A quote, or the end of a line, within quotes.
    Stray,
    /// The end of a line behind a dot.
    Dot,
}

impl Kind {
    /// What is wrong, for people.
    pub(super) fn detail(self) -> String {
        match self {
            Self::Chain => format!(
                "This expression has more than {MOST_ACCESSES} attributes and indices in a row."
            ),
            Self::Stray => {
                "Within quotes, a quote is written \\\" and the end of a line \\n.".to_owned()
            }
            Self::Dot => {
                "The line ends behind a dot, where a name is expected; within parentheses it may."
                    .to_owned()
            }
        }
    }
}

/// The first flaw of a body that was parsed from `text`.
pub(super) fn of_body(body: &Body, text: &str) -> Option<Flaw> {
    let mut search = Search::new(text);
    search.lines = true;
    search.visit_body(body);
    search.found
}

/// The first flaw of an expression.
pub(super) fn of_expression(expression: &Expression, text: &str) -> Option<Flaw> {
    let mut search = Search::new(text);
    search.visit_expr(expression);
    search.found
}

/// The first flaw of a template.
pub(super) fn of_template(template: &Template, text: &str) -> Option<Flaw> {
    let mut search = Search::new(text);
    search.visit_template(template);
    search.found
}

struct Search<'a> {
    text: &'a str,
    accesses: usize,
    /// Whether literal text stands in quotes.
    quoted: bool,
    /// Whether the end of a line ends an expression.
    lines: bool,
    found: Option<Flaw>,
}

impl<'a> Search<'a> {
    const fn new(text: &'a str) -> Self {
        Self {
            text,
            accesses: 0,
            quoted: false,
            lines: false,
            found: None,
        }
    }

    fn find(&mut self, kind: Kind, start: usize) {
        self.found = self.found.or(Some(Flaw { kind, start }));
    }

    /// Visits what is inside of something, where line ends count or not.
    fn inside(&mut self, lines: bool, visit: impl FnOnce(&mut Self)) {
        let around = std::mem::replace(&mut self.lines, lines);
        visit(self);
        self.lines = around;
    }

    /// Where a line ends between the name that begins at `start` and the dot before it.
    fn broken_line(&self, start: usize) -> Option<usize> {
        let before = self.text.get(..start)?;
        let dot = before.rfind('.')?;
        let end = before[dot..].find('\n')?;
        Some(dot + end)
    }
}

impl Visit for Search<'_> {
    fn visit_expr(&mut self, expression: &Expression) {
        if self.found.is_none() {
            visit_expr(self, expression);
        }
    }

    fn visit_traversal(&mut self, traversal: &Traversal) {
        self.accesses += traversal.operators.len();
        if self.accesses > MOST_ACCESSES {
            self.find(Kind::Chain, traversal.span().map_or(0, |span| span.start));
        } else {
            visit_traversal(self, traversal);
        }
        self.accesses -= traversal.operators.len();
    }

    fn visit_traversal_operator(&mut self, operator: &TraversalOperator) {
        let span = match operator {
            TraversalOperator::AttrSplat(splat) => splat.span(),
            TraversalOperator::GetAttr(name) => name.span(),
            TraversalOperator::LegacyIndex(index) => index.span(),
            TraversalOperator::FullSplat(_) | TraversalOperator::Index(_) => None,
        };
        let start = span.filter(|_| self.lines).map(|span| span.start);
        if let Some(at) = start.and_then(|start| self.broken_line(start)) {
            self.find(Kind::Dot, at);
        }
        match operator {
            TraversalOperator::Index(_) => {
                self.inside(false, |v| visit_traversal_operator(v, operator));
            }
            _ => visit_traversal_operator(self, operator),
        }
    }

    fn visit_parenthesis(&mut self, parenthesis: &Parenthesis) {
        self.inside(false, |v| visit_parenthesis(v, parenthesis));
    }

    fn visit_array(&mut self, array: &Array) {
        self.inside(false, |v| visit_array(v, array));
    }

    fn visit_func_args(&mut self, arguments: &FuncArgs) {
        self.inside(false, |v| visit_func_args(v, arguments));
    }

    fn visit_for_expr(&mut self, expression: &ForExpr) {
        self.inside(false, |v| visit_for_expr(v, expression));
    }

    fn visit_object(&mut self, object: &Object) {
        self.inside(true, |v| visit_object(v, object));
    }

    fn visit_interpolation(&mut self, interpolation: &Interpolation) {
        self.inside(false, |v| visit_interpolation(v, interpolation));
    }

    fn visit_directive(&mut self, directive: &Directive) {
        self.inside(false, |v| visit_directive(v, directive));
    }

    fn visit_string_template(&mut self, template: &StringTemplate) {
        let around = std::mem::replace(&mut self.quoted, true);
        visit_string_template(self, template);
        self.quoted = around;
    }

    fn visit_heredoc_template(&mut self, template: &HeredocTemplate) {
        let around = std::mem::replace(&mut self.quoted, false);
        visit_heredoc_template(self, template);
        self.quoted = around;
    }

    fn visit_literal(&mut self, literal: &Spanned<String>) {
        let range = literal.span().filter(|_| self.quoted).unwrap_or_default();
        let start = range.start;
        if let Some(at) = self.text.get(range).and_then(stray) {
            self.find(Kind::Stray, start + at);
        }
    }
}

/// Where in literal text a quote or a line end stands that is not escaped.
fn stray(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let is_stray = !escaped && matches!(byte, b'"' | b'\n');
        escaped = !escaped && byte == b'\\';
        is_stray
    })
}
