//! A text at its top level: where its items begin and end, without parsing them.

use std::collections::BTreeMap;
use std::ops::Range;

/// A text in portions of whole items and lines, each but the last of `least` bytes or more.
pub(super) fn portions(text: &str, least: usize) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for item in Items::new(text) {
        let end = item.range.end;
        if end - start >= least && text[..end].ends_with('\n') {
            found.push(start..end);
            start = end;
        }
    }
    if start < text.len() || found.is_empty() {
        found.push(start..text.len());
    }
    found
}

/// A top-level attribute or block, with the white space and comments before it.
pub(super) struct Item {
    pub(super) range: Range<usize>,
    /// The header line of the block, if it is not closed.
    pub(super) unclosed: Option<Range<usize>>,
}

/// Splits a text at its top level. A line that begins a block at the left margin ends a block
/// before it that is still open: its closing brace is missing.
pub(super) struct Items<'a> {
    scanner: Scanner<'a>,
    start: usize,
    header: Range<usize>,
}

impl<'a> Items<'a> {
    pub(super) fn new(text: &'a str) -> Self {
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
