//! A token for Azure: one that is given, of a service principal, of a federated or managed
//! identity, or of the command `az`.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;

use crate::fault::{Fault, chain};
use crate::settings::Settings;
use crate::web::{Answer, Web, form};

/// How long `az` is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// Where a virtual machine learns its token.
const INSTANCE: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
const HELP: &str = "set token, or AZURE_ACCESS_TOKEN, or AZURE_TENANT_ID and AZURE_CLIENT_ID with AZURE_CLIENT_SECRET or AZURE_FEDERATED_TOKEN_FILE, run where there is a managed identity, or log in with az login";

/// Where a token comes from.
#[derive(Clone)]
pub(crate) enum Credential {
    Given(String),
    /// A service principal with its secret.
    Secret(Principal, String),
    /// One that a token in a file vouches for, as in Kubernetes.
    Federated(Principal, PathBuf),
    /// The service around (App Service, Functions, Arc) gives tokens.
    Endpoint {
        url: String,
        header: String,
        client: Option<String>,
    },
    /// The virtual machine gives tokens, as the setting `managed_identity` says.
    Machine(Option<String>),
    /// Whoever has logged in with `az`.
    CommandLine,
}

/// Who a token is asked for.
#[derive(Clone)]
pub(crate) struct Principal {
    authority: String,
    tenant: String,
    client: String,
}

#[derive(Deserialize)]
struct Token {
    #[serde(alias = "accessToken")]
    access_token: String,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(…)")
    }
}

impl Credential {
    /// The first that the settings and the environment give, in the order of the variants.
    pub(crate) fn of(settings: &Settings, token: Option<String>, managed: bool) -> Self {
        let variable = |name: &str| settings.variable(name).map(str::to_owned);
        if let Some(token) = token.or_else(|| variable("AZURE_ACCESS_TOKEN")) {
            return Self::Given(token);
        }
        let client = variable("AZURE_CLIENT_ID");
        let authority = variable("AZURE_AUTHORITY_HOST");
        let authority = authority.unwrap_or_else(|| "https://login.microsoftonline.com".to_owned());
        if let (Some(tenant), Some(client), false) =
            (variable("AZURE_TENANT_ID"), client.clone(), managed)
        {
            let principal = Principal {
                authority,
                tenant,
                client,
            };
            if let Some(secret) = variable("AZURE_CLIENT_SECRET") {
                return Self::Secret(principal, secret);
            }
            if let Some(file) = variable("AZURE_FEDERATED_TOKEN_FILE") {
                return Self::Federated(principal, file.into());
            }
        }
        match (variable("IDENTITY_ENDPOINT"), variable("IDENTITY_HEADER")) {
            (Some(url), Some(header)) => Self::Endpoint {
                url,
                header,
                client,
            },
            _ if managed => Self::Machine(client),
            _ => Self::CommandLine,
        }
    }

    /// A token for this service.
    pub(crate) async fn token(&self, web: &Web, resource: &str) -> Result<String, Fault> {
        match self {
            Self::Given(token) => Ok(token.clone()),
            Self::Secret(principal, secret) => {
                let secret = [("client_secret", secret.as_str())];
                principal.token(web, resource, &secret).await
            }
            Self::Federated(principal, file) => {
                let assertion = std::fs::read_to_string(file).map_err(|error| {
                    refused(format!(
                        "AZURE_FEDERATED_TOKEN_FILE cannot be read: {error}"
                    ))
                })?;
                let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
                let proof = [
                    ("client_assertion_type", kind),
                    ("client_assertion", assertion.trim()),
                ];
                principal.token(web, resource, &proof).await
            }
            Self::Endpoint {
                url,
                header,
                client,
            } => {
                let name = ("X-IDENTITY-HEADER", header.as_str());
                managed(web, (url, "2019-08-01"), name, resource, client.as_deref()).await
            }
            Self::Machine(client) => {
                let name = ("Metadata", "true");
                managed(
                    web,
                    (INSTANCE, "2018-02-01"),
                    name,
                    resource,
                    client.as_deref(),
                )
                .await
            }
            Self::CommandLine => command_line(resource).await,
        }
    }
}

fn refused(what: impl Into<String>) -> Fault {
    Fault::Refused {
        what: what.into(),
        help: HELP.to_owned(),
    }
}

fn read(answer: &Answer, place: &str) -> Result<String, Fault> {
    if !answer.status.is_success() {
        let what = format!(
            "{place} gives no token: {}: {}",
            answer.status,
            answer.shown()
        );
        return Err(refused(what));
    }
    let token: Result<Token, _> = serde_json::from_slice(&answer.body);
    // What was told may be a token and is not shown.
    let token = token.map_err(|_| refused(format!("{place} gives no token")))?;
    Ok(token.access_token)
}

impl Principal {
    async fn token(
        &self,
        web: &Web,
        resource: &str,
        proof: &[(&str, &str)],
    ) -> Result<String, Fault> {
        let authority = self.authority.trim_end_matches('/');
        let url = format!("{authority}/{}/oauth2/v2.0/token", self.tenant);
        let scope = format!("{}/.default", resource.trim_end_matches('/'));
        let mut fields = vec![
            ("grant_type", "client_credentials"),
            ("client_id", self.client.as_str()),
            ("scope", scope.as_str()),
        ];
        fields.extend(proof);
        let body = form(&fields);
        let answer = web.ask(authority, |client| {
            let request = client.post(&url);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            request.body(body.clone())
        });
        read(&answer.await?, authority)
    }
}

async fn managed(
    web: &Web,
    (url, version): (&str, &str),
    (name, value): (&str, &str),
    resource: &str,
    client: Option<&str>,
) -> Result<String, Fault> {
    let mut fields = vec![("api-version", version), ("resource", resource)];
    fields.extend(client.map(|client| ("client_id", client)));
    let url = Url::parse_with_params(url, fields)
        .map_err(|error| refused(format!("IDENTITY_ENDPOINT is no address: {error}")))?;
    let place = "the managed identity";
    let answer = web.ask(place, |client| client.get(url.clone()).header(name, value));
    read(&answer.await?, place)
}

async fn command_line(resource: &str) -> Result<String, Fault> {
    let arguments = [
        "account",
        "get-access-token",
        "--output",
        "json",
        "--resource",
    ];
    let mut command = tokio::process::Command::new("az");
    command
        .args(arguments)
        .arg(resource)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.map_err(|_| refused("az account get-access-token does not end"))?;
    let output = output.map_err(|error| {
        refused(format!(
            "there are no credentials for Azure, and az cannot be run: {}",
            chain(&error)
        ))
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or_default();
        return Err(refused(format!(
            "az account get-access-token fails: {said}"
        )));
    }
    let token: Result<Token, _> = serde_json::from_slice(&output.stdout);
    token
        .map(|token| token.access_token)
        .map_err(|_| refused("az gives no token"))
}
