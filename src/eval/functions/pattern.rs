//! Regular expressions in the syntax of RE2, translated to that of the `regex` crate.
//!
//! The differences: `\d`, `\w`, `\s` and `\b` know ASCII only; a class has neither classes nor
//! operators in it; any punctuation may be escaped; braces that are no repetition stand for
//! themselves; names of groups may begin with digits and come twice.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;

/// The most repetitions that a pattern may ask for.
const MOST_REPETITIONS: u32 = 1000;

/// A regular expression with the names of its groups.
pub(super) struct Pattern {
    pub(super) regex: Regex,
    /// The names of the groups by position; the whole match, which has none, is left out.
    pub(super) groups: Vec<Option<String>>,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader {
            rest: text.chars().peekable(),
            result: String::new(),
            groups: Vec::new(),
        };
        reader
            .expression()
            .map_err(|reason| format!("{text:?} is not a regular expression: {reason}"))?;
        let regex = Regex::new(&reader.result).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "the regular expression is too large".to_owned(),
            other => {
                let reason = other.to_string();
                let reason = reason.lines().last().unwrap_or_default();
                let reason = reason.trim_start_matches("error: ").to_owned();
                format!("{text:?} is not a regular expression: {reason}")
            }
        })?;
        Ok(Self {
            regex,
            groups: reader.groups,
        })
    }
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    result: String,
    groups: Vec<Option<String>>,
}

