//! What CloudWatch is asked: settings to the queries of `GetMetricData`.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};
use serde::Deserialize;

use crate::settings::{Problem, Settings};

/// The name of the series that is asked for.
pub(super) const WANTED: &str = "isobar";

#[derive(Debug, Clone, Deserialize)]
struct Told {
    #[serde(flatten)]
    single: Single,
    expression: Option<String>,
    #[serde(default)]
    metrics: BTreeMap<String, Single>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Single {
    namespace: Option<String>,
    metric: Option<String>,
    dimensions: Option<BTreeMap<String, String>>,
    statistic: Option<String>,
}

/// The queries, and what the answer is about.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) queries: Vec<MetricDataQuery>,
    /// For people.
    pub(super) shown: String,
    /// Whether a value counts what happened in its step.
    pub(super) counts: bool,
}

impl Question {
    pub(super) fn of(settings: &Settings) -> Result<Self, Problem> {
        let told: Told = settings.read()?;
        let period = period(settings.step)?;
        match &told.expression {
            Some(expression) => told.expressed(expression, period),
            None if !told.metrics.is_empty() => {
                let what = "metrics belong to an expression, which is missing";
                Err(Problem::missing(
                    what,
                    "set expression, such as \"m1 + m2\"",
                ))
            }
            None => told.single(period),
        }
    }
}

impl Told {
    fn single(&self, period: i32) -> Result<Question, Problem> {
        let statistic = self.single.statistic();
        let (namespace, metric) = self.single.names("a cloudwatch source")?;
        let query = MetricDataQuery::builder()
            .id(WANTED)
            .metric_stat(self.single.stat(&namespace, &metric, period))
            .return_data(true);
        Ok(Question {
            queries: vec![query.build()],
            shown: format!("{namespace} {metric} {statistic}"),
            counts: matches!(statistic, "Sum" | "SampleCount"),
        })
    }

    fn expressed(&self, expression: &str, period: i32) -> Result<Question, Problem> {
        if self.single.metric.is_some() {
            let help = "move the metric into metrics = { m1 = { … } }, or remove expression";
            return Err(Problem::wrong(
                "metric",
                "cannot stand beside expression",
                help,
            ));
        }
        let mut queries = vec![
            MetricDataQuery::builder()
                .id(WANTED)
                .expression(expression)
                .period(period)
                .return_data(true)
                .build(),
        ];
        for (id, single) in &self.metrics {
            let lower = id.starts_with(|c: char| c.is_ascii_lowercase());
            if !lower || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                let help = "begin it with a small letter and use letters, digits and _";
                return Err(Problem::wrong(
                    "metrics",
                    format!("cannot be named {id:?}"),
                    help,
                ));
            }
            let (namespace, metric) = single.names(&format!("the metric {id:?}"))?;
            let query = MetricDataQuery::builder()
                .id(id)
                .metric_stat(single.stat(&namespace, &metric, period))
                .return_data(false);
            queries.push(query.build());
        }
        Ok(Question {
            queries,
            shown: expression.to_owned(),
            counts: false,
        })
    }
}

impl Single {
    fn statistic(&self) -> &str {
        self.statistic.as_deref().unwrap_or("Sum")
    }

    fn names(&self, whose: &str) -> Result<(String, String), Problem> {
        match (&self.namespace, &self.metric) {
            (Some(namespace), Some(metric)) => Ok((namespace.clone(), metric.clone())),
            _ => Err(Problem::missing(
                format!("{whose} needs namespace and metric"),
                "set namespace = \"AWS/ApplicationELB\" and metric = \"RequestCount\", or an expression",
            )),
        }
    }

    fn stat(&self, namespace: &str, metric: &str, period: i32) -> MetricStat {
        let dimensions = self.dimensions.iter().flatten();
        let dimensions =
            dimensions.map(|(name, value)| Dimension::builder().name(name).value(value).build());
        let metric = Metric::builder()
            .namespace(namespace)
            .metric_name(metric)
            .set_dimensions(Some(dimensions.collect()));
        MetricStat::builder()
            .metric(metric.build())
            .period(period)
            .stat(self.statistic())
            .build()
    }
}

/// Periods are whole minutes, or a few fine ones for metrics of high resolution.
fn period(step: Duration) -> Result<i32, Problem> {
    let seconds = step.as_secs();
    let whole = step.subsec_nanos() == 0;
    let known =
        matches!(seconds, 1 | 5 | 10 | 20 | 30) || (seconds > 0 && seconds.is_multiple_of(60));
    let period = i32::try_from(seconds).ok().filter(|_| whole && known);
    period.ok_or_else(|| {
        let what = format!("CloudWatch has no period of {} s", step.as_secs_f64());
        Problem::missing(
            what,
            "set step to whole minutes, or to 1s, 5s, 10s, 20s or 30s",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::period;
    use std::time::Duration;

    #[test]
    fn only_the_periods_of_the_service_are_taken() {
        let of = |seconds| period(Duration::from_secs_f64(seconds)).ok();
        assert_eq!(of(300.0), Some(300));
        assert_eq!(of(5.0), Some(5));
        assert_eq!([of(0.0), of(7.0), of(90.0), of(60.5)], [None; 4]);
    }
}
