//! Predictions: what a well-formed request gets.

use axum::http::StatusCode;
use isobar_serve::Options;
use serde_json::{Value, json};

use crate::running::{Running, digits, quickstart, sample, testdata};

const INFER: &str = "/v2/models/digits/infer";

#[tokio::test]
async fn sample_request_is_answered_with_its_digit() {
    let server = Running::ready(digits()).await;
    let answer = server.post(INFER, sample()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let answer = answer.json();
    assert_eq!(answer["model_name"], "digits");
    assert_eq!(answer["model_version"], "1");
    assert_eq!(answer["id"], "a-handwritten-8");
    assert_eq!(
        answer["outputs"][0],
        json!({"name": "label", "shape": [1], "datatype": "INT64", "data": [8]})
    );
    let probabilities = &answer["outputs"][1];
    assert_eq!(probabilities["name"], "probabilities");
    assert_eq!(probabilities["shape"], json!([1, 10]));
    let sum: f64 = probabilities["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|share| share.as_f64().unwrap())
        .sum();
    assert!((sum - 1.0).abs() < 1e-5, "probabilities sum to {sum}");
}

#[tokio::test]
async fn both_models_know_most_held_out_digits() {
    for file in ["digits.onnx", "digits-2.onnx"] {
        let mut options = Options::new(quickstart(file), 0);
        options.name = Some("digits".to_owned());
        let server = Running::ready(options).await;
        let holdout: Vec<Value> =
            serde_json::from_slice(&std::fs::read(quickstart("holdout.json")).unwrap()).unwrap();
        let rows: Vec<&Value> = holdout.iter().map(|digit| &digit["pixels"]).collect();
        let answer = server
            .post(INFER, request(&[rows.len(), 64], &json!(rows)))
            .await
            .json();
        let predicted = answer["outputs"][0]["data"].as_array().unwrap();
        assert_eq!(predicted.len(), holdout.len());
        let right = predicted
            .iter()
            .zip(&holdout)
            .filter(|(label, digit)| **label == digit["label"])
            .count();
        assert!(
            right * 100 >= holdout.len() * 90,
            "{file} knows {right} of {}",
            holdout.len()
        );
    }
}

#[tokio::test]
async fn a_batch_answers_as_its_rows_do_one_by_one() {
    let server = Running::ready(digits()).await;
    let holdout: Vec<Value> =
        serde_json::from_slice(&std::fs::read(quickstart("holdout.json")).unwrap()).unwrap();
    let rows: Vec<&Value> = holdout
        .iter()
        .map(|digit| &digit["pixels"])
        .take(3)
        .collect();
    let flat: Vec<&Value> = rows
        .iter()
        .flat_map(|row| row.as_array().unwrap())
        .collect();
    let nested = server
        .post(INFER, request(&[3, 64], &json!(rows)))
        .await
        .json();
    let batch = server
        .post(INFER, request(&[3, 64], &json!(flat)))
        .await
        .json();
    assert_eq!(nested["outputs"], batch["outputs"]);
    for (index, row) in rows.iter().enumerate() {
        let alone = server.post(INFER, request(&[1, 64], row)).await.json();
        assert_eq!(
            alone["outputs"][0]["data"][0],
            batch["outputs"][0]["data"][index]
        );
    }
}

#[tokio::test]
async fn requested_outputs_come_in_the_requested_order() {
    let server = Running::ready(digits()).await;
    let mut request: Value = serde_json::from_str(&sample()).unwrap();
    let names = async |request: &Value| -> Vec<String> {
        let answer = server.post(INFER, request).await.json();
        answer["outputs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|output| output["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&request).await, ["label", "probabilities"]);
    request["outputs"] = json!([{"name": "probabilities"}]);
    assert_eq!(names(&request).await, ["probabilities"]);
    request["outputs"] = json!([{"name": "probabilities"}, {"name": "label"}]);
    assert_eq!(names(&request).await, ["probabilities", "label"]);
}

#[tokio::test]
async fn every_datatype_passes_through_unchanged() {
    let server = Running::ready(Options::new(testdata("models/kinds.onnx"), 0)).await;
    // The greatest halves and the least values, so that a detour through another type would show.
    let cases = [
        ("BOOL", json!([true, false]), json!([false, true])),
        ("UINT8", json!([0, 127]), json!([0, 254])),
        ("UINT16", json!([0, 32767]), json!([0, 65534])),
        (
            "UINT32",
            json!([0, 2147483647_u32]),
            json!([0, 4294967294_u32]),
        ),
        (
            "UINT64",
            json!([0, 9223372036854775807_u64]),
            json!([0, 18446744073709551614_u64]),
        ),
        ("INT8", json!([-64, 63]), json!([-128, 126])),
        ("INT16", json!([-16384, 16383]), json!([-32768, 32766])),
        (
            "INT32",
            json!([-1073741824, 1073741823]),
            json!([-2147483648_i32, 2147483646]),
        ),
        (
            "INT64",
            json!([-4611686018427387904_i64, 4611686018427387903_i64]),
            json!([i64::MIN, 9223372036854775806_i64]),
        ),
        ("FP16", json!([0.5, -2]), json!([1.0, -4.0])),
        ("FP32", json!([0.05, -16777215]), json!([0.1, -33554430.0])),
        (
            "FP64",
            json!([0.05, 4503599627370495.5]),
            json!([0.1, 9007199254740991.0]),
        ),
    ];
    let inputs: Vec<Value> = cases
        .iter()
        .map(|(kind, data, _)| json!({"name": format!("in_{kind}"), "shape": [2], "datatype": kind, "data": data}))
        .collect();
    let answer = server
        .post("/v2/models/kinds/infer", json!({"inputs": inputs}))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    for (output, (kind, _, expected)) in answer.json()["outputs"]
        .as_array()
        .unwrap()
        .iter()
        .zip(&cases)
    {
        assert_eq!(output["datatype"], *kind);
        assert_eq!(output["data"], *expected, "{kind}");
    }
}

#[tokio::test]
async fn metadata_shows_the_free_dimension_as_minus_one() {
    let server = Running::ready(digits()).await;
    let expected = json!({
        "name": "digits",
        "versions": ["1"],
        "platform": "tract_onnx",
        "inputs": [{"name": "pixels", "datatype": "FP32", "shape": [-1, 64]}],
        "outputs": [
            {"name": "label", "datatype": "INT64", "shape": [-1]},
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, 10]}
        ]
    });
    assert_eq!(server.get("/v2/models/digits").await.json(), expected);
    assert_eq!(
        server.get("/v2/models/digits/versions/1").await.json(),
        expected
    );
    assert_eq!(
        server.get("/v2/models/digits/ready").await.json(),
        json!({"name": "digits", "ready": true})
    );
    assert_eq!(
        server
            .get("/v2/models/digits/versions/1/ready")
            .await
            .status,
        StatusCode::OK
    );
    assert_eq!(
        server.get("/v2/health/live").await.json(),
        json!({"live": true})
    );
    assert_eq!(server.get("/v2").await.json()["extensions"], json!([]));
}

fn request(shape: &[usize], data: &Value) -> Value {
    json!({"inputs": [{"name": "pixels", "shape": shape, "datatype": "FP32", "data": data}]})
}
