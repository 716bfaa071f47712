//! What stands at a place of a text, also of one that is not finished and does not parse.

use std::ops::Range;

/// A place in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The blocks around it, outermost first.
    pub(super) blocks: Vec<Opened>,
    /// What stands there.
    pub(super) at: At,
    /// The bytes of the word that it stands in, up to the place.
    pub(super) word: Range<usize>,
}

/// A block that is open at a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Opened {
    /// The word it begins with.
    pub(super) kind: String,
    /// Its labels.
    pub(super) labels: Vec<String>,
}

/// What can stand at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum At {
    /// The name of an attribute or the kind of a block.
    Name,
    /// A label of the block that begins here.
    Label(Opened),
    /// An expression.
    Value {
        /// The attribute whose value it is.
        attribute: Option<String>,
        /// What stands before the word, as in `zone.west.`
        path: Vec<String>,
    },
    /// Text or a comment, where nothing has a meaning.
    Text,
}

/// What is open around a place.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Frame {
    Block(Opened),
    /// A bracket of an expression, or a sequence of a template.
    Bracket,
    Quote,
    /// A heredoc, until a line that is this word.
    Heredoc(String),
}

/// Looks at the byte `offset` of a text.
pub(super) fn at(text: &str, offset: usize) -> Cursor {
    let text = text.get(..offset).unwrap_or(text);
    let mut scan = Scan {
        text,
        position: 0,
        frames: Vec::new(),
        words: Vec::new(),
        attribute: None,
        comment: false,
    };
    while scan.position < text.len() {
        scan.step();
    }
    scan.cursor()
}

/// The end of the word around a byte.
pub(super) fn word_end(text: &str, offset: usize) -> usize {
    let rest = text.get(offset..).unwrap_or_default();
    let end = rest.find(|c: char| !is_word(c));
    offset + end.unwrap_or(rest.len())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}

/// Walks a text up to a place.
struct Scan<'a> {
    text: &'a str,
    position: usize,
    frames: Vec<Frame>,
    /// What stands in the statement so far: a name, then labels.
    words: Vec<String>,
    /// The attribute whose value is being read.
    attribute: Option<String>,
    /// Whether the text ends in a comment.
    comment: bool,
}

