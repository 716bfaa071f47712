//! CloudWatch, as ministack has it. Moto, as of 5.2.5, does not speak the protocol of the SDK.

use std::process::Command;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum};
use isobar_sources::{Fault, Kind, Reading, Settings, Window};
use serde_json::{Value, json};

use super::play::{Act, Play};
use super::process::{Server, parts, start};
use super::{listed, open, read, settings, window};

/// The credentials come from the environment of the process, which a test cannot change for
/// itself: it runs itself again in another one.
fn in_environment(test: &str, address: &str) {
    let program = std::env::current_exe().unwrap();
    let run = Command::new(program)
        .args(["--exact", "--ignored", "--nocapture", test])
        .env("AWS_ACCESS_KEY_ID", "key")
        .env("AWS_SECRET_ACCESS_KEY", "hunter2")
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ENDPOINT_URL", address)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && text.contains("1 passed"), "{text}");
}

fn address(server: &Server) -> String {
    format!("http://127.0.0.1:{}", server.port)
}

async fn ask(values: Value, window: Window) -> Result<Vec<Reading>, Fault> {
    let settings = Settings {
        step: window.step,
        ..settings(values)
    };
    let source = Kind::named("cloudwatch").unwrap().open(&settings).unwrap();
    read(&*source, window).await
}

/// An hour with four requests of 1, 2, 3 and 4 ms each minute.
async fn fill() {
    let config = aws_config::defaults(BehaviorVersion::latest()).load().await;
    let client = Client::new(&config);
    let from = hour().from.as_second();
    for minute in 0..60 {
        let datum = |value: f64| {
            MetricDatum::builder()
                .metric_name("Latency")
                .dimensions(Dimension::builder().name("Zone").value("east").build())
                .timestamp(DateTime::from_secs(from + minute * 60 + 10))
                .value(value)
                .build()
        };
        let data = [1.0, 2.0, 3.0, 4.0].map(datum);
        let put = client
            .put_metric_data()
            .namespace("Shop")
            .set_metric_data(Some(data.into()));
        put.send().await.unwrap();
    }
}

/// The server forgets what is older than CloudWatch would.
#[expect(
    clippy::disallowed_methods,
    reason = "the server has a clock of its own"
)]
fn hour() -> Window {
    let now = jiff::Timestamp::now();
    let hour = Duration::from_secs(3600);
    let window = Window::ending(now, hour, hour);
    Window {
        step: Duration::from_secs(300),
        ..window
    }
}

fn latency(statistic: &str) -> Value {
    json!({"namespace": "Shop", "metric": "Latency", "dimensions": {"Zone": "east"}, "statistic": statistic})
}

#[test]
fn ministack_is_read() {
    let Some(parts) = parts("ministack") else {
        return;
    };
    let server = start(|folder, port| {
        let mut command = Command::new(parts.join("ministack/bin/ministack"));
        command
            .current_dir(folder)
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string());
        command
    });
    in_environment("cloudwatch::statistics", &address(&server));
}

#[tokio::test]
#[ignore = "it is run by ministack_is_read"]
async fn statistics() {
    fill().await;
    for (statistic, expected) in [("Sum", 50.0), ("Average", 2.5), ("SampleCount", 20.0)] {
        let readings = ask(latency(statistic), hour()).await.unwrap();
        assert_eq!(readings.len(), 12, "{statistic}");
        let same = readings
            .iter()
            .all(|reading| reading.value == Some(expected));
        assert!(same, "{statistic} {readings:?}");
        assert_eq!(readings[0].at, hour().from);
    }
    let readings = ask(latency("p90"), hour()).await.unwrap();
    assert_eq!(readings.len(), 12);
    for reading in &readings {
        let value = reading.value.unwrap();
        assert!((3.0..=4.0).contains(&value), "{readings:?}");
    }
    let nothing = json!({"namespace": "Shop", "metric": "Nothing"});
    assert_eq!(ask(nothing, hour()).await, Ok(Vec::new()));
}

