//! Rows of BigQuery to readings, and its forecasts to bands.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use gcp_bigquery_client::error::BQError;
use gcp_bigquery_client::model::query_parameter::QueryParameter;
use gcp_bigquery_client::model::query_parameter_type::QueryParameterType;
use gcp_bigquery_client::model::query_parameter_value::QueryParameterValue;
use gcp_bigquery_client::model::query_request::QueryRequest;
use gcp_bigquery_client::model::query_response::ResultSet;
use jiff::Timestamp;
use serde::Deserialize;

use super::client::{Access, rows};
use super::sql::{self, Rows};
use crate::fault::Fault;
use crate::settings::{Problem, Settings};
use crate::source::{Bands, Reading, Source, Window};
use crate::web;

#[derive(Debug)]
struct BigQuery {
    access: Access,
    project: String,
    location: Option<String>,
    parameters: BTreeMap<String, String>,
    rows: Rows,
    shown: String,
    counts: bool,
    engine: Option<Engine>,
}

/// What makes forecasts.
#[derive(Debug)]
struct Engine {
    /// In backticks.
    model: Option<String>,
}

#[derive(Deserialize)]
struct Told {
    table: Option<String>,
    query: Option<String>,
    timestamp: Option<String>,
    value: Option<String>,
    aggregate: Option<String>,
    r#where: Option<String>,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    engine: Option<String>,
    model: Option<String>,
    project: Option<String>,
    location: Option<String>,
    credentials: Option<String>,
    endpoint: Option<String>,
    token: Option<String>,
    timeout: Option<String>,
}

pub(super) fn open(settings: &Settings) -> Result<Box<dyn Source>, Problem> {
    let told: Told = settings.read()?;
    let rows = Rows::of(&sql::Told {
        table: told.table.as_deref(),
        query: told.query.as_deref(),
        timestamp: told.timestamp.as_deref(),
        value: told.value.as_deref(),
        aggregate: told.aggregate.as_deref(),
        condition: told.r#where.as_deref(),
    })?;
    if settings.step.as_secs() == 0 || settings.step.subsec_nanos() > 0 {
        return Err(Problem::missing(
            "BigQuery is asked in whole seconds",
            "set step to whole seconds",
        ));
    }
    if let Some(endpoint) = &told.endpoint {
        web::address("endpoint", endpoint)?;
    }
    if let Some(name) = told
        .parameters
        .keys()
        .find(|name| ["from", "until", "step"].contains(&name.as_str()))
    {
        let help = "use another name; from, until and step stand for the window";
        return Err(Problem::wrong(
            "parameters",
            format!("cannot hold {name:?}"),
            help,
        ));
    }
    // A project is only needed where something is asked.
    let project = told
        .project
        .or_else(|| settings.variable("GOOGLE_CLOUD_PROJECT").map(str::to_owned));
    let of_table =
        told.table
            .as_deref()
            .and_then(|table| match table.split('.').collect::<Vec<_>>()[..] {
                [project, _, _] => Some(project.to_owned()),
                _ => None,
            });
    let timeout = web::time_out(told.timeout.as_deref())?;
    Ok(Box::new(BigQuery {
        access: Access::of(
            settings,
            (told.token, told.credentials),
            told.endpoint,
            timeout,
        ),
        project: project.or(of_table).unwrap_or_default(),
        location: told.location,
        parameters: told.parameters,
        shown: told.table.unwrap_or_else(|| "query".to_owned()),
        counts: sql::counts(told.aggregate.as_deref()),
        engine: engine(told.engine.as_deref(), told.model.as_deref())?,
        rows,
    }))
}

fn engine(told: Option<&str>, model: Option<&str>) -> Result<Option<Engine>, Problem> {
    match (told, model) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Problem::wrong(
            "model",
            "needs engine",
            "set engine = \"bigquery\"",
        )),
        (Some("bigquery"), model) => {
            let model = model.map(|model| sql::quoted("model", model)).transpose()?;
            Ok(Some(Engine { model }))
        }
        (Some(other), _) => {
            let help = "set engine = \"bigquery\", or leave it out";
            Err(Problem::wrong(
                "engine",
                format!("cannot be {other:?}"),
                help,
            ))
        }
    }
}

impl Source for BigQuery {
    fn place(&self) -> String {
        self.shown.clone()
    }

    fn counts_steps(&self) -> bool {
        self.counts
    }

