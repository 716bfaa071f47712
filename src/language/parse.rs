//! Text to [`Body`], going on behind what cannot be parsed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use isobar_sdk::diagnostic::sentence;
use isobar_sdk::{Diagnostic, Diagnostics, Fault, Span};

use super::body::Body;

use super::expression::Located;
use super::flaw::{self, Flaw};
use super::incomplete::{stray_return, without_empty_heredocs};
use super::lower::Lowering;

/// The most mistakes in the syntax of one file that are reported.
const MOST_MISTAKES: usize = 100;

/// Parses one file. Where the text as a whole does not parse, its top-level items are parsed
/// one by one, so that several mistakes are reported at once and the rest is still understood.
#[must_use]
pub fn file(name: &Arc<str>, text: &str) -> (Body, Diagnostics) {
    // Some editors begin a file with a byte order mark, which means nothing in UTF-8.
    let plain = text.strip_prefix('\u{feff}').unwrap_or(text);
    let offset = text.len() - plain.len();
    let plain = &*without_empty_heredocs(plain);
    if let Some(at) = stray_return(plain) {
        let found = stray(name, offset + at);
        return (Body::default(), Diagnostics::from(found));
    }
    match hcl_edit::parser::parse_body(plain) {
        Ok(body) => {
            if let Some(flaw) = flaw::of_body(&body, plain) {
                let found = flawed(name, flaw, offset);
                return (Body::default(), Diagnostics::from(found));
            }
            let lowering = Lowering {
                file: name,
                text: plain,
                offset,
            };
            (lowering.body(&body), Diagnostics::new())
        }
        Err(_) => recover(name, text),
    }
}

/// The diagnostic for a carriage return that ends no line.
fn stray(name: &Arc<str>, at: usize) -> Diagnostic {
    let detail = "A carriage return stands here without a line feed behind it.";
    Diagnostic::error("L0001", "Invalid syntax", detail)
        .at(&Span::new(name, at..at + 1))
        .help("Remove it; within quotes write \\r.")
}

/// Parses one expression, such as the value of a variable given as text.
///
/// # Errors
/// Where and why it is not an expression.
pub fn expression(name: &Arc<str>, text: &str) -> Result<Located, Fault> {
    let text = &*match without_empty_heredocs(text) {
        // Nothing may stand behind an expression, and a heredoc may have left spaces there.
        Cow::Owned(text) => Cow::Owned(text.trim_end().to_owned()),
        unchanged @ Cow::Borrowed(_) => unchanged,
    };
    match hcl_edit::parser::parse_expr(text) {
        Ok(parsed) => match flaw::of_expression(&parsed, text) {
            Some(flaw) => Err(Box::new(flawed(name, flaw, 0))),
            None => Ok(Lowering {
                file: name,
                text,
                offset: 0,
            }
            .located(&parsed)),
        },
        Err(error) => {
            let offset = error.location().offset();
            Err(Box::new(invalid(
                error.message(),
                &Span::new(name, offset..offset + 1),
            )))
        }
    }
}

/// Parses a template, such as the text of a file.
///
/// # Errors
/// Where and why it is not a template.
pub fn template(name: &Arc<str>, text: &str) -> Result<Located, Fault> {
    let lowering = Lowering {
        file: name,
        text,
        offset: 0,
    };
    match hcl_edit::parser::parse_template(text) {
        Ok(parsed) => match flaw::of_template(&parsed, text) {
            Some(flaw) => Err(Box::new(flawed(name, flaw, 0))),
            None => Ok(lowering.whole_template(&parsed)),
        },
        Err(error) => {
            let offset = error.location().offset();
            Err(Box::new(invalid(
                error.message(),
                &Span::new(name, offset..offset + 1),
            )))
        }
    }
}

fn recover(name: &Arc<str>, text: &str) -> (Body, Diagnostics) {
    let text = &*without_empty_heredocs(text);
    let mut whole = Body::default();
    let mut diagnostics = Diagnostics::new();
    let mark = if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    for mut item in Items::new(text) {
        if diagnostics.iter().count() >= MOST_MISTAKES {
            diagnostics.push(too_many(name, item.range.start));
            break;
        }
        item.range.start = item.range.start.max(mark);
        let part = &text[item.range.clone()];
        if let Some(header) = item.unclosed {
            diagnostics.push(
                Diagnostic::error(
                    "L0002",
                    "Unclosed block",
                    "The block that begins here has no closing brace before the next block or the end of the file.",
                )
                .at(&Span::new(name, header))
                .help("Add a closing brace } behind the last line of the block."),
            );
            continue;
        }
        match hcl_edit::parser::parse_body(part) {
            Ok(body) => {
                if let Some(flaw) = flaw::of_body(&body, part) {
                    diagnostics.push(flawed(name, flaw, item.range.start));
                    continue;
                }
                let mut body = Lowering {
                    file: name,
                    text: part,
                    offset: item.range.start,
                }
                .body(&body);
                whole.attributes.append(&mut body.attributes);
                whole.blocks.append(&mut body.blocks);
            }
            Err(error) => {
                let start = item.range.start + error.location().offset();
                let span = Span::new(name, start..start + width(text, start));
                diagnostics.push(invalid(error.message(), &span));
            }
        }
    }
    if diagnostics.is_empty()
        && let Err(error) = hcl_edit::parser::parse_body(text)
    {
        // The items parse one by one but not together: a name that stands twice, for instance.
        let start = error.location().offset();
        let span = Span::new(name, start..start + width(text, start));
        diagnostics.push(invalid(error.message(), &span));
    }
    (whole, diagnostics)
}

