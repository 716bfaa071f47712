//! Azure Monitor: a metric of one resource, over the REST interface of Azure Resource Manager.
//!
//! <https://learn.microsoft.com/rest/api/monitor/metrics/list>

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use reqwest::Url;
use serde::Deserialize;

use crate::azure_token::Credential;
use crate::fault::Fault;
use crate::settings::{Problem, Setting, Settings, Shape};
use crate::source::{Reading, Source, Window};
use crate::web::{self, Reach, Web};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new(
        "resource",
        "The identity of the resource: /subscriptions/…/providers/….",
    )
    .required(),
    Setting::new(
        "metric",
        "The name of the metric, such as \"RequestsPerMinute\".",
    )
    .required(),
    Setting::new(
        "aggregation",
        "What a value is of its step: Total, Count, Average, Minimum or Maximum; Total by default.",
    ),
    Setting::new(
        "namespace",
        "The namespace of the metric, where it is not that of the resource's type.",
    ),
    Setting::new(
        "filter",
        "Which dimensions count, such as \"deployment eq 'blue'\".",
    ),
    Setting::new(
        "endpoint",
        "Another address of Azure Resource Manager; https://management.azure.com by default.",
    ),
    Setting::new(
        "managed_identity",
        "Whether to ask the virtual machine for a token.",
    )
    .shaped(Shape::Flag),
    web::TOKEN,
    web::TIME_OUT,
    web::AUTHORITY,
    web::UNVERIFIED,
];

const VERSION: &str = "2018-01-01";
const MANAGEMENT: &str = "https://management.azure.com";
/// The service answers with at most this many points of one series; it says so nowhere, so that
/// this is a careful guess: 30 days of minutes are known to work.
const POINTS: u32 = 40_000;
const AGGREGATIONS: [&str; 5] = ["Total", "Count", "Average", "Minimum", "Maximum"];
/// What the service calls lengths of steps.
const INTERVALS: [(u64, &str); 8] = [
    (60, "PT1M"),
    (300, "PT5M"),
    (900, "PT15M"),
    (1_800, "PT30M"),
    (3_600, "PT1H"),
    (21_600, "PT6H"),
    (43_200, "PT12H"),
    (86_400, "P1D"),
];
const CREDENTIALS: &str = "the token is not accepted for this resource: give its identity the role Monitoring Reader, or log in again";

#[derive(Debug)]
struct AzureMonitor {
    web: Web,
    endpoint: Url,
    credential: Credential,
    told: Told,
    aggregation: &'static str,
    interval: &'static str,
}

#[derive(Debug, Deserialize)]
struct Told {
    resource: String,
    metric: String,
    aggregation: Option<String>,
    namespace: Option<String>,
    filter: Option<String>,
    endpoint: Option<String>,
    managed_identity: Option<bool>,
    token: Option<String>,
    #[serde(flatten)]
    reach: Reach,
}

#[derive(Deserialize)]
struct Answered {
    #[serde(default)]
    value: Vec<Metric>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metric {
    error_code: Option<String>,
    error_message: Option<String>,
    #[serde(default)]
    timeseries: Vec<Timeseries>,
}

#[derive(Deserialize)]
struct Timeseries {
    #[serde(default)]
    metadatavalues: Vec<Metadata>,
    #[serde(default)]
    data: Vec<Point>,
}

#[derive(Deserialize)]
struct Metadata {
    name: Name,
    value: String,
}

#[derive(Deserialize)]
struct Name {
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Point {
    time_stamp: Timestamp,
    average: Option<f64>,
    minimum: Option<f64>,
    maximum: Option<f64>,
    total: Option<f64>,
    count: Option<f64>,
}

pub(crate) fn open(settings: &Settings) -> Result<Box<dyn Source>, Problem> {
    let mut told: Told = settings.read()?;
    if !told.resource.starts_with("/subscriptions/") {
        let help = "write the identity that az resource show prints as id";
        return Err(Problem::wrong(
            "resource",
            "does not begin with /subscriptions/",
            help,
        ));
    }
    let wanted = told.aggregation.as_deref().unwrap_or("Total");
    let aggregation = AGGREGATIONS
        .iter()
        .find(|name| name.eq_ignore_ascii_case(wanted));
    let aggregation = aggregation.copied().ok_or_else(|| {
        let help = format!("write one of {}", AGGREGATIONS.join(", "));
        Problem::wrong("aggregation", format!("cannot be {wanted:?}"), help)
    })?;
    let endpoint = told.endpoint.as_deref().unwrap_or(MANAGEMENT);
    let token = told.token.take();
    Ok(Box::new(AzureMonitor {
        web: Web::open(&told.reach)?,
        endpoint: web::address("endpoint", endpoint)?,
        credential: Credential::of(settings, token, told.managed_identity == Some(true)),
        aggregation,
        interval: interval(settings.step)?,
        told,
    }))
}

fn interval(step: Duration) -> Result<&'static str, Problem> {
    let known = INTERVALS
        .iter()
        .find(|(seconds, _)| Duration::from_secs(*seconds) == step);
    known.map(|(_, name)| *name).ok_or_else(|| {
        let what = format!("Azure Monitor has no step of {} s", step.as_secs_f64());
        Problem::missing(what, "set step to 1m, 5m, 15m, 30m, 1h, 6h, 12h or 24h")
    })
}

impl Source for AzureMonitor {
    fn place(&self) -> String {
        let resource = self.told.resource.trim_end_matches('/');
        let name = resource.rsplit('/').next().unwrap_or_default();
        format!("{name}/{}", self.told.metric)
    }

