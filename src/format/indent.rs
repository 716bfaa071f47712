//! The spaces before the first token of a line: two for each bracket around it.

use super::line::Line;
use super::token::{Kind, Token};

/// The spaces of one level.
const STEP: usize = 2;

/// Indents all lines.
pub(super) fn apply(lines: &mut [Line<'_>]) {
    let mut levels = Levels::default();
    for line in lines {
        let change = change(&line.lead) + change(&line.assign);
        let Some(first) = line.lead.first_mut() else {
            continue;
        };
        match first.kind {
            Kind::End => {}
            Kind::Newline => first.spaces = 0,
            _ => first.spaces = STEP * levels.pass(change),
        }
    }
}

/// How many brackets some tokens open, less those they close. What stands in a heredoc does not
/// count on the line where it begins.
fn change(tokens: &[Token<'_>]) -> isize {
    let until = tokens.iter().position(|t| t.kind == Kind::OpenHeredoc);
    super::token::nesting(&tokens[..until.unwrap_or(tokens.len())])
}

/// The lines that opened more brackets than they closed. Each is one level, however many
/// brackets it left open.
#[derive(Debug, Default)]
struct Levels(Vec<usize>);

impl Levels {
    /// Goes past a line that changes the nesting; the level that the line itself stands at.
    fn pass(&mut self, change: isize) -> usize {
        let opened = self.0.len();
        if change > 0 {
            self.0.push(change.unsigned_abs());
            return opened;
        }
        let mut closed = change.unsigned_abs();
        while closed > 0
            && let Some(last) = self.0.last_mut()
        {
            if *last > closed {
                *last -= closed;
                break;
            }
            closed -= *last;
            self.0.pop();
        }
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Levels;

    #[test]
    fn a_line_is_one_level_however_many_brackets_it_opens() {
        let mut levels = Levels::default();
        let changes = [2, 0, 1, -1, -1, 0, -1, -5, 0];
        let found = changes.map(|change| levels.pass(change));
        assert_eq!(found, [0, 1, 1, 1, 1, 1, 0, 0, 0]);
    }
}
