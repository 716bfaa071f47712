//! What is open at the end of a text, as far as brackets, quotes and heredocs tell.
//!
//! It is read without a parser: to know whether an expression goes on in the next line, and to
//! find empty heredocs, which the parser takes for the beginning of longer ones.

use std::borrow::Cow;
use std::ops::Range;

/// What is open at some place of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    /// A bracket of an expression, or a sequence of a template.
    Bracket,
    /// A quoted text.
    Quote,
}

/// Whether brackets, a quoted sequence or a heredoc are still open at the end of `text`.
///
/// Texts between quotes end with their line, so an open quote alone is a mistake and not a
/// beginning; a sequence `${` inside of one may go on.
#[must_use]
pub fn is_incomplete(text: &str) -> bool {
    scan(text, |_| {})
}

/// Whether a text holds nothing but spaces and comments.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    without_comments(text).trim().is_empty()
}

/// Where a carriage return stands that ends no line, outside of comments: the parser takes it for
/// space.
pub(super) fn stray_return(text: &str) -> Option<usize> {
    if !text.contains('\r') {
        return None;
    }
    let mut first = None;
    scan(text, |found| {
        if let Found::Return(at) = found {
            first = first.or(Some(at));
        }
    });
    first
}

/// The same text with `""` in place of heredocs without a line, so that every byte stays where it
/// was: the parser looks for the end of a heredoc behind its first line only.
pub(super) fn without_empty_heredocs(text: &str) -> Cow<'_, str> {
    let mut empty: Vec<Range<usize>> = Vec::new();
    if text.contains("<<") {
        scan(text, |found| {
            if let Found::EmptyHeredoc(range) = found {
                empty.push(range);
            }
        });
    }
    if empty.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut changed = String::with_capacity(text.len());
    let mut behind = 0;
    for range in empty {
        changed.push_str(&text[behind..range.start]);
        let mut written = "\"\"".chars();
        for c in text[range.clone()].chars() {
            match c {
                '\n' | '\r' => changed.push(c),
                c => (0..c.len_utf8()).for_each(|_| changed.push(written.next().unwrap_or(' '))),
            }
        }
        behind = range.end;
    }
    changed.push_str(&text[behind..]);
    Cow::Owned(changed)
}

/// The same text with spaces in place of comments, so that every byte stays where it was: the
/// parser takes none before an expression or behind it.
pub(super) fn without_comments(text: &str) -> Cow<'_, str> {
    let mut comments: Vec<Range<usize>> = Vec::new();
    if text.contains(['#', '/']) {
        scan(text, |found| {
            if let Found::Comment(range) = found {
                comments.push(range);
            }
        });
    }
    if comments.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut bytes = text.as_bytes().to_vec();
    for place in comments.into_iter().flatten() {
        if !matches!(bytes[place], b'\n' | b'\r') {
            bytes[place] = b' ';
        }
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// What a text holds that the parser does not understand everywhere.
enum Found {
    /// A heredoc without a line.
    EmptyHeredoc(Range<usize>),
    /// A carriage return that ends no line.
    Return(usize),
    /// A comment, without the end of its line.
    Comment(Range<usize>),
}

/// Goes through a text and tells what is found in it; gives back whether it is incomplete.
fn scan(text: &str, mut tell: impl FnMut(Found)) -> bool {
    let mut open: Vec<Open> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let start = text.len() - rest.len();
        if first == '\r' && !rest.starts_with("\r\n") {
            tell(Found::Return(start));
        }
        if open.last() == Some(&Open::Quote) {
            rest = in_quote(rest, first, &mut open);
            continue;
        }
        if rest.starts_with('#') || rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
            tell(Found::Comment(start..text.len() - rest.len()));
            continue;
        }
        if let Some(comment) = rest.strip_prefix("/*") {
            let Some(end) = comment.find("*/") else {
                return true;
            };
            rest = &comment[end + 2..];
            tell(Found::Comment(start..text.len() - rest.len()));
            continue;
        }
        if let Some(heredoc) = rest.strip_prefix("<<") {
            match heredoc_end(heredoc) {
                Heredoc::None => rest = heredoc,
                Heredoc::Open => return true,
                Heredoc::Closed { behind, is_empty } => {
                    let end = text.len() - behind.len();
                    if is_empty {
                        tell(Found::EmptyHeredoc(start..end));
                    }
                    if let Some(at) = lone_return(&text[start..end]) {
                        tell(Found::Return(start + at));
                    }
                    rest = behind;
                }
            }
            continue;
        }
        match first {
            '"' => open.push(Open::Quote),
            '(' | '[' | '{' => open.push(Open::Bracket),
            ')' | ']' | '}' => drop(open.pop()),
            _ => {}
        }
        rest = &rest[first.len_utf8()..];
    }
    open.contains(&Open::Bracket)
}

