//! Depth: of brackets, operators, templates, blocks, documents.

use crate::confined::{refused, run};
use crate::program::Folder;

/// How often each pattern is repeated.
const DEPTHS: [usize; 3] = [70, 1000, 30_000];

/// What opens, the middle, and what closes.
const PATTERNS: [(&str, &str, &str); 21] = [
    ("(", "1", ")"),
    ("[", "", "]"),
    ("{ a = ", "1", " }"),
    ("{ (", "1", ") = 1 }"),
    ("-", "1", ""),
    ("!", "true", ""),
    ("true ? 1 : ", "1", ""),
    ("true ? ", "1", " : 1"),
    ("\"${", "1", "}\""),
    ("abs(", "1", ")"),
    ("[for a in ", "[]", " : a]"),
    ("{for a in ", "[]", " : a => a}"),
    ("local.a[", "0", "]"),
    ("\"%{ if true }", "1", "%{ endif }\""),
    ("(", "", ""),
    ("[", "", ""),
    ("\"${", "", ""),
    ("{ a = [(", "", ""),
    ("<<EOT\n${", "", ""),
    ("/*", "", ""),
    (")", "", ""),
];

#[test]
fn brackets_are_refused_at_their_line() {
    for (open, middle, close) in PATTERNS {
        for depth in DEPTHS {
            let (open, close) = (open.repeat(depth), close.repeat(depth));
            let text = format!("locals {{\n  x = {open}{middle}{close}\n}}\n");
            let folder = Folder::new(&[("main.hcl", &text)]);
            let run = run(&folder, &["validate"]);
            assert_eq!(run.code, Some(1), "{}", &text[..60]);
            assert!(run.err.contains("main.hcl line "), "{}", &text[..60]);
        }
    }
}

#[test]
fn chains_are_refused_at_their_line() {
    for step in [".a", "[0]", "[*]", ".*", ".0", "[local.b]"] {
        let text = format!(
            "locals {{\n  b = 1\n  x = local.b{}\n}}\n",
            step.repeat(50_000)
        );
        let folder = Folder::new(&[("main.hcl", &text)]);
        refused(
            &folder,
            &["validate"],
            "L0001",
            &["main.hcl line 3", "in a row"],
        );
    }
    for operator in ["+", "&&", "==", "-"] {
        let text = format!(
            "locals {{\n  x = 1{}\n}}\n",
            format!("{operator}1").repeat(50_000)
        );
        let folder = Folder::new(&[("main.hcl", &text)]);
        refused(&folder, &["validate"], "L0001", &["main.hcl line 2"]);
    }
}

/// What the limits leave is within the stack, also where all of it comes together.
#[test]
fn what_is_just_not_too_deep_is_planned() {
    let sum = "+1".repeat(100);
    let texts = [
        format!("{}1{}", "(".repeat(50), ")".repeat(50)),
        format!("{}1{}{sum}", "(".repeat(50), ")".repeat(50)),
        format!("{}1{}", "[".repeat(50), "]".repeat(50)),
        format!("try(local.b{}, 1)", ".a".repeat(250)),
        format!("try(local.b{}, 1)", "[0]".repeat(250)),
        format!("try(local.b{}, 1)", "[*]".repeat(250)),
    ];
    for text in texts {
        let text = format!("locals {{\n  b = 1\n}}\noutput \"x\" {{\n  value = {text}\n}}\n");
        let folder = Folder::new(&[("main.hcl", &text)]);
        let run = run(&folder, &["plan"]);
        assert_eq!(run.code, Some(0), "{}", run.err);
    }
}

#[test]
fn blocks_are_refused() {
    for depth in DEPTHS {
        let nested = format!("{}{}", "a {\n".repeat(depth), "}\n".repeat(depth));
        let indented = format!("{}{}", " a {\n".repeat(depth), " }\n".repeat(depth));
        let open = "a {\n".repeat(depth);
        let dynamic = format!(
            "resource \"isobar_data\" \"x\" {{\n{}{}}}\n",
            " dynamic \"a\" {\n  for_each = [1]\n  content {\n".repeat(depth),
            " }\n }\n".repeat(depth)
        );
        for text in [nested, indented, open, dynamic] {
            let folder = Folder::new(&[("main.hcl", &text)]);
            let run = run(&folder, &["validate"]);
            assert_eq!(run.code, Some(1), "{depth}");
            assert!(run.err.contains("main.hcl line "), "{depth}");
        }
    }
}

#[test]
fn types_are_refused() {
    for (open, close) in [("list(", ")"), ("object({ a = ", " })"), ("tuple([", "])")] {
        for depth in DEPTHS {
            let (open, close) = (open.repeat(depth), close.repeat(depth));
            let text = format!("variable \"x\" {{\n  type = {open}string{close}\n}}\n");
            let folder = Folder::new(&[("main.hcl", &text)]);
            refused(&folder, &["validate"], "L0001", &["main.hcl line 2"]);
        }
    }
}

#[test]
fn documents_are_refused() {
    let main =
        |function: &str| format!("output \"x\" {{\n  value = {function}(file(\"deep\"))\n}}\n");
    let texts = [
        ("jsondecode", "["),
        ("jsondecode", "{\"a\":"),
        ("yamldecode", "["),
        ("yamldecode", "- "),
        ("yamldecode", "{a: "),
        ("yamldecode", "? "),
    ];
    for (function, open) in texts {
        for depth in [1000, 30_000] {
            let folder =
                Folder::new(&[("main.hcl", &main(function)), ("deep", &open.repeat(depth))]);
            refused(&folder, &["plan"], "E0001", &["main.hcl line 2"]);
        }
    }
}