fn invalid(message: &str, span: &Span) -> Diagnostic {
    // What the parser lists as expected at the start of an expression is every character that
    // one can begin with, which helps nobody.
    let detail = if message.starts_with("invalid expression") {
        "An expression is expected here: a value, a reference or a call.".to_owned()
    } else {
        sentence(message)
    };
    Diagnostic::error("L0001", "Invalid syntax", detail).at(span)
}

/// The diagnostic for a flaw in a part of a file that begins at `offset`.
fn flawed(name: &Arc<str>, flaw: Flaw, offset: usize) -> Diagnostic {
    let start = flaw.start + offset;
    Diagnostic::error("L0001", "Invalid syntax", flaw.kind.detail())
        .at(&Span::new(name, start..start + 1))
}

fn too_many(name: &Arc<str>, start: usize) -> Diagnostic {
    let detail = format!(
        "{MOST_MISTAKES} mistakes were found before this place; what follows was not looked at."
    );
    Diagnostic::error("L0001", "Invalid syntax", detail)
        .at(&Span::new(name, start..start + 1))
        .help("Check that this file is meant to be configuration, and correct what is above first.")
}

/// The length of the word at `start`, at least one byte.
fn width(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let word = rest
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len());
    word.max(rest.chars().next().map_or(1, char::len_utf8))
}

/// A top-level attribute or block, with the white space and comments before it.
struct Item {
    range: Range<usize>,
    /// The header line of the block, if it is not closed.
    unclosed: Option<Range<usize>>,
}

/// Splits a text at its top level. A line that begins a block at the left margin ends a block
/// before it that is still open: its closing brace is missing.
struct Items<'a> {
    scanner: Scanner<'a>,
    start: usize,
    header: Range<usize>,
}

impl<'a> Items<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            scanner: Scanner::new(text),
            start: 0,
            header: 0..0,
        }
    }

    /// Ends an item before `end`.
    fn item(&mut self, end: usize, unclosed: Option<Range<usize>>) -> Item {
        let range = self.start..end;
        self.start = end;
        Item { range, unclosed }
    }
}

impl Iterator for Items<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        let text = self.scanner.text;
        while self.scanner.position < text.len() {
            let line = self.scanner.line();
            let is_open = self.scanner.depth() > 0;
            if is_open && line.start > self.start && begins_block(&text[line.clone()]) {
                self.scanner.open.clear();
                return Some(self.item(line.start, Some(self.header.clone())));
            }
            self.scanner.skip_line();
            if !is_open && self.scanner.depth() > 0 {
                self.header = line.start..line.start + text[line].trim_end().len();
            }
            let end = self.scanner.position;
            if self.scanner.depth() == 0 && (is_open || !text[self.start..end].trim().is_empty()) {
                return Some(self.item(end, None));
            }
        }
        let unclosed = (self.scanner.depth() > 0).then_some(self.header.clone());
        (self.start < text.len()).then(|| self.item(text.len(), unclosed))
    }
}

/// Whether a line at the left margin reads like the beginning of a block.
fn begins_block(line: &str) -> bool {
    let line = line.trim_end();
    line.starts_with(|c: char| c.is_alphabetic()) && line.ends_with('{') && !line.contains('=')
}