impl Scan<'_> {
    fn rest(&self) -> &str {
        &self.text[self.position..]
    }

    /// Goes over the next piece.
    fn step(&mut self) {
        match self.frames.last() {
            Some(Frame::Quote) => self.in_quote(),
            Some(Frame::Heredoc(name)) => {
                let name = name.clone();
                self.in_heredoc(&name);
            }
            _ => self.in_code(),
        }
    }

    /// Goes to the next `end`, or to the end of the text; whether it is there.
    fn skip_to(&mut self, end: &str) -> bool {
        let found = self.rest().find(end);
        self.position = found.map_or(self.text.len(), |found| self.position + found);
        found.is_some()
    }

    fn in_quote(&mut self) {
        for escaped in ["\\\\", "\\\"", "$${", "%%{"] {
            if self.rest().starts_with(escaped) {
                self.position += escaped.len();
                return;
            }
        }
        if self.sequence() {
            return;
        }
        let first = self.rest().chars().next().unwrap_or('"');
        // Quoted text ends with its line, so that a missing quote spoils one line only.
        if matches!(first, '"' | '\n') {
            self.frames.pop();
        }
        if first != '\n' {
            self.position += first.len_utf8();
        }
    }

    /// Opens a sequence of a template, if one begins here.
    fn sequence(&mut self) -> bool {
        let begins = self.rest().starts_with("${") || self.rest().starts_with("%{");
        if begins {
            self.frames.push(Frame::Bracket);
            self.position += 2;
        }
        begins
    }

    fn in_heredoc(&mut self, name: &str) {
        let at_line = self.text[..self.position].ends_with('\n');
        let line = self.rest().lines().next().unwrap_or_default();
        if at_line && line.trim() == name && self.rest().len() > line.len() {
            self.position += line.len();
            self.frames.pop();
            return;
        }
        if self.sequence() {
            return;
        }
        let first = self.rest().chars().next().map_or(1, char::len_utf8);
        self.position += first;
    }

    fn in_code(&mut self) {
        let rest = self.rest();
        let first = rest.chars().next().unwrap_or('\n');
        if first == '#' || rest.starts_with("//") {
            self.comment = !self.skip_to("\n");
        } else if rest.starts_with("/*") {
            self.comment = !self.skip_to("*/");
            self.position = (self.position + 2).min(self.text.len());
        } else if let Some(name) = heredoc(rest) {
            let name = name.to_owned();
            self.frames.push(Frame::Heredoc(name));
            self.skip_to("\n");
            self.position = (self.position + 1).min(self.text.len());
        } else if is_word(first) {
            let end = word_end(self.text, self.position);
            if self.attribute.is_none() {
                self.words.push(self.text[self.position..end].to_owned());
            }
            self.position = end;
        } else {
            self.position += first.len_utf8();
            self.sign(first);
        }
    }

    /// Whether the innermost thing around is a block or the file.
    fn in_body(&self) -> bool {
        matches!(self.frames.last(), None | Some(Frame::Block(_)))
    }

    fn sign(&mut self, sign: char) {
        match sign {
            '"' => {
                if self.in_body() && self.attribute.is_none() {
                    let label = self.rest().split(['"', '\n']).next();
                    self.words.push(label.unwrap_or_default().to_owned());
                }
                self.frames.push(Frame::Quote);
            }
            '=' if self.in_body() && self.attribute.is_none() => {
                self.attribute = Some(self.words.pop().unwrap_or_default());
                self.words.clear();
            }
            '{' if self.in_body() && self.attribute.is_none() => {
                let opened = opened(&self.words);
                self.words.clear();
                self.frames.push(Frame::Block(opened));
            }
            '(' | '[' | '{' => self.frames.push(Frame::Bracket),
            ')' | ']' if self.frames.last() == Some(&Frame::Bracket) => {
                self.frames.pop();
            }
            '}' => {
                if !matches!(self.frames.last(), Some(Frame::Bracket)) {
                    self.end_statement();
                }
                self.frames.pop();
            }
            '\n' if self.in_body() => self.end_statement(),
            _ => {}
        }
    }

    fn end_statement(&mut self) {
        self.words.clear();
        self.attribute = None;
    }

    fn cursor(self) -> Cursor {
        let mut start = self.text.len() - trailing(self.text, is_word).len();
        // The namespaces of a function are a part of its name.
        while let Some(before) = self.text[..start].strip_suffix("::") {
            start = before.len() - trailing(before, is_word).len();
        }
        let mut word = start..self.text.len();
        let at = match self.frames.last() {
            _ if self.comment => At::Text,
            Some(Frame::Quote) if self.attribute.is_none() && self.in_header() => {
                word.start = self.text.rfind('"').map_or(start, |quote| quote + 1);
                let mut words = self.words.clone();
                words.pop();
                At::Label(opened(&words))
            }
            Some(Frame::Quote | Frame::Heredoc(_)) => At::Text,
            Some(Frame::Bracket) => self.value(start),
            _ if self.attribute.is_some() => self.value(start),
            _ if self.words.is_empty() || (self.words.len() == 1 && !word.is_empty()) => At::Name,
            _ => At::Text,
        };
        let blocks = self.frames.into_iter().filter_map(|frame| match frame {
            Frame::Block(opened) => Some(opened),
            _ => None,
        });
        Cursor {
            blocks: blocks.collect(),
            at,
            word,
        }
    }

    /// Whether an open quote begins a label: it stands in a block or the file itself.
    fn in_header(&self) -> bool {
        let around = self.frames.len().checked_sub(2);
        let around = around.and_then(|around| self.frames.get(around));
        matches!(around, None | Some(Frame::Block(_))) && !self.words.is_empty()
    }

    fn value(&self, start: usize) -> At {
        At::Value {
            attribute: self.attribute.clone(),
            path: path_before(&self.text[..start]),
        }
    }
}

fn opened(words: &[String]) -> Opened {
    let (kind, labels) = words
        .split_first()
        .map_or_else(Default::default, |(k, l)| (k.clone(), l.to_vec()));
    Opened { kind, labels }
}

/// The name of a heredoc that begins here.
fn heredoc(text: &str) -> Option<&str> {
    let name = text.strip_prefix("<<")?;
    let name = name.strip_prefix('-').unwrap_or(name);
    let name = name.lines().next()?.trim_end();
    (!name.is_empty() && name.chars().all(is_word)).then_some(name)
}

/// The longest end of a text of these characters.
fn trailing(text: &str, belongs: fn(char) -> bool) -> &str {
    &text[text.trim_end_matches(belongs).len()..]
}

/// The names of a reference that the text ends in, as `zone`, `west` in `zone.west[0].`
fn path_before(text: &str) -> Vec<String> {
    let mut path = Vec::new();
    let mut rest = text;
    while let Some(before) = rest.strip_suffix('.') {
        rest = without_indices(before);
        let name = trailing(rest, is_word);
        if name.is_empty() {
            return Vec::new();
        }
        path.push(name.to_owned());
        rest = &rest[..rest.len() - name.len()];
    }
    path.reverse();
    path
}

