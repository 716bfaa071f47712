//! The results of tests, for people, programs and build servers.

use isobar_sdk::Diagnostics;
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use serde_json::{Value as Json, json};

use super::style::Style;
use super::{diagnostic, plan, state};
use crate::language::Sources;
use crate::trial::{Outcome, Report, Seen, Status};

/// How many runs ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Passed.
    pub passed: usize,
    /// Failed, or ended in an error.
    pub failed: usize,
    /// Not begun.
    pub skipped: usize,
}

impl Counts {
    /// Adds the runs of a file.
    pub fn add(&mut self, report: &Report) {
        for run in &report.runs {
            *match run.status {
                Status::Pass => &mut self.passed,
                Status::Fail | Status::Error => &mut self.failed,
                Status::Skip => &mut self.skipped,
            } += 1;
        }
    }
}

/// An error is a failure to people.
const fn word(status: Status) -> &'static str {
    match status {
        Status::Pass => "pass",
        Status::Skip => "skip",
        Status::Fail | Status::Error => "fail",
    }
}

/// The line of a file.
#[must_use]
pub fn file(name: &str, status: Status) -> String {
    format!("{name}... {}", word(status))
}

/// The line of a run.
#[must_use]
pub fn run(outcome: &Outcome) -> String {
    format!("  run {:?}... {}", outcome.name, word(outcome.status))
}

/// What a run led to.
#[must_use]
pub fn seen(outcome: &Outcome, style: &Style) -> Option<String> {
    match &outcome.result {
        Seen::Nothing => None,
        Seen::Plan(planned) => Some(plan::human(planned, style)),
        Seen::State(made) => Some(state::human(made)),
    }
}

/// The last line.
#[must_use]
pub fn summary(counts: Counts, status: Status) -> String {
    let word = match status {
        Status::Pass => "Success!",
        Status::Skip | Status::Fail | Status::Error => "Failure!",
    };
    let Counts {
        passed,
        failed,
        skipped,
    } = counts;
    let skipped = match skipped {
        0 => String::new(),
        skipped => format!(", {skipped} skipped"),
    };
    format!("{word} {passed} passed, {failed} failed{skipped}.")
}

/// The event of a run.
#[must_use]
pub fn run_event(file: &str, outcome: &Outcome) -> Json {
    json!({
        "@level": "info",
        "@message": format!("run {:?}: {}", outcome.name, outcome.status.word()),
        "@module": "isobar.test",
        "type": "test_run",
        "test_run": { "path": file, "run": outcome.name, "status": outcome.status.word() },
    })
}

/// The event at the end.
#[must_use]
pub fn summary_event(counts: Counts, status: Status) -> Json {
    json!({
        "@level": "info",
        "@message": summary(counts, status),
        "@module": "isobar.test",
        "type": "test_summary",
        "test_summary": {
            "status": status.word(),
            "passed": counts.passed,
            "failed": counts.failed,
            "skipped": counts.skipped,
        },
    })
}

/// All results in the format of JUnit.
///
/// # Errors
/// What the writer says.
pub fn junit(files: &[(String, Report)], sources: &Sources) -> Result<String, String> {
    let mut all = quick_junit::Report::new("isobar test");
    for (name, report) in files {
        let mut suite = TestSuite::new(name.as_str());
        for outcome in &report.runs {
            let mut status = match outcome.status {
                Status::Pass => TestCaseStatus::success(),
                Status::Skip => TestCaseStatus::skipped(),
                Status::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
                Status::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
            };
            if !outcome.diagnostics.is_empty() {
                status.set_description(told(&outcome.diagnostics, sources));
            }
            suite.add_test_case(TestCase::new(&*outcome.name, status));
        }
        all.add_test_suite(suite);
    }
    all.to_string().map_err(|error| error.to_string())
}

fn told(diagnostics: &Diagnostics, sources: &Sources) -> String {
    let style = Style::plain(80);
    let texts = diagnostics.iter();
    let texts: Vec<String> = texts
        .map(|found| diagnostic::human(found, sources, &style))
        .collect();
    texts.join("\n")
}
