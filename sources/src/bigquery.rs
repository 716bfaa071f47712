//! BigQuery: rows of a table, added up by step in the warehouse itself; and forecasts that it
//! makes with functions of its own.

use crate::settings::{Problem, Setting, Settings, Shape};
use crate::source::Source;
use crate::web;

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new(
        "table",
        "The table: dataset.table or project.dataset.table.",
    ),
    Setting::new(
        "query",
        "A SELECT that gives the columns timestamp and value, instead of table.",
    ),
    Setting::new(
        "timestamp",
        "The column of the times, of type TIMESTAMP; timestamp by default.",
    ),
    Setting::new(
        "value",
        "The column of the values; without it rows are counted.",
    ),
    Setting::new(
        "aggregate",
        "What becomes of the values in one step: sum, mean, max, min or count; sum by default.",
    ),
    Setting::new(
        "where",
        "Which rows count, in SQL, such as \"zone = @zone\".",
    ),
    Setting::new(
        "parameters",
        "The texts that stand for @name in where and query.",
    )
    .shaped(Shape::Texts),
    Setting::new(
        "engine",
        "Set to \"bigquery\", BigQuery makes the forecast itself.",
    ),
    Setting::new(
        "model",
        "The model that makes it, project.dataset.model, with ML.FORECAST; without it AI.FORECAST does.",
    ),
    Setting::new(
        "project",
        "The project that pays for queries; GOOGLE_CLOUD_PROJECT by default.",
    ),
    Setting::new("location", "Where the data are, such as EU."),
    Setting::new(
        "credentials",
        "The file with the credentials of an account; GOOGLE_APPLICATION_CREDENTIALS by default.",
    ),
    Setting::new("endpoint", "Another address of BigQuery."),
    Setting::new(
        "token",
        "An access token that was issued already; GOOGLE_OAUTH_ACCESS_TOKEN by default.",
    )
    .secret(),
    web::TIME_OUT,
];

#[cfg(feature = "gcp")]
mod client;
#[cfg(feature = "gcp")]
mod reader;
#[cfg(feature = "gcp")]
mod sql;

#[cfg(feature = "gcp")]
pub(crate) fn open(settings: &Settings) -> Result<Box<dyn Source>, Problem> {
    reader::open(settings)
}

#[cfg(not(feature = "gcp"))]
pub(crate) fn open(_settings: &Settings) -> Result<Box<dyn Source>, Problem> {
    Err(Problem::NotBuilt {
        kind: "bigquery",
        feature: "gcp",
    })
}
