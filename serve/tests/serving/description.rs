//! What the server says about itself: metrics, the OpenAPI document, its identity.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::Value;

use crate::running::{Running, digits, sample};

#[tokio::test]
async fn metrics_count_answers_by_code() {
    let server = Running::ready(digits()).await;
    for _ in 0..2 {
        server.post("/v2/models/digits/infer", sample()).await;
    }
    server.post("/v2/models/digits/infer", "{}").await;
    server.post("/v2/models/cats/infer", sample()).await;
    let answer = server.get("/metrics").await;
    assert_eq!(
        answer.headers["content-type"],
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    let lines: Vec<&str> = answer.text().lines().collect();
    for line in [
        "# HELP isobar_serve_requests Inference requests, by HTTP status code.",
        "# TYPE isobar_serve_requests counter",
        r#"isobar_serve_requests_total{model="digits",version="1",code="200"} 2"#,
        r#"isobar_serve_requests_total{model="digits",version="1",code="400"} 1"#,
        "# TYPE isobar_serve_request_duration_seconds histogram",
        r#"isobar_serve_request_duration_seconds_count{model="digits",version="1"} 3"#,
        r#"isobar_serve_requests_in_flight{model="digits",version="1"} 0"#,
        concat!(
            r#"isobar_serve_build_info{version=""#,
            env!("CARGO_PKG_VERSION"),
            r#""} 1"#
        ),
    ] {
        assert!(
            lines.contains(&line),
            "{line} is not in:\n{}",
            answer.text()
        );
    }
    assert!(
        !answer.text().contains("cats"),
        "a stranger's name became a label"
    );
    let load = r#"isobar_serve_model_load_seconds{model="digits",version="1"} "#;
    let seconds: f64 = lines
        .iter()
        .find_map(|line| line.strip_prefix(load))
        .unwrap()
        .parse()
        .unwrap();
    assert!(seconds > 0.0);
}

#[tokio::test]
async fn every_documented_path_is_served() {
    let server = Running::ready(digits()).await;
    let document = server.get("/openapi.json").await.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    let mut served = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let concrete = path.replace("{model}", "digits").replace("{version}", "1");
        for method in methods.as_object().unwrap().keys() {
            let verb = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = server.ask(verb, &concrete, Body::from(sample())).await;
            let documented = &document["paths"][path][method]["responses"][answer.status.as_str()];
            assert_eq!(answer.status, StatusCode::OK, "{method} {path}");
            assert!(
                documented.is_object(),
                "{method} {path} answers {}",
                answer.status
            );
            served.push(format!("{method} {path}"));
        }
    }
    served.sort();
    assert_eq!(
        served,
        [
            "get /metrics",
            "get /openapi.json",
            "get /v2",
            "get /v2/health/live",
            "get /v2/health/ready",
            "get /v2/models/{model}",
            "get /v2/models/{model}/ready",
            "get /v2/models/{model}/versions/{version}",
            "get /v2/models/{model}/versions/{version}/ready",
            "post /v2/models/{model}/infer",
            "post /v2/models/{model}/versions/{version}/infer",
        ]
    );
}

#[tokio::test]
async fn the_document_refers_only_to_what_it_holds() {
    let server = Running::start(digits()).await;
    let document = server.get("/openapi.json").await.json();
    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(references.len() > 10);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(
            document.pointer(pointer).is_some(),
            "{reference} leads nowhere"
        );
    }
}

#[tokio::test]
async fn every_answer_says_which_instance_gave_it() {
    let mut options = digits();
    options.instance = Some("virginia-2".to_owned());
    let named = Running::start(options).await;
    for path in ["/v2", "/v2/health/ready", "/metrics", "/nowhere"] {
        assert_eq!(
            named.get(path).await.headers["x-isobar-served-by"],
            "virginia-2",
            "{path}"
        );
    }
    let unnamed = Running::start(digits()).await;
    assert_eq!(
        unnamed.get("/v2").await.headers["x-isobar-served-by"],
        std::process::id().to_string().as_str()
    );
}

fn collect_references(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            references.extend(
                members
                    .get("$ref")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
            members
                .values()
                .for_each(|member| collect_references(member, references));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect_references(item, references)),
        _ => {}
    }
}
