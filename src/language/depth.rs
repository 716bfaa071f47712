//! How deep an expression nests, so that walking it cannot exhaust the stack.
//!
//! The parser bounds brackets and operators itself; this bounds chains of accesses (`a.b.c`),
//! which nest in our tree and not in its text.

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, Traversal};
use hcl_edit::structure::Body;
use hcl_edit::template::Template;
use hcl_edit::visit::{Visit, visit_expr, visit_traversal};

/// The most accesses on the way to any part of an expression.
pub(super) const MOST_ACCESSES: usize = 256;

/// Where in the text a body nests too deeply.
pub(super) fn of_body(body: &Body) -> Option<usize> {
    let mut depth = Depth::default();
    depth.visit_body(body);
    depth.too_deep
}

/// Where in the text an expression nests too deeply.
pub(super) fn of_expression(expression: &Expression) -> Option<usize> {
    let mut depth = Depth::default();
    depth.visit_expr(expression);
    depth.too_deep
}

/// Where in the text a template nests too deeply.
pub(super) fn of_template(template: &Template) -> Option<usize> {
    let mut depth = Depth::default();
    depth.visit_template(template);
    depth.too_deep
}

#[derive(Default)]
struct Depth {
    accesses: usize,
    too_deep: Option<usize>,
}

impl Visit for Depth {
    fn visit_expr(&mut self, expression: &Expression) {
        if self.too_deep.is_none() {
            visit_expr(self, expression);
        }
    }

    fn visit_traversal(&mut self, traversal: &Traversal) {
        self.accesses += traversal.operators.len();
        if self.accesses > MOST_ACCESSES {
            self.too_deep = Some(traversal.span().map_or(0, |span| span.start));
        } else {
            visit_traversal(self, traversal);
        }
        self.accesses -= traversal.operators.len();
    }
}
