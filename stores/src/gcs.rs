//! Google Cloud Storage.

use std::sync::Arc;

use object_store::gcp::GoogleCloudStorageBuilder;

use crate::documents::Documents;
use crate::object::{Objects, client, is_plain, retry, told, unusable};
use crate::settings::{Problem, Setting, Settings};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("bucket", "bucket", "the bucket").required(),
    Setting::new("prefix", "", "the folder in the bucket"),
    Setting::new("endpoint", "base_url", "another address of the service"),
    Setting::new(
        "credentials",
        "application_credentials",
        "the file with the credentials of an account",
    ),
    Setting::new(
        "access_token",
        "bearer_token",
        "a token that was issued already",
    )
    .secret(),
];

pub(crate) fn open(settings: &Settings) -> Result<Arc<dyn Documents>, Problem> {
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_retry(retry())
        .with_client_options(client(is_plain(settings)));
    for (key, value) in told(settings, SETTINGS, "GOOGLE_")? {
        builder = builder.with_config(key, value);
    }
    let store = builder.build().map_err(|error| unusable(&error))?;
    let bucket = settings.value("bucket").unwrap_or_default();
    Ok(Arc::new(Objects::new(store, "gs", bucket, settings)))
}
