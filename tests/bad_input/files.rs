//! Files that are no text, or no files.

use std::os::unix::fs::symlink;
use std::process::Command;

use crate::confined::{refused, run};
use crate::program::Folder;

/// Bytes without a pattern, the same at every run.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33).to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn noise_is_refused() {
    for seed in 0..20 {
        let folder = Folder::new(&[]);
        std::fs::write(folder.path("main.hcl"), noise(seed, 4000)).unwrap();
        refused(&folder, &["plan"], "C0008", &["main.hcl", "line"]);
        // The same as text: every byte a character.
        let text: String = noise(seed, 4000).into_iter().map(char::from).collect();
        let ascii: String = text.chars().filter(char::is_ascii).collect();
        for text in [text, ascii] {
            let folder = Folder::new(&[("main.hcl", &text)]);
            let run = run(&folder, &["plan"]);
            assert_eq!(run.code, Some(1), "{seed}");
            assert!(run.err.contains("[L000") && run.err.contains("main.hcl line "));
        }
    }
}

#[test]
fn what_is_not_utf8_is_refused_at_its_line() {
    let texts: [&[u8]; 3] = [
        b"locals {\n  a = \"\xff\"\n}\n",
        b"\n# \xc3\n",
        b"\n\xed\xa0\x80 = 1",
    ];
    for text in texts {
        let folder = Folder::new(&[]);
        std::fs::write(folder.path("main.hcl"), text).unwrap();
        refused(
            &folder,
            &["validate"],
            "C0008",
            &["main.hcl", "line 2 is not UTF-8"],
        );
    }
    let folder = Folder::new(&[]);
    std::fs::write(folder.path("main.hcl"), b"\xff\xfel\0o\0").unwrap();
    refused(&folder, &["validate"], "C0008", &["line 1 is not UTF-8"]);
}

#[test]
fn marks_and_ends_of_lines_are_taken_and_zeros_refused() {
    for text in [
        "\u{feff}locals {\n  a = 1\n}\n",
        "locals {\r\n  a = 1\r\n}\r\n",
    ] {
        let folder = Folder::new(&[("main.hcl", text)]);
        assert_eq!(run(&folder, &["validate"]).code, Some(0), "{text:?}");
    }
    for text in [
        "locals {\n  a = 1\0\n}\n",
        "\0",
        "locals {\n  \u{feff}a = 1\n}\n",
    ] {
        let folder = Folder::new(&[("main.hcl", text)]);
        refused(&folder, &["validate"], "L0001", &["main.hcl line "]);
    }
}

#[test]
fn what_is_no_ordinary_file_is_refused() {
    let pipe = Folder::new(&[("main.hcl", "")]);
    let made = Command::new("mkfifo").arg(pipe.path("pipe.hcl")).status();
    assert!(made.unwrap().success());
    refused(&pipe, &["plan"], "C0008", &["pipe.hcl", "no ordinary file"]);
    for (target, words) in [
        ("/dev/zero", ["loop.hcl", "no ordinary file"]),
        ("loop.hcl", ["loop.hcl", "symbolic links"]),
        ("nowhere", ["loop.hcl", "No such file"]),
    ] {
        let folder = Folder::new(&[("main.hcl", "")]);
        symlink(target, folder.path("loop.hcl")).unwrap();
        refused(&folder, &["plan"], "C0008", &words);
    }
    let folder = Folder::new(&[("main.hcl", "")]);
    std::fs::create_dir(folder.path("folder.hcl")).unwrap();
    assert_eq!(run(&folder, &["plan"]).code, Some(0));
}

#[test]
fn files_that_never_end_are_refused() {
    let folder = Folder::new(&[(
        "main.hcl",
        "output \"x\" {\n  value = file(\"/dev/zero\")\n}\n",
    )]);
    refused(
        &folder,
        &["plan"],
        "E0001",
        &["main.hcl line 2", "no ordinary file"],
    );
    let folder = Folder::new(&[("main.hcl", "")]);
    refused(
        &folder,
        &["plan", "-var-file=/dev/zero"],
        "C0009",
        &["/dev/zero", "longer than"],
    );
    refused(
        &folder,
        &["apply", "/dev/zero"],
        "C0009",
        &["/dev/zero", "longer than"],
    );
    symlink("/dev/zero", folder.path("isobar.state.json")).unwrap();
    refused(&folder, &["plan"], "S0007", &["no ordinary file"]);
}

#[test]
fn links_that_lead_in_circles_end() {
    let folder = Folder::new(&[(
        "main.hcl",
        "output \"x\" {\n  value = length(fileset(\".\", \"**\"))\n}\n",
    )]);
    symlink(".", folder.path("a")).unwrap();
    symlink(".", folder.path("b")).unwrap();
    assert_eq!(run(&folder, &["plan"]).code, Some(0));
}

#[test]
fn tests_that_are_no_ordinary_files_are_refused() {
    let folder = Folder::new(&[("main.hcl", "")]);
    symlink("/dev/zero", folder.path("a.test.hcl")).unwrap();
    refused(&folder, &["test"], "C0009", &["a.test.hcl"]);
}
