//! The pieces that a text is laid out from.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;

/// What a token is, as far as the layout cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The end of a line, unless a comment or a heredoc has it.
    Newline,
    /// A comment; one that begins with `#` or `//` has the end of its line.
    Comment,
    /// A name or a keyword.
    Identifier,
    /// A number.
    Number,
    /// `(`, `[` or `{`.
    Open(Bracket),
    /// `)`, `]` or `}`.
    Close(Bracket),
    /// `${` or `%{`, with its trim marker.
    OpenSequence,
    /// The `}` of a sequence, with its trim marker.
    CloseSequence,
    /// The quote before a template.
    OpenQuote,
    /// The quote behind a template.
    CloseQuote,
    /// The first line of a heredoc, from `<<` to the end of the line.
    OpenHeredoc,
    /// The last line of a heredoc, without its end.
    CloseHeredoc,
    /// Literal text in a template, as it is written.
    Literal,
    /// `=`
    Equal,
    /// `,`
    Comma,
    /// `.`
    Dot,
    /// `...`
    Ellipsis,
    /// `:`
    Colon,
    /// `::`
    DoubleColon,
    /// `?`
    Question,
    /// `=>`
    Arrow,
    /// `!`
    Not,
    /// `-`
    Minus,
    /// Any other operator with two operands.
    Operator,
    /// The end of the text.
    End,
}

/// The shapes of brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bracket {
    /// `()`
    Round,
    /// `[]`
    Square,
    /// `{}`
    Curly,
}

/// A piece of a text and the space before it.
#[derive(Debug, Clone)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: Cow<'a, str>,
    /// How many spaces stand before it, on its line.
    pub(super) spaces: usize,
}

impl<'a> Token<'a> {
    pub(super) fn new(kind: Kind, text: impl Into<Cow<'a, str>>) -> Self {
        Self {
            kind,
            text: text.into(),
            spaces: 0,
        }
    }

    /// How many more brackets are open behind it than before it.
    pub(super) const fn nesting(&self) -> isize {
        match self.kind {
            Kind::Open(_) | Kind::OpenSequence => 1,
            Kind::Close(_) | Kind::CloseSequence => -1,
            _ => 0,
        }
    }

    /// Whether the next token stands on a new line.
    pub(super) fn ends_line(&self) -> bool {
        match self.kind {
            Kind::Newline => true,
            Kind::Comment => self.text.ends_with('\n'),
            _ => false,
        }
    }

    /// How many characters it takes, the spaces before it included, as a reader counts them.
    pub(super) fn width(&self) -> usize {
        self.spaces + self.text.graphemes(true).count()
    }
}

/// How many more brackets are open behind some tokens than before them.
pub(super) fn nesting(tokens: &[Token<'_>]) -> isize {
    tokens.iter().map(Token::nesting).sum()
}

/// How many characters some tokens take on their line.
pub(super) fn width(tokens: &[Token<'_>]) -> usize {
    tokens.iter().map(Token::width).sum()
}
