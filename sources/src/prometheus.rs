//! Prometheus, VictoriaMetrics and what else answers range queries of their protocol.
//!
//! <https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries>

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::fault::{Fault, abbreviate};
use crate::settings::{Problem, Setting, Settings};
use crate::source::{Reading, Source, Window};
use crate::web::{self, Account, Answer, Reach, Web};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new(
        "url",
        "The address of the server, such as \"http://prometheus:9090\".",
    )
    .required(),
    Setting::new(
        "query",
        "An expression that gives exactly one series, such as sum(rate(requests_total[5m])).",
    )
    .required(),
    Setting::new("tenant", "The tenant, sent as X-Scope-OrgID."),
    web::USERNAME,
    web::PASSWORD,
    web::TOKEN,
    web::TIME_OUT,
    web::AUTHORITY,
    web::UNVERIFIED,
];

/// Prometheus refuses a range of more than 11,000 points a series; both ends count.
const POINTS: u32 = 10_000;
/// How many series are listed where there should be one.
const LISTED: usize = 6;
const CREDENTIALS: &str = "check username and password, or token; they can come from ISOBAR_PROMETHEUS_USERNAME, ISOBAR_PROMETHEUS_PASSWORD and ISOBAR_PROMETHEUS_TOKEN";

#[derive(Debug)]
struct Prometheus {
    web: Web,
    url: Url,
    query: String,
    tenant: Option<String>,
    account: Account,
    counter: bool,
}

#[derive(Deserialize)]
struct Told {
    url: String,
    query: String,
    tenant: Option<String>,
    #[serde(flatten)]
    reach: Reach,
}

/// The label sets of an answer with their points; a point is a time and a text.
#[derive(Deserialize)]
struct Matrix {
    #[serde(rename = "resultType")]
    kind: String,
    result: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    metric: Map<String, Value>,
    #[serde(default)]
    values: Vec<(f64, String)>,
    /// Native histograms, which are no numbers.
    #[serde(default)]
    histograms: Vec<Value>,
}

#[derive(Deserialize)]
struct Envelope {
    status: String,
    data: Option<Matrix>,
    error: Option<String>,
}

pub(crate) fn open(settings: &Settings) -> Result<Box<dyn Source>, Problem> {
    let told: Told = settings.read()?;
    if told.query.trim().is_empty() {
        let help = "write an expression such as sum(rate(requests_total[5m]))";
        return Err(Problem::wrong("query", "is empty", help));
    }
    Ok(Box::new(Prometheus {
        web: Web::open(&told.reach)?,
        url: web::address("url", &told.url)?,
        query: told.query,
        tenant: told.tenant,
        account: Account::of(settings, "ISOBAR_PROMETHEUS")?,
        counter: settings.counter,
    }))
}

impl Source for Prometheus {
    fn place(&self) -> String {
        web::shown(&self.url)
    }

    fn read(&self, window: Window) -> BoxFuture<'_, Result<Vec<Reading>, Fault>> {
        async move {
            let mut readings = Vec::new();
            let mut labels = Vec::new();
            for part in window.parts(POINTS) {
                for found in self.range(part).await? {
                    readings.extend(self.points(&found, window.step)?);
                    if !labels.contains(&found.metric) {
                        labels.push(found.metric);
                    }
                }
                // What lies in different parts can be several series, too.
                one(&labels)?;
            }
            Ok(readings)
        }
        .boxed()
    }
}

impl Prometheus {
    /// An expression is about the time up to where it is evaluated, so that a slot is what it
    /// says at the slot's end; a counter is read where the slot begins.
    fn shift(&self, step: Duration) -> SignedDuration {
        if self.counter {
            return SignedDuration::ZERO;
        }
        SignedDuration::try_from(step).unwrap_or(SignedDuration::ZERO)
    }

    async fn range(&self, part: Window) -> Result<Vec<Found>, Fault> {
        let step = SignedDuration::try_from(part.step).unwrap_or(SignedDuration::ZERO);
        let shift = self.shift(part.step);
        let at = |time: Timestamp, by: SignedDuration| {
            let time = time.checked_add(by).unwrap_or(time);
            seconds(time.as_nanosecond())
        };
        // Both ends count, and the end of the window belongs to the next slot. A counter is read
        // there, too: its last slot has no other end.
        let last = if self.counter {
            SignedDuration::ZERO
        } else {
            shift - step
        };
        let body = web::form(&[
            ("query", &self.query),
            ("start", &at(part.from, shift)),
            ("end", &at(part.until, last)),
            ("step", &seconds(step.as_nanos())),
        ]);
        let answer = self.post(body).await?;
        self.matrix(&answer)
    }

    async fn post(&self, body: String) -> Result<Answer, Fault> {
        let mut url = self.url.clone();
        let path = format!("{}/api/v1/query_range", url.path().trim_end_matches('/'));
        url.set_path(&path);
        let ask = |client: &reqwest::Client| {
            let mut request = self.account.sign(client.post(url.clone()));
            if let Some(tenant) = &self.tenant {
                request = request.header("X-Scope-OrgID", tenant);
            }
            request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(body.clone())
        };
        self.web.ask(&self.place(), ask).await
    }

