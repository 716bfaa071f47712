//! Text to the same text in the one layout that everybody's files have.
//!
//! The layout is that of `terraform fmt`. It works on tokens, not on the syntax tree, so that
//! every comment stays where it is:
//!
//! 1. `scan` splits the text into tokens and forgets the white space between them;
//! 2. `idiom` rewrites the few spellings that are out of date;
//! 3. `line` sorts the tokens into lines, and each line into cells;
//! 4. the passes over the lines decide how many spaces stand before each token: `indent`,
//!    `spacing`, `align`.

mod align;
mod idiom;
mod indent;
mod label;
mod line;
mod scan;
mod spacing;
mod token;

use std::sync::Arc;

use isobar_sdk::Diagnostics;

use self::line::Line;
use crate::language::parse_file;

/// What sets the spaces between tokens, in this order: each rests on those before it.
const PASSES: [fn(&mut [Line<'_>]); 3] = [indent::apply, spacing::apply, align::apply];

/// The text of a file in the common layout.
///
/// The result means what `text` means, has all of its comments, and is left as it is by
/// another call. Line ends stay as they are; a byte order mark goes.
///
/// # Errors
/// What is wrong with the text: only what is understood can be laid out.
pub fn format(name: &Arc<str>, text: &str) -> Result<String, Diagnostics> {
    let (_, diagnostics) = parse_file(name, text);
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    Ok(layout(text.strip_prefix('\u{feff}').unwrap_or(text)))
}

fn layout(text: &str) -> String {
    let mut lines = line::split(idiom::modernise(scan::tokens(text)));
    for pass in PASSES {
        pass(&mut lines);
    }
    let mut formatted = String::with_capacity(text.len());
    for token in lines.iter().flat_map(Line::tokens) {
        formatted.extend(std::iter::repeat_n(' ', token.spaces));
        formatted.push_str(&token.text);
    }
    formatted
}

#[cfg(test)]
mod tests {
    use super::{format, layout};

    #[test]
    fn what_is_not_understood_is_told_and_not_laid_out() {
        let diagnostics = format(&"main.hcl".into(), "a = [\nb  = 1\n").unwrap_err();
        assert!(diagnostics.has_errors());
    }

    #[test]
    fn nothing_is_lost_where_terraform_loses_it() {
        for (text, expected) in [
            ("a /* b */ c {}\n", "a /* b */ \"c\" {}\n"),
            ("a \"$5 100%\" {}\n", "a \"$5 100%\" {}\n"),
            ("a \"$${b}\" {}\n", "a \"$${b}\" {}\n"),
            ("a=\"${# b\nc}\"\n", "a = \"${ # b\nc}\"\n"),
            ("a=\"${\"${b}\"}\"\n", "a = b\n"),
        ] {
            assert_eq!(layout(text), expected);
        }
    }

    #[test]
    fn a_byte_order_mark_goes_and_a_missing_line_end_stays_missing() {
        let formatted = format(&"main.hcl".into(), "\u{feff}a=1").unwrap();
        assert_eq!(formatted, "a = 1");
    }
}
