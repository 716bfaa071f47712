//! Every input that fuzzing kept, through the functions that fuzzing calls (docs/fuzzing.md).

#[path = "../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is a library elsewhere")]
mod targets;

use std::path::Path;

/// What is done with an input.
type Target = fn(&[u8]);

/// The targets with the least number of inputs that each keeps.
const TARGETS: [(&str, Target, usize); 5] = [
    ("load", targets::load, 20),
    ("evaluate", targets::evaluate, 20),
    ("validate", targets::validate, 20),
    ("documents", targets::documents, 10),
    ("format", targets::format, 20),
];

#[test]
fn every_input_that_was_kept_is_taken_or_refused() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, target, least) in TARGETS {
        let file = corpus.join(name).with_extension("jsonl");
        let lines = std::fs::read_to_string(file).unwrap();
        assert!(lines.lines().count() >= least, "{name}");
        for line in lines.lines() {
            let input: String = serde_json::from_str(line).unwrap();
            target(input.as_bytes());
        }
    }
}