impl Reader<'_> {
    fn expression(&mut self) -> Result<(), String> {
        let mut repeated = false;
        while let Some(character) = self.rest.next() {
            let repetition = match character {
                '*' | '+' | '?' => {
                    self.result.push(character);
                    true
                }
                '{' => self.braces()?,
                '\\' => {
                    self.escape()?;
                    false
                }
                '[' => {
                    self.class()?;
                    false
                }
                '(' => {
                    self.group()?;
                    false
                }
                '}' | ']' => {
                    self.literal(character);
                    false
                }
                other => {
                    self.result.push(other);
                    false
                }
            };
            if repetition {
                if repeated {
                    return Err("a repetition of a repetition".to_owned());
                }
                if self.rest.next_if_eq(&'?').is_some() {
                    self.result.push('?');
                }
            }
            repeated = repetition;
        }
        Ok(())
    }

    /// A character that stands for itself.
    fn literal(&mut self, character: char) {
        // Writing to a text cannot fail.
        let _ = write!(self.result, "\\x{{{:X}}}", u32::from(character));
    }

    /// Text behind `{`: a repetition, or else the brace itself.
    fn braces(&mut self) -> Result<bool, String> {
        let inside: String = self.rest.clone().take_while(|c| *c != '}').collect();
        let closed = self.rest.clone().any(|c| c == '}');
        let (least, most) = inside.split_once(',').unwrap_or((&inside, &inside));
        let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        if !closed || least.is_empty() || !digits(least) || !digits(most) {
            self.literal('{');
            return Ok(false);
        }
        let count = |text: &str| match text.parse::<u32>() {
            Ok(count) if count <= MOST_REPETITIONS => Ok(count),
            _ => Err(format!(
                "{{{inside}}} asks for more than {MOST_REPETITIONS} repetitions"
            )),
        };
        if !most.is_empty() && count(most)? < count(least)? {
            return Err(format!("{{{inside}}} ends before it begins"));
        }
        count(least)?;
        for _ in 0..=inside.chars().count() {
            self.rest.next();
        }
        let _ = write!(self.result, "{{{inside}}}");
        Ok(true)
    }

    /// Text behind `(`.
    fn group(&mut self) -> Result<(), String> {
        self.result.push('(');
        if self.rest.next_if_eq(&'?').is_none() {
            self.groups.push(None);
            return Ok(());
        }
        let ahead: String = self.rest.clone().take(2).collect();
        if ahead == "P<" || ahead.starts_with('<') {
            for _ in 0..=usize::from(ahead == "P<") {
                self.rest.next();
            }
            return self.group_name();
        }
        let flags: String = self
            .rest
            .clone()
            .take_while(|c| !":)".contains(*c))
            .collect();
        let known = flags.chars().all(|flag| "imsU-".contains(flag));
        if !known || flags.ends_with('-') {
            return Err(format!("(?{flags} is not known"));
        }
        self.result.push('?');
        Ok(())
    }

    fn group_name(&mut self) -> Result<(), String> {
        let mut name = String::new();
        for character in self.rest.by_ref() {
            if character == '>' && !name.is_empty() {
                self.groups.push(Some(name));
                return Ok(());
            }
            if !character.is_ascii_alphanumeric() && character != '_' {
                break;
            }
            name.push(character);
        }
        Err("a group has no valid name".to_owned())
    }

    /// Text behind `\`, outside of a class.
    fn escape(&mut self) -> Result<(), String> {
        match self.rest.peek() {
            Some('b' | 'B') => {
                let letter = self.rest.next().unwrap_or('b');
                let _ = write!(self.result, "(?-u:\\{letter})");
            }
            Some(letter @ ('A' | 'z')) => {
                let _ = write!(self.result, "\\{letter}");
                self.rest.next();
            }
            Some('Q') => {
                self.rest.next();
                while let Some(character) = self.rest.next() {
                    if character == '\\' && self.rest.next_if_eq(&'E').is_some() {
                        break;
                    }
                    self.literal(character);
                }
            }
            _ => {
                if let Some(class) = self.known_class()? {
                    self.result.push_str(&class);
                } else {
                    let character = self.character()?;
                    self.literal(character);
                }
            }
        }
        Ok(())
    }

    /// A class of characters behind `\`, if there is one.
    fn known_class(&mut self) -> Result<Option<String>, String> {
        let class = match self.rest.peek() {
            Some('d') => "[0-9]",
            Some('D') => "[^0-9]",
            Some('s') => "[\\t\\n\\f\\r ]",
            Some('S') => "[^\\t\\n\\f\\r ]",
            Some('w') => "[0-9A-Za-z_]",
            Some('W') => "[^0-9A-Za-z_]",
            Some('p' | 'P') => return self.unicode_class().map(Some),
            _ => return Ok(None),
        };
        self.rest.next();
        Ok(Some(class.to_owned()))
    }

    /// `p{Greek}`, `pL`, `P{^L}`.
    fn unicode_class(&mut self) -> Result<String, String> {
        let mut negated = self.rest.next() == Some('P');
        let mut name = String::new();
        match self.rest.next() {
            Some('{') => {
                if self.rest.next_if_eq(&'^').is_some() {
                    negated = !negated;
                }
                loop {
                    match self.rest.next() {
                        Some('}') => break,
                        Some(c) if c.is_ascii_alphanumeric() || c == '_' => name.push(c),
                        _ => return Err("a \\p{ is not closed".to_owned()),
                    }
                }
            }
            Some(letter) if letter.is_ascii_alphabetic() => name.push(letter),
            _ => return Err("\\p has no name".to_owned()),
        }
        let letter = if negated { 'P' } else { 'p' };
        Ok(format!("\\{letter}{{{name}}}"))
    }

    /// The character that an escape stands for.
    fn character(&mut self) -> Result<char, String> {
        let character = self
            .rest
            .next()
            .ok_or_else(|| "it ends with a backslash".to_owned())?;
        match character {
            'a' => Ok('\x07'),
            'f' => Ok('\x0c'),
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            'v' => Ok('\x0b'),
            'x' => self.hexadecimal(),
            '0' => self.octal(0),
            // One digit alone would refer back to a group, which RE2 cannot do.
            '1'..='7' if self.rest.peek().is_some_and(|c| ('0'..='7').contains(c)) => {
                self.octal(character.to_digit(8).unwrap_or(0))
            }
            other if other.is_ascii_punctuation() || other == ' ' => Ok(other),
            other => Err(format!("\\{other} means nothing")),
        }
    }

    fn octal(&mut self, first: u32) -> Result<char, String> {
        let mut code = first;
        for _ in 0..2 {
            let digit = self.rest.peek().and_then(|digit| digit.to_digit(8));
            let Some(digit) = digit else { break };
            code = code * 8 + digit;
            self.rest.next();
        }
        char::from_u32(code).ok_or_else(|| "there is no such character".to_owned())
    }

    fn hexadecimal(&mut self) -> Result<char, String> {
        let digits: String = if self.rest.next_if_eq(&'{').is_some() {
            let digits = self.rest.by_ref().take_while(|c| *c != '}');
            digits.collect()
        } else {
            self.rest.by_ref().take(2).collect()
        };
        let code = u32::from_str_radix(&digits, 16).ok();
        code.and_then(char::from_u32)
            .ok_or_else(|| format!("\\x{digits} is no character"))
    }

    /// Text behind `[`.
    fn class(&mut self) -> Result<(), String> {
        self.result.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.result.push('^');
        }
        let mut first = true;
        loop {
            let unclosed = || "a [ is not closed".to_owned();
            let character = self.rest.next().ok_or_else(unclosed)?;
            match character {
                ']' if !first => break,
                '[' if self.rest.peek() == Some(&':') && self.named_class() => {}
                '\\' => match self.known_class()? {
                    Some(class) => self.result.push_str(&class),
                    None => {
                        let from = self.character()?;
                        self.range(from)?;
                    }
                },
                other => self.range(other)?,
            }
            first = false;
        }
        self.result.push(']');
        Ok(())
    }

    /// `[:alpha:]` in a class, if it is one.
    fn named_class(&mut self) -> bool {
        let text: String = self.rest.clone().collect();
        let Some((name, _)) = text[1..].split_once(":]") else {
            return false;
        };
        let letters = name.strip_prefix('^').unwrap_or(name);
        if !letters.chars().all(|c| c.is_ascii_lowercase()) {
            return false;
        }
        let _ = write!(self.result, "[:{name}:]");
        for _ in 0..name.len() + 3 {
            self.rest.next();
        }
        true
    }

    /// One character of a class, or a range that begins with it.
    fn range(&mut self, from: char) -> Result<(), String> {
        self.literal(from);
        let mut ahead = self.rest.clone();
        let is_range = ahead.next() == Some('-') && ahead.next().is_some_and(|c| c != ']');
        if !is_range {
            return Ok(());
        }
        self.rest.next();
        let to = match self.rest.next() {
            Some('\\') => self.character()?,
            Some(other) => other,
            None => return Err("a [ is not closed".to_owned()),
        };
        if to < from {
            return Err(format!("the range {from}-{to} ends before it begins"));
        }
        self.result.push('-');
        self.literal(to);
        Ok(())
    }
}
