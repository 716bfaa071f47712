//! Text to [`Body`], going on behind what cannot be parsed.

use std::ops::Range;
use std::sync::Arc;

use isobar_sdk::diagnostic::sentence;
use isobar_sdk::{Diagnostic, Diagnostics, Fault, Span};
use rayon::prelude::*;

use super::body::Body;

use super::expression::Located;
use super::flaw::{self, Flaw};
use super::incomplete::{stray_return, without_comments, without_empty_heredocs};
use super::items::{self, Items};
use super::lower::Lowering;

/// The most mistakes in the syntax of one file that are reported.
const MOST_MISTAKES: usize = 100;

/// The least bytes of a text that are parsed on their own: small enough that the tree of a portion
/// stays in the cache of a processor.
const PORTION: usize = 4 << 10;
/// Less text than this is parsed on one processor: the others would take longer to begin.
const LITTLE: usize = 32 << 10;

/// Parses files, each as [`file`] does, on all processors.
#[must_use]
pub fn files(texts: &[(&Arc<str>, &Arc<str>)]) -> Vec<(Body, Diagnostics)> {
    let parse = |(name, text): &(&Arc<str>, &Arc<str>)| file(name, text);
    match texts.iter().map(|(_, text)| text.len()).sum::<usize>() {
        ..LITTLE => texts.iter().map(parse).collect(),
        _ => texts.par_iter().map(parse).collect(),
    }
}

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
    let portions = items::portions(plain, PORTION);
    if portions.len() > 1
        && let Some(body) = in_portions(name, plain, offset, portions)
    {
        return (body, Diagnostics::new());
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

/// Parses a text portion by portion on all processors, so that of the tree of the parser, sixty
/// times as large as its text, only parts are held at a time. `None` where something is wrong,
/// which the text as a whole tells better, and where an attribute may stand twice.
///
/// What is right in portions is right as a whole: each holds whole blocks and ends with a line.
fn in_portions(
    name: &Arc<str>,
    text: &str,
    offset: usize,
    portions: Vec<Range<usize>>,
) -> Option<Body> {
    let parse = |range: Range<usize>| {
        let part = &text[range.clone()];
        let body = hcl_edit::parser::parse_body(part).ok()?;
        let lowering = Lowering {
            // Spans share the name: a name for each portion keeps processors from counting its
            // uses in the same place.
            file: &Arc::from(&**name),
            text: part,
            offset: offset + range.start,
        };
        let sound = flaw::of_body(&body, part).is_none() && body.attributes().next().is_none();
        sound.then(|| lowering.body(&body))
    };
    let bodies: Option<Vec<Body>> = match text.len() {
        ..LITTLE => portions.into_iter().map(parse).collect(),
        _ => portions.into_par_iter().map(parse).collect(),
    };
    let blocks = bodies?.into_iter().flat_map(|body| body.blocks);
    Some(Body {
        attributes: Vec::new(),
        blocks: blocks.collect(),
    })
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
    let text = without_empty_heredocs(text);
    let text = without_comments(&text);
    // The parser takes nothing before an expression or behind it.
    let (offset, text) = (text.len() - text.trim_start().len(), text.trim());
    match hcl_edit::parser::parse_expr(text) {
        Ok(parsed) => match flaw::of_expression(&parsed, text) {
            Some(flaw) => Err(Box::new(flawed(name, flaw, offset))),
            None => Ok(Lowering {
                file: name,
                text,
                offset,
            }
            .located(&parsed)),
        },
        Err(error) => {
            // The parser counts bytes, and may stop within a character.
            let place = text.floor_char_boundary(error.location().offset());
            let start = offset + place;
            let span = Span::new(name, start..start + 1);
            Err(Box::new(invalid(error.message(), &text[place..], &span)))
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
            let start = error.location().offset();
            let span = Span::new(name, start..start + 1);
            Err(Box::new(invalid(error.message(), &text[start..], &span)))
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
                diagnostics.push(invalid(error.message(), &text[start..], &span));
            }
        }
    }
    if diagnostics.is_empty()
        && let Err(error) = hcl_edit::parser::parse_body(text)
    {
        // The items parse one by one but not together: a name that stands twice, for instance.
        let start = error.location().offset();
        let span = Span::new(name, start..start + width(text, start));
        diagnostics.push(invalid(error.message(), &text[start..], &span));
    }
    (whole, diagnostics)
}

/// The diagnostic for what the parser did not take, at the beginning of `rest`.
fn invalid(message: &str, rest: &str, span: &Span) -> Diagnostic {
    // What the parser lists as expected at the start of an expression is every character that
    // one can begin with, which helps nobody.
    let detail = if is_too_large(rest) {
        "This number is too large: one that is written out is at most about 1.8e308.".to_owned()
    } else if message.starts_with("invalid expression") {
        "An expression is expected here: a value, a reference or a call.".to_owned()
    } else {
        sentence(message)
    };
    Diagnostic::error("L0001", "Invalid syntax", detail).at(span)
}

/// Whether a text begins with a number beyond the greatest double, which the parser does not take.
fn is_too_large(text: &str) -> bool {
    let text = text.trim_start();
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    text.starts_with(|c: char| c.is_ascii_digit())
        && text[..end].parse::<f64>().is_ok_and(f64::is_infinite)
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

#[cfg(test)]
mod tests {
    use super::{Lowering, file, in_portions, items};

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
    fn a_text_means_the_same_in_portions_as_whole() {
        let block = "zone \"x\" {\n  a = \"${b[\"c\"]}\" # {\n  d = <<EOT\n}\nEOT\n}\n";
        let text = format!("{block}\n/* zone {{\n*/ {block}// {{\n{block}");
        let name = "main.hcl".into();
        let lowering = Lowering {
            file: &name,
            text: &text,
            offset: 3,
        };
        let whole = lowering.body(&hcl_edit::parser::parse_body(&text).unwrap());
        for least in [1, 60, 1000] {
            let portions = items::portions(&text, least);
            assert_eq!(
                portions.len(),
                [4, 2, 1][usize::from(least > 1) + usize::from(least > 60)]
            );
            let body = in_portions(&name, &text, 3, portions);
            assert_eq!(body.as_ref(), Some(&whole));
        }
        let flawed = format!("{text}{block}zone \"y\" {{\n");
        let portions = items::portions(&flawed, 1);
        assert_eq!(in_portions(&name, &flawed, 0, portions), None);
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
