//! The answers of the paths on models, as the OpenAPI document shows them.
#![expect(
    dead_code,
    reason = "only the shapes are read, when the document is made"
)]

use utoipa::IntoResponses;

use crate::protocol::{Failure, InferenceResponse, ModelMetadata, ModelReady};

#[derive(IntoResponses)]
pub(crate) enum MetadataAnswers {
    /// Names, datatypes and shapes of the inputs and outputs.
    #[response(status = OK)]
    Metadata(ModelMetadata),
    /// This server has no such model or version.
    #[response(status = NOT_FOUND)]
    Unknown(Failure),
    /// The model is still loading.
    #[response(status = SERVICE_UNAVAILABLE)]
    Loading(Failure),
}

#[derive(IntoResponses)]
pub(crate) enum ReadinessAnswers {
    /// Inference requests will be answered.
    #[response(status = OK)]
    Ready(ModelReady),
    /// This server has no such model or version.
    #[response(status = NOT_FOUND)]
    Unknown(Failure),
    /// The model is still loading.
    #[response(status = SERVICE_UNAVAILABLE)]
    Loading(ModelReady),
}

#[derive(IntoResponses)]
pub(crate) enum InferenceAnswers {
    /// The requested outputs.
    #[response(status = OK)]
    Outputs(InferenceResponse),
    /// An input or output is not as the model needs it: which one, what was expected, what came.
    #[response(status = BAD_REQUEST)]
    Malformed(Failure),
    /// This server has no such model or version.
    #[response(status = NOT_FOUND)]
    Unknown(Failure),
    /// The body did not arrive in time.
    #[response(status = REQUEST_TIMEOUT)]
    SlowBody(Failure),
    /// The body is too large.
    #[response(status = PAYLOAD_TOO_LARGE)]
    TooLarge(Failure),
    /// The model failed on these inputs, or an output is not a finite number.
    #[response(status = INTERNAL_SERVER_ERROR)]
    Failed(Failure),
    /// The model is still loading, or did not answer in time.
    #[response(status = SERVICE_UNAVAILABLE)]
    Unavailable(Failure),
}
