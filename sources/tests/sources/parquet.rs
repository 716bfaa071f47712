//! Parquet files that pyarrow wrote (`testdata/sources/parquet/make.py`).

use serde_json::{Value, json};

use super::{listed, read, told, window};

async fn asked(values: Value) -> Result<Vec<String>, String> {
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/sources/parquet");
    let settings = isobar_sources::Settings {
        folder,
        ..super::settings(values)
    };
    let source = isobar_sources::Kind::named("parquet")
        .unwrap()
        .open(&settings)
        .unwrap();
    let all = window("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
    read(&*source, all)
        .await
        .map(|found| listed(&found))
        .map_err(|fault| told(&fault))
}

#[tokio::test]
async fn every_usual_column_is_read() {
    let expected = [
        "2026-01-01T00:00:00Z 1",
        "2026-01-01T00:05:00Z -",
        "2026-01-01T00:10:00Z 3.5",
    ];
    for file in [
        "ms", "us", "ns", "int96", "float32", "zoned", "decimal", "zstd", "gzip", "lz4",
    ] {
        let found = asked(json!({"path": format!("{file}.parquet")})).await;
        assert_eq!(found.unwrap(), expected, "{file}");
    }
    let whole = [
        "2026-01-01T00:00:00Z 1",
        "2026-01-01T00:05:00Z -",
        "2026-01-01T00:10:00Z 3",
    ];
    for file in ["int32", "int64"] {
        let found = asked(json!({"path": format!("{file}.parquet")})).await;
        assert_eq!(found.unwrap(), whole, "{file}");
    }
    let named = json!({"path": "named.parquet", "timestamp": "at", "value": "requests"});
    assert_eq!(asked(named).await.unwrap(), expected);
}

#[tokio::test]
async fn a_folder_is_read_file_by_file() {
    let found = asked(json!({"path": "folder"})).await.unwrap();
    assert_eq!(found.len(), 6);
    assert_eq!(found[5], "2026-01-01T00:25:00Z 5");
}

#[tokio::test]
async fn what_is_no_series_is_told_with_the_way_out() {
    for (values, said) in [
        (json!({"path": "none.parquet"}), "cannot open the file"),
        (json!({"path": "azure"}), "cannot open the file"),
        (
            json!({"path": "ms.parquet", "value": "requests"}),
            "ms.parquet: there is no column \"requests\": \"timestamp\", \"value\"; name the columns",
        ),
        (
            json!({"path": "text.parquet"}),
            "the column \"value\" is no number but String",
        ),
        (
            json!({"path": "text.parquet", "timestamp": "value"}),
            "the column \"value\" is no timestamp but String",
        ),
        (
            json!({"path": "list.parquet", "value": "value.list.element"}),
            "is a list",
        ),
        (
            json!({"path": "negative.parquet"}),
            "the value -1 at 2026-01-01T00:00:00Z is negative",
        ),
        (
            json!({"path": "untimed.parquet"}),
            "row 2 of a group has no time",
        ),
        (
            json!({"path": "make.py"}),
            "make.py: not readable as Parquet",
        ),
    ] {
        let fault = asked(values.clone()).await.unwrap_err();
        assert!(fault.contains(said), "{values} {fault}");
    }
}
