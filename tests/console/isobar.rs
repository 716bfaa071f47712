//! What `isobar console` prints.

use std::io::Write;
use std::path::Path;

use crate::cases::{Case, Expected, folder};
use crate::program::Folder;

/// Gives a file of the context the name and the text that a program wants.
type Rename = dyn Fn(&str, &[u8]) -> (String, Vec<u8>);

/// Copies the context of the cases into a folder.
pub(crate) fn copy_context(to: &Path, rename: &Rename) {
    copy(&folder().join("context"), to, rename);
}

fn copy(from: &Path, to: &Path, rename: &Rename) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name), rename);
        } else {
            let (name, text) = rename(name, &std::fs::read(&path).unwrap());
            std::fs::write(to.join(name), text).unwrap();
        }
    }
}

/// The result of each case; `None` where there is an error.
pub(crate) fn results(cases: &[Case]) -> Vec<Option<String>> {
    let folder = Folder::new(&[]);
    copy_context(&folder.path("."), &|name, text| {
        (name.to_owned(), text.to_vec())
    });
    let whole: Vec<&Case> = cases
        .iter()
        .filter(|case| case.expected != Expected::Invalid)
        .collect();
    let mut together = console(&folder, &whole).into_iter();
    cases
        .iter()
        .map(|case| match case.expected {
            // What cannot be read could take the cases behind it into itself.
            Expected::Invalid => console(&folder, &[case]).remove(0),
            _ => together.next().unwrap(),
        })
        .collect()
}

/// The results of all cases from one run; a text after each tells where its result ends.
fn console(folder: &Folder, cases: &[&Case]) -> Vec<Option<String>> {
    const END: &str = "@@@ end of a case @@@";
    let mut input = tempfile::tempfile().unwrap();
    for case in cases {
        writeln!(input, "{}\n{END:?}", case.expression).unwrap();
    }
    std::io::Seek::rewind(&mut input).unwrap();
    let mut program = folder.program(&["console"]);
    let output = program.stdin(input).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let end = format!("{END:?}\n");
    let mut results: Vec<Option<String>> = text
        .split(&end)
        .take(cases.len())
        .map(|part| part.strip_suffix('\n').map(str::to_owned))
        .collect();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        !text.is_empty() || cases.len() == 1,
        "the console said nothing: {stderr}"
    );
    results.resize(cases.len(), None);
    results
}
