//! What is wrong with a folder, by file, as editors show it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use isobar_sdk::diagnostic::Severity;
use isobar_sdk::{Diagnostic, Diagnostics, Span};
use lsp_types::{DiagnosticRelatedInformation, DiagnosticSeverity, Location, NumberOrString};

use super::buffer::Buffer;
use super::folder::Folder;
use super::location::{self, normal};
use crate::language::Sources;
use crate::plan;

/// What editors show, by file.
pub(super) type Found = BTreeMap<PathBuf, Vec<lsp_types::Diagnostic>>;

/// Everything that can be told wrong without a state or a cloud. While a text does not parse, only
/// that is told: what it declares is not known, and references to it would all seem wrong.
pub(super) fn folder(folder: &Folder) -> Found {
    let mut all = folder.found.clone();
    if !all
        .iter()
        .any(|found| matches!(found.code, "L0001" | "L0002"))
    {
        all.extend(plan::validate(
            &folder.config,
            &folder.registry,
            &folder.facts,
        ));
    }
    by_file(&folder.root, &folder.sources, &all)
}

/// Diagnostics at the files that they are about; those about none stand at the first file.
pub(super) fn by_file(root: &Path, sources: &Sources, all: &Diagnostics) -> Found {
    let path = |file: &str| normal(&root.join(file));
    let files = sources.iter();
    let mut found: Found = files.map(|(file, _)| (path(file), Vec::new())).collect();
    let first = sources.iter().next().map(|(file, _)| file);
    for diagnostic in all {
        let subject = diagnostic.subject.as_ref();
        let subject = subject.filter(|span| sources.text(&span.file).is_some());
        let Some(file) = subject.map(|span| &span.file).or(first) else {
            continue;
        };
        let shown = shown(root, sources, diagnostic, subject);
        let there = found.entry(path(file)).or_default();
        if !there.contains(&shown) {
            there.push(shown);
        }
    }
    found
}

/// The place of a span, for editors.
pub(super) fn location(root: &Path, sources: &Sources, span: &Span) -> Option<Location> {
    let text = sources.text(&span.file)?;
    Some(Location {
        uri: location::uri(&root.join(&*span.file))?,
        range: Buffer::new(text.to_owned()).range(span.start..span.end),
    })
}

fn shown(
    root: &Path,
    sources: &Sources,
    diagnostic: &Diagnostic,
    subject: Option<&Span>,
) -> lsp_types::Diagnostic {
    let place = |span: &Span| location(root, sources, span);
    let mut message = format!("{}\n{}", diagnostic.summary, diagnostic.detail);
    if let Some(help) = &diagnostic.help {
        message.push_str(&format!("\nFix: {help}"));
    }
    let related = diagnostic.context.as_ref().and_then(place);
    let related = related.map(|location| DiagnosticRelatedInformation {
        location,
        message: "The block that it is about.".to_owned(),
    });
    let range = subject.and_then(place).map(|place| place.range);
    lsp_types::Diagnostic {
        range: range.unwrap_or_default(),
        severity: Some(match diagnostic.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
        }),
        code: Some(NumberOrString::String(diagnostic.code.to_owned())),
        source: Some("isobar".to_owned()),
        message,
        related_information: related.map(|one| vec![one]),
        ..lsp_types::Diagnostic::default()
    }
}

#[cfg(test)]
mod tests {
    use super::folder as check;
    use crate::editor::folder::tests::folder;

    fn codes(files: &[(&str, &str)]) -> Vec<String> {
        check(&folder(files))
            .into_iter()
            .flat_map(|(path, found)| {
                found.into_iter().map(move |d| {
                    let lsp_types::NumberOrString::String(code) = d.code.unwrap() else {
                        panic!()
                    };
                    let at = d.range.start;
                    format!("{}:{}:{} {code}", path.display(), at.line, at.character)
                })
            })
            .collect()
    }

    #[test]
    fn mistakes_stand_at_their_files() {
        let files = [
            (
                "main.hcl",
                "output \"a\" {\n  value = var.nothing\n}\nmodule \"m\" {\n  source = \"./m\"\n}\n",
            ),
            (
                "m/main.hcl",
                "# ü\noutput \"b\" {\n  value = local.none\n}\n",
            ),
        ];
        let found = codes(&files);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].starts_with("/project/m/main.hcl:2:10 P0001"),
            "{found:?}"
        );
        assert!(
            found[1].starts_with("/project/main.hcl:1:10 P0001"),
            "{found:?}"
        );
    }

    #[test]
    fn a_text_that_does_not_parse_is_the_only_mistake() {
        let files = [
            ("a.hcl", "variable \"x\" {\n  type = \n}\n"),
            ("b.hcl", "output \"a\" {\n  value = var.x\n}\n"),
        ];
        assert_eq!(codes(&files), ["/project/a.hcl:1:9 L0001"]);
    }

    #[test]
    fn files_without_a_mistake_are_told_too() {
        let found = check(&folder(&[("a.hcl", "locals {\n  a = 1\n}\n")]));
        assert_eq!(found.len(), 1);
        assert!(found.values().all(Vec::is_empty));
    }
}
