//! `isobar forecast drift`

use std::path::Path;

use isobar_sdk::diagnostic::sentence;
use isobar_sdk::{Diagnostic, Diagnostics};

use super::Exit;
use super::args::ForecastDrift;
use super::failure::Stopped;
use super::session::Session;
use crate::forecast::drift::{Feature, Signal, findings};
use crate::language::Sources;
use crate::render;
use crate::telemetry::{Column, columns};

/// The column with the times of the rows, which are not judged.
const TIME: &str = "timestamp";

pub(super) fn run(session: &Session, args: &ForecastDrift) -> Result<Exit, Stopped> {
    let reference = read(session, &args.reference)?;
    let current = read(session, &args.current)?;
    let (features, found) = paired(args, reference, current);
    if features.is_empty() {
        let mut found = found;
        let detail = format!(
            "{} and {} have no column of numbers in common.",
            args.reference.display(),
            args.current.display()
        );
        let nothing = Diagnostic::error("C0129", "Nothing to compare", detail);
        found.push(nothing.help("Give both files a column of the same title for each feature."));
        return Err(found.into());
    }
    let shell = &session.shell;
    shell.diagnostics(&found, &Sources::default());
    let findings = findings(&features);
    if args.json {
        shell.document(&render::drift::json(&findings));
    } else {
        shell.result(&render::drift::human(&findings, &shell.style()));
    }
    Ok(match Signal::of(&findings) {
        Signal::Drift { .. } => Exit::Drift,
        Signal::Steady | Signal::Watch { .. } => Exit::Success,
    })
}

fn read(session: &Session, file: &Path) -> Result<Vec<(String, Column)>, Stopped> {
    Ok(columns(&session.path(file)).map_err(|error| {
        let line = error
            .line
            .map_or_else(String::new, |line| format!(":{line}"));
        let detail = format!("{}{line}: {}", file.display(), sentence(&error.what));
        Diagnostic::error("C0127", "Observations cannot be read", detail)
            .help(sentence(&error.help))
    })?)
}

/// The features that both files have, and what cannot be compared.
fn paired(
    args: &ForecastDrift,
    reference: Vec<(String, Column)>,
    mut current: Vec<(String, Column)>,
) -> (Vec<Feature>, Diagnostics) {
    let (mut features, mut found) = (Vec::new(), Diagnostics::new());
    current.retain(|(name, _)| name != TIME);
    for (name, before) in reference.into_iter().filter(|(name, _)| name != TIME) {
        let place = current.iter().position(|(other, _)| *other == name);
        let now = place.map(|place| current.remove(place).1);
        match (before, now) {
            (Column::Numbers(reference), Some(Column::Numbers(current))) => {
                features.push(Feature {
                    name,
                    reference,
                    current,
                });
            }
            (Column::Text { line, text }, _) => {
                found.push(text_column(&args.reference, &name, line, &text));
            }
            (_, Some(Column::Text { line, text })) => {
                found.push(text_column(&args.current, &name, line, &text));
            }
            (_, None) => found.push(lonely(&args.current, &name)),
        }
    }
    for (name, _) in current {
        found.push(lonely(&args.reference, &name));
    }
    (features, found)
}

fn text_column(file: &Path, name: &str, line: u64, text: &str) -> Diagnostic {
    let detail = format!("{}:{line}: column {name:?} is {text:?}.", file.display());
    Diagnostic::warning("C0128", "Column cannot be compared", detail)
        .help("Give numbers, for instance a column with 0 or 1 for each class.")
}

fn lonely(file: &Path, name: &str) -> Diagnostic {
    let detail = format!("{} has no column {name:?}.", file.display());
    Diagnostic::warning("C0128", "Column cannot be compared", detail)
        .help("Give both files the same columns.")
}