    fn counts_steps(&self) -> bool {
        matches!(self.aggregation, "Total" | "Count")
    }

    fn read(&self, window: Window) -> BoxFuture<'_, Result<Vec<Reading>, Fault>> {
        async move {
            let resource = web::shown(&self.endpoint);
            let token = self.credential.token(&self.web, &resource).await?;
            let mut readings = Vec::new();
            for part in window.parts(POINTS) {
                readings.extend(self.part(part, &token).await?);
            }
            Ok(readings)
        }
        .boxed()
    }
}

impl AzureMonitor {
    fn url(&self, part: &Window) -> Url {
        let mut url = self.endpoint.clone();
        let resource = self.told.resource.trim_end_matches('/');
        let root = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!(
            "{root}{resource}/providers/microsoft.insights/metrics"
        ));
        let timespan = format!("{}/{}", part.from, part.until);
        let mut query = url.query_pairs_mut();
        query
            .append_pair("api-version", VERSION)
            .append_pair("timespan", &timespan)
            .append_pair("interval", self.interval)
            .append_pair("metricnames", &self.told.metric)
            .append_pair("aggregation", self.aggregation);
        if let Some(namespace) = &self.told.namespace {
            query.append_pair("metricnamespace", namespace);
        }
        if let Some(filter) = &self.told.filter {
            query.append_pair("$filter", filter);
        }
        drop(query);
        url
    }

    async fn part(&self, part: Window, token: &str) -> Result<Vec<Reading>, Fault> {
        let url = self.url(&part);
        let place = web::shown(&self.endpoint);
        let answer = self
            .web
            .ask(&place, |client| client.get(url.clone()).bearer_auth(token));
        let answer = answer.await?;
        if let Some(refusal) = answer.refusal(&place, CREDENTIALS) {
            return Err(refusal);
        }
        let answered: Answered = serde_json::from_slice(&answer.body).map_err(|error| {
            let what = format!(
                "{place} does not answer as Azure does ({error}): {}",
                answer.shown()
            );
            Fault::question(what, "check endpoint")
        })?;
        let mut readings = one(answered.value)?
            .into_iter()
            .map(|point| self.reading(&point));
        let readings: Result<Vec<Reading>, Fault> = readings.by_ref().collect();
        // The service widens a timespan to whole intervals.
        let mut readings = readings?;
        readings.retain(|reading| reading.at >= part.from && reading.at < part.until);
        Ok(readings)
    }

    fn reading(&self, point: &Point) -> Result<Reading, Fault> {
        let value = match self.aggregation {
            "Count" => point.count,
            "Average" => point.average,
            "Minimum" => point.minimum,
            "Maximum" => point.maximum,
            _ => point.total,
        };
        match value {
            Some(value) if value < 0.0 => Err(Fault::unusable(
                format!("the value {value} at {} is negative", point.time_stamp),
                "rates and counts are at least 0; choose another metric or aggregation",
            )),
            value => Ok(Reading {
                at: point.time_stamp,
                value,
                line: None,
            }),
        }
    }
}

/// The points of the only series.
fn one(metrics: Vec<Metric>) -> Result<Vec<Point>, Fault> {
    let failed = metrics.iter().find(|metric| {
        let code = metric.error_code.as_deref();
        code.is_some_and(|code| code != "Success")
    });
    if let Some(metric) = failed {
        let code = metric.error_code.as_deref().unwrap_or_default();
        let message = metric.error_message.as_deref().unwrap_or_default();
        let what = format!("Azure Monitor cannot tell the metric: {code} {message}");
        return Err(Fault::question(
            what.trim_end(),
            "check metric, namespace and filter",
        ));
    }
    let mut series: Vec<Timeseries> = metrics.into_iter().flat_map(|m| m.timeseries).collect();
    if series.len() > 1 {
        let listed: Vec<String> = series.iter().take(6).map(dimensions).collect();
        let what = format!(
            "the filter gives {} series where one is needed: {}",
            series.len(),
            listed.join(", ")
        );
        let help = "name one value of each dimension in filter, or leave filter out to add all up";
        return Err(Fault::unusable(what, help));
    }
    Ok(series.pop().map_or_else(Vec::new, |series| series.data))
}

fn dimensions(series: &Timeseries) -> String {
    let pairs = series.metadatavalues.iter();
    let pairs: Vec<String> = pairs
        .map(|m| format!("{}={:?}", m.name.value, m.value))
        .collect();
    format!("{{{}}}", pairs.join(","))
}
