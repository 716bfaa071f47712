//! Files through the desk to series, and what is left of them when they fail.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::telemetry::{Engine, Meaning, Series};

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/telemetry")
}

fn order(folder: &Path, path: &str) -> Order {
    Order {
        kind: "csv".to_owned(),
        settings: Settings {
            values: [("path".to_owned(), path.into())].into(),
            folder: folder.to_owned(),
            ..Settings::default()
        },
        meaning: Meaning {
            step: None,
            per: None,
            history: None,
            counter: false,
            aggregate: None,
        },
        engine: Engine {
            horizon: Duration::from_secs(3600),
            levels: vec![0.5],
        },
        last_good: false,
        now: "2026-11-21T09:00:00Z".parse().unwrap(),
    }
}

fn load(order: &Order) -> Result<Series, TelemetryError> {
    Desk::default()
        .load(order)
        .map(|telemetry| telemetry.series)
}

/// One line a slot: the time and the value, or `-` for a gap.
fn listing(series: &Series) -> String {
    let mut text = format!(
        "step {:?} duplicates {}\n",
        series.step(),
        series.duplicates()
    );
    for (slot, value) in series.values().iter().enumerate() {
        let at = crate::telemetry::offset(series.start(), series.step(), slot).unwrap();
        let value = value.map_or("-".to_owned(), |value| value.to_string());
        text += &format!("{at} {value}\n");
    }
    text
}

/// Every folder below `testdata/telemetry` holds `input.csv` and what it must give:
/// `expected.txt`, the slots, or `error.txt`, the message.
#[test]
fn files_give_the_series_or_the_error_beside_them() {
    let mut names: Vec<_> = fs::read_dir(cases())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    assert!(names.len() >= 10, "the cases are missing");
    for case in names {
        let (file, actual) = match load(&order(&case, "input.csv")) {
            Ok(series) => ("expected.txt", listing(&series)),
            Err(error) => ("error.txt", format!("{error}\n")),
        };
        let expected = fs::read_to_string(case.join(file)).unwrap_or_default();
        assert_eq!(actual, expected, "{}", case.join(file).display());
    }
}

#[test]
fn counts_become_rates_and_only_the_history_is_kept() {
    let mut order = order(&cases(), "plain/input.csv");
    let whole = load(&order).unwrap();
    order.meaning.per = Some(Duration::from_secs(300));
    order.meaning.history = Some(whole.step() * 2);
    let series = load(&order).unwrap();
    let slots = whole.values().len();
    let expected: Vec<_> = whole.values()[slots - 2..]
        .iter()
        .map(|value| value.map(|value| value / 300.0))
        .collect();
    assert_eq!(series.values(), expected);
    assert_eq!(series.end(), whole.end());
}

#[test]
fn a_step_may_be_finer_than_the_rows_but_not_coarser() {
    let mut order = order(&cases(), "plain/input.csv");
    let step = load(&order).unwrap().step();
    order.meaning.step = Some(step / 2);
    assert!(load(&order).unwrap().gaps() > 0);
    order.meaning.step = Some(step * 2);
    let error = load(&order).unwrap_err();
    assert!(error.to_string().contains("off the grid"), "{error}");
    order.meaning.step = Some(Duration::ZERO);
    assert!(load(&order).unwrap_err().to_string().contains("zero"));
}

#[test]
fn a_missing_file_is_named() {
    let error = load(&order(&cases(), "none.csv")).unwrap_err();
    assert_eq!(error.fault.line(), None);
    let text = error.to_string();
    assert!(text.starts_with("none.csv: cannot open the file"), "{text}");
}

#[test]
fn bytes_that_are_not_text_are_refused_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("bytes.csv"),
        b"timestamp,value\n2024-01-01T00:00:00Z,1\n\xff\xfe,2\n",
    )
    .unwrap();
    let error = load(&order(folder.path(), "bytes.csv")).unwrap_err();
    assert_eq!(error.fault.line(), Some(3));
}

#[test]
fn the_last_good_telemetry_serves_only_where_that_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("input.csv");
    fs::copy(cases().join("plain/input.csv"), &file).unwrap();
    let desk = || Desk::new(BTreeMap::new(), folder.path().join("kept"));
    let strict = order(folder.path(), "input.csv");
    let lenient = Order {
        last_good: true,
        ..strict.clone()
    };
    let good = desk().load(&lenient).unwrap();
    assert_eq!(good.stale, None);
    fs::write(&file, "timestamp,value\n2024-01-01T00:00:00Z,many\n").unwrap();
    assert!(desk().load(&strict).is_err());
    let old = desk().load(&lenient).unwrap();
    assert_eq!(old.series.digest(), good.series.digest());
    let stale = old.stale.unwrap();
    assert_eq!(stale.taken, lenient.now);
    assert!(
        stale
            .reason
            .to_string()
            .contains("\"many\" is not a number")
    );
    // What was told to another question is no answer to this one.
    let mut other = order(folder.path(), "./input.csv");
    other.last_good = true;
    assert!(desk().load(&other).is_err());
}

#[test]
fn an_order_is_filled_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("input.csv");
    fs::copy(cases().join("plain/input.csv"), &file).unwrap();
    let desk = Desk::default();
    let order = order(folder.path(), "input.csv");
    let first = desk.load(&order).unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!(desk.load(&order).unwrap(), first);
}
