//! The order of imports in `docs/architecture.md`, and the house rules that a scan can check.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The modules of `src/` from left to right, as the documentation states them.
fn order() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("order: "))
        .unwrap();
    line.split(" < ").map(str::to_owned).collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The module of `src/` that a file belongs to; `None` for `lib.rs` and `main.rs`.
fn module(file: &Path) -> Option<String> {
    let inside = file.strip_prefix(root().join("src")).unwrap();
    let first = inside
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_str()
        .unwrap();
    let name = first.strip_suffix(".rs").unwrap_or(first);
    (!matches!(name, "lib" | "main")).then(|| name.to_owned())
}

/// The modules named in `crate::a::…` and `crate::{a, b::…}`, outside of comments.
fn imports(text: &str) -> Vec<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let name = |text: &str| -> String {
        text.trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let mut found = Vec::new();
    for (position, matched) in code.match_indices("crate::") {
        let before = code[..position].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[position + matched.len()..];
        match rest.strip_prefix('{') {
            None => found.push(name(rest)),
            Some(group) => {
                let mut depth = 0;
                let mut start = 0;
                for (at, character) in group.char_indices() {
                    match character {
                        '{' => depth += 1,
                        '}' if depth == 0 => {
                            found.push(name(&group[start..at]));
                            break;
                        }
                        '}' => depth -= 1,
                        ',' if depth == 0 => {
                            found.push(name(&group[start..at]));
                            start = at + 1;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

#[test]
fn imports_point_only_left() {
    let order = order();
    let place = |name: &str| order.iter().position(|module| module == name);
    let mut wrong = Vec::new();
    for file in rust_files(&root().join("src")) {
        let Some(module) = module(&file) else {
            continue;
        };
        let here = place(&module).unwrap_or_else(|| panic!("{module} is not in the order"));
        for import in imports(&std::fs::read_to_string(&file).unwrap()) {
            if place(&import).is_some_and(|there| there > here) {
                wrong.push(format!("{}: {module} uses {import}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_order_names_every_module_and_no_other() {
    let mut found: Vec<String> = rust_files(&root().join("src"))
        .iter()
        .filter_map(|file| module(file))
        .collect();
    found.sort();
    found.dedup();
    let mut stated = order();
    stated.sort();
    assert_eq!(found, stated);
}

#[test]
fn a_planted_import_is_caught() {
    let planted = "use crate::cli::shell;\nuse crate::{eval, plan::{Plan, order}};\n// crate::no";
    assert_eq!(imports(planted), ["cli", "eval", "plan"]);
}

#[test]
fn providers_depend_on_the_sdk_only() {
    for provider in std::fs::read_dir(root().join("providers")).unwrap() {
        let folder = provider.unwrap().path();
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let mut ours = Vec::new();
        let mut section = "";
        for line in manifest.lines() {
            if line.starts_with('[') {
                section = line;
            }
            // Tests may start the simulated cloud.
            let for_tests =
                section == "[dev-dependencies]" && line.starts_with("isobar-cloud-simulator");
            if line.starts_with("isobar") && !line.starts_with("isobar-sdk") && !for_tests {
                ours.push(line);
            }
        }
        assert!(ours.is_empty(), "{}: {ours:?}", folder.display());
    }
}

fn all_sources() -> Vec<PathBuf> {
    let mut files = rust_files(&root().join("src"));
    for crate_folder in [
        "providers/sdk",
        "providers/data",
        "providers/sim",
        "providers/local",
        "providers/aws",
        "forecast",
        "capacity",
        "cloud-simulator",
        "placement",
        "serve",
        "simulator",
        "sources",
        "stores",
    ] {
        files.extend(rust_files(&root().join(crate_folder).join("src")));
    }
    files
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<PathBuf> = all_sources()
        .into_iter()
        .filter(|file| !std::fs::read_to_string(file).unwrap().starts_with("//! "))
        .collect();
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn modules_are_nouns_and_files_are_short() {
    const LONGEST: usize = 800;
    let vague = [
        "utils", "util", "common", "helpers", "helper", "manager", "misc",
    ];
    let mut wrong = Vec::new();
    for file in all_sources() {
        let stem = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        if vague.contains(&stem.as_str()) || lines > LONGEST {
            wrong.push(format!("{}: {lines} lines", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_command_line_prints() {
    let mut wrong = Vec::new();
    for file in all_sources() {
        let inside = file.strip_prefix(root()).unwrap();
        let is_test = inside.iter().any(|part| part == "tests") || inside.ends_with("tests.rs");
        if inside.starts_with("src/cli") || is_test {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        for printer in ["println!(", "eprintln!(", "print!(", "eprint!("] {
            let printed = text
                .lines()
                .any(|line| !line.trim_start().starts_with("//") && line.contains(printer));
            if printed {
                wrong.push(format!("{}: {printer}", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
