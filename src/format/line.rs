//! Lines of tokens, and the cells of a line that are aligned with those of its neighbours.

use super::token::{Kind, Token, nesting};

/// The tokens up to the end of a line. A heredoc stands in one line, and so does a comment over
/// several.
#[derive(Debug, Default)]
pub(super) struct Line<'a> {
    /// Everything that is in no other cell.
    pub(super) lead: Vec<Token<'a>>,
    /// The `=` of an assignment that ends on this line, and its value; or nothing.
    pub(super) assign: Vec<Token<'a>>,
    /// The comment at the end, if something stands before it.
    pub(super) comment: Option<Token<'a>>,
}

impl<'a> Line<'a> {
    /// The tokens in their order.
    pub(super) fn tokens(&self) -> impl Iterator<Item = &Token<'a>> {
        let cells = self.lead.iter().chain(&self.assign);
        cells.chain(&self.comment)
    }

    fn of(mut lead: Vec<Token<'a>>) -> Self {
        let ends_in_comment = lead.last().is_some_and(|last| last.kind == Kind::Comment);
        let comment = if ends_in_comment && lead.len() > 1 {
            lead.pop()
        } else {
            None
        };
        let equal = lead.iter().position(|token| token.kind == Kind::Equal);
        let assign = match equal {
            Some(at) if at > 0 && nesting(&lead[at..]) == 0 => lead.split_off(at),
            _ => Vec::new(),
        };
        Self {
            lead,
            assign,
            comment,
        }
    }
}

/// Sorts tokens into lines. The end of the text stands on a line of its own, so that it is in
/// nobody's way.
pub(super) fn split(tokens: Vec<Token<'_>>) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut open = Vec::new();
    for token in tokens {
        if token.kind == Kind::End {
            lines.push(Line::of(std::mem::take(&mut open)));
        }
        let ends = token.ends_line();
        open.push(token);
        if ends {
            lines.push(Line::of(std::mem::take(&mut open)));
        }
    }
    lines.push(Line::of(open));
    lines
}
