//! The server's paths, each with its handler and its entry in the OpenAPI document.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answers::{InferenceAnswers, MetadataAnswers, ReadinessAnswers};
use crate::metrics::MEDIA_TYPE;
use crate::problem::Problem;
use crate::protocol::{
    Failure, InferenceRequest, InferenceResponse, Live, ModelMetadata, ModelReady, Ready,
    ServerMetadata,
};
use crate::service::Service;

/// Says which of several like servers answered.
const SERVED_BY: HeaderName = HeaderName::from_static("x-isobar-served-by");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Isobar model server",
        description = "One ONNX model over the Open Inference Protocol, version 2."
    ),
    // The answers name these, which does not by itself put them into the document.
    components(schemas(Failure, InferenceResponse, ModelMetadata, ModelReady))
)]
struct Document;

/// Model and version of a path; the version is missing in the short form.
#[derive(Deserialize)]
struct Addressed {
    model: String,
    version: Option<String>,
}

type Shared = State<Arc<Service>>;

/// The whole service as a router; the OpenAPI document is made of the very same routes.
pub(crate) fn router(service: Arc<Service>) -> Router {
    let served_by = HeaderValue::from_str(&service.instance).ok();
    let (router, document) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(server_metadata))
        .routes(routes!(live))
        .routes(routes!(ready))
        .routes(routes!(model_metadata))
        .routes(routes!(version_metadata))
        .routes(routes!(model_ready))
        .routes(routes!(version_ready))
        .routes(routes!(model_infer))
        .routes(routes!(version_infer))
        .routes(routes!(metrics))
        .routes(routes!(openapi))
        .split_for_parts();
    router
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(axum::extract::DefaultBodyLimit::max(service.limits.body))
        .layer(Extension(Arc::new(document)))
        .layer(map_response(move |mut response: Response| {
            if let Some(served_by) = &served_by {
                response.headers_mut().insert(SERVED_BY, served_by.clone());
            }
            std::future::ready(response)
        }))
        .with_state(service)
}

/// What this server is.
#[utoipa::path(get, path = "/v2", responses((status = OK, body = ServerMetadata, description = "name, version, extensions")))]
async fn server_metadata() -> Json<ServerMetadata> {
    Json(ServerMetadata {
        name: "isobar",
        version: env!("CARGO_PKG_VERSION"),
        extensions: [],
    })
}

/// Whether the process answers at all.
#[utoipa::path(get, path = "/v2/health/live", responses((status = OK, body = Live, description = "it does")))]
async fn live() -> Json<Live> {
    Json(Live { live: true })
}

/// Whether inference requests will be answered.
#[utoipa::path(
    get,
    path = "/v2/health/ready",
    responses(
        (status = OK, body = Ready, description = "they will"),
        (status = SERVICE_UNAVAILABLE, body = Ready, description = "the model is still loading")
    )
)]
async fn ready(State(service): Shared) -> impl IntoResponse {
    let ready = service.is_ready();
    (readiness(ready), Json(Ready { ready }))
}

/// The model's inputs and outputs.
#[utoipa::path(
    get,
    path = "/v2/models/{model}",
    params(("model" = String, Path, description = "name of the model")),
    responses(MetadataAnswers)
)]
async fn model_metadata(
    service: Shared,
    path: Path<Addressed>,
) -> Result<Json<ModelMetadata>, Problem> {
    metadata_of(&service, &path)
}

/// The version's inputs and outputs.
#[utoipa::path(
    get,
    path = "/v2/models/{model}/versions/{version}",
    params(
        ("model" = String, Path, description = "name of the model"),
        ("version" = String, Path, description = "version of the model")
    ),
    responses(MetadataAnswers)
)]
async fn version_metadata(
    service: Shared,
    path: Path<Addressed>,
) -> Result<Json<ModelMetadata>, Problem> {
    metadata_of(&service, &path)
}

/// Whether the model is ready.
#[utoipa::path(
    get,
    path = "/v2/models/{model}/ready",
    params(("model" = String, Path, description = "name of the model")),
    responses(ReadinessAnswers)
)]
async fn model_ready(service: Shared, path: Path<Addressed>) -> Result<impl IntoResponse, Problem> {
    readiness_of(&service, &path)
}

