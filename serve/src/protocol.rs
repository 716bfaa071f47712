//! The Open Inference Protocol's messages, version 2, as JSON.
//!
//! Source: <https://github.com/kserve/open-inference-protocol>, REST.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::datatype::Datatype;

/// Answer to `GET /v2`.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServerMetadata {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// Extensions of the protocol that the server has: none.
    pub(crate) extensions: [&'static str; 0],
}

/// Answer to `GET /v2/health/live`.
#[derive(Serialize, ToSchema)]
pub(crate) struct Live {
    pub(crate) live: bool,
}

/// Answer to `GET /v2/health/ready`.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ready {
    pub(crate) ready: bool,
}

/// Answer to `GET /v2/models/{model}/ready`.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModelReady {
    pub(crate) name: String,
    pub(crate) ready: bool,
}

/// Answer to `GET /v2/models/{model}`.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModelMetadata {
    pub(crate) name: String,
    pub(crate) versions: Vec<String>,
    pub(crate) platform: &'static str,
    pub(crate) inputs: Vec<TensorMetadata>,
    pub(crate) outputs: Vec<TensorMetadata>,
}

/// Name, type and shape of a tensor.
#[derive(Serialize, ToSchema)]
pub(crate) struct TensorMetadata {
    pub(crate) name: String,
    pub(crate) datatype: Datatype,
    /// Size of each dimension; -1 where any size is accepted.
    pub(crate) shape: Vec<i64>,
}

/// Body of `POST /v2/models/{model}/infer`.
#[derive(Deserialize, ToSchema)]
pub(crate) struct InferenceRequest {
    /// Returned with the answer.
    #[serde(default)]
    pub(crate) id: Option<String>,
    pub(crate) inputs: Vec<RequestInput>,
    /// Outputs to return, in this order; all when missing or empty.
    #[serde(default)]
    pub(crate) outputs: Vec<RequestOutput>,
}

/// One input tensor.
#[derive(Deserialize, ToSchema)]
pub(crate) struct RequestInput {
    pub(crate) name: String,
    /// Size of each dimension.
    pub(crate) shape: Vec<i64>,
    #[schema(value_type = Datatype)]
    pub(crate) datatype: String,
    /// Elements in row-major order, flat or nested as the shape says.
    #[schema(value_type = Vec<Value>)]
    pub(crate) data: Value,
}

/// One output to return.
#[derive(Deserialize, ToSchema)]
pub(crate) struct RequestOutput {
    pub(crate) name: String,
}

/// Answer to `POST /v2/models/{model}/infer`.
#[derive(Serialize, ToSchema)]
pub(crate) struct InferenceResponse {
    pub(crate) model_name: String,
    pub(crate) model_version: String,
    /// The request's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    pub(crate) outputs: Vec<ResponseOutput>,
}

/// One output tensor.
#[derive(Serialize, ToSchema)]
pub(crate) struct ResponseOutput {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) datatype: Datatype,
    /// Elements in row-major order, flat.
    #[schema(value_type = Vec<Value>)]
    pub(crate) data: Elements,
}

/// A tensor's elements, each kind written as JSON writes it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Elements {
    Bool(Vec<bool>),
    Unsigned(Vec<u64>),
    Signed(Vec<i64>),
    /// Apart from `Double`, so that 0.1 stays 0.1 and not 0.10000000149011612.
    Single(Vec<f32>),
    Double(Vec<f64>),
}

/// Answer to a request that failed.
#[derive(Serialize, ToSchema)]
pub(crate) struct Failure {
    pub(crate) error: String,
}
