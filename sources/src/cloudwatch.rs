//! Amazon CloudWatch: a metric, or an expression over several, with `GetMetricData`.

use crate::settings::{Problem, Setting, Settings, Shape};
use crate::source::Source;
use crate::web;

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("namespace", "The namespace of the metric, such as \"AWS/ApplicationELB\"."),
    Setting::new("metric", "The name of the metric, such as \"RequestCount\"."),
    Setting::new("dimensions", "The dimensions of the metric by name.").shaped(Shape::Texts),
    Setting::new("statistic", "What a value is of its step: Sum, Average, SampleCount, Minimum, Maximum, p90 and the like; Sum by default."),
    Setting::new("expression", "Metric math that gives one series, such as \"m1 + m2\" over metrics, or a SEARCH or SELECT; instead of metric."),
    Setting::new("metrics", "The metrics of an expression by the names it uses: objects with namespace, metric, dimensions and statistic.").shaped(Shape::Any),
    Setting::new("region", "The region; by default that of the environment or profile."),
    Setting::new("profile", "The profile of the AWS configuration."),
    Setting::new("endpoint", "Another address of CloudWatch; AWS_ENDPOINT_URL is heeded, too."),
    web::TIME_OUT,
];

#[cfg(feature = "aws")]
mod client;
#[cfg(feature = "aws")]
mod question;

#[cfg(feature = "aws")]
pub(crate) fn open(settings: &Settings) -> Result<Box<dyn Source>, Problem> {
    client::open(settings)
}

#[cfg(not(feature = "aws"))]
pub(crate) fn open(_settings: &Settings) -> Result<Box<dyn Source>, Problem> {
    Err(Problem::NotBuilt {
        kind: "cloudwatch",
        feature: "aws",
    })
}
