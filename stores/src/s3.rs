//! Amazon S3, and what speaks its protocol.

use std::sync::Arc;

use object_store::aws::AmazonS3Builder;

use crate::documents::Documents;
use crate::object::{Objects, client, is_plain, retry, told, unusable};
use crate::settings::{Problem, Setting, Settings};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("bucket", "bucket", "the bucket").required(),
    Setting::new("prefix", "", "the folder in the bucket"),
    Setting::new("region", "region", "the region of the bucket"),
    Setting::new(
        "endpoint",
        "endpoint",
        "the address of a service that speaks S3's protocol",
    ),
    Setting::new("access_key", "access_key_id", "the access key").secret(),
    Setting::new(
        "secret_key",
        "secret_access_key",
        "the secret of the access key",
    )
    .secret(),
    Setting::new("token", "session_token", "the token of a session").secret(),
    Setting::new(
        "virtual_hosted",
        "virtual_hosted_style_request",
        "whether the bucket is part of the name of the host",
    ),
    Setting::new(
        "kms_key_id",
        "sse_kms_key_id",
        "the key that S3 encrypts with",
    ),
];

pub(crate) fn open(settings: &Settings) -> Result<Arc<dyn Documents>, Problem> {
    let mut builder = AmazonS3Builder::new()
        .with_retry(retry())
        .with_client_options(client(is_plain(settings)));
    for (key, value) in told(settings, SETTINGS, "AWS_")? {
        builder = builder.with_config(key, value);
    }
    if settings.value("kms_key_id").is_some() {
        let key = "aws_server_side_encryption".parse();
        let key = key.map_err(|error| unusable(&error))?;
        builder = builder.with_config(key, "aws:kms");
    }
    let store = builder.build().map_err(|error| unusable(&error))?;
    let bucket = settings.value("bucket").unwrap_or_default();
    Ok(Arc::new(Objects::new(store, "s3", bucket, settings)))
}
