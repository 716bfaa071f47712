//! What the console does with what comes through a pipe.

use std::io::{Seek, Write};

use crate::program::{Folder, Run};

fn console(folder: &Folder, arguments: &[&str], input: &str) -> Run {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(input.as_bytes()).unwrap();
    file.rewind().unwrap();
    Run::of(&folder.program(arguments).stdin(file).output().unwrap())
}

#[test]
fn an_error_does_not_end_the_rest() {
    let folder = Folder::new(&[]);
    let run = console(&folder, &["console"], "1 + 1\n1 + \"a\"\n\n2 + 2\n");
    run.failed_with(&["E0001", "<console> line 1"]);
    assert_eq!(run.out, "2\n4\n");
    assert_eq!(
        console(&folder, &["console"], "3\nexit\n4\n").ended(0),
        "3\n"
    );
}

#[test]
fn variables_and_locals_have_their_values() {
    let text = "variable \"n\" {\n  type = number\n}\n\nlocals {\n  double = var.n * 2\n}\n";
    let folder = Folder::new(&[("main.hcl", text)]);
    let run = console(
        &folder,
        &["console", "-var", "n=21"],
        "local.double\n[\n  var.n,\n]\n",
    );
    assert_eq!(run.ended(0), "42\n[\n  21,\n]\n");
    // Without a value it is unknown, and so is what rests on it.
    let run = console(&folder, &["console"], "local.double\ntype(var.n)\n");
    assert_eq!(run.ended(0), "(known after apply)\nnumber\n");
}