/// A text without the `[…]` that it ends in.
fn without_indices(text: &str) -> &str {
    let mut rest = text;
    while rest.ends_with(']') {
        let mut depth = 0_usize;
        let open = rest.char_indices().rev().find(|(_, c)| {
            match c {
                ']' => depth += 1,
                '[' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let Some((open, _)) = open else { return rest };
        rest = &rest[..open];
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::{At, at};

    /// What stands at the `|` of a text.
    fn shown(marked: &str) -> String {
        let offset = marked.find('|').unwrap();
        let text = marked.replacen('|', "", 1);
        let cursor = at(&text, offset);
        let blocks: Vec<String> = cursor
            .blocks
            .iter()
            .map(|block| format!("{}{:?}", block.kind, block.labels))
            .collect();
        let word = &text[cursor.word];
        let at = match cursor.at {
            At::Name => "name".to_owned(),
            At::Label(of) => format!("label of {}{:?}", of.kind, of.labels),
            At::Value { attribute, path } => {
                format!("value of {} {path:?}", attribute.unwrap_or_default())
            }
            At::Text => return "text".to_owned(),
        };
        format!("{} {at} {word:?}", blocks.join(" "))
    }

    #[test]
    fn every_place_is_told() {
        for (marked, expected) in [
            ("|", " name \"\""),
            ("va|", " name \"va\""),
            ("a = 1\nva|", " name \"va\""),
            ("resource \"|", " label of resource[] \"\""),
            ("resource \"a.b|\" \"x\" {}", " label of resource[] \"a.b\""),
            ("resource \"t\" \"n|", " label of resource[\"t\"] \"n\""),
            ("zone \"w\" {\n  re|", "zone[\"w\"] name \"re\""),
            ("zone \"w\" {\n  a = 1\n  |\n}", "zone[\"w\"] name \"\""),
            (
                "model \"m\" {\n  serve {\n    |",
                "model[\"m\"] serve[] name \"\"",
            ),
            (
                "model \"m\" {\n  serve {\n  }\n  |",
                "model[\"m\"] name \"\"",
            ),
            (
                "zone \"w\" {\n  region = v|",
                "zone[\"w\"] value of region [] \"v\"",
            ),
            (
                "zone \"w\" {\n  region = var.|",
                "zone[\"w\"] value of region [\"var\"] \"\"",
            ),
            (
                "locals {\n  a = [\n    local.b|",
                "locals[] value of a [\"local\"] \"b\"",
            ),
            (
                "locals {\n  a = { b = zone.w.|",
                "locals[] value of a [\"zone\", \"w\"] \"\"",
            ),
            (
                "locals {\n  a = \"x ${var.|",
                "locals[] value of a [\"var\"] \"\"",
            ),
            (
                "locals {\n  a = \"${f(\"}\")} ${var.|",
                "locals[] value of a [\"var\"] \"\"",
            ),
            (
                "locals {\n  a = <<-E\n  ${var.x|",
                "locals[] value of a [\"var\"] \"x\"",
            ),
            (
                "locals {\n  a = <<E\n{\nE\n  b = |",
                "locals[] value of b [] \"\"",
            ),
            (
                "output \"o\" {\n  value = module.m[var.k[0]].|",
                "output[\"o\"] value of value [\"module\", \"m\"] \"\"",
            ),
            (
                "output \"o\" {\n  value = a.b[*].c|",
                "output[\"o\"] value of value [\"a\", \"b\"] \"c\"",
            ),
            (
                "locals {\n  a = provider::x::f|",
                "locals[] value of a [] \"provider::x::f\"",
            ),
            ("a \"x\" { b = 1 }\nc|", " name \"c\""),
            ("a = { # }\n  b = 1\n}\n|", " name \"\""),
            ("a = \"x\n|", " name \"\""),
        ] {
            assert_eq!(shown(marked), expected, "{marked}");
        }
        for text in [
            "a = \"x|",
            "# va|",
            "a = 1 // b|",
            "/* a|",
            "a = <<E\nx|",
            "a \"b\" c |",
        ] {
            assert_eq!(shown(text), "text", "{text}");
        }
    }

    #[test]
    fn every_byte_of_any_text_is_some_place() {
        let text = "}}]) \"\\\"ü${ %{ <<E\n<<- = {\n\"[].a..b[[ /* */ # \n E ${";
        for (offset, _) in text.char_indices() {
            at(text, offset);
        }
    }
}
