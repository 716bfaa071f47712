//! Tests of the module as a whole.

use insta::assert_snapshot;

use super::super::sample::{self, SECRET};
use super::super::style::{Colour, Style};
use super::{applied, human, summary};
use crate::apply::Report;
use crate::change::Action;
use crate::plan::{Mode, Plan};

fn wide(plan: &Plan) -> String {
    human(plan, &Style::plain(110))
}

#[test]
fn a_new_deployment_shows_its_capacity() {
    assert_snapshot!(wide(&sample::create()));
}

#[test]
fn drift_and_what_heals_it_are_told_apart_from_demand() {
    assert_snapshot!(wide(&sample::heal()));
}

#[test]
fn destruction_comes_first_with_its_reason() {
    assert_snapshot!(wide(&sample::replace()));
}

#[test]
fn destroying_everything() {
    assert_snapshot!(wide(&sample::destroy()));
}

#[test]
fn sensitive_and_unknown_values_are_named_not_shown() {
    assert_snapshot!(wide(&sample::secret()));
}

#[test]
fn a_narrow_terminal_gets_the_reasons_below() {
    assert_snapshot!(human(&sample::create(), &Style::plain(60)));
}

#[test]
fn nothing_to_do_is_said_in_words() {
    let said =
        [Mode::Normal, Mode::Destroy, Mode::RefreshOnly].map(|mode| wide(&sample::empty(mode)));
    assert_snapshot!(said.concat(), @r"
    No changes. What is there matches the configuration.
    No changes. There is nothing to destroy.
    No changes. What is there matches the state.
    ");
}

#[test]
fn a_deployment_that_stays_takes_one_line() {
    let mut plan = sample::empty(Mode::Normal);
    let still = sample::reranker((6, 6));
    plan.deployments.insert("reranker".to_owned(), still);
    assert_snapshot!(wide(&plan), @r"
    deployment.reranker stays at 11 replicas in frankfurt, virginia for 14.55 $/h

    No changes. What is there matches the configuration.
    ");
}

#[test]
fn a_refresh_only_plan_counts_what_differs() {
    let mut plan = sample::heal();
    plan.mode = Mode::RefreshOnly;
    plan.changes.clear();
    assert_eq!(
        summary(&plan),
        "Refresh only: 2 resources to record in the state, nothing to change."
    );
}

#[test]
fn no_secret_is_drawn() {
    for width in [20, 60, 200] {
        for colour in [Colour::Always, Colour::Never] {
            let text = human(&sample::secret(), &Style { colour, width });
            assert!(text.contains("(sensitive value)"));
            assert!(!text.contains(SECRET), "{text}");
        }
    }
}

#[test]
fn colour_adds_nothing_to_the_text() {
    for plan in sample::all() {
        let coloured = human(
            &plan,
            &Style {
                colour: Colour::Always,
                width: 100,
            },
        );
        let stripped = anstream::adapter::strip_str(&coloured).to_string();
        assert_eq!(stripped, human(&plan, &Style::plain(100)));
        assert_ne!(stripped, coloured);
    }
}

#[test]
fn a_replacement_counts_twice() {
    let report = Report {
        done: vec![
            (sample::data("a"), Action::Replace),
            (sample::data("b"), Action::Create),
        ],
        ..Report::default()
    };
    assert_eq!(
        applied(&report, Mode::Normal),
        "Apply complete! Resources: 2 added, 0 changed, 1 destroyed."
    );
    let imported = Report {
        imported: vec![sample::data("c")],
        ..report.clone()
    };
    assert_eq!(
        applied(&imported, Mode::Normal),
        "Apply complete! Resources: 1 imported, 2 added, 0 changed, 1 destroyed."
    );
    let stopped = Report {
        skipped: vec![(sample::data("c"), Action::Delete)],
        interrupted: true,
        ..report
    };
    assert_eq!(
        applied(&stopped, Mode::Destroy),
        "Destroy interrupted. Resources: 2 added, 0 changed, 1 destroyed; 1 not begun."
    );
}
