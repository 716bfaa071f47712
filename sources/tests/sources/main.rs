//! Sources against servers: ones that others wrote, where `ISOBAR_TEST_PARTS` names the folder
//! that `.ci/parts` has put them into, and ones that fail on purpose.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

mod azure;
#[cfg(feature = "gcp")]
mod bigquery;
#[cfg(feature = "aws")]
mod cloudwatch;
mod faults;
mod pages;
#[cfg(feature = "parquet")]
mod parquet;
mod play;
#[expect(unreachable_pub, reason = "it is shared by tests")]
#[path = "../../../stores/tests/server/process.rs"]
mod process;
mod prometheus;

use std::time::Duration;

use isobar_sources::{Fault, Kind, Problem, Reading, Settings, Source, Window};
use serde_json::Value;

/// The settings of a source with five-minute steps.
fn settings(values: Value) -> Settings {
    let Value::Object(values) = values else {
        unreachable!("settings are an object")
    };
    Settings {
        values: values.into_iter().collect(),
        step: Duration::from_secs(300),
        ..Settings::default()
    }
}

fn open(kind: &str, values: Value) -> Result<Box<dyn Source>, Problem> {
    Kind::named(kind).unwrap().open(&settings(values))
}

/// A window of five-minute steps.
fn window(from: &str, until: &str) -> Window {
    Window {
        from: from.parse().unwrap(),
        until: until.parse().unwrap(),
        step: Duration::from_secs(300),
    }
}

async fn read(source: &dyn Source, window: Window) -> Result<Vec<Reading>, Fault> {
    let mut readings = source.read(window).await?;
    readings.sort_by_key(|reading| reading.at);
    Ok(readings)
}

/// Times and values as text.
fn listed(readings: &[Reading]) -> Vec<String> {
    let line = |reading: &Reading| {
        let value = reading
            .value
            .map_or("-".to_owned(), |value| value.to_string());
        format!("{} {value}", reading.at)
    };
    readings.iter().map(line).collect()
}

/// What is wrong and the way out, as people get to see them.
fn told(fault: &Fault) -> String {
    format!("{fault}; {}", fault.help())
}
