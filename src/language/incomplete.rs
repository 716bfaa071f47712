//! Whether a text is the beginning of an expression that goes on in the next line.

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
    let mut open: Vec<Open> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if open.last() == Some(&Open::Quote) {
            rest = in_quote(rest, first, &mut open);
            continue;
        }
        if rest.starts_with('#') || rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
            continue;
        }
        if let Some(comment) = rest.strip_prefix("/*") {
            let Some(end) = comment.find("*/") else {
                return true;
            };
            rest = &comment[end + 2..];
            continue;
        }
        if let Some(heredoc) = rest.strip_prefix("<<") {
            match heredoc_end(heredoc) {
                Heredoc::None => rest = heredoc,
                Heredoc::Open => return true,
                Heredoc::Closed(behind) => rest = behind,
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
    /// What is behind it.
    Closed(&'a str),
}

fn heredoc_end(text: &str) -> Heredoc<'_> {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (name, body) = text.split_once('\n').unwrap_or((text, ""));
    let name = name.trim_end();
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    if name.is_empty() || !name.chars().all(is_name) {
        return Heredoc::None;
    }
    let mut rest = body;
    while !rest.is_empty() {
        let (line, behind) = rest.split_once('\n').unwrap_or((rest, ""));
        if line.trim() == name {
            return Heredoc::Closed(behind);
        }
        rest = behind;
    }
    Heredoc::Open
}

#[cfg(test)]
mod tests {
    use super::is_incomplete;

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
}
