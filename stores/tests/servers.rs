//! The protocol on servers that others wrote. `ISOBAR_TEST_PARTS` names the folder that
//! `.ci/parts` has put them into; without it nothing is tested here.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

#[expect(unreachable_pub, reason = "it is shared by tests")]
mod server;
#[expect(unreachable_pub, reason = "it is shared by tests")]
mod suite;

use std::sync::Arc;

use isobar_stores::{Documents, Kind, Opened, Settings};

fn open(kind: &str, values: &[(&str, String)], prefix: &str) -> Arc<dyn Documents> {
    let given = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    let mut settings = Settings {
        values: given.collect(),
        ..Settings::default()
    };
    settings
        .values
        .insert("prefix".to_owned(), prefix.to_owned());
    match Kind::named(kind).unwrap().open(&settings).unwrap() {
        Opened::Documents(documents) => documents,
        Opened::Web(_) => unreachable!("{kind} keeps documents"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_does_what_is_asked() {
    let Some(place) = server::s3() else { return };
    suite::all(&|folder| open("s3", &place.settings, folder), 50, 40).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gcs_does_what_is_asked() {
    let Some(place) = server::gcs() else { return };
    suite::all(&|folder| open("gcs", &place.settings, folder), 50, 40).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn azblob_does_what_is_asked() {
    let Some(place) = server::azblob() else {
        return;
    };
    suite::all(&|folder| open("azblob", &place.settings, folder), 50, 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_does_what_is_asked() {
    let Some(place) = server::postgres() else {
        return;
    };
    suite::all(&|folder| open("postgres", &place.settings, folder), 50, 40).await;

    let wrong = [("conn_str", place.settings[0].1.replace("secret", "wrong"))];
    let refused = open("postgres", &wrong, "x").get("a").await;
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("password authentication failed"), "{text}");
    assert!(!text.contains("wrong"), "{text}");
}
