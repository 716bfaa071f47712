//! Tests of the module as a whole.

use std::time::Duration;

use insta::assert_snapshot;
use isobar_sdk::{Diagnostic, Diagnostics};
use serde_json::Value as Json;

use super::{diagnostic_message, event, plan, progress, report, version};
use crate::apply::Report;
use crate::change::Action;
use crate::language::Sources;
use crate::plan::Mode;
use crate::render::sample::{self, SECRET, known};
use crate::state::{OutputValue, State};

fn lines(messages: &[Json]) -> String {
    let lines: Vec<String> = messages.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[test]
fn every_event_has_a_message() {
    let elapsed = Duration::from_secs(72);
    let mut messages: Vec<Json> = sample::events()
        .iter()
        .map(|each| event(each, elapsed))
        .collect();
    messages.push(progress(&sample::data("a"), Action::Create, elapsed));
    let text = lines(&messages);
    assert!(!text.contains(SECRET));
    assert_snapshot!(text);
}

#[test]
fn a_plan_is_told_message_by_message() {
    assert_snapshot!(lines(&plan(&sample::heal())));
    assert!(!lines(&plan(&sample::secret())).contains(SECRET));
}

#[test]
fn an_apply_ends_with_its_outputs() {
    let mut state = State::new("4c1f".to_owned());
    let value = known(isobar_sdk::Value::from(SECRET).sensitive());
    state
        .outputs
        .insert("key".to_owned(), OutputValue { value });
    let done = Report {
        unsaved: None,
        state: Some(state),
        done: vec![(sample::data("a"), Action::Replace)],
        imported: Vec::new(),
        skipped: Vec::new(),
        interrupted: false,
        diagnostics: Diagnostics::new(),
    };
    assert_snapshot!(lines(&report(&done, Mode::Normal)));
}

#[test]
fn the_first_message_and_diagnostics_have_their_levels() {
    assert_eq!(version()["type"], "version");
    let found = Diagnostic::warning("X0001", "Something odd", "Look here.");
    let message = diagnostic_message(&found, &Sources::default());
    assert_eq!(message["@level"], "warn");
    assert_eq!(message["@message"], "Warning: Something odd");
    assert_eq!(message["diagnostic"]["code"], "X0001");
}