/// The parts of CBOR (RFC 8949) that answers are made of.
enum Cbor<'a> {
    Text(&'a str),
    Float(f64),
    /// Seconds since 1970.
    Time(f64),
    List(Vec<Cbor<'a>>),
    Map(Vec<(&'a str, Cbor<'a>)>),
}

impl Cbor<'_> {
    fn head(kind: u8, length: usize, into: &mut Vec<u8>) {
        into.push((kind << 5) | 25);
        into.extend(u16::try_from(length).unwrap().to_be_bytes());
    }

    fn write(&self, into: &mut Vec<u8>) {
        match self {
            Self::Text(text) => {
                Self::head(3, text.len(), into);
                into.extend(text.as_bytes());
            }
            Self::Float(value) => {
                into.push(0xfb);
                into.extend(value.to_be_bytes());
            }
            Self::Time(seconds) => {
                into.push(0xc1);
                Self::Float(*seconds).write(into);
            }
            Self::List(items) => {
                Self::head(4, items.len(), into);
                for item in items {
                    item.write(into);
                }
            }
            Self::Map(fields) => {
                Self::head(5, fields.len(), into);
                for (name, value) in fields {
                    Self::Text(name).write(into);
                    value.write(into);
                }
            }
        }
    }

    fn act(&self, status: u16, mut headers: Vec<(&'static str, String)>) -> Act {
        let mut body = Vec::new();
        self.write(&mut body);
        headers.push(("Content-Type", "application/cbor".to_owned()));
        headers.push(("smithy-protocol", "rpc-v2-cbor".to_owned()));
        Act::Bytes(status, headers, body)
    }
}

fn answer(results: &[(&'static str, &[f64])], token: &str) -> Act {
    let result = |(label, values): &(&'static str, &[f64])| {
        let times = (0..values.len()).map(|slot| Cbor::Time(1_767_225_600.0 + slot as f64 * 300.0));
        Cbor::Map(vec![
            ("Id", Cbor::Text("isobar")),
            ("Label", Cbor::Text(label)),
            ("StatusCode", Cbor::Text("Complete")),
            ("Timestamps", Cbor::List(times.collect())),
            (
                "Values",
                Cbor::List(values.iter().map(|value| Cbor::Float(*value)).collect()),
            ),
        ])
    };
    let mut fields = vec![(
        "MetricDataResults",
        Cbor::List(results.iter().map(result).collect()),
    )];
    if !token.is_empty() {
        fields.push(("NextToken", Cbor::Text(token)));
    }
    Cbor::Map(fields).act(200, Vec::new())
}

#[test]
fn scripts_are_read() {
    in_environment("cloudwatch::pages_and_faults", "http://127.0.0.1:1");
}

#[tokio::test]
#[ignore = "it is run by scripts_are_read"]
async fn pages_and_faults() {
    let quarter = window("2026-01-01T00:00:00Z", "2026-01-01T00:15:00Z");
    let math = |play: &Play| {
        json!({
            "expression": "m1 + m2", "endpoint": play.address, "timeout": "2s",
            "metrics": {
                "m1": {"namespace": "Shop", "metric": "Requests", "dimensions": {"Zone": "east"}},
                "m2": {"namespace": "Shop", "metric": "Requests", "dimensions": {"Zone": "west"}, "statistic": "Average"},
            },
        })
    };
    let play = Play::begin(vec![
        answer(&[("sum", &[1.0])], "more"),
        answer(&[("sum", &[1.0, 2.5])], ""),
    ]);
    let readings = ask(math(&play), quarter).await.unwrap();
    assert_eq!(
        listed(&readings),
        [
            "2026-01-01T00:00:00Z 1",
            "2026-01-01T00:00:00Z 1",
            "2026-01-01T00:05:00Z 2.5"
        ]
    );
    let asked = play.requests();
    assert!(asked[0].contains("m1 + m2"), "{asked:?}");
    assert!(asked[1].contains("more"), "{asked:?}");
    let several = Play::begin(vec![answer(&[("east", &[1.0]), ("west", &[2.0])], "")]);
    let fault = ask(math(&several), quarter).await.unwrap_err();
    assert_eq!(
        fault.to_string(),
        "the expression gives 2 series where one is needed: \"east\", \"west\""
    );
    let error = |status: u16, code: &str| {
        let kind = format!("com.amazonaws.cloudwatch#{code}");
        let body = Cbor::Map(vec![
            ("__type", Cbor::Text(&kind)),
            ("message", Cbor::Text("no")),
        ]);
        let query = ("x-amzn-query-error", format!("{code};Sender"));
        Play::begin(vec![body.act(status, vec![query])])
    };
    let refused = error(403, "InvalidClientTokenId");
    let fault = ask(math(&refused), quarter).await.unwrap_err();
    assert!(matches!(fault, Fault::Refused { .. }), "{fault:?}");
    let slow = error(400, "Throttling");
    let fault = ask(math(&slow), quarter).await.unwrap_err();
    assert!(matches!(fault, Fault::Unavailable { .. }), "{fault:?}");
    assert_eq!(slow.requests().len(), 4);
    let wrong = error(400, "ValidationError");
    let fault = ask(math(&wrong), quarter).await.unwrap_err();
    assert!(matches!(fault, Fault::Question { .. }), "{fault:?}");
}

#[test]
fn settings_are_checked_before_anything_is_asked() {
    let told = |values: Value| format!("{:?}", open("cloudwatch", values).err().unwrap());
    assert!(told(json!({"metric": "m"})).contains("needs namespace and metric"));
    assert!(
        told(json!({"metrics": {"m1": {"namespace": "n", "metric": "m"}}})).contains("expression")
    );
    let name = json!({"expression": "M", "metrics": {"M": {"namespace": "n", "metric": "m"}}});
    assert!(told(name).contains("small letter"));
}