/// Whether the version is ready.
#[utoipa::path(
    get,
    path = "/v2/models/{model}/versions/{version}/ready",
    params(
        ("model" = String, Path, description = "name of the model"),
        ("version" = String, Path, description = "version of the model")
    ),
    responses(ReadinessAnswers)
)]
async fn version_ready(
    service: Shared,
    path: Path<Addressed>,
) -> Result<impl IntoResponse, Problem> {
    readiness_of(&service, &path)
}

/// One inference.
#[utoipa::path(
    post,
    path = "/v2/models/{model}/infer",
    params(("model" = String, Path, description = "name of the model")),
    request_body = InferenceRequest,
    responses(InferenceAnswers)
)]
async fn model_infer(service: Shared, path: Path<Addressed>, request: Request) -> Response {
    infer(&service, &path, request).await
}

/// One inference by this version.
#[utoipa::path(
    post,
    path = "/v2/models/{model}/versions/{version}/infer",
    params(
        ("model" = String, Path, description = "name of the model"),
        ("version" = String, Path, description = "version of the model")
    ),
    request_body = InferenceRequest,
    responses(InferenceAnswers)
)]
async fn version_infer(service: Shared, path: Path<Addressed>, request: Request) -> Response {
    infer(&service, &path, request).await
}

/// What the server has counted and timed.
#[utoipa::path(
    get,
    path = "/metrics",
    responses((status = OK, body = String, content_type = MEDIA_TYPE, description = "OpenMetrics text"))
)]
async fn metrics(State(service): Shared) -> Response {
    match service.metrics.render() {
        Ok(text) => ([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", responses((status = OK, body = Object, description = "OpenAPI 3.1")))]
async fn openapi(Extension(document): Extension<Arc<utoipa::openapi::OpenApi>>) -> Response {
    Json(document.as_ref()).into_response()
}

async fn unknown_path(uri: Uri) -> Problem {
    Problem::UnknownPath(uri.path().to_owned())
}

async fn wrong_method(uri: Uri) -> Problem {
    Problem::WrongMethod(uri.path().to_owned())
}

fn readiness(ready: bool) -> StatusCode {
    if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

fn metadata_of(service: &Service, path: &Addressed) -> Result<Json<ModelMetadata>, Problem> {
    service.check(&path.model, path.version.as_deref())?;
    service.metadata().map(Json)
}

fn readiness_of(
    service: &Service,
    path: &Addressed,
) -> Result<(StatusCode, Json<ModelReady>), Problem> {
    service.check(&path.model, path.version.as_deref())?;
    let ready = service.is_ready();
    Ok((
        readiness(ready),
        Json(ModelReady {
            name: service.name.clone(),
            ready,
        }),
    ))
}

/// A request for another model is not counted: it says nothing about this one.
async fn infer(service: &Service, path: &Addressed, request: Request) -> Response {
    if let Err(problem) = service.check(&path.model, path.version.as_deref()) {
        return problem.into_response();
    }
    let in_flight = service.metrics.begin();
    let deadline = Instant::now() + service.limits.request;
    let answer = async {
        let body = read(service, request, deadline).await?;
        let slow = |_| Problem::Slow {
            limit: service.limits.request,
        };
        timeout_at(deadline, service.infer(body))
            .await
            .map_err(slow)?
    };
    let response = answer.await.map(Json).into_response();
    in_flight.answered(response.status().as_u16());
    response
}

async fn read(
    service: &Service,
    request: Request<Body>,
    deadline: Instant,
) -> Result<Bytes, Problem> {
    let limit = service.limits.body;
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > limit as u64) {
        return Err(Problem::TooLarge { limit });
    }
    let slow = |_| Problem::SlowBody {
        limit: service.limits.request,
    };
    let body = timeout_at(deadline, Bytes::from_request(request, &()))
        .await
        .map_err(slow)?;
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::TooLarge { limit },
        _ => Problem::Body(rejection.body_text()),
    })
}
