//! What backslashes and doubled signs in a text between quotes stand for.

use std::iter::Peekable;
use std::str::Chars;

/// The text that is written as `raw`, which the parser has found sound.
#[must_use]
pub fn quoted(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\\' => escaped(&mut rest, &mut text),
            '$' | '%' if doubled(character, &rest) => {
                rest.next();
                text.push(character);
            }
            other => text.push(other),
        }
    }
    text
}

/// Whether `$${` or `%%{` begins here.
fn doubled(sign: char, rest: &Peekable<Chars<'_>>) -> bool {
    let mut rest = rest.clone();
    rest.next() == Some(sign) && rest.next() == Some('{')
}

fn escaped(rest: &mut Peekable<Chars<'_>>, text: &mut String) {
    let character = match rest.next() {
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('u') => code(rest, 4),
        Some('U') => code(rest, 8),
        Some(itself) => itself,
        None => '\\',
    };
    text.push(character);
}

fn code(rest: &mut Peekable<Chars<'_>>, digits: usize) -> char {
    let digits: String = rest.by_ref().take(digits).collect();
    let code = u32::from_str_radix(&digits, 16).ok();
    code.and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn escapes_are_read() {
        for (raw, text) in [
            (r"a\nb\\n", "a\nb\\n"),
            (r#"\"\t\r"#, "\"\t\r"),
            (r"\u00e9\U0001f600", "é😀"),
            ("$${x} $$ %%{y} $${", "${x} $$ %{y} ${"),
        ] {
            assert_eq!(quoted(raw), text);
        }
    }
}
