//! The cases: `> expression` (over several lines if it must be), then what Terraform prints.
//!
//! `!error` stands for an expression that cannot be evaluated, `!invalid` for one that cannot
//! be read at all, so that not even `can` helps. Lines that begin with `##` are comments.

use std::fmt::Write;
use std::path::PathBuf;

/// What Terraform says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    /// A value, as printed.
    Printed(String),
    /// An error that `can` catches.
    Error,
    /// An error before anything is evaluated.
    Invalid,
    /// It was not asked yet.
    Unrecorded,
}

impl Expected {
    /// The printed value; `None` where there is an error.
    pub(crate) fn comparable(&self) -> Option<String> {
        match self {
            Self::Printed(text) => Some(text.clone()),
            _ => None,
        }
    }
}

/// One expression.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// Comments and empty lines before it.
    lead: String,
    pub(crate) expression: String,
    pub(crate) expected: Expected,
}

/// One file of cases.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) cases: Vec<Case>,
}

/// The folder of the cases.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/console")
}

/// All files, in name order.
pub(crate) fn files() -> Vec<File> {
    let mut files: Vec<File> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .map(|path| File {
            name: path.file_name().unwrap().to_str().unwrap().to_owned(),
            cases: parse(&std::fs::read_to_string(&path).unwrap()),
        })
        .collect();
    files.sort_by(|left, right| left.name.cmp(&right.name));
    files
}

fn parse(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut lead = String::new();
    let mut result: Vec<&str> = Vec::new();
    let mut asking = false;
    for line in text.lines() {
        let question = line.strip_prefix("> ");
        if let (Some(more), true) = (question, asking) {
            let case = cases.last_mut().unwrap();
            write!(case.expression, "\n{more}").unwrap();
        } else if let Some(first) = question {
            settle(&mut cases, &mut result);
            cases.push(Case {
                lead: std::mem::take(&mut lead),
                expression: first.to_owned(),
                expected: Expected::Unrecorded,
            });
        } else if line.starts_with("##") {
            settle(&mut cases, &mut result);
            lead.push_str(line);
            lead.push('\n');
        } else {
            result.push(line);
        }
        asking = question.is_some();
    }
    settle(&mut cases, &mut result);
    cases
}

/// Ends the result of the last case.
fn settle(cases: &mut [Case], result: &mut Vec<&str>) {
    let printed = result.join("\n");
    let printed = printed.trim_end_matches('\n');
    result.clear();
    let Some(case) = cases.last_mut() else { return };
    if case.expected != Expected::Unrecorded {
        return;
    }
    case.expected = match printed {
        "" => Expected::Unrecorded,
        "!error" => Expected::Error,
        "!invalid" => Expected::Invalid,
        text => Expected::Printed(text.to_owned()),
    };
}

impl File {
    /// Writes the cases back.
    pub(crate) fn write(&self) {
        let mut text = String::new();
        for case in &self.cases {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&case.lead);
            for line in case.expression.split('\n') {
                writeln!(text, "> {line}").unwrap();
            }
            match &case.expected {
                Expected::Printed(printed) => writeln!(text, "{printed}").unwrap(),
                Expected::Error => text.push_str("!error\n"),
                Expected::Invalid => text.push_str("!invalid\n"),
                Expected::Unrecorded => {}
            }
        }
        std::fs::write(folder().join(&self.name), text).unwrap();
    }
}