    /// A bad expression is told in the body of a 400 or 422.
    fn matrix(&self, answer: &Answer) -> Result<Vec<Found>, Fault> {
        let place = self.place();
        let read: Option<Envelope> = serde_json::from_slice(&answer.body).ok();
        let matrix = match read {
            Some(Envelope {
                error: Some(error), ..
            }) if matches!(answer.status.as_u16(), 400 | 422) => {
                let what = format!("{place} refuses the query: {error}");
                return Err(Fault::question(what, "correct query"));
            }
            Some(Envelope {
                status,
                data: Some(matrix),
                ..
            }) if status == "success" => matrix,
            _ => {
                let help = "check that url is the address of Prometheus itself, without /api/v1";
                let other = format!("{place} does not answer as Prometheus: {}", answer.shown());
                let refusal = answer.refusal(&place, CREDENTIALS);
                return Err(refusal.unwrap_or_else(|| Fault::question(other, help)));
            }
        };
        if matrix.kind != "matrix" {
            let what = format!("the query gives a {}, not a series", matrix.kind);
            return Err(Fault::question(
                what,
                "write an expression whose result is a vector",
            ));
        }
        Ok(matrix.result)
    }

    fn points(&self, found: &Found, step: Duration) -> Result<Vec<Reading>, Fault> {
        if !found.histograms.is_empty() {
            return Err(Fault::unusable(
                "the query gives native histograms, not numbers",
                "wrap it in histogram_count(), histogram_sum() or histogram_quantile()",
            ));
        }
        let shift = self.shift(step);
        let points = found.values.iter();
        points.map(|(at, text)| point(*at, text, shift)).collect()
    }
}

/// Nanoseconds as the seconds that the protocol wants, exactly.
fn seconds(nanoseconds: i128) -> String {
    let (whole, rest) = (
        nanoseconds.div_euclid(1_000_000_000),
        nanoseconds.rem_euclid(1_000_000_000),
    );
    let text = format!("{whole}.{rest:09}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn point(at: f64, text: &str, shift: SignedDuration) -> Result<Reading, Fault> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "times come in whole milliseconds; a float beyond i64 saturates and is refused"
    )]
    let time = Timestamp::from_millisecond((at * 1000.0).round() as i64);
    let time = time.ok().and_then(|time| time.checked_sub(shift).ok());
    let time = time.ok_or_else(|| {
        Fault::unusable(
            format!("the time {at} lies beyond the calendar"),
            "check the server",
        )
    })?;
    let value = match text.parse::<f64>() {
        // Prometheus says so where there is nothing to divide by.
        Ok(value) if value.is_nan() => None,
        Ok(value) if value.is_finite() && value >= 0.0 => Some(value),
        Ok(value) => {
            let (why, help) = match value.is_finite() {
                true => (
                    "is negative",
                    "rates are at least 0: clamp_min(…, 0) if that is meant",
                ),
                false => (
                    "is infinite",
                    "the query divides by zero: add > 0 to the divisor",
                ),
            };
            return Err(Fault::unusable(
                format!("the value {value} at {time} {why}"),
                help,
            ));
        }
        Err(_) => {
            let what = format!("the value {} at {time} is not a number", abbreviate(text));
            return Err(Fault::unusable(what, "check that url leads to Prometheus"));
        }
    };
    Ok(Reading {
        at: time,
        value,
        line: None,
    })
}

/// Refuses several series, with their labels and the way to one.
fn one(labels: &[Map<String, Value>]) -> Result<(), Fault> {
    if labels.len() < 2 {
        return Ok(());
    }
    let listed: Vec<String> = labels.iter().take(LISTED).map(label_set).collect();
    let more = match labels.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let what = format!(
        "the query gives {} series where one is needed: {}{more}",
        labels.len(),
        listed.join(", ")
    );
    let differing = labels[0].iter().find(|(name, value)| {
        let same = |other: &Map<String, Value>| other.get(*name) == Some(value);
        !labels.iter().all(same)
    });
    let choose = differing.map_or_else(String::new, |(name, value)| {
        format!(", or choose one with a label, such as {{{name}={value}}}")
    });
    let help = format!("add them up with sum(…){choose}");
    Err(Fault::unusable(what, help))
}

fn label_set(labels: &Map<String, Value>) -> String {
    let name = labels
        .get("__name__")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let others = labels.iter().filter(|(label, _)| *label != "__name__");
    let pairs: Vec<String> = others
        .map(|(label, value)| format!("{label}={value}"))
        .collect();
    format!("{name}{{{}}}", pairs.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_exactly() {
        assert_eq!(seconds(1_700_000_000_000_000_000), "1700000000");
        assert_eq!(seconds(1_700_000_000_250_000_000), "1700000000.25");
        assert_eq!(seconds(300_000_000_000), "300");
        assert_eq!(seconds(1), "0.000000001");
    }

    #[test]
    fn several_series_are_listed_with_the_way_to_one() {
        let labels = |zone: &str| -> Map<String, Value> {
            let pairs = [("__name__", "up"), ("job", "api"), ("zone", zone)];
            pairs
                .map(|(n, v)| (n.to_owned(), v.into()))
                .into_iter()
                .collect()
        };
        assert_eq!(one(&[labels("a")]), Ok(()));
        let fault = one(&[labels("a"), labels("b")]).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "the query gives 2 series where one is needed: up{job=\"api\",zone=\"a\"}, up{job=\"api\",zone=\"b\"}"
        );
        assert_eq!(
            fault.help(),
            "add them up with sum(…), or choose one with a label, such as {zone=\"a\"}"
        );
    }

    #[test]
    fn points_that_are_no_rates_are_refused() {
        let none = SignedDuration::ZERO;
        assert_eq!(point(1.0, "NaN", none).unwrap().value, None);
        assert_eq!(point(1.0, "2.5", none).unwrap().value, Some(2.5));
        for text in ["-1", "+Inf", "many"] {
            assert!(
                matches!(point(1.0, text, none), Err(Fault::Unusable { .. })),
                "{text}"
            );
        }
    }
}
