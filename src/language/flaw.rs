//! What the parser takes and must not be taken.
//!
//! It bounds brackets and operators itself, but not chains of accesses (`a.b.c`), which nest in
//! our tree and not in its text; in the directives of quoted templates it takes quotes and line
//! ends as they are; behind a dot or a call it takes a line end that ends the expression; and
//! behind the end of a heredoc anything.

use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::Spanned;
use hcl_edit::expr::{
    Array, BinaryOp, Conditional, Expression, ForCond, ForExpr, ForIntro, FuncArgs, Object,
    Parenthesis, Traversal, TraversalOperator, UnaryOp,
};
use hcl_edit::structure::Body;
use hcl_edit::template::{
    Directive, ForTemplateExpr, HeredocTemplate, IfTemplateExpr, Interpolation, StringTemplate,
    Template,
};
use hcl_edit::visit::{
    Visit, visit_array, visit_binary_op, visit_conditional, visit_directive, visit_expr,
    visit_for_cond, visit_for_expr, visit_for_intro, visit_for_template_expr, visit_func_args,
    visit_heredoc_template, visit_if_template_expr, visit_interpolation, visit_object,
    visit_parenthesis, visit_string_template, visit_traversal, visit_traversal_operator,
    visit_unary_op,
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
    /// The end of a line within an expression that is in no brackets.
    Line,
    /// Something behind the name that ends a heredoc, or that name before its end.
    Heredoc,
    /// A word that runs into the next one.
    Glued,
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
            Self::Line => {
                "The line ends within an expression; within parentheses it may.".to_owned()
            }
            Self::Glued => "There is a space missing behind this word.".to_owned(),
            Self::Heredoc => {
                "The name that ends a heredoc stands alone in its line, and once.".to_owned()
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

    /// Looks for a word that ends where another one begins.
    fn apart(&mut self, span: Option<Range<usize>>) {
        let Some((before, behind)) = span.and_then(|span| self.text.split_at_checked(span.start))
        else {
            return;
        };
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        if before.ends_with(is_word) && behind.starts_with(is_word) {
            self.find(Kind::Glued, before.len());
        }
    }

    /// Where the end of a heredoc is not as it must be: its name stands alone in its line, and in
    /// no line before that.
    fn ill_ended(&self, heredoc: &HeredocTemplate) -> Option<usize> {
        let span = heredoc.span()?;
        let name = heredoc.delimiter.as_str();
        let mut at = span.start;
        let mut lines = self.text.get(span.start..)?.split_inclusive('\n');
        at += lines.next()?.len();
        for line in lines {
            let is_last = at + line.trim_end_matches('\n').len() >= span.end;
            if (line.trim() == name) != is_last {
                return Some(at.min(span.end));
            }
            if is_last {
                break;
            }
            at += line.len();
        }
        None
    }

    /// Looks for the end of a line between two parts of an expression, comments aside.
    fn between(&mut self, left: Option<Range<usize>>, right: Option<Range<usize>>) {
        if !self.lines {
            return;
        }
        let (Some(left), Some(right)) = (left, right) else {
            return;
        };
        let mut start = left.end;
        while let Some(gap) = self.text.get(start..right.start) {
            let comment = gap.find("/*").unwrap_or(gap.len());
            if let Some(at) = gap[..comment].find('\n') {
                return self.find(Kind::Line, start + at);
            }
            match gap[comment..].find("*/") {
                Some(end) => start += comment + end + 2,
                None => return,
            }
        }
    }
}

impl Visit for Search<'_> {
    fn visit_expr(&mut self, expression: &Expression) {
        if self.found.is_none() {
            visit_expr(self, expression);
        }
    }

    fn visit_binary_op(&mut self, operation: &BinaryOp) {
        let operator = operation.operator.span();
        self.between(operation.lhs_expr.span(), operator.clone());
        self.between(operator, operation.rhs_expr.span());
        visit_binary_op(self, operation);
    }

    fn visit_unary_op(&mut self, operation: &UnaryOp) {
        self.between(operation.operator.span(), operation.expr.span());
        visit_unary_op(self, operation);
    }

    fn visit_conditional(&mut self, conditional: &Conditional) {
        let Conditional {
            cond_expr,
            true_expr,
            false_expr,
            ..
        } = conditional;
        self.between(cond_expr.span(), true_expr.span());
        self.between(true_expr.span(), false_expr.span());
        visit_conditional(self, conditional);
    }

    fn visit_traversal(&mut self, traversal: &Traversal) {
        self.accesses += traversal.operators.len();
        if self.accesses > MOST_ACCESSES {
            self.find(Kind::Chain, traversal.span().map_or(0, |span| span.start));
        } else {
            let mut before = traversal.expr.span();
            for operator in &traversal.operators {
                let (whole, name) = (operator.span(), named(operator.value()));
                self.between(before, whole.clone());
                let dot = whole.clone().map(|span| span.start..span.start);
                self.between(dot, name);
                before = whole;
            }
            visit_traversal(self, traversal);
        }
        self.accesses -= traversal.operators.len();
    }

    fn visit_traversal_operator(&mut self, operator: &TraversalOperator) {
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

    fn visit_for_intro(&mut self, intro: &ForIntro) {
        let first = intro.key_var.as_ref().unwrap_or(&intro.value_var);
        self.apart(first.span());
        self.apart(intro.collection_expr.span());
        visit_for_intro(self, intro);
    }

    fn visit_for_cond(&mut self, condition: &ForCond) {
        self.apart(condition.expr.span());
        visit_for_cond(self, condition);
    }

    fn visit_if_template_expr(&mut self, start: &IfTemplateExpr) {
        self.apart(start.cond_expr.span());
        visit_if_template_expr(self, start);
    }

    fn visit_for_template_expr(&mut self, start: &ForTemplateExpr) {
        let first = start.key_var.as_ref().unwrap_or(&start.value_var);
        self.apart(first.span());
        self.apart(start.collection_expr.span());
        visit_for_template_expr(self, start);
    }

    fn visit_heredoc_template(&mut self, heredoc: &HeredocTemplate) {
        if let Some(at) = self.ill_ended(heredoc) {
            self.find(Kind::Heredoc, at);
        }
        let around = std::mem::replace(&mut self.quoted, false);
        visit_heredoc_template(self, heredoc);
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

/// Where that stands which follows the dot of an access.
fn named(operator: &TraversalOperator) -> Option<Range<usize>> {
    match operator {
        TraversalOperator::AttrSplat(splat) => splat.span(),
        TraversalOperator::GetAttr(name) => name.span(),
        TraversalOperator::LegacyIndex(index) => index.span(),
        TraversalOperator::FullSplat(_) | TraversalOperator::Index(_) => None,
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