    fn read(&self, window: Window) -> BoxFuture<'_, Result<Vec<Reading>, Fault>> {
        async move {
            let request = self.request(self.rows.by_step(), &window);
            let found = rows(&self.access, self.project()?, request, pair).await?;
            found
                .into_iter()
                .map(|(slot, value)| reading(slot, value))
                .collect()
        }
        .boxed()
    }

    fn forecast<'a>(
        &'a self,
        window: Window,
        horizon: usize,
        levels: &'a [f64],
    ) -> Option<BoxFuture<'a, Result<Bands, Fault>>> {
        let engine = self.engine.as_ref()?;
        let forecast = async move {
            let sql = self.rows.forecast(engine.model.as_deref(), horizon, levels);
            let request = self.request(sql, &window);
            let found = rows(&self.access, self.project()?, request, triple).await?;
            bands(&found, (horizon, levels), window.step, engine)
        };
        Some(forecast.boxed())
    }
}

impl BigQuery {
    fn project(&self) -> Result<&str, Fault> {
        if self.project.is_empty() {
            let help = "set project, or GOOGLE_CLOUD_PROJECT";
            return Err(Fault::question(
                "no project is named that pays for the query",
                help,
            ));
        }
        Ok(&self.project)
    }

    fn request(&self, sql: String, window: &Window) -> QueryRequest {
        let numbers = [
            ("from", window.from.as_second()),
            ("until", window.until.as_second()),
            (
                "step",
                i64::try_from(window.step.as_secs()).unwrap_or(i64::MAX),
            ),
        ];
        let numbers = numbers.map(|(name, value)| parameter(name, "INT64", value.to_string()));
        let texts = self.parameters.iter();
        let texts = texts.map(|(name, value)| parameter(name, "STRING", value.clone()));
        QueryRequest {
            location: self.location.clone(),
            parameter_mode: Some("NAMED".to_owned()),
            query_parameters: Some(numbers.into_iter().chain(texts).collect()),
            use_legacy_sql: false,
            ..QueryRequest::new(sql)
        }
    }
}

fn parameter(name: &str, kind: &str, value: String) -> QueryParameter {
    QueryParameter {
        name: Some(name.to_owned()),
        parameter_type: Some(QueryParameterType {
            array_type: None,
            struct_types: None,
            r#type: kind.to_owned(),
        }),
        parameter_value: Some(QueryParameterValue {
            array_values: None,
            struct_values: None,
            value: Some(value),
        }),
    }
}

fn pair(row: &ResultSet) -> Result<(Option<i64>, Option<f64>), BQError> {
    Ok((row.get_i64_by_name("slot")?, row.get_f64_by_name("value")?))
}

/// The time of a slot, the level and the value, each of which a row may lack.
type Triple = (Option<i64>, Option<f64>, Option<f64>);

fn triple(row: &ResultSet) -> Result<Triple, BQError> {
    let (slot, value) = pair(row)?;
    Ok((slot, row.get_f64_by_name("level")?, value))
}

fn time(slot: Option<i64>) -> Result<Timestamp, Fault> {
    let time = slot.and_then(|slot| Timestamp::from_second(slot).ok());
    time.ok_or_else(|| Fault::unusable("BigQuery gives a row without a time", "check timestamp"))
}

fn reading(slot: Option<i64>, value: Option<f64>) -> Result<Reading, Fault> {
    let at = time(slot)?;
    match value {
        Some(value) if !value.is_finite() || value < 0.0 => Err(Fault::unusable(
            format!("the value {value} at {at} is negative or not finite"),
            "rates and counts are at least 0; leave such rows out with where",
        )),
        value => Ok(Reading {
            at,
            value,
            line: None,
        }),
    }
}

/// Rows in the order of level and slot to one row a level.
fn bands(
    found: &[Triple],
    (horizon, levels): (usize, &[f64]),
    step: Duration,
    engine: &Engine,
) -> Result<Bands, Fault> {
    let help =
        "check that the series is long enough for BigQuery, and what the function says of it";
    if horizon == 0 || found.len() != horizon * levels.len() {
        let what = format!(
            "BigQuery forecasts {} of the {} values that were asked for",
            found.len(),
            horizon * levels.len()
        );
        return Err(Fault::unusable(what, help));
    }
    let start = time(found[0].0)?;
    let values = found.iter().map(|(_, _, value)| {
        // A model may go below zero; demand does not.
        let value = value.filter(|value| value.is_finite());
        value
            .map(|value| value.max(0.0))
            .ok_or_else(|| Fault::unusable("BigQuery gives no value for a step", help))
    });
    let values: Vec<f64> = values.collect::<Result<_, _>>()?;
    let mut quantiles: Vec<Vec<f64>> = values.chunks(horizon).map(<[f64]>::to_vec).collect();
    // Intervals of a model need not hold one another.
    let mut lower = vec![0.0; horizon];
    for row in &mut quantiles {
        for (value, least) in row.iter_mut().zip(&lower) {
            *value = f64::max(*value, *least);
        }
        lower.clone_from(row);
    }
    Ok(Bands {
        start,
        step,
        method: match engine.model {
            None => "AI.FORECAST",
            Some(_) => "ML.FORECAST",
        },
        levels: levels.to_vec(),
        quantiles,
    })
}
