//! Azure Blob Storage.

use std::sync::Arc;

use object_store::azure::MicrosoftAzureBuilder;

use crate::documents::Documents;
use crate::object::{Objects, client, is_plain, retry, told, unusable};
use crate::settings::{Problem, Setting, Settings};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("account", "account_name", "the storage account").required(),
    Setting::new("container", "container_name", "the container").required(),
    Setting::new("prefix", "", "the folder in the container"),
    Setting::new("endpoint", "endpoint", "the address of the account"),
    Setting::new("access_key", "access_key", "the key of the account").secret(),
    Setting::new("sas_token", "sas_token", "a shared access signature").secret(),
    Setting::new("client_id", "client_id", "the application that logs in"),
    Setting::new(
        "client_secret",
        "client_secret",
        "the secret of the application",
    )
    .secret(),
    Setting::new("tenant_id", "tenant_id", "the directory of the application"),
    Setting::new(
        "use_azure_cli",
        "use_azure_cli",
        "whether to log in as the command az has",
    ),
];

pub(crate) fn open(settings: &Settings) -> Result<Arc<dyn Documents>, Problem> {
    let mut builder = MicrosoftAzureBuilder::new()
        .with_retry(retry())
        .with_client_options(client(is_plain(settings)));
    for (key, value) in told(settings, SETTINGS, "AZURE_")? {
        builder = builder.with_config(key, value);
    }
    let store = builder.build().map_err(|error| unusable(&error))?;
    let account = settings.value("account").unwrap_or_default();
    let container = settings.value("container").unwrap_or_default();
    let bucket = format!("{account}/{container}");
    Ok(Arc::new(Objects::new(store, "azblob", &bucket, settings)))
}
