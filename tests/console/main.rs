//! The console against the results of Terraform 1.11.4 in `testdata/console`, and those against
//! the real program where it is there.
//!
//! `ISOBAR_RECORD=1 cargo test --test console` asks Terraform for what is not recorded yet and
//! writes it down, `ISOBAR_RECORD=all` asks for everything.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

mod cases;
mod differences;
mod isobar;
mod piped;
#[path = "../program/mod.rs"]
mod program;
mod recorded;
mod signatures;
mod terraform;

use std::collections::BTreeMap;

use cases::{Case, Expected};

/// Everything that does not hold, one per line, or nothing.
#[track_caller]
fn none(wrong: &[String]) {
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn isobar_gives_the_recorded_results() {
    let differences = differences::read();
    let mut wrong = Vec::new();
    let mut seen = BTreeMap::new();
    let mut count = 0;
    for file in cases::files() {
        let results = isobar::results(&file.cases);
        for (case, result) in file.cases.iter().zip(results) {
            count += 1;
            let equal = result == case.expected.comparable();
            match differences.get(&case.expression) {
                Some(stated) if equal => wrong.push(format!(
                    "{}: the difference {stated:?} of {} is gone: remove it from the list",
                    file.name, case.expression
                )),
                Some(stated) if *stated != one_line(&result) => wrong.push(format!(
                    "{}: the list says that {} gives {stated}, but it gives {}",
                    file.name,
                    case.expression,
                    one_line(&result)
                )),
                Some(_) => drop(seen.insert(case.expression.clone(), ())),
                None if equal => {}
                None => wrong.push(format!(
                    "{}: {}\n  Terraform: {:?}\n  Isobar:    {result:?}",
                    file.name, case.expression, case.expected
                )),
            }
        }
    }
    let unseen = differences.keys().filter(|key| !seen.contains_key(*key));
    wrong.extend(unseen.map(|expression| format!("no case has {expression}, which is listed")));
    none(&wrong);
    assert!(
        differences.len() * 100 <= count.max(500),
        "{} of {count} cases differ",
        differences.len()
    );
}

/// A result as the list of differences writes it.
fn one_line(result: &Option<String>) -> String {
    result.as_ref().map_or_else(
        || "error".to_owned(),
        |text| text.split_whitespace().collect::<Vec<_>>().join(" "),
    )
}

#[test]
fn terraform_gives_the_recorded_results() {
    let Some(terraform) = terraform::Terraform::find() else {
        return;
    };
    if let Some(which) = std::env::var_os("ISOBAR_RECORD") {
        for mut file in cases::files() {
            terraform.record(&mut file.cases, which == "all");
            file.write();
        }
        return;
    }
    let files = cases::files();
    let all: Vec<&Case> = files.iter().flat_map(|file| &file.cases).collect();
    none(&terraform.disagreements(&all));
}

#[test]
fn there_are_many_cases_and_each_stands_once() {
    let mut seen = BTreeMap::new();
    let mut wrong = Vec::new();
    for file in cases::files() {
        for case in file.cases {
            if case.expected == Expected::Unrecorded {
                wrong.push(format!(
                    "{}: {} is not recorded",
                    file.name, case.expression
                ));
            }
            if let Some(other) = seen.insert(case.expression.clone(), file.name.clone()) {
                wrong.push(format!("{} and {other}: {}", file.name, case.expression));
            }
        }
    }
    none(&wrong);
    assert!(seen.len() >= 20, "{} cases", seen.len());
}
