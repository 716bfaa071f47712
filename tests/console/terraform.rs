//! The real Terraform, asked for many expressions in few processes.
//!
//! Expressions stand in a local value, so that they may have several lines. Values are asked for
//! as elements of one tuple; errors as `can(…)`; what does not fit into either is asked alone.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cases::{Case, Expected};
use crate::isobar::copy_context;

/// Expressions asked for in one process.
const BATCH: usize = 40;
/// Processes at the same time.
const PARALLEL: usize = 3;

/// The program.
pub(crate) struct Terraform {
    folder: tempfile::TempDir,
}

impl Terraform {
    /// The program, if it is there in the version that was recorded.
    pub(crate) fn find() -> Option<Self> {
        let output = Command::new("terraform").arg("version").output().ok()?;
        let version = String::from_utf8_lossy(&output.stdout).into_owned();
        version.starts_with("Terraform v1.11.").then(|| Self {
            folder: tempfile::tempdir().unwrap(),
        })
    }

    /// Fills in what is not recorded, or everything anew.
    pub(crate) fn record(&self, cases: &mut [Case], anew: bool) {
        let open = |case: &&mut Case| anew || case.expected == Expected::Unrecorded;
        let mut asked: Vec<&mut Case> = cases.iter_mut().filter(open).collect();
        let found = self.in_parallel(asked.len(), |folder, index| alone(folder, asked[index]));
        for (case, expected) in asked.iter_mut().zip(found) {
            case.expected = expected;
        }
    }

    /// What Terraform says otherwise than recorded.
    pub(crate) fn disagreements(&self, cases: &[&Case]) -> Vec<String> {
        let (mut values, mut errors, mut single) = (Vec::new(), Vec::new(), Vec::new());
        for case in cases {
            match &case.expected {
                Expected::Printed(text) if is_nestable(case, text) => values.push(*case),
                Expected::Error => errors.push(*case),
                _ => single.push(*case),
            }
        }
        let mut batches: Vec<Vec<&Case>> = Vec::new();
        for group in [values, errors] {
            batches.extend(group.chunks(BATCH).map(<[&Case]>::to_vec));
        }
        batches.extend(single.into_iter().map(|case| vec![case]));
        let found = self.in_parallel(batches.len(), |folder, index| {
            check(folder, &batches[index])
        });
        found.into_iter().flatten().collect()
    }

    /// Does something for every index below `count`, each worker in a folder of its own.
    fn in_parallel<T: Send>(
        &self,
        count: usize,
        work: impl Fn(&Path, usize) -> T + Sync,
    ) -> Vec<T> {
        let next = AtomicUsize::new(0);
        let mut found: Vec<(usize, T)> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..PARALLEL)
                .map(|worker| {
                    let folder = self.folder.path().join(worker.to_string());
                    let (next, work) = (&next, &work);
                    scope.spawn(move || {
                        copy_context(&folder, &as_terraform);
                        let mut found = Vec::new();
                        loop {
                            let index = next.fetch_add(1, Ordering::Relaxed);
                            if index >= count {
                                return found;
                            }
                            found.push((index, work(&folder, index)));
                        }
                    })
                })
                .collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().unwrap())
                .collect()
        });
        found.sort_by_key(|(index, _)| *index);
        found.into_iter().map(|(_, result)| result).collect()
    }
}

/// A file of the context as Terraform has it.
fn as_terraform(name: &str, text: &[u8]) -> (String, Vec<u8>) {
    match name.strip_suffix(".hcl") {
        Some(stem) => {
            let text = String::from_utf8(text.to_vec()).unwrap();
            (format!("{stem}.tf"), in_terraform(&text).into_bytes())
        }
        None => (name.to_owned(), text.to_vec()),
    }
}

/// Names that are other ones there.
pub(crate) fn in_terraform(text: &str) -> String {
    text.replace("isobar_data", "terraform_data")
        .replace("isobar.workspace", "terraform.workspace")
}

/// Whether a result can stand in a tuple and looks there as it does alone, but for its indent.
fn is_nestable(case: &Case, printed: &str) -> bool {
    !printed.starts_with("<<") && !case.expression.contains("type(")
}

/// What Terraform says about a batch otherwise than recorded.
fn check(folder: &Path, batch: &[&Case]) -> Vec<String> {
    if batch.len() > 1 && together(folder, batch) {
        return Vec::new();
    }
    batch
        .iter()
        .filter_map(|case| {
            let found = alone(folder, case);
            (found != case.expected).then(|| {
                format!(
                    "{}\n  recorded:  {:?}\n  Terraform: {found:?}",
                    case.expression, case.expected
                )
            })
        })
        .collect()
}

/// Whether everything in a batch is as recorded.
fn together(folder: &Path, batch: &[&Case]) -> bool {
    let mut asked = "[\n".to_owned();
    let mut expected = "[\n".to_owned();
    for case in batch {
        let text = in_terraform(&case.expression);
        match &case.expected {
            Expected::Printed(printed) => {
                write!(asked, "{text}\n,\n").unwrap();
                writeln!(expected, "  {},", printed.replace('\n', "\n  ")).unwrap();
            }
            _ => {
                write!(asked, "can(\n{text}\n),\n").unwrap();
                expected.push_str("  false,\n");
            }
        }
    }
    asked.push(']');
    expected.push(']');
    // Empty lines within texts are indented too, and so end in spaces.
    let bare = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| line.trim_end().to_owned())
            .collect()
    };
    console(folder, &asked).is_some_and(|printed| bare(&printed) == bare(&expected))
}

/// What Terraform says about one case.
fn alone(folder: &Path, case: &Case) -> Expected {
    let text = in_terraform(&case.expression);
    if let Some(printed) = console(folder, &text) {
        return Expected::Printed(printed);
    }
    match console(folder, &format!("can(\n{text}\n)")) {
        Some(caught) if caught == "false" => Expected::Error,
        _ => Expected::Invalid,
    }
}

/// What the console prints for an expression; `None` for an error.
fn console(folder: &Path, expression: &str) -> Option<String> {
    // A line is asked as it is: some things are allowed only there.
    let line = if expression.contains('\n') {
        let text = format!("locals {{\n  asked = {expression}\n}}\n");
        std::fs::write(folder.join("asked.tf"), text).unwrap();
        "local.asked"
    } else {
        let _ = std::fs::remove_file(folder.join("asked.tf"));
        expression
    };
    let mut child = Command::new("terraform")
        .args(["console", "-no-color"])
        .current_dir(folder)
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .env("CHECKPOINT_DISABLE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{line}").unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let printed = text.strip_suffix('\n').unwrap_or(&text);
    output.status.success().then(|| printed.to_owned())
}
