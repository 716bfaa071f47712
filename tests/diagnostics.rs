//! Every diagnostic code of the source is documented, and every documented one exists.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Whether a text is a code, such as `L0001`.
fn is_code(text: &str) -> bool {
    text.len() == 5
        && text.starts_with(['L', 'E', 'F', 'M', 'P', 'A', 'S', 'C', 'T'])
        && text[1..].chars().all(|c| c.is_ascii_digit())
}

/// The codes in the source, each with the summaries that stand behind it.
fn used() -> BTreeMap<String, BTreeSet<String>> {
    let mut files = Vec::new();
    rust_files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut files,
    );
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files {
        let stem = file.file_stem().unwrap();
        if stem == "tests" || stem == "sample" {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let literals: Vec<&str> = code.split('"').collect();
        for (position, literal) in literals.iter().enumerate() {
            if is_code(literal) {
                let summaries = found.entry((*literal).to_owned()).or_default();
                let between = literals.get(position + 1).copied().unwrap_or_default();
                if between.trim() == "," {
                    summaries.extend(literals.get(position + 2).map(|s| (*s).to_owned()));
                }
            }
        }
    }
    found
}

/// The codes in the documentation with their summaries.
fn documented() -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/diagnostics.md");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .filter_map(|line| {
            let mut cells = line.split('|').map(str::trim).skip(1);
            let code = cells.next().filter(|code| is_code(code))?;
            Some((code.to_owned(), cells.next()?.to_owned()))
        })
        .collect()
}

#[test]
fn the_documentation_lists_exactly_the_codes_of_the_source() {
    let used: Vec<String> = used().into_keys().collect();
    let documented: Vec<String> = documented().into_keys().collect();
    assert!(used.len() > 60, "{}", used.len());
    assert_eq!(used, documented);
}

#[test]
fn the_summaries_are_those_of_the_source() {
    let documented = documented();
    for (code, summaries) in used() {
        for summary in summaries {
            let stated = &documented[&code];
            let listed = stated.split("; ").any(|one| one == summary) || stated == "several";
            assert!(listed, "{code}: {summary:?} is not {stated:?}");
        }
    }
}
