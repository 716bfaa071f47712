//! `-target`, `-exclude` and `-replace`: plans of a part.

use isobar::change::Reason;
use isobar::plan::{Mode, Selection};
use isobar_sdk::address::Place;

use crate::workspace::{Workspace, actions};

/// `a` ← `b` ← `c` and module `m` ← `d`; `each` stands alone.
fn chain(input: u32) -> Workspace {
    let workspace = Workspace::new();
    workspace.write(
        "m/main.hcl",
        "resource \"isobar_data\" \"x\" { input = 1 }\noutput \"id\" { value = isobar_data.x.id }",
    );
    write(&workspace, input);
    workspace
}

fn write(workspace: &Workspace, input: u32) {
    let text = format!(
        r#"
        resource "isobar_data" "a" {{ input = {input} }}
        resource "isobar_data" "b" {{ input = [isobar_data.a.output, {input}] }}
        resource "isobar_data" "c" {{ input = [isobar_data.b.output, {input}] }}
        module "m" {{ source = "./m" }}
        resource "isobar_data" "d" {{ input = [module.m.id, {input}] }}
        resource "isobar_data" "each" {{
          for_each = toset(["p", "q"])
          input    = {input}
        }}
        output "a" {{ value = isobar_data.a.output }}
        output "d" {{ value = isobar_data.d.output }}
        "#
    );
    workspace.write("main.hcl", &text);
}

fn places(texts: &[&str]) -> Vec<Place> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[tokio::test]
async fn a_target_takes_along_what_it_rests_on() {
    for (targets, expected) in [
        (
            vec!["isobar_data.b"],
            "create isobar_data.a, create isobar_data.b",
        ),
        (
            vec!["isobar_data.d"],
            "create isobar_data.d, create module.m.isobar_data.x",
        ),
        (vec!["module.m"], "create module.m.isobar_data.x"),
        (
            vec![r#"isobar_data.each["q"]"#],
            r#"create isobar_data.each["q"]"#,
        ),
    ] {
        let mut workspace = chain(1);
        workspace.selection.targets = places(&targets);
        let plan = workspace.plan().await;
        assert_eq!(actions(&plan).join(", "), expected);
        assert_eq!(plan.outputs.contains_key("a"), expected.contains("data.a"));
        assert_eq!(plan.outputs.contains_key("d"), expected.contains("data.d"));
        workspace.converge().await;
        // The rest is made as if nothing had been.
        workspace.selection = Selection::default();
        workspace.converge().await;
        assert_eq!(workspace.state().unwrap().instances.len(), 7);
        assert_eq!(workspace.state().unwrap().outputs.len(), 2);
    }
}

#[tokio::test]
async fn what_is_left_out_stays_as_it_is() {
    let mut workspace = chain(1);
    workspace.converge().await;
    write(&workspace, 2);
    for (exclude, expected) in [
        (
            "isobar_data.b",
            "update isobar_data.a, update isobar_data.d, update isobar_data.each[\"p\"], update isobar_data.each[\"q\"]",
        ),
        (
            "isobar_data.a",
            "update isobar_data.d, update isobar_data.each[\"p\"], update isobar_data.each[\"q\"]",
        ),
        (
            "module.m",
            "update isobar_data.a, update isobar_data.b, update isobar_data.c, update isobar_data.each[\"p\"], update isobar_data.each[\"q\"]",
        ),
    ] {
        workspace.selection.excludes = places(&[exclude]);
        let plan = workspace.plan().await;
        assert_eq!(actions(&plan).join(", "), expected);
    }
    workspace.selection.excludes = places(&["isobar_data.b"]);
    workspace.converge().await;
    workspace.selection = Selection::default();
    let plan = workspace.converge().await;
    assert_eq!(
        actions(&plan),
        ["update isobar_data.b", "update isobar_data.c"]
    );
}

#[tokio::test]
async fn destroying_a_part_takes_along_what_rests_on_it() {
    for (selection, expected) in [
        (
            Selection {
                targets: places(&["isobar_data.b"]),
                ..Selection::default()
            },
            "delete isobar_data.b, delete isobar_data.c",
        ),
        (
            Selection {
                excludes: places(&["isobar_data.b", "isobar_data.each", "module.m"]),
                ..Selection::default()
            },
            "delete isobar_data.c, delete isobar_data.d",
        ),
    ] {
        let mut workspace = chain(1);
        workspace.converge().await;
        workspace.selection = selection;
        let (plan, _) = workspace.propose(Mode::Destroy).await;
        let plan = plan.unwrap();
        assert_eq!(actions(&plan).join(", "), expected);
        let report = workspace.apply_plan(&plan).await;
        assert!(
            !report.diagnostics.has_errors(),
            "{:#?}",
            report.diagnostics
        );
        workspace.selection = Selection::default();
        workspace.converge().await;
    }
}

#[tokio::test]
async fn a_replacement_can_be_asked_for() {
    let mut workspace = chain(1);
    workspace.converge().await;
    workspace.selection.replace = vec!["isobar_data.c".parse().unwrap()];
    let plan = workspace.plan().await;
    assert_eq!(actions(&plan), ["replace isobar_data.c"]);
    let change = &plan.changes[&"isobar_data.c".parse().unwrap()];
    assert_eq!(change.reason, Some(Reason::Requested));
    let report = workspace.apply_plan(&plan).await;
    assert!(
        !report.diagnostics.has_errors(),
        "{:#?}",
        report.diagnostics
    );

    workspace.selection.replace = vec!["isobar_data.cc".parse().unwrap()];
    let (_, found) = workspace.propose(Mode::Normal).await;
    let first = found.iter().next().unwrap();
    assert_eq!(first.code, "P0034");
    assert_eq!(first.help.as_deref(), Some("Did you mean isobar_data.c?"));
}
