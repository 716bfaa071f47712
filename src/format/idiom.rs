//! Spellings that are out of date to those of today.
//!
//! | was | is |
//! |---|---|
//! | `resource a "b" {` | `resource "a" "b" {` |
//! | `a = "${b}"` | `a = b` |
//! | `type = "string"`, `"list"`, `"map"` in a `variable` | `string`, `list(string)`, `map(string)` |
//! | `type = list`, `map`, `set` in a `variable` | `list(any)`, `map(any)`, `set(any)` |

use std::borrow::Cow;
use std::iter::Peekable;
use std::vec::IntoIter;

use super::label;
use super::token::{Bracket, Kind, Token};

/// Types that were written between quotes.
const QUOTED_TYPES: [(&str, &str); 3] = [
    ("string", "string"),
    ("list", "list(string)"),
    ("map", "map(string)"),
];

/// Types that were written without the type of their elements.
const BARE_TYPES: [(&str, &str); 3] = [
    ("list", "list(any)"),
    ("map", "map(any)"),
    ("set", "set(any)"),
];

/// Rewrites what is out of date.
pub(super) fn modernise(tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let mut reader = Reader {
        rest: tokens.into_iter().peekable(),
        blocks: Vec::new(),
        done: Vec::new(),
    };
    while let Some(token) = reader.rest.next() {
        match token.kind {
            Kind::Identifier => reader.statement(token),
            Kind::Close(_) => {
                reader.blocks.pop();
                reader.done.push(token);
            }
            _ => reader.done.push(token),
        }
    }
    reader.done
}

/// Walks through the bodies of a file, from one attribute or block to the next.
struct Reader<'a> {
    rest: Peekable<IntoIter<Token<'a>>>,
    /// The types of the blocks that are open, outermost first.
    blocks: Vec<Cow<'a, str>>,
    done: Vec<Token<'a>>,
}

impl<'a> Reader<'a> {
    /// Takes an attribute, or a block up to its opening bracket.
    fn statement(&mut self, name: Token<'a>) {
        let word = name.text.clone();
        self.done.push(name);
        while let Some(token) = self.rest.next() {
            match token.kind {
                Kind::Identifier => self.done.extend(quoted(token.text)),
                Kind::Literal => {
                    let text = label::plain(&token.text);
                    self.done.push(Token::new(Kind::Literal, text));
                }
                Kind::Equal => {
                    self.done.push(token);
                    return self.value(&word);
                }
                Kind::Open(_) => {
                    self.done.push(token);
                    return self.blocks.push(word);
                }
                _ => self.done.push(token),
            }
        }
    }

    /// Takes the value of an attribute.
    fn value(&mut self, name: &str) {
        let mut tokens = self.expression();
        let behind = match tokens.iter().rposition(|t| t.kind != Kind::Comment) {
            Some(last) => tokens.split_off(last + 1),
            None => Vec::new(),
        };
        let first = tokens.iter().position(|t| t.kind != Kind::Comment);
        let value = tokens.split_off(first.unwrap_or_default());
        self.done.append(&mut tokens);
        let is_type = name == "type" && self.blocks.len() == 1 && self.blocks[0] == "variable";
        let value = if is_type {
            spelt_out(value)
        } else {
            unwrapped(value)
        };
        self.done.extend(value);
        self.done.extend(behind);
    }

    /// The tokens up to the end of an attribute.
    fn expression(&mut self) -> Vec<Token<'a>> {
        let mut tokens = Vec::new();
        let mut depth = 0;
        let is_end = |token: &Token<'_>, depth: isize| {
            token.kind == Kind::End || depth == 0 && (token.ends_line() || token.nesting() < 0)
        };
        while let Some(token) = self.rest.next_if(|token| !is_end(token, depth)) {
            depth += token.nesting();
            tokens.push(token);
        }
        tokens
    }
}

/// A label between quotes.
fn quoted(text: Cow<'_, str>) -> [Token<'_>; 3] {
    [
        Token::new(Kind::OpenQuote, "\""),
        Token::new(Kind::Literal, text),
        Token::new(Kind::CloseQuote, "\""),
    ]
}

/// A type with everything that it stands for.
fn spelt_out(value: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let kinds: Vec<Kind> = value.iter().map(|token| token.kind).collect();
    let (word, table) = match kinds[..] {
        [Kind::Identifier] => (&value[0].text, BARE_TYPES),
        [Kind::OpenQuote, Kind::Literal, Kind::CloseQuote] => (&value[1].text, QUOTED_TYPES),
        _ => return value,
    };
    match table.iter().find(|(old, _)| old == word) {
        // Nothing in it is ever spaced: it may stand as one token.
        Some((_, new)) => vec![Token::new(Kind::Identifier, *new)],
        None => value,
    }
}

/// A value without the template around it, if there is nothing else in the template.
fn unwrapped(mut value: Vec<Token<'_>>) -> Vec<Token<'_>> {
    while let Some(inside) = sequence(&value) {
        let Some(bare) = standing(inside.to_vec()) else {
            break;
        };
        value = bare;
    }
    value
}

/// What is in the only sequence of a template between quotes.
fn sequence<'t, 'a>(value: &'t [Token<'a>]) -> Option<&'t [Token<'a>]> {
    let [open, begin, inside @ .., end, close] = value else {
        return None;
    };
    let kinds = [open.kind, begin.kind, end.kind, close.kind];
    let whole = [
        Kind::OpenQuote,
        Kind::OpenSequence,
        Kind::CloseSequence,
        Kind::CloseQuote,
    ];
    let mut quotes = 0_isize;
    let mut single = kinds == whole && begin.text.starts_with('$') && !inside.is_empty();
    for token in inside {
        match token.kind {
            Kind::OpenQuote => quotes += 1,
            Kind::CloseQuote => quotes -= 1,
            Kind::OpenSequence | Kind::CloseSequence if quotes == 0 => single = false,
            _ => {}
        }
    }
    single.then_some(inside)
}

/// An expression such that it can stand without anything around it: over several lines it
/// stands in round brackets. `None` where it cannot, because a comment would cut it off.
fn standing(mut inside: Vec<Token<'_>>) -> Option<Vec<Token<'_>>> {
    const ROUND: [Kind; 2] = [Kind::Open(Bracket::Round), Kind::Close(Bracket::Round)];
    let is_newline = |token: Option<&Token<'_>>| token.is_some_and(|t| t.kind == Kind::Newline);
    while is_newline(inside.last()) {
        inside.pop();
    }
    while is_newline(inside.first()) {
        inside.remove(0);
    }
    let ends = [inside.first()?.kind, inside.last()?.kind];
    if ends != ROUND && inside.iter().any(|token| token.kind == Kind::Newline) {
        inside.insert(0, Token::new(ROUND[0], "("));
        inside.push(Token::new(ROUND[1], ")"));
    }
    let mut depth = 0;
    let (_, before) = inside.split_last()?;
    for token in before {
        depth += token.nesting();
        if depth == 0 && token.ends_line() {
            return None;
        }
    }
    Some(inside)
}
