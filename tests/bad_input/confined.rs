//! Runs of the program that may not use much.

use std::process::{Command, Stdio};

use crate::program::{Folder, Run};

/// The address space of a run, in KiB. A debug build needs far less for every case; the allocator
/// reserves some GiB of addresses that it does not use.
const MEMORY: u64 = 6 << 20;
/// The time of the processor, in seconds: a net, not a measure.
const TIME: u64 = 240;

/// Runs the program under limits; it must end by itself, with a diagnostic or well.
pub(crate) fn run(folder: &Folder, arguments: &[&str]) -> Run {
    let limited = format!("ulimit -v {MEMORY} && ulimit -t {TIME} && exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &limited, env!("CARGO_BIN_EXE_isobar")]);
    command.args(arguments).current_dir(folder.path(""));
    command.env_clear().env("HOME", folder.path(""));
    command.env("COLUMNS", "80").stdin(Stdio::null());
    let run = Run::of(&command.output().unwrap());
    assert!(
        matches!(run.code, Some(0..=2)),
        "{arguments:?}: {:?} {}",
        run.code,
        beginning(&run.err)
    );
    assert!(!run.err.contains("panicked"), "{}", beginning(&run.err));
    run
}

/// Runs the program, which must fail with a diagnostic of this code that says `words`.
#[track_caller]
pub(crate) fn refused(folder: &Folder, arguments: &[&str], code: &str, words: &[&str]) {
    let run = run(folder, arguments);
    let told = run.err.replace("\n│ ", " ");
    assert_eq!(run.code, Some(1), "{}", beginning(&run.err));
    for word in words.iter().copied().chain([&*format!("[{code}]")]) {
        assert!(told.contains(word), "no {word:?}: {}", beginning(&run.err));
    }
}

/// As much of a text as helps.
fn beginning(text: &str) -> String {
    text.chars().take(2000).collect()
}
