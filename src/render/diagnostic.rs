//! Diagnostics with the piece of the configuration that they are about.

use isobar_sdk::diagnostic::{Reading, Severity};
use isobar_sdk::{Diagnostic, Diagnostics, Span};
use serde_json::{Map, Value as Json, json};
use unicode_width::UnicodeWidthStr;

use super::style::{Role, Style, visible};
use crate::language::Sources;
use crate::language::source::Excerpt;

/// A diagnostic for people, in a frame, with a newline at the end.
#[must_use]
pub fn human(diagnostic: &Diagnostic, sources: &Sources, style: &Style) -> String {
    let (role, word) = match diagnostic.severity {
        Severity::Error => (Role::Error, "Error"),
        Severity::Warning => (Role::Warning, "Warning"),
    };
    let code = format!("[{}]", diagnostic.code);
    let mut lines = vec![format!(
        "{} {} {}",
        style.paint(role, format_args!("{word}:")),
        style.paint(Role::Bold, diagnostic.summary),
        style.paint(Role::Dim, code),
    )];
    let place = place(diagnostic, sources, style);
    if !place.is_empty() {
        lines.push(String::new());
        lines.extend(place);
    }
    for prose in [
        Some(diagnostic.detail.clone()),
        diagnostic.help.as_ref().map(|help| format!("Fix: {help}")),
    ] {
        if let Some(prose) = prose.filter(|prose| !prose.is_empty()) {
            lines.push(String::new());
            lines.extend(style.wrap(&visible(&prose), 2));
        }
    }
    frame(&lines, role, style)
}

fn frame(lines: &[String], role: Role, style: &Style) -> String {
    let bar = style.paint(role, "│");
    let mut text = format!("{}\n", style.paint(role, "╷"));
    for line in lines {
        let gap = if line.is_empty() { "" } else { " " };
        text.push_str(&format!("{bar}{gap}{line}\n"));
    }
    text.push_str(&format!("{}\n", style.paint(role, "╵")));
    text
}

/// Which resource, which file, which line, and the line itself.
fn place(diagnostic: &Diagnostic, sources: &Sources, style: &Style) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(address) = &diagnostic.address {
        let path = diagnostic.path.as_ref();
        let path = path.filter(|path| !path.steps().is_empty());
        let path = path.map_or_else(String::new, |path| format!(", in {path}"));
        lines.push(format!("  with {address}{path},"));
    }
    let Some(subject) = &diagnostic.subject else {
        return lines;
    };
    let Some(excerpt) = sources.excerpt(subject) else {
        lines.push(format!("  on {}", subject.file));
        return lines;
    };
    let header = header(diagnostic, sources, &excerpt);
    let header = header.map_or_else(String::new, |header| format!(", in {header}"));
    lines.push(format!(
        "  on {} line {}{header}:",
        subject.file, excerpt.line
    ));
    let (before, rest) = excerpt.text.split_at(excerpt.covered.start);
    let covered = &rest[..excerpt.covered.len().min(rest.len())];
    let carets = "^".repeat(visible(covered).width().max(1));
    let number = format!("{:>4}: ", excerpt.line);
    let indent = number.width() + visible(before).width();
    lines.push(format!("{number}{}", visible(excerpt.text)));
    lines.push(format!(
        "{:indent$}{}",
        "",
        style.paint(Role::Error, carets)
    ));
    for reading in &diagnostic.readings {
        let told = format!("{} {}", reading.reference, reading.statement);
        let told = style.paint(Role::Dim, visible(&told));
        lines.push(format!("{:WITHIN$}{told}", ""));
    }
    lines
}

/// How far what stands below an excerpt is indented: as far as the excerpt itself.
const WITHIN: usize = 6;

/// The header of the block around the subject, where it stands on another line of the same file.
fn header(diagnostic: &Diagnostic, sources: &Sources, subject: &Excerpt<'_>) -> Option<String> {
    let context = diagnostic.context.as_ref()?;
    if diagnostic.subject.as_ref()?.file != context.file {
        return None;
    }
    let line = sources.excerpt(context)?;
    let covered = line.text.get(line.covered.clone())?;
    let text = covered.trim().trim_end_matches('{').trim_end();
    (line.line != subject.line && !text.is_empty()).then(|| visible(text))
}

/// A diagnostic as in the diagnostics of `terraform validate -json`, with the keys `code`, `path`
/// and `help` beside Terraform's.
#[must_use]
pub fn json(diagnostic: &Diagnostic, sources: &Sources) -> Json {
    let mut fields = Map::new();
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    fields.insert("severity".to_owned(), severity.into());
    fields.insert("summary".to_owned(), diagnostic.summary.into());
    fields.insert("detail".to_owned(), diagnostic.detail.as_str().into());
    fields.insert("code".to_owned(), diagnostic.code.into());
    let optional = [
        (
            "address",
            diagnostic.address.as_ref().map(ToString::to_string),
        ),
        ("path", diagnostic.path.as_ref().map(ToString::to_string)),
        ("help", diagnostic.help.clone()),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value.into());
        }
    }
    if let Some(subject) = &diagnostic.subject
        && let Some(text) = sources.text(&subject.file)
    {
        fields.insert("range".to_owned(), range(subject, text));
        if let Some(excerpt) = sources.excerpt(subject) {
            let header = header(diagnostic, sources, &excerpt);
            fields.insert(
                "snippet".to_owned(),
                snippet(&excerpt, header.as_deref(), &diagnostic.readings),
            );
        }
    }
    Json::Object(fields)
}

