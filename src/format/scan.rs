//! Text to tokens.
//!
//! The text has been parsed before, so that whatever stands here stands for something; what
//! does not is taken as an operator of one character, and nothing is ever refused.

use super::token::{Bracket, Kind, Token};

/// The tokens with one spelling; one that begins like another stands before it.
const FIXED: [(&str, Kind); 32] = [
    ("...", Kind::Ellipsis),
    ("::", Kind::DoubleColon),
    ("=>", Kind::Arrow),
    ("==", Kind::Operator),
    ("!=", Kind::Operator),
    ("<=", Kind::Operator),
    (">=", Kind::Operator),
    ("&&", Kind::Operator),
    ("||", Kind::Operator),
    ("\r\n", Kind::Newline),
    ("\n", Kind::Newline),
    ("(", Kind::Open(Bracket::Round)),
    ("[", Kind::Open(Bracket::Square)),
    ("{", Kind::Open(Bracket::Curly)),
    (")", Kind::Close(Bracket::Round)),
    ("]", Kind::Close(Bracket::Square)),
    ("}", Kind::Close(Bracket::Curly)),
    ("\"", Kind::OpenQuote),
    ("=", Kind::Equal),
    (",", Kind::Comma),
    (".", Kind::Dot),
    (":", Kind::Colon),
    ("?", Kind::Question),
    ("!", Kind::Not),
    ("-", Kind::Minus),
    ("+", Kind::Operator),
    ("*", Kind::Operator),
    ("/", Kind::Operator),
    ("%", Kind::Operator),
    ("<", Kind::Operator),
    (">", Kind::Operator),
    ("~", Kind::Operator),
];

/// What the text at a place is part of.
#[derive(Debug, Clone, Copy)]
enum Mode<'a> {
    /// The file as a whole.
    File,
    /// An expression or a directive in a template, with how many curly brackets are open in it.
    Sequence { open: usize },
    /// A template between quotes.
    Quoted,
    /// A heredoc, up to the line that has nothing but its marker.
    Heredoc { marker: &'a str },
}

/// All tokens of a text, the last of them its end.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut scanner = Scanner {
        rest: text,
        modes: Vec::new(),
        tokens: Vec::new(),
    };
    while !scanner.rest.is_empty() {
        match scanner.mode() {
            Mode::File | Mode::Sequence { .. } => scanner.code(),
            Mode::Quoted => scanner.quoted(),
            Mode::Heredoc { marker } => scanner.heredoc(marker),
        }
    }
    if !matches!(scanner.tokens.last(), Some(last) if last.kind == Kind::End) {
        scanner.tokens.push(Token::new(Kind::End, ""));
    }
    scanner.tokens
}

struct Scanner<'a> {
    rest: &'a str,
    /// The innermost mode is last; the file itself is not in it.
    modes: Vec<Mode<'a>>,
    tokens: Vec<Token<'a>>,
}

impl<'a> Scanner<'a> {
    fn mode(&self) -> Mode<'a> {
        self.modes.last().copied().unwrap_or(Mode::File)
    }

    /// Takes the next `length` bytes as a token.
    fn take(&mut self, kind: Kind, length: usize) {
        let (text, rest) = self.rest.split_at(length);
        if !text.is_empty() {
            self.tokens.push(Token::new(kind, text));
        }
        self.rest = rest;
    }

    /// Takes one token outside of literal text, and the space before it.
    fn code(&mut self) {
        let trimmed = self.rest.trim_start_matches([' ', '\t']);
        if trimmed.is_empty() {
            // Nothing stands behind it that the passes could put in its place.
            let mut end = Token::new(Kind::End, "");
            end.spaces = self.rest.len();
            self.tokens.push(end);
        }
        self.rest = trimmed;
        let Some(first) = self.rest.chars().next() else {
            return;
        };
        if let Some(length) = comment(self.rest) {
            self.take(Kind::Comment, length);
        } else if let Some((length, marker)) = heredoc(self.rest) {
            self.take(Kind::OpenHeredoc, length);
            self.modes.push(Mode::Heredoc { marker });
            self.close_heredoc(marker);
        } else if first.is_ascii_digit() {
            self.take(Kind::Number, number(self.rest));
        } else if begins_name(first) {
            self.take(Kind::Identifier, name(self.rest));
        } else {
            self.symbol(first);
        }
    }

    /// Takes a token of [`FIXED`] and begins or ends the mode that it stands for.
    fn symbol(&mut self, first: char) {
        if let Some(Mode::Sequence { open: 0 }) = self.modes.last()
            && let Some(end) = ["}", "~}"].iter().find(|end| self.rest.starts_with(**end))
        {
            self.modes.pop();
            self.take(Kind::CloseSequence, end.len());
            return;
        }
        let found = FIXED.iter().find(|(text, _)| self.rest.starts_with(text));
        let (length, kind) = found.map_or((first.len_utf8(), Kind::Operator), |(text, kind)| {
            (text.len(), *kind)
        });
        match (kind, self.modes.last_mut()) {
            (Kind::OpenQuote, _) => self.modes.push(Mode::Quoted),
            (Kind::Open(Bracket::Curly), Some(Mode::Sequence { open })) => *open += 1,
            (Kind::Close(Bracket::Curly), Some(Mode::Sequence { open })) => *open -= 1,
            _ => {}
        }
        self.take(kind, length);
    }

    /// Takes literal text between quotes and what ends it.
    fn quoted(&mut self) {
        let mut length = 0;
        loop {
            let rest = &self.rest[length..];
            if rest.starts_with('"') {
                self.take(Kind::Literal, length);
                self.take(Kind::CloseQuote, 1);
                self.modes.pop();
                return;
            }
            if opens_sequence(rest) {
                return self.sequence(length);
            }
            let step = match escape(rest) {
                Some(escape) => escape,
                None if rest.starts_with('\\') => {
                    1 + rest[1..].chars().next().map_or(0, char::len_utf8)
                }
                None => rest.chars().next().map_or(0, char::len_utf8),
            };
            if step == 0 {
                return self.take(Kind::Literal, length);
            }
            length += step;
        }
    }

    /// Takes literal text of a heredoc and what ends it.
    fn heredoc(&mut self, marker: &str) {
        let mut length = 0;
        loop {
            let rest = &self.rest[length..];
            if opens_sequence(rest) {
                return self.sequence(length);
            }
            let step = match (escape(rest), rest.chars().next()) {
                (Some(escape), _) => escape,
                (None, Some(character)) => character.len_utf8(),
                (None, None) => return self.take(Kind::Literal, length),
            };
            length += step;
            if rest.starts_with('\n') {
                self.take(Kind::Literal, length);
                return self.close_heredoc(marker);
            }
        }
    }

    /// Ends a heredoc where the line that begins here does.
    fn close_heredoc(&mut self, marker: &str) {
        let line = self.rest.lines().next().unwrap_or_default();
        if line.trim() == marker {
            self.modes.pop();
            self.take(Kind::CloseHeredoc, line.len());
        }
    }

    /// Takes literal text and the beginning of a sequence behind it.
    fn sequence(&mut self, literal: usize) {
        self.take(Kind::Literal, literal);
        let trims = self.rest[2..].starts_with('~');
        self.take(Kind::OpenSequence, 2 + usize::from(trims));
        self.modes.push(Mode::Sequence { open: 0 });
    }
}

