//! The spaces before `=` and before comments, which stand in one column over lines that follow
//! one another.

use super::line::Line;
use super::token::{Token, width};

/// Aligns assignments, then the comments behind them, which these have moved.
pub(super) fn apply(lines: &mut [Line<'_>]) {
    column(
        lines,
        |line| line.assign.first_mut(),
        |line| width(&line.lead),
    );
    column(
        lines,
        |line| line.comment.as_mut(),
        |line| width(&line.lead) + width(&line.assign),
    );
}

/// Moves one cell of each line behind the widest of its chain: the lines around it that have
/// this cell, without one between them that has not.
fn column<'a>(
    lines: &mut [Line<'a>],
    cell: impl for<'l> Fn(&'l mut Line<'a>) -> Option<&'l mut Token<'a>>,
    before: impl Fn(&Line<'a>) -> usize,
) {
    let mut rest = lines;
    while !rest.is_empty() {
        let ends = rest.iter_mut().position(|line| cell(line).is_none());
        let (chain, behind) = rest.split_at_mut(ends.unwrap_or(rest.len()));
        let widest = chain.iter().map(&before).max().unwrap_or_default();
        for line in chain {
            let spaces = widest - before(line) + 1;
            if let Some(first) = cell(line) {
                first.spaces = spaces;
            }
        }
        rest = behind.get_mut(1..).unwrap_or_default();
    }
}