/// Walks a text line by line, counting brackets outside strings and comments.
struct Scanner<'a> {
    text: &'a str,
    position: usize,
    /// The brackets that are open, outermost first.
    open: Vec<u8>,
    /// Where each line, without the space around it, stands for the last time; filled when the
    /// first heredoc is met, so that one that never ends is not looked for again and again.
    last: BTreeMap<&'a str, usize>,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            position: 0,
            open: Vec::new(),
            last: BTreeMap::new(),
        }
    }

    const fn depth(&self) -> usize {
        self.open.len()
    }

    /// Closes a bracket; one that does not match the innermost open one is left to the parser.
    fn close(&mut self, opening: u8) {
        if self.open.last() == Some(&opening) {
            self.open.pop();
        }
    }

    fn line(&self) -> Range<usize> {
        let rest = &self.text[self.position..];
        let length = rest.find('\n').map_or(rest.len(), |newline| newline + 1);
        self.position..self.position + length
    }

    fn skip_line(&mut self) {
        let line = self.line();
        let mut quoted = false;
        let bytes = self.text.as_bytes();
        let mut at = line.start;
        while at < line.end {
            let rest = &self.text.as_bytes()[at..];
            match bytes[at] {
                b'\\' if quoted => at += 1,
                b'"' => quoted = !quoted,
                b'#' if !quoted => break,
                b'/' if !quoted && rest.starts_with(b"//") => break,
                b'/' if !quoted && rest.starts_with(b"/*") => {
                    let close = self.text[at..].find("*/");
                    let close = close.map_or(self.text.len(), |close| at + close + 2);
                    if close > line.end {
                        self.position = close;
                        return;
                    }
                    at = close - 1;
                }
                b'<' if !quoted && rest.starts_with(b"<<") => {
                    self.position = self.heredoc_end(at, line.end);
                    return;
                }
                bracket @ (b'{' | b'[' | b'(') if !quoted => self.open.push(bracket),
                b'}' if !quoted => self.close(b'{'),
                b']' if !quoted => self.close(b'['),
                b')' if !quoted => self.close(b'('),
                _ => {}
            }
            at += 1;
        }
        self.position = line.end;
    }

    /// The position behind the heredoc that begins at `at`, whose first line ends at `line_end`.
    fn heredoc_end(&mut self, at: usize, line_end: usize) -> usize {
        let text = self.text;
        if self.last.is_empty() {
            let mut position = 0;
            for line in text.split_inclusive('\n') {
                self.last.insert(line.trim(), position);
                position += line.len();
            }
        }
        let delimiter = text[at..line_end].trim_start_matches(['<', '-']).trim();
        if self.last.get(delimiter).is_none_or(|last| *last < line_end) {
            return line_end;
        }
        let mut position = line_end;
        for line in text[line_end..].split_inclusive('\n') {
            position += line.len();
            if line.trim() == delimiter {
                break;
            }
        }
        position
    }
}

#[cfg(test)]
mod tests {
    use super::file;

    fn messages(text: &str) -> Vec<String> {
        let (_, diagnostics) = file(&"main.hcl".into(), text);
        diagnostics
            .iter()
            .map(|d| {
                format!(
                    "{} {:?}",
                    d.code,
                    d.subject
                        .as_ref()
                        .map(|s| &text[s.start..s.end.min(text.len())])
                )
            })
            .collect()
    }

    #[test]
    fn several_mistakes_are_reported_and_the_rest_is_understood() {
        let text = "a = 1 +\n\nzone \"x\" {\n  b = ]\n}\n\nmodel \"m\" {\n  version = \"1\"\n}\n";
        let (body, diagnostics) = file(&"main.hcl".into(), text);
        assert_eq!(diagnostics.iter().count(), 2);
        assert_eq!(&*body.blocks[0].kind, "model");
        let header = &body.blocks[0].header;
        assert_eq!(&text[header.start..header.end], "model \"m\"");
    }

    #[test]
    fn a_missing_brace_is_reported_at_the_block_that_lacks_it() {
        let text = "zone \"x\" {\n  a = 1\n\nzone \"y\" {\n  a = {\n  }\n}\n";
        assert_eq!(messages(text), ["L0002 Some(\"zone \\\"x\\\" {\")"]);
        let text = "zone \"x\" {\n  a = 1\n";
        assert_eq!(messages(text), ["L0002 Some(\"zone \\\"x\\\" {\")"]);
    }

    #[test]
    fn quotes_and_line_ends_within_quotes_are_escaped() {
        for text in [
            "a = \"%{ if true }\"%{ endif }\"\n",
            "a = \"%{ for x in y }a\nb%{ endfor }\"\n",
            "a = \"${\"%{ if true }\"%{ endif }\"}\"\n",
        ] {
            let found = messages(text);
            assert!(
                found.len() == 1 && found[0].starts_with("L0001"),
                "{found:?}"
            );
        }
        for text in [
            "a = \"%{ if true }\\\"\\\\%{ endif }\"\n",
            "a = \"%{ if true }${\"x\"}%{ endif }\"\n",
            "a = \"${<<EOT\n%{ if true }\"%{ endif }\nEOT\n}\"\n",
            "a = <<EOT\n%{ if true }\"%{ endif }\nEOT\n",
        ] {
            assert_eq!(messages(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn braces_in_strings_comments_and_heredocs_do_not_count() {
        let text = "a = \"{\" # {\nb = <<EOT\n{\nEOT\nc = 1 +\nd = 2\n";
        assert_eq!(messages(text).len(), 1);
    }
}