/// The first carriage return without a line feed behind it.
fn lone_return(text: &str) -> Option<usize> {
    let mut returns = text.match_indices('\r').map(|(at, _)| at);
    returns.find(|at| !text[at + 1..].starts_with('\n'))
}

/// What is left behind the next piece of a quoted text.
fn in_quote<'a>(rest: &'a str, first: char, open: &mut Vec<Open>) -> &'a str {
    for escaped in ["\\\\", "\\\"", "$${", "%%{"] {
        if let Some(rest) = rest.strip_prefix(escaped) {
            return rest;
        }
    }
    if let Some(inside) = rest.strip_prefix("${").or_else(|| rest.strip_prefix("%{")) {
        open.push(Open::Bracket);
        return inside;
    }
    if matches!(first, '"' | '\n') {
        open.pop();
    }
    &rest[first.len_utf8()..]
}

enum Heredoc<'a> {
    /// There is none.
    None,
    /// Its end has not come yet.
    Open,
    /// It ends.
    Closed {
        /// What is behind its name.
        behind: &'a str,
        /// Whether it has no line.
        is_empty: bool,
    },
}

fn heredoc_end(text: &str) -> Heredoc<'_> {
    let text = text.strip_prefix('-').unwrap_or(text);
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let rest = rest.trim_start_matches([' ', '\t', '\r']);
    let Some(body) = rest
        .strip_prefix('\n')
        .or_else(|| rest.is_empty().then_some(""))
    else {
        return Heredoc::None;
    };
    if name.is_empty() {
        return Heredoc::None;
    }
    let mut rest = body;
    while !rest.is_empty() {
        let line = rest.split_once('\n').map_or(rest, |(line, _)| line);
        if line.trim() == name {
            return Heredoc::Closed {
                behind: &rest[line.trim_end().len()..],
                is_empty: rest.len() == body.len(),
            };
        }
        rest = rest.get(line.len() + 1..).unwrap_or_default();
    }
    Heredoc::Open
}

#[cfg(test)]
mod tests {
    use super::{is_incomplete, without_comments, without_empty_heredocs};

    #[test]
    fn comments_become_spaces() {
        for (text, changed) in [
            ("/* é */ 1 # x", "         1    "),
            ("[1, // a\r\n2]", "[1,     \r\n2]"),
            ("\"# ${a /* b */}\"", "\"# ${a        }\""),
            ("<<E\n# x\nE", "<<E\n# x\nE"),
            ("1 / 2", "1 / 2"),
        ] {
            assert_eq!(without_comments(text), changed, "{text:?}");
        }
    }

    #[test]
    fn open_brackets_sequences_and_heredocs_go_on() {
        for text in [
            "[1,",
            "{ a = f(",
            "\"${upper(",
            "<<EOT\nhello",
            "/* a",
            "[<<EOT\nx\nEOT\n",
        ] {
            assert!(is_incomplete(text), "{text:?}");
        }
        for text in [
            "",
            "1 +",
            "\"(",
            "\"$${(\"",
            "[1] # (",
            "1 // [",
            "<<EOT\n(\nEOT",
            "\"${f(\"]\")}\"",
            ")",
        ] {
            assert!(!is_incomplete(text), "{text:?}");
        }
    }

    #[test]
    fn empty_heredocs_become_quotes_of_the_same_length() {
        for (text, changed) in [
            ("a = <<E\nE\nb = 1\n", "a = \"\" \n \nb = 1\n"),
            ("[<<-EOT\r\n  EOT\r\n]", "[\"\"    \r\n     \r\n]"),
            ("<<A\nA\n<<A\nA\n", "\"\" \n \n\"\" \n \n"),
            ("<<A\nx\nA\n", "<<A\nx\nA\n"),
            ("<<A\n\nA\n", "<<A\n\nA\n"),
            ("\"<<A\" # <<A\nA\n", "\"<<A\" # <<A\nA\n"),
            ("1 << 2\n2\n", "1 << 2\n2\n"),
        ] {
            assert_eq!(without_empty_heredocs(text), changed, "{text:?}");
        }
    }
}
