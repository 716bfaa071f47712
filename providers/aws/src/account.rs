//! Whose account is used, and from where its credentials come.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use isobar_sdk::clock::Clock;
use isobar_sdk::schema::{Attribute, Body, Nesting};
use isobar_sdk::{Error, Known, Path, Type, Value};

use crate::client::{Client, Now};
use crate::service::Service;

/// No single answer takes longer.
const TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(10);

/// The `provider "aws"` block.
pub(crate) fn schema() -> Body {
    let text = |doc| Attribute::optional(Type::String, doc);
    let role = Body::new()
        .attribute(
            "role_arn",
            Attribute::required(Type::String, "The role to act in."),
        )
        .attribute(
            "session_name",
            Attribute::with_default(
                Type::String,
                "isobar",
                "What the account's log calls these sessions.",
            ),
        )
        .attribute(
            "external_id",
            text("What the role asks for where it belongs to someone else."),
        );
    Body::new()
        .attribute(
            "region",
            text("The region of resources that name none; otherwise AWS_REGION or that of the profile. Zones name their own."),
        )
        .attribute("profile", text("The profile of ~/.aws to use; otherwise AWS_PROFILE."))
        .attribute(
            "endpoint",
            text("Where all services are, for servers that stand in for AWS; otherwise AWS_ENDPOINT_URL and its kind."),
        )
        .block("assume_role", Nesting::Optional, role, "A role to act in, with the rights of these credentials.")
}

/// An account that is ready to be used.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) client: Client,
    /// The region of resources that name none.
    pub(crate) region: Option<String>,
}

impl Account {
    /// Takes settings from where every tool of AWS takes them, but for what is configured.
    ///
    /// # Errors
    /// The setting that cannot be used.
    pub(crate) async fn open(
        configuration: &Known,
        credentials: Option<SharedCredentialsProvider>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let config = load(configuration, credentials).await;
        let role = configuration
            .field("assume_role")
            .filter(|role| !role.is_null());
        let given = config.credentials_provider().ok_or_else(no_credentials)?;
        let credentials = match role {
            Some(role) => in_role(role, &config).await,
            None => given,
        };
        let own = configuration.field("endpoint").and_then(Value::as_str);
        let own = own.map(str::to_owned);
        let endpoints = Service::ALL.into_iter().filter_map(|service| {
            let url = own.clone().or_else(|| service.override_in(&config))?;
            Some((service, url))
        });
        let client = Client {
            http: http()?,
            credentials,
            endpoints: endpoints.collect(),
            now: now(&config),
            clock,
        };
        for url in client.endpoints.values() {
            if reqwest::Url::parse(url).is_err() {
                let message = format!("{url:?} is no URL such as \"http://127.0.0.1:5555\"");
                return Err(Error::invalid(Path::attribute("endpoint"), message));
            }
        }
        let region = config.region().map(|region| region.as_ref().to_owned());
        Ok(Self { client, region })
    }
}

async fn load(configuration: &Known, credentials: Option<SharedCredentialsProvider>) -> SdkConfig {
    let text = |name: &str| configuration.field(name).and_then(Value::as_str);
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(region) = text("region") {
        loader = loader.region(Region::new(region.to_owned()));
    }
    if let Some(profile) = text("profile") {
        loader = loader.profile_name(profile);
    }
    if let Some(credentials) = credentials {
        loader = loader.credentials_provider(credentials);
    }
    loader.load().await
}

fn no_credentials() -> Error {
    let message = "there are no credentials for AWS";
    Error::new(isobar_sdk::ErrorKind::Denied, message)
        .help("set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
}

async fn in_role(role: &Value, config: &SdkConfig) -> SharedCredentialsProvider {
    let text = |name: &str| role.field(name).and_then(Value::as_str);
    let mut builder = AssumeRoleProvider::builder(text("role_arn").unwrap_or_default())
        .configure(config)
        .session_name(text("session_name").unwrap_or("isobar"));
    if let Some(id) = text("external_id") {
        builder = builder.external_id(id);
    }
    SharedCredentialsProvider::new(builder.build().await)
}

fn http() -> Result<reqwest::Client, Error> {
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .connect_timeout(CONNECT)
        .redirect(reqwest::redirect::Policy::none())
        .build();
    client.map_err(|error| Error::unavailable(format!("no connection can be made: {error}")))
}

/// The clock of the SDK, which is right where the machine's is not.
fn now(config: &SdkConfig) -> Now {
    match config.time_source() {
        Some(source) => Arc::new(move || source.now()),
        None => Arc::new(|| SystemTime::UNIX_EPOCH),
    }
}
