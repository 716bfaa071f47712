//! Signed calls of the services that speak JSON (AWS JSON 1.1).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use isobar_sdk::ErrorKind;
use isobar_sdk::clock::Clock;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::fault::Fault;
use crate::service::Service;

const CONTENT: &str = "application/x-amz-json-1.1";
/// Pages that are followed at most; more is taken for a service that never ends.
const MOST_PAGES: usize = 1_000;
/// How often a call is made that may be made twice.
const TRIES: u32 = 5;

/// Tells the time that calls are signed with.
pub(crate) type Now = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Calls services with the credentials of one account.
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) credentials: SharedCredentialsProvider,
    /// Where services are that are not where AWS has them.
    pub(crate) endpoints: BTreeMap<Service, String>,
    pub(crate) now: Now,
    pub(crate) clock: Arc<dyn Clock>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoints", &self.endpoints)
            .finish_non_exhaustive()
    }
}

/// One operation of one service in one region.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) service: Service,
    pub(crate) region: &'a str,
    pub(crate) operation: &'a str,
}

impl Client {
    /// Makes the call once.
    ///
    /// # Errors
    /// What the service answers in place of a result, or that it does not answer.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        call: Call<'_>,
        input: &Json,
    ) -> Result<T, Fault> {
        let Call {
            service, operation, ..
        } = call;
        let answer = self.signed(call, input.to_string()).await?.send().await;
        let failed = |error: &reqwest::Error| Fault::no_answer(service, operation, &cause(error));
        let answer = answer.map_err(|error| failed(&error))?;
        let status = answer.status().as_u16();
        let header = |name: &str| {
            let value = answer.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        let after = header("retry-after").and_then(|seconds| seconds.trim().parse().ok());
        let kind = header("x-amzn-errortype");
        let body = answer.bytes().await.map_err(|error| failed(&error))?;
        if !(200..300).contains(&status) {
            let status = (status, after.map(Duration::from_secs));
            return Err(Fault::of_answer(
                (service, operation),
                status,
                (kind.as_deref(), &body),
            ));
        }
        // Operations without a result answer nothing at all.
        let text: &[u8] = if body.is_empty() { b"{}" } else { &body };
        serde_json::from_slice(text).map_err(|error| {
            Fault::no_answer(service, operation, &format!("its answer is none: {error}"))
        })
    }

    /// Makes a call that may be made twice, again after failures that pass. In the midst of a
    /// change the patience with the change as a whole is no help: waiting has used it up.
    ///
    /// # Errors
    /// As [`Client::call`], after the last try.
    pub(crate) async fn insist<T: DeserializeOwned>(
        &self,
        call: Call<'_>,
        input: &Json,
    ) -> Result<T, Fault> {
        let mut wait = Duration::from_secs(1);
        for _ in 1..TRIES {
            match self.call(call, input).await {
                Err(fault) if fault.error.is_transient() => {
                    let asked = match fault.error.kind {
                        ErrorKind::Throttled { after: Some(after) } => after,
                        _ => Duration::ZERO,
                    };
                    self.clock.pause(wait.max(asked)).await;
                    wait *= 2;
                }
                answer => return answer,
            }
        }
        self.call(call, input).await
    }

    /// Everything that a call lists under `items`, page by page.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        call: Call<'_>,
        mut input: Json,
        items: &str,
    ) -> Result<Vec<T>, Fault> {
        let unreadable = |why: &str| Fault::no_answer(call.service, call.operation, why);
        let mut found = Vec::new();
        for _ in 0..MOST_PAGES {
            let mut page: Json = self.insist(call, &input).await?;
            let part = page
                .get_mut(items)
                .map_or(Json::Array(Vec::new()), Json::take);
            let part: Vec<T> =
                serde_json::from_value(part).map_err(|error| unreadable(&error.to_string()))?;
            found.extend(part);
            match page.get("NextToken").and_then(Json::as_str) {
                Some(token) if !token.is_empty() => input["NextToken"] = token.into(),
                _ => return Ok(found),
            }
        }
        Err(unreadable("its pages do not end"))
    }

    /// Where a service is; its one path ends the URL.
    fn url(&self, service: Service, region: &str) -> String {
        let given = self.endpoints.get(&service).cloned();
        let url = given.unwrap_or_else(|| service.host(region));
        format!("{}/", url.trim_end_matches('/'))
    }

    async fn signed(&self, call: Call<'_>, body: String) -> Result<reqwest::RequestBuilder, Fault> {
        let (service, region, operation) = (call.service, call.region, call.operation);
        let url = self.url(service, region);
        let target = format!("{}.{operation}", service.target());
        let headers = [("content-type", CONTENT), ("x-amz-target", target.as_str())];
        let broken = |why: &dyn fmt::Display| Fault::unsigned(service, operation, why);
        let credentials = self.credentials.provide_credentials().await;
        let identity = credentials
            .map_err(|error| broken(&deepest(&error)))?
            .into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(service.signed_as())
            .time((self.now)())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| broken(&error))?;
        let signable = SignableRequest::new(
            "POST",
            &url,
            headers.into_iter(),
            SignableBody::Bytes(body.as_bytes()),
        );
        let signed = signable
            .and_then(|request| sign(request, &params.into()))
            .map_err(|error| broken(&error))?;
        let (instructions, _) = signed.into_parts();
        let mut request = self.http.post(&url);
        for (name, value) in headers.into_iter().chain(instructions.headers()) {
            request = request.header(name, value);
        }
        Ok(request.body(body))
    }
}

/// Why there is no answer, without the address, which the message has no use for.
fn cause(error: &reqwest::Error) -> String {
    match error.is_timeout() {
        true => "it took too long".to_owned(),
        false => deepest(error),
    }
}

/// The innermost reason, which is the one that says something.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut reason = error;
    while let Some(inner) = reason.source() {
        reason = inner;
    }
    reason.to_string()
}
