//! Charts as they are written, and what must hold for all of them.

use jiff::SignedDuration;

use super::*;

fn hour(count: i64) -> Timestamp {
    let start: Timestamp = "2026-11-20T20:00:00Z".parse().unwrap();
    start + SignedDuration::from_hours(count)
}

fn chart(layers: Vec<Layer>) -> Chart {
    Chart {
        id: "chart".to_owned(),
        title: "Demand & <forecast>".to_owned(),
        description: "Rises.".to_owned(),
        unit: "req/s".to_owned(),
        layers,
    }
}

fn line(values: &[Option<f64>]) -> Points {
    let at = |slot: usize| hour(i64::try_from(slot).unwrap());
    values
        .iter()
        .enumerate()
        .map(|(slot, value)| (at(slot), *value))
        .collect()
}

fn every_layer() -> Vec<Layer> {
    vec![
        Layer::Band {
            label: "p50 to p95".to_owned(),
            depth: 0,
            edges: vec![(hour(6), 100.0, 180.0), (hour(7), 110.0, 210.0)],
        },
        Layer::Line {
            label: "history".to_owned(),
            ink: Ink::History,
            points: line(&[Some(80.0), Some(90.0), None, Some(95.0), None, Some(99.0)]),
        },
        Layer::Steps {
            label: "planned".to_owned(),
            ink: Ink::Planned,
            points: vec![
                (hour(6), Some(200.0)),
                (hour(7), Some(300.0)),
                (hour(8), None),
            ],
        },
        Layer::Rule {
            label: "forecast".to_owned(),
            at: hour(6),
        },
        Layer::Mark {
            label: "p95 210".to_owned(),
            at: hour(7),
            value: 210.0,
            above: true,
        },
    ]
}

#[test]
fn every_layer_is_drawn() {
    insta::assert_snapshot!(draw(&chart(every_layer())));
}

#[test]
fn gaps_stay_open_and_lone_values_are_dots() {
    let layers = vec![Layer::Line {
        label: "history".to_owned(),
        ink: Ink::History,
        points: line(&[Some(1.0), Some(1.0), None, Some(1.0), None, Some(1.0)]),
    }];
    let text = draw(&chart(layers));
    let path = text
        .lines()
        .find(|line| line.contains("class=\"line history\" d=\"M6"))
        .unwrap();
    assert_eq!(
        (path.matches('M').count(), path.matches('L').count()),
        (3, 1)
    );
}

#[test]
fn without_anything_to_draw_there_are_still_axes() {
    let text = draw(&chart(Vec::new()));
    assert!(
        text.contains("class=\"grid\"") && !text.contains("NaN"),
        "{text}"
    );
    let constant = draw(&chart(vec![Layer::Rule {
        label: String::new(),
        at: hour(0),
    }]));
    assert!(
        !constant.contains("NaN") && !constant.contains("inf"),
        "{constant}"
    );
}

#[test]
fn text_cannot_become_markup() {
    let text = draw(&chart(Vec::new()));
    assert!(text.contains("Demand &amp; &lt;forecast&gt;"));
    assert_eq!(escaped("a\"\u{1}\n"), "a&quot;\u{fffd}\n");
}

#[test]
fn long_lines_keep_their_extremes() {
    let mut values = vec![Some(1.0); 20_000];
    values[12_345] = Some(500.0);
    values[3_000..6_000].fill(None);
    let thin = thinned(&line(&values));
    assert!(thin.len() <= MOST_POINTS, "{}", thin.len());
    assert!(thin.contains(&(hour(12_345), Some(500.0))));
    assert!(thin.iter().any(|(_, value)| value.is_none()));
    assert!(thin.is_sorted_by_key(|(at, _)| *at));
}

#[test]
fn legends_wrap_within_the_chart() {
    let layer = |number: usize| Layer::Line {
        label: format!("a line with a long name, number {number}"),
        ink: Ink::Bound,
        points: Vec::new(),
    };
    let layers: Vec<_> = (0..7).map(layer).collect();
    let rows = legend(&layers);
    assert_eq!(rows.iter().map(Vec::len).sum::<usize>(), 7);
    assert!(rows.len() > 1);
}
