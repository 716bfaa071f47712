//! Tests of the module as a whole.

use isobar_sdk::{Type, Value};
use proptest::prelude::*;

use super::{Marker, attributes, draw};
use crate::render::Style;
use crate::render::json::shown;
use crate::render::sample::SECRET;

fn text(before: &Value, after: &Value) -> String {
    let lines = attributes(Some(before), Some(after), &|_| None);
    draw(&lines, 0, &Style::plain(80))
}

fn field(value: Value) -> Value {
    Value::object([("x", value)])
}

#[test]
fn sets_are_compared_by_membership() {
    let set = |items: &[&str]| field(Value::set(items.iter().map(|i| Value::from(*i)).collect()));
    insta::assert_snapshot!(text(&set(&["a", "b", "c"]), &set(&["b", "c", "d"])), @r#"
    ~ x = [
        - "a",
        + "d",
          # (2 unchanged elements hidden)
      ]
    "#);
}

#[test]
fn an_inserted_element_does_not_change_those_behind_it() {
    let list = |items: &[i64]| field(Value::list(items.iter().map(|i| Value::from(*i)).collect()));
    insta::assert_snapshot!(text(&list(&[1, 2, 3]), &list(&[0, 1, 2, 3])), @r"
    ~ x = [
        + 0,
          # (3 unchanged elements hidden)
      ]
    ");
}

#[test]
fn long_texts_show_the_lines_around_a_difference() {
    let lines = |changed: &str| -> Value {
        let lines: Vec<String> = (1..=20)
            .map(|line| {
                if line == 10 {
                    changed.to_owned()
                } else {
                    line.to_string()
                }
            })
            .collect();
        field(Value::from(format!("{}\n", lines.join("\n"))))
    };
    insta::assert_snapshot!(text(&lines("old"), &lines("new")), @r"
    ~ x = <<-EOT
          # (6 unchanged lines hidden)
          7
          8
          9
        - old
        + new
          11
          12
          13
          # (7 unchanged lines hidden)
      EOT
    ");
}

#[test]
fn a_json_document_shows_where_it_changes() {
    let before = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["a","b"]}],"Id":null}"#;
    let after = r#"{"Version":"2","Statement":[{"Effect":"Deny","Action":["a","b","c"]}]}"#;
    insta::assert_snapshot!(text(&field(before.into()), &field(after.into())), @r#"
    ~ x = jsonencode({
        ~ Statement = [
            ~ {
                ~ Action = [
                      # (2 unchanged elements hidden)
                    + "c",
                  ]
                ~ Effect = "Allow" → "Deny"
              },
          ]
        ~ Version   = "1" → "2"
      })
    "#);
    let nothing = field(Value::NULL);
    insta::assert_snapshot!(text(&nothing, &field(r#"{"a":[1]}"#.into())), @r"
    + x = jsonencode({
        + a = [
            + 1,
          ]
      })
    ");
}

#[test]
fn a_yaml_document_shows_where_it_changes() {
    let before = "# comment\nreplicas: 2\nimage:\n  name: x\n  tag: v1\n";
    let after = "replicas: 3\nimage:\n  name: x\n  tag: v2\n";
    insta::assert_snapshot!(text(&field(before.into()), &field(after.into())), @r#"
    ~ x = yamlencode({
        ~ image    = {
            ~ tag = "v1" → "v2"
              # (1 unchanged attribute hidden)
          }
        ~ replicas = 2 → 3
      })
    "#);
}

#[test]
fn a_change_that_a_document_does_not_show_is_shown_as_text() {
    for (before, after) in [
        ("{\"a\":1}", "{ \"a\": 1 }"),
        ("{\"a\":1}", "{\"a\":1,\"b\":null}"),
        ("a: 1\nb: 2\n", "a: 1\nb: 2\n# more\n"),
    ] {
        let shown = text(&field(before.into()), &field(after.into()));
        assert!(!shown.contains("encode("), "{shown}");
        assert!(shown.contains(['→', '+']), "{shown}");
    }
}

#[test]
fn another_type_is_another_value() {
    let (list, number) = (field(Value::list(vec![true.into()])), field(1_i64.into()));
    insta::assert_snapshot!(text(&list, &number), @r"
    - x = [
        - true,
      ]
    + x = 1
    ");
}

/// Values that hold the secret under marks only.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::from(true)),
        (0_i64..3).prop_map(Value::from),
        "[a-c\n]{0,4}".prop_map(Value::from),
        Just(Value::unknown_of(Type::String)),
        Just(Value::from(SECRET).sensitive()),
        Just(Value::map([(SECRET, Value::from(SECRET))]).sensitive()),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let items = || proptest::collection::vec(inner.clone(), 0..4);
        let fields = || proptest::collection::btree_map("[a-c]", inner.clone(), 0..4);
        prop_oneof![
            items().prop_map(Value::list),
            items().prop_map(Value::set),
            fields().prop_map(Value::map),
            fields().prop_map(Value::object),
        ]
    })
}

proptest! {
    #[test]
    fn no_secret_is_shown_and_no_difference_is_missed(before in values(), after in values()) {
        let lines = attributes(Some(&field(before.clone())), Some(&field(after.clone())), &|_| None);
        let drawn = draw(&lines, 0, &Style::plain(80));
        prop_assert!(!drawn.contains(SECRET), "{drawn}");
        prop_assert!(!shown(&after).to_string().contains(SECRET));
        let marked = lines.iter().any(|line| line.marker != Marker::Same);
        prop_assert_eq!(marked, before != after, "{}", drawn);
    }

    #[test]
    fn what_appears_is_what_disappears(value in values()) {
        let side = field(value);
        let nothing = |_: &_| None;
        let added = draw(&attributes(None, Some(&side), &nothing), 0, &Style::plain(80));
        let removed = draw(&attributes(Some(&side), None, &nothing), 0, &Style::plain(80));
        prop_assert_eq!(added.replace("+ ", "- "), removed);
    }
}