fn opens_sequence(rest: &str) -> bool {
    rest.starts_with("${") || rest.starts_with("%{")
}

/// The length of a doubled sign, which stands for the beginning of no sequence.
fn escape(rest: &str) -> Option<usize> {
    let doubled = ["$${", "%%{"];
    doubled
        .iter()
        .any(|text| rest.starts_with(text))
        .then_some(3)
}

/// The length of the comment that begins here.
fn comment(rest: &str) -> Option<usize> {
    if rest.starts_with('#') || rest.starts_with("//") {
        return Some(rest.find('\n').map_or(rest.len(), |end| end + 1));
    }
    let inside = rest.strip_prefix("/*")?;
    Some(inside.find("*/").map_or(rest.len(), |end| end + 4))
}

/// The length of the line that begins a heredoc here, and the marker that ends it.
fn heredoc(rest: &str) -> Option<(usize, &str)> {
    let inside = rest.strip_prefix("<<")?;
    let inside = inside.strip_prefix('-').unwrap_or(inside);
    let end = inside.find('\n')?;
    let marker = inside[..end].trim();
    let is_name = marker.starts_with(begins_name) && name(marker) == marker.len();
    is_name.then_some((rest.len() - inside.len() + end + 1, marker))
}

fn begins_name(character: char) -> bool {
    character == '_' || unicode_ident::is_xid_start(character)
}

/// The length of the name that begins here.
fn name(rest: &str) -> usize {
    let goes_on = |c: char| c == '-' || unicode_ident::is_xid_continue(c);
    rest.find(|c| !goes_on(c)).unwrap_or(rest.len())
}

/// The length of the number that begins here.
fn number(rest: &str) -> usize {
    let digits = |from: usize| {
        let rest = &rest[from..];
        let end = rest.find(|c: char| !c.is_ascii_digit());
        end.unwrap_or(rest.len())
    };
    let mut length = digits(0);
    if rest[length..].starts_with('.') && digits(length + 1) > 0 {
        length += 1 + digits(length + 1);
    }
    if rest[length..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[length + 1..].starts_with(['+', '-']));
        let exponent = digits(length + 1 + sign);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::tokens;

    fn texts(text: &str) -> Vec<String> {
        let tokens = tokens(text);
        tokens.iter().map(|t| t.text.clone().into_owned()).collect()
    }

    #[test]
    fn templates_nest_in_templates() {
        let text = "\"a$${b}${ {c=\"${d}\"} ~}%{if e}\"";
        let expected = [
            "\"", "a$${b}", "${", "{", "c", "=", "\"", "${", "d", "}", "\"", "}", "~}", "%{", "if",
            "e", "}", "\"", "",
        ];
        assert_eq!(texts(text), expected);
    }

    #[test]
    fn a_heredoc_ends_at_the_line_with_nothing_but_its_marker() {
        let text = "a = <<-E\n  E x\n ${b}E\n  E \nc";
        let expected = [
            "a", "=", "<<-E\n", "  E x\n", " ", "${", "b", "}", "E\n", "  E ", "\n", "c", "",
        ];
        assert_eq!(texts(text), expected);
        assert_eq!(texts("<<E\nE\n"), ["<<E\n", "E", "\n", ""]);
    }

    #[test]
    fn whatever_the_text_is_no_byte_is_lost() {
        for text in [
            "\"", "\"\\", "\"${", "<<E\n", "<<E\n${", "/*", "/*/", "1.e", "1e+x", "}~}", "\u{0}é",
        ] {
            assert_eq!(texts(text).concat(), text, "{text:?}");
        }
    }
}
