//! Asks CloudWatch page by page.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_cloudwatch::operation::get_metric_data::{GetMetricDataError, GetMetricDataOutput};
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{ScanBy, StatusCode};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::Deserialize;

use super::question::{Question, WANTED};
use crate::MAX_READINGS;
use crate::fault::Fault;
use crate::settings::{Problem, Settings};
use crate::source::{Reading, Source, Window};
use crate::web;

const HELP: &str = "check the credentials of the environment, the profile or this machine, and that they allow cloudwatch:GetMetricData";

#[derive(Debug)]
struct CloudWatch {
    question: Question,
    told: Told,
    timeout: Duration,
}

#[derive(Debug, Deserialize)]
struct Told {
    region: Option<String>,
    profile: Option<String>,
    endpoint: Option<String>,
    timeout: Option<String>,
}

pub(super) fn open(settings: &Settings) -> Result<Box<dyn Source>, Problem> {
    let told: Told = settings.read()?;
    if let Some(endpoint) = &told.endpoint {
        web::address("endpoint", endpoint)?;
    }
    Ok(Box::new(CloudWatch {
        question: Question::of(settings)?,
        timeout: web::time_out(told.timeout.as_deref())?,
        told,
    }))
}

impl Source for CloudWatch {
    fn place(&self) -> String {
        self.question.shown.clone()
    }

    fn counts_steps(&self) -> bool {
        self.question.counts
    }

    fn read(&self, window: Window) -> BoxFuture<'_, Result<Vec<Reading>, Fault>> {
        async move {
            let client = self.client().await;
            let mut labels: Vec<String> = Vec::new();
            let mut readings = Vec::new();
            let mut token = None;
            loop {
                let page = self.page(&client, &window, token).await?;
                take(&page, &mut labels, &mut readings)?;
                token = page.next_token;
                if token.is_none() {
                    return Ok(readings);
                }
                if readings.len() > MAX_READINGS {
                    let help = "use a longer `step` or a shorter `history`";
                    return Err(Fault::unusable(
                        format!("more than {MAX_READINGS} readings"),
                        help,
                    ));
                }
            }
        }
        .boxed()
    }
}

impl CloudWatch {
    /// Region, credentials and endpoint from where every tool of AWS takes them.
    async fn client(&self) -> Client {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(self.timeout.min(Duration::from_secs(10)))
            .operation_attempt_timeout(self.timeout);
        let mut config = aws_config::defaults(BehaviorVersion::latest())
            .timeout_config(timeouts.build())
            .retry_config(RetryConfig::standard().with_max_attempts(4));
        if let Some(region) = &self.told.region {
            config = config.region(Region::new(region.clone()));
        }
        if let Some(profile) = &self.told.profile {
            config = config.profile_name(profile);
        }
        if let Some(endpoint) = &self.told.endpoint {
            config = config.endpoint_url(endpoint);
        }
        Client::new(&config.load().await)
    }

    async fn page(
        &self,
        client: &Client,
        window: &Window,
        token: Option<String>,
    ) -> Result<GetMetricDataOutput, Fault> {
        let question = client
            .get_metric_data()
            .set_metric_data_queries(Some(self.question.queries.clone()))
            .start_time(DateTime::from_secs(window.from.as_second()))
            .end_time(DateTime::from_secs(window.until.as_second()))
            .scan_by(ScanBy::TimestampAscending)
            .set_next_token(token);
        question.send().await.map_err(|error| fault(&error))
    }
}

fn take(
    page: &GetMetricDataOutput,
    labels: &mut Vec<String>,
    readings: &mut Vec<Reading>,
) -> Result<(), Fault> {
    let results = page.metric_data_results().iter();
    for result in results.filter(|result| result.id() == Some(WANTED)) {
        let said = result.messages().iter().chain(page.messages());
        let said: Vec<&str> = said.filter_map(|message| message.value()).collect();
        match result.status_code() {
            Some(StatusCode::InternalError) => {
                let what = format!("CloudWatch has a fault: {}", said.join(" "));
                return Err(Fault::unavailable(what));
            }
            Some(StatusCode::Forbidden) => return Err(refused("CloudWatch forbids the metric")),
            _ => {}
        }
        if result.values().is_empty() {
            continue;
        }
        let label = result.label().unwrap_or_default().to_owned();
        if !labels.contains(&label) {
            labels.push(label);
        }
        let pairs = result.timestamps().iter().zip(result.values());
        for (at, value) in pairs {
            readings.push(reading(at, *value)?);
        }
    }
    if labels.len() > 1 {
        let listed: Vec<String> = labels
            .iter()
            .take(6)
            .map(|label| format!("{label:?}"))
            .collect();
        let what = format!(
            "the expression gives {} series where one is needed: {}",
            labels.len(),
            listed.join(", ")
        );
        return Err(Fault::unusable(
            what,
            "add them up: SUM(SEARCH(…)), or choose one by its dimensions",
        ));
    }
    Ok(())
}

fn reading(at: &DateTime, value: f64) -> Result<Reading, Fault> {
    let at = Timestamp::new(
        at.secs(),
        i32::try_from(at.subsec_nanos()).unwrap_or_default(),
    );
    let at = at.map_err(|error| Fault::unusable(error.to_string(), "check the server"))?;
    if !value.is_finite() || value < 0.0 {
        let what = format!("the value {value} at {at} is negative or infinite");
        let help = "rates and counts are at least 0; choose another statistic or expression";
        return Err(Fault::unusable(what, help));
    }
    Ok(Reading {
        at,
        value: Some(value),
        line: None,
    })
}

fn refused(what: impl Into<String>) -> Fault {
    Fault::Refused {
        what: what.into(),
        help: HELP.to_owned(),
    }
}

/// What the client says, by what is to be done about it.
fn fault(error: &SdkError<GetMetricDataError>) -> Fault {
    let whole = DisplayErrorContext(error).to_string();
    let answer = match error {
        SdkError::ServiceError(answer) => answer,
        // Credentials that cannot be found are told as a request that cannot be sent.
        _ if whole.contains("credential") => {
            return refused(format!(
                "there are no credentials for AWS: {}",
                brief(&whole)
            ));
        }
        SdkError::ConstructionFailure(_) => {
            let help = "set region, or AWS_REGION";
            return Fault::question(
                format!("CloudWatch cannot be asked: {}", brief(&whole)),
                help,
            );
        }
        SdkError::TimeoutError(_) => {
            return Fault::unavailable("CloudWatch does not answer in time, 4 times");
        }
        _ => {
            return Fault::unavailable(format!(
                "CloudWatch cannot be reached, 4 times: {}",
                brief(&whole)
            ));
        }
    };
    let status = answer.raw().status().as_u16();
    let code = answer.err().code().unwrap_or_default();
    let message = answer.err().message().unwrap_or_default();
    let said = format!("CloudWatch answers {status}: {code} {message}");
    let said = said.trim_end().to_owned();
    if status == 429 || status >= 500 || code.contains("Throttl") {
        Fault::unavailable(format!("{said}, 4 times"))
    } else if matches!(status, 401 | 403) || code.contains("Token") || code.contains("Signature") {
        refused(said)
    } else {
        Fault::question(said, "check namespace, metric, statistic and expression")
    }
}

/// The first part of a long text.
fn brief(text: &str) -> String {
    text.chars().take(240).collect()
}
