//! Too much of everything.

use crate::confined::{refused, run};
use crate::program::Folder;

#[test]
fn huge_numbers_do_no_harm() {
    let digits = "9".repeat(100_000);
    let folder = Folder::new(&[(
        "main.hcl",
        &format!("output \"x\" {{\n  value = {digits}\n}}\n"),
    )]);
    run(&folder, &["plan"]);
    for number in [
        "1e999999999999",
        "1e-999999999999",
        "1e2147483647",
        "pow(9, 1e18)",
        "1e300000 * 1e300000",
    ] {
        let text = format!("output \"x\" {{\n  value = {number}\n}}\n");
        let folder = Folder::new(&[("main.hcl", &text)]);
        let run = run(&folder, &["plan"]);
        assert!(
            run.code == Some(0) || run.err.contains("main.hcl line 2"),
            "{}",
            run.err
        );
    }
}

#[test]
fn huge_files_are_refused() {
    let folder = Folder::new(&[("main.hcl", &"# x\n".repeat(5 << 20))]);
    refused(
        &folder,
        &["validate"],
        "C0008",
        &["main.hcl", "longer than 16 MiB"],
    );
}

#[test]
fn long_files_of_mistakes_end_early() {
    for line in [
        "}",
        "{",
        "a b c",
        "a = ]",
        "a = <<EOT",
        "a = \"",
        "a {",
        "a = {",
        "a {} }",
    ] {
        let text = format!("{line}\n").repeat(100_000);
        let folder = Folder::new(&[("main.hcl", &text)]);
        let run = run(&folder, &["validate"]);
        assert_eq!(run.code, Some(1), "{line}");
        assert!(run.err.contains("main.hcl line "), "{line}");
        assert!(run.err.len() < 100_000, "{line}: {}", run.err.len());
    }
}

#[test]
fn thousands_of_other_mistakes_are_all_told() {
    use std::fmt::Write;
    let mut text = "locals {\n".to_owned();
    for number in 0..2000 {
        writeln!(text, "  a{number} = local.missing{number}").unwrap();
    }
    text.push_str("}\n");
    let folder = Folder::new(&[("main.hcl", &text)]);
    let run = run(&folder, &["validate"]);
    assert_eq!(run.err.matches("[P0001]").count(), 2000);
}
