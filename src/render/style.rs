//! How text is drawn: in which width, and with colour or without.

use std::fmt;

use anstyle::{AnsiColor, Effects};
use textwrap::Options;

/// Whether text has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// ANSI escape sequences around what is emphasised.
    Always,
    /// Text only.
    Never,
}

/// How text is drawn. Colour only repeats what the text says without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether there are colours.
    pub colour: Colour,
    /// Columns of the terminal; prose is wrapped to them, values are not.
    pub width: usize,
}

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Something that is made.
    Added,
    /// Something that is changed.
    Changed,
    /// Something that is destroyed.
    Removed,
    /// Something of less importance.
    Dim,
    /// Something of more importance.
    Bold,
    /// An error.
    Error,
    /// A warning.
    Warning,
}

/// The narrowest column that prose is wrapped to; narrower ones could not be read.
const NARROWEST: usize = 20;

impl Style {
    /// Without colours.
    #[must_use]
    pub const fn plain(width: usize) -> Self {
        Self {
            colour: Colour::Never,
            width,
        }
    }

    /// A piece of text, drawn as what it is.
    #[must_use]
    pub fn paint(&self, role: Role, text: impl fmt::Display) -> String {
        match self.colour {
            Colour::Never => text.to_string(),
            Colour::Always => {
                let style = ansi(role);
                format!("{style}{text}{style:#}")
            }
        }
    }

    /// Lines of prose that leave `margin` columns free; lines that begin with a blank, such as
    /// code, stay whole.
    #[must_use]
    pub fn wrap(&self, text: &str, margin: usize) -> Vec<String> {
        let width = self.width.saturating_sub(margin).max(NARROWEST);
        let options = Options::new(width).break_words(false);
        text.lines()
            .flat_map(|line| match line.starts_with([' ', '\t']) {
                true => vec![line.to_owned()],
                false => textwrap::wrap(line, &options)
                    .into_iter()
                    .map(std::borrow::Cow::into_owned)
                    .collect(),
            })
            .collect()
    }
}

fn ansi(role: Role) -> anstyle::Style {
    match role {
        Role::Added => AnsiColor::Green.on_default(),
        Role::Changed => AnsiColor::Yellow.on_default(),
        Role::Removed => AnsiColor::Red.on_default(),
        Role::Dim => Effects::DIMMED.into(),
        Role::Bold => Effects::BOLD.into(),
        Role::Error => AnsiColor::Red.on_default() | Effects::BOLD,
        Role::Warning => AnsiColor::Yellow.on_default() | Effects::BOLD,
    }
}

/// Text with every control character but the line feed written out, so that a value cannot steer
/// the terminal.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push('\n'),
            '\t' => shown.push_str("    "),
            control if control.is_control() => shown.extend(control.escape_unicode()),
            other => shown.push(other),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{Colour, Role, Style, visible};

    #[test]
    fn colour_only_wraps_the_text() {
        let coloured = Style {
            colour: Colour::Always,
            width: 80,
        };
        assert_eq!(coloured.paint(Role::Added, "+"), "\u{1b}[32m+\u{1b}[0m");
        assert_eq!(Style::plain(80).paint(Role::Added, "+"), "+");
    }

    #[test]
    fn prose_is_wrapped_and_code_is_not() {
        let lines = Style::plain(24).wrap(
            "some words that do not fit\n  code that does not fit at all",
            0,
        );
        assert_eq!(
            lines,
            [
                "some words that do not",
                "fit",
                "  code that does not fit at all"
            ]
        );
    }

    #[test]
    fn escape_sequences_do_not_reach_the_terminal() {
        assert_eq!(visible("a\u{1b}[31mb\tc\n"), "a\\u{1b}[31mb    c\n");
    }
}
