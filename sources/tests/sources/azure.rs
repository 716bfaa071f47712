//! Azure Monitor, against exchanges that were written down: there is no server to be had.

use std::path::Path;

use serde_json::{Value, json};

use super::play::{Act, Play};
use super::{listed, open, read, told, window};

const RESOURCE: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/ml/providers/Microsoft.MachineLearningServices/workspaces/w/onlineEndpoints/digits";

/// An exchange: what must be asked, and the answer.
fn exchange(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/sources/azure");
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

async fn asked(name: &str, more: Value) -> Result<Vec<String>, String> {
    let exchange = exchange(name);
    let answer = Act::Answer(
        u16::try_from(exchange["answer"]["status"].as_u64().unwrap()).unwrap(),
        Vec::new(),
        exchange["answer"]["body"].to_string(),
    );
    let play = Play::begin(vec![answer]);
    let mut values = json!({
        "resource": RESOURCE, "metric": "RequestsPerMinute", "token": "hunter2", "endpoint": play.address,
    });
    values
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let source = open("azure_monitor", values).unwrap();
    let hour = window("2026-01-01T00:00:00Z", "2026-01-01T00:15:00Z");
    let answer = read(&*source, hour).await;
    let request = play.requests().remove(0);
    let line = request.lines().next().unwrap();
    assert_eq!(
        line,
        format!("GET {} HTTP/1.1", exchange["request"].as_str().unwrap())
    );
    assert!(
        request.contains("authorization: Bearer hunter2"),
        "{request}"
    );
    let told = |fault: &isobar_sources::Fault| told(fault).replace(&play.address, "AZURE");
    answer
        .map(|readings| listed(&readings))
        .map_err(|fault| told(&fault))
}

#[tokio::test]
async fn a_metric_is_read() {
    let found = asked("one_series.json", json!({})).await;
    let expected = [
        "2026-01-01T00:00:00Z 120",
        "2026-01-01T00:05:00Z -",
        "2026-01-01T00:10:00Z 90.5",
    ];
    assert_eq!(found.unwrap(), expected);
}

#[tokio::test]
async fn a_filter_that_leaves_several_series_is_told() {
    let more = json!({"filter": "deployment eq '*'", "aggregation": "average", "namespace": "ml"});
    assert_eq!(
        asked("several_series.json", more).await.unwrap_err(),
        "the filter gives 2 series where one is needed: {deployment=\"blue\"}, {deployment=\"green\"}; \
         name one value of each dimension in filter, or leave filter out to add all up"
    );
}

#[tokio::test]
async fn what_the_service_refuses_is_told() {
    let told = asked("unknown_metric.json", json!({})).await.unwrap_err();
    assert!(
        told.contains("400") && told.contains("BadRequest"),
        "{told}"
    );
    let told = asked("forbidden.json", json!({})).await.unwrap_err();
    assert!(
        told.contains("403") && told.contains("Monitoring Reader"),
        "{told}"
    );
}

#[tokio::test]
async fn a_service_principal_gets_a_token() {
    let token =
        Act::json(r#"{"token_type": "Bearer", "expires_in": 3599, "access_token": "issued"}"#);
    let login = Play::begin(vec![token]);
    let answer = exchange("one_series.json")["answer"]["body"].to_string();
    let monitor = Play::begin(vec![Act::json(&answer)]);
    let values =
        json!({"resource": RESOURCE, "metric": "RequestsPerMinute", "endpoint": monitor.address});
    let environment = [
        ("AZURE_TENANT_ID", "tenant"),
        ("AZURE_CLIENT_ID", "client"),
        ("AZURE_CLIENT_SECRET", "hunter2"),
        ("AZURE_AUTHORITY_HOST", &login.address),
    ];
    let settings = isobar_sources::Settings {
        environment: environment
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .into(),
        ..super::settings(values)
    };
    let source = isobar_sources::Kind::named("azure_monitor")
        .unwrap()
        .open(&settings)
        .unwrap();
    let hour = window("2026-01-01T00:00:00Z", "2026-01-01T00:15:00Z");
    assert_eq!(read(&*source, hour).await.unwrap().len(), 3);
    let asked = login.requests().remove(0);
    assert!(
        asked.starts_with("POST /tenant/oauth2/v2.0/token HTTP"),
        "{asked}"
    );
    assert!(
        asked.contains("grant_type=client_credentials&client_id=client&scope="),
        "{asked}"
    );
    assert!(asked.ends_with("client_secret=hunter2"), "{asked}");
    assert!(monitor.requests()[0].contains("authorization: Bearer issued"));
    assert!(!format!("{source:?} {settings:?}").contains("hunter2"));
}

#[test]
fn settings_are_checked_before_anything_is_asked() {
    let told = |values: Value| format!("{:?}", open("azure_monitor", values).err().unwrap());
    let sum = json!({"resource": RESOURCE, "metric": "m", "aggregation": "Sum"});
    assert!(told(sum).contains("Total, Count, Average, Minimum, Maximum"));
    assert!(told(json!({"resource": "digits", "metric": "m"})).contains("/subscriptions/"));
}
