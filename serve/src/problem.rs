//! Why a request is refused, as the protocol's error answer.

use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::protocol::Failure;
use crate::tensor::TensorError;

/// Why a request is not answered with success.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("nothing is served at {0}; GET /openapi.json lists the paths")]
    UnknownPath(String),
    #[error("{0} does not answer this method; GET /openapi.json lists the methods")]
    WrongMethod(String),
    #[error("no model {given:?} is served here; this server has {served:?}")]
    UnknownModel { given: String, served: String },
    #[error("model {model:?} has no version {given:?} here; this server has {served:?}")]
    UnknownVersion {
        model: String,
        given: String,
        served: String,
    },
    #[error("model {0:?} is still loading; ask again when /v2/health/ready answers 200")]
    Loading(String),
    #[error("the body is not an inference request: {0}")]
    Body(String),
    #[error("the body is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the body did not arrive within {limit:?}")]
    SlowBody { limit: Duration },
    #[error("no answer within {limit:?}; the server is overloaded or the model is too slow")]
    Slow { limit: Duration },
    #[error("input {name:?}: {source}")]
    Input { name: String, source: TensorError },
    #[error("input {name:?} is missing; the model takes {expected}")]
    MissingInput { name: String, expected: String },
    #[error("input {name:?} is given twice")]
    RepeatedInput { name: String },
    #[error("the model has no input {name:?}; it takes {expected}")]
    UnknownInput { name: String, expected: String },
    #[error("the model has no output {name:?}; it gives {expected}")]
    UnknownOutput { name: String, expected: String },
    #[error("output {name:?} is not a finite number at element {index}, which JSON cannot carry")]
    NotFinite { name: String, index: usize },
    #[error("the inference failed: {0}")]
    Inference(String),
}

impl Problem {
    fn status(&self) -> StatusCode {
        match self {
            Self::UnknownPath(_) | Self::UnknownModel { .. } | Self::UnknownVersion { .. } => {
                StatusCode::NOT_FOUND
            }
            Self::WrongMethod(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Loading(_) | Self::Slow { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::SlowBody { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::Body(_)
            | Self::Input { .. }
            | Self::MissingInput { .. }
            | Self::RepeatedInput { .. }
            | Self::UnknownInput { .. }
            | Self::UnknownOutput { .. } => StatusCode::BAD_REQUEST,
            Self::NotFinite { .. } | Self::Inference(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (
            self.status(),
            Json(Failure {
                error: self.to_string(),
            }),
        )
            .into_response()
    }
}