fn range(span: &Span, text: &str) -> Json {
    json!({
        "filename": &*span.file,
        "start": position(text, span.start),
        "end": position(text, span.end),
    })
}

/// Line and column counted from one, the column in characters; the byte counted from zero.
fn position(text: &str, byte: usize) -> Json {
    let byte = byte.min(text.len());
    let before = String::from_utf8_lossy(&text.as_bytes()[..byte]);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    json!({
        "line": before.matches('\n').count() + 1,
        "column": before[line_start..].chars().count() + 1,
        "byte": byte,
    })
}

/// The first line of the subject; the offsets are bytes of it.
fn snippet(excerpt: &Excerpt<'_>, context: Option<&str>, readings: &[Reading]) -> Json {
    let values = readings.iter().map(|reading| {
        json!({
            "traversal": reading.reference,
            "statement": reading.statement,
        })
    });
    json!({
        "context": context,
        "code": excerpt.text,
        "start_line": excerpt.line,
        "highlight_start_offset": excerpt.covered.start,
        "highlight_end_offset": excerpt.covered.end,
        "values": values.collect::<Vec<_>>(),
    })
}

/// What `validate -json` prints.
#[must_use]
pub fn validate_json(diagnostics: &Diagnostics, sources: &Sources) -> Json {
    let count = |severity| {
        let of = |diagnostic: &&Diagnostic| diagnostic.severity == severity;
        diagnostics.iter().filter(of).count()
    };
    let found: Vec<Json> = diagnostics
        .iter()
        .map(|diagnostic| json(diagnostic, sources))
        .collect();
    json!({
        "format_version": "1.0",
        "valid": !diagnostics.has_errors(),
        "error_count": count(Severity::Error),
        "warning_count": count(Severity::Warning),
        "diagnostics": found,
    })
}

#[cfg(test)]
mod tests {
    use isobar_sdk::diagnostic::Reading;
    use isobar_sdk::{Address, Diagnostic, Diagnostics, Path, Span};

    use super::{human, json, validate_json};
    use crate::language::Sources;
    use crate::render::Style;

    const TEXT: &str = "zone \"east\" {\n\tnaïve = \"x\" # 東京\n\tregoin = \"東京\"\n}\n";

    fn sample() -> (Diagnostic, Sources) {
        let mut sources = Sources::default();
        let file = sources.insert("main.hcl", TEXT);
        let start = TEXT.find("regoin").unwrap();
        let diagnostic = Diagnostic::error(
            "L0005",
            "Unsupported attribute",
            "An attribute named \"regoin\" is not expected here, and this sentence is long enough to be wrapped.",
        )
        .at(&Span::new(&file, start..start + 6))
        .within(&Span::new(&file, 0..11))
        .help("Did you mean \"region\"?");
        (diagnostic, sources)
    }

    #[test]
    fn the_place_is_shown_and_underlined() {
        let (diagnostic, sources) = sample();
        insta::assert_snapshot!(human(&diagnostic, &sources, &Style::plain(60)));
    }

    #[test]
    fn what_references_stood_for_is_told() {
        let (diagnostic, sources) = sample();
        let reading = |reference: &str, statement: &str| Reading {
            reference: reference.to_owned(),
            statement: statement.to_owned(),
        };
        let diagnostic = diagnostic.reading(vec![
            reading("var.sizes[\"small\"]", "is 3"),
            reading("local.token", "is sensitive"),
        ]);
        insta::assert_snapshot!(human(&diagnostic, &sources, &Style::plain(60)));
        let values = &json(&diagnostic, &sources)["snippet"]["values"];
        assert_eq!(values[0]["traversal"], "var.sizes[\"small\"]");
        assert_eq!(values[1]["statement"], "is sensitive");
    }

    #[test]
    fn carets_stand_under_wide_characters() {
        let (diagnostic, sources) = sample();
        let file = diagnostic.subject.unwrap().file;
        let start = TEXT.rfind("東京").unwrap();
        let diagnostic = Diagnostic::warning("X0001", "Far away", "")
            .at(&Span::new(&file, start..start + 6))
            .about(&Address::new("zone", "east"))
            .on(Path::attribute("region"));
        insta::assert_snapshot!(human(&diagnostic, &sources, &Style::plain(60)));
    }

    #[test]
    fn without_a_place_there_is_no_excerpt() {
        let diagnostic = Diagnostic::error("S0001", "State locked", "By\u{1b}[2J someone.");
        let text = human(&diagnostic, &Sources::default(), &Style::plain(60));
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_span_across_a_character_does_not_panic() {
        let (mut diagnostic, sources) = sample();
        let inside = TEXT.find('ï').unwrap() + 1;
        let file = diagnostic.subject.unwrap().file;
        diagnostic.subject = Some(Span::new(&file, inside..inside + 900));
        assert!(human(&diagnostic, &sources, &Style::plain(60)).contains("line 2"));
        assert_eq!(json(&diagnostic, &sources)["range"]["start"]["line"], 2);
    }

    #[test]
    fn the_json_form_is_terraforms() {
        let (diagnostic, sources) = sample();
        let report = validate_json(&Diagnostics::from(diagnostic), &sources);
        insta::assert_snapshot!(serde_json::to_string_pretty(&report).unwrap());
    }
}
