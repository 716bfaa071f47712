//! Modules that call themselves, or that are far too many.

use std::fmt::Write;
use std::os::unix::fs::symlink;

use crate::confined::refused;
use crate::program::Folder;

fn call(name: &str, source: &str) -> String {
    format!("module \"{name}\" {{\n  source = \"{source}\"\n}}\n")
}

#[test]
fn circles_are_refused_where_they_close() {
    let direct = Folder::new(&[("main.hcl", &call("a", "./."))]);
    refused(&direct, &["plan"], "L0021", &["main.hcl line 2"]);
    let around = Folder::new(&[
        ("main.hcl", &call("a", "./a")),
        ("a/main.hcl", &call("b", "../b")),
        ("b/main.hcl", &call("a", "../a")),
    ]);
    refused(&around, &["plan"], "L0021", &["b/main.hcl line 2"]);
}

#[test]
fn circles_through_links_are_refused() {
    let text = format!("{}{}", call("a", "./a"), call("b", "./b"));
    let folder = Folder::new(&[("main.hcl", &text)]);
    symlink(".", folder.path("a")).unwrap();
    symlink("../.", folder.path("b")).unwrap();
    std::fs::remove_file(folder.path("b")).unwrap();
    symlink(folder.path(""), folder.path("b")).unwrap();
    refused(
        &folder,
        &["plan"],
        "L0021",
        &["main.hcl line 2", "main.hcl line 5"],
    );
    let folder = Folder::new(&[
        ("main.hcl", &call("m", "./m")),
        ("m/main.hcl", &call("n", "./again")),
    ]);
    symlink("../m", folder.path("m/again")).unwrap();
    refused(&folder, &["plan"], "L0021", &["m/main.hcl line 2"]);
}

#[test]
fn trees_that_double_are_refused() {
    let folder = Folder::new(&[("m60/main.hcl", "locals {\n  a = 1\n}\n")]);
    for level in 0..60 {
        let below = format!("../m{}", level + 1);
        let text = format!("{}{}", call("a", &below), call("b", &below));
        folder.write(&format!("m{level}/main.hcl"), &text);
    }
    folder.write("main.hcl", &call("a", "./m0"));
    refused(&folder, &["plan"], "L0026", &["/main.hcl line "]);
}

#[test]
fn trees_that_are_too_deep_are_refused() {
    let folder = Folder::new(&[("main.hcl", &call("a", "./m0"))]);
    for level in 0..300 {
        let text = call("a", &format!("../m{}", level + 1));
        folder.write(&format!("m{level}/main.hcl"), &text);
    }
    refused(&folder, &["plan"], "L0026", &["/main.hcl line 2"]);
}

#[test]
fn too_many_instances_are_refused() {
    let count = "resource \"isobar_data\" \"x\" {\n  count = 1000000000000\n}\n";
    let folder = Folder::new(&[("main.hcl", count)]);
    for command in ["plan", "validate"] {
        refused(&folder, &[command], "P0004", &["main.hcl line 2"]);
    }
    let nested =
        |source: &str| format!("module \"x\" {{\n  source = \"{source}\"\n  count = 1000\n}}\n");
    let folder = Folder::new(&[
        ("main.hcl", &nested("./m")),
        ("m/main.hcl", &nested("../n")),
        ("n/main.hcl", "locals {\n  a = 1\n}\n"),
    ]);
    refused(&folder, &["plan"], "P0004", &["m/main.hcl line 3"]);
}

#[test]
fn templates_and_values_that_double_are_refused() {
    let template = "${templatefile(\"x.tpl\", {})}${templatefile(\"x.tpl\", {})}";
    let folder = Folder::new(&[
        (
            "main.hcl",
            "output \"x\" {\n  value = templatefile(\"x.tpl\", {})\n}\n",
        ),
        ("x.tpl", template),
    ]);
    refused(&folder, &["plan"], "E0001", &["main.hcl line 2"]);
    for double in [
        "\"${local.aN}${local.aN}\"",
        "[local.aN, local.aN]",
        "{ a = local.aN, b = local.aN }",
    ] {
        let mut text = "locals {\n  a0 = \"0123456789\"\n".to_owned();
        for level in 0..100 {
            let value = double.replace('N', &level.to_string());
            writeln!(text, "  a{} = {value}", level + 1).unwrap();
        }
        text.push_str("}\noutput \"x\" {\n  value = local.a100\n}\n");
        let folder = Folder::new(&[("main.hcl", &text)]);
        refused(&folder, &["plan"], "E0020", &["main.hcl line "]);
    }
}
