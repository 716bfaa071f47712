//! Questions over HTTP: time-outs, what is tried again and how often, what an answer may weigh.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Certificate, Client, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;

use crate::fault::{Fault, chain, shorten};
use crate::settings::{Problem, Setting, Settings, Shape};

/// How often something is asked. Someone waits at a terminal.
const ATTEMPTS: u32 = 4;
/// How long is waited before the second attempt; twice as long before each further one.
const PAUSE: Duration = Duration::from_millis(500);
/// The longest that a server may ask to be left alone before the next attempt.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long an answer is waited for where the settings do not say.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer, in bytes.
const LARGEST: usize = 256 << 20;
/// The longest refusal that is shown, in characters.
const SHOWN: usize = 200;

/// What every source that is asked over HTTP can be told.
pub(crate) const USERNAME: Setting =
    Setting::new("username", "The user, for basic authentication.");
pub(crate) const PASSWORD: Setting = Setting::new("password", "The password of the user.").secret();
pub(crate) const TOKEN: Setting =
    Setting::new("token", "A token that is sent as Authorization: Bearer.").secret();
pub(crate) const TIME_OUT: Setting = Setting::new(
    "timeout",
    "How long one answer is waited for, in seconds with an s; 30s by default.",
);
pub(crate) const AUTHORITY: Setting = Setting::new(
    "ca_certificate",
    "The certificate (PEM) of the authority that signed the server's, where the system does not know it.",
);
pub(crate) const UNVERIFIED: Setting = Setting::new(
    "skip_cert_verification",
    "Whether any certificate of the server is good enough.",
)
.shaped(Shape::Flag);

/// How a server is reached.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Reach {
    timeout: Option<String>,
    ca_certificate: Option<String>,
    skip_cert_verification: Option<bool>,
}

/// Who asks.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct Account {
    username: Option<String>,
    password: Option<String>,
    token: Option<String>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Account(…)")
    }
}

impl Account {
    /// From the settings, or where they say nothing from `PREFIX_USERNAME`, `PREFIX_PASSWORD`
    /// and `PREFIX_TOKEN`.
    pub(crate) fn of(settings: &Settings, prefix: &str) -> Result<Self, Problem> {
        let mut account: Self = settings.read()?;
        let variable = |name: &str| {
            let value = settings.variable(&format!("{prefix}_{name}"));
            value.map(str::to_owned)
        };
        if account.token.is_none() && account.username.is_none() {
            account.username = variable("USERNAME");
            account.token = variable("TOKEN").filter(|_| account.username.is_none());
        }
        if account.username.is_some() && account.password.is_none() {
            account.password = variable("PASSWORD");
        }
        match account {
            Self {
                token: Some(_),
                username: Some(_),
                ..
            } => Err(Problem::wrong(
                "token",
                "cannot be combined with username",
                "keep one of them",
            )),
            account => Ok(account),
        }
    }

    /// A request that says who asks.
    pub(crate) fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self {
                token: Some(token), ..
            } => request.bearer_auth(token),
            Self {
                username: Some(user),
                password,
                ..
            } => request.basic_auth(user, password.as_ref()),
            _ => request,
        }
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The beginning of what it says, for people.
    pub(crate) fn shown(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        shorten(text.trim(), SHOWN)
    }

    /// What is wrong where it is no success; `credentials` says where they come from.
    pub(crate) fn refusal(&self, place: &str, credentials: &str) -> Option<Fault> {
        let what = format!("{place} answers {}: {}", self.status, self.shown());
        if self.status.is_success() {
            None
        } else if matches!(self.status.as_u16(), 401 | 403 | 407) {
            let help = credentials.to_owned();
            Some(Fault::Refused { what, help })
        } else if self.status.is_redirection() {
            let help = "write the address that it leads to into the settings; redirects are not followed, so that credentials stay with the server they are for";
            Some(Fault::question(what, help))
        } else {
            Some(Fault::question(what, "check the address and the query"))
        }
    }
}

/// A way to ask a server.
#[derive(Debug)]
pub(crate) struct Web {
    timeout: Duration,
    authority: Option<Certificate>,
    unverified: bool,
    /// Made for the first question: a configuration is checked without any.
    client: OnceLock<Client>,
}

fn authority(pem: &str) -> Result<Certificate, Problem> {
    let wrong = |reason: String| {
        Problem::wrong(
            "ca_certificate",
            reason,
            "give it as PEM, such as file(\"ca.pem\")",
        )
    };
    // A text without any certificate is no mistake to the parser.
    if !pem.contains("-----BEGIN CERTIFICATE-----") {
        return Err(wrong("holds no certificate".to_owned()));
    }
    Certificate::from_pem(pem.as_bytes())
        .map_err(|error| wrong(format!("is no certificate: {}", chain(&error))))
}

/// What became of one attempt.
enum Attempt {
    Done(Answer),
    /// Why to try again, and how long the server wants to be left alone.
    Again(String, Option<Duration>),
}

impl Web {
    pub(crate) fn open(reach: &Reach) -> Result<Self, Problem> {
        Ok(Self {
            timeout: time_out(reach.timeout.as_deref())?,
            authority: reach.ca_certificate.as_deref().map(authority).transpose()?,
            unverified: reach.skip_cert_verification == Some(true),
            client: OnceLock::new(),
        })
    }

    fn client(&self) -> Result<&Client, Fault> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = Client::builder()
            .connect_timeout(self.timeout.min(Duration::from_secs(10)))
            .timeout(self.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("isobar/", env!("CARGO_PKG_VERSION")))
            .tls_danger_accept_invalid_certs(self.unverified);
        let client = match &self.authority {
            Some(authority) => client.tls_certs_merge([authority.clone()]),
            None => client,
        };
        let client = client.build().map_err(|error| {
            let help = "check ca_certificate and the certificates of this system";
            Fault::question(chain(&error), help)
        })?;
        Ok(self.client.get_or_init(|| client))
    }

    /// Asks, again where no whole answer comes, the server has too much to do (429, with its
    /// `Retry-After`) or a fault of its own. What is asked here changes nothing, so that it may
    /// be asked twice. `place` names the server for people.
    pub(crate) async fn ask(
        &self,
        place: &str,
        make: impl Fn(&Client) -> RequestBuilder,
    ) -> Result<Answer, Fault> {
        let client = self.client()?;
        let mut pause = PAUSE;
        for attempt in 1.. {
            let (what, wanted) = match attempt_once(make(client)).await {
                Ok(Attempt::Done(answer)) => return Ok(answer),
                Ok(Attempt::Again(what, wanted)) => (what, wanted),
                Err(what) => (what, None),
            };
            if let Some(wanted) = wanted.filter(|wanted| *wanted > PATIENCE) {
                return Err(Fault::unavailable(format!(
                    "{place} {what} and wants to be left alone for {} s",
                    wanted.as_secs()
                )));
            }
            if attempt == ATTEMPTS {
                return Err(Fault::unavailable(format!(
                    "{place} {what}, {ATTEMPTS} times"
                )));
            }
            tokio::time::sleep(wanted.unwrap_or(pause)).await;
            pause *= 2;
        }
        Err(Fault::unavailable(format!("{place} was not asked")))
    }
}

async fn attempt_once(request: RequestBuilder) -> Result<Attempt, String> {
    let response = request.send().await.map_err(|error| failed(&error))?;
    let status = response.status();
    if status == StatusCode::TOO_MANY_REQUESTS || (status.is_server_error() && !settled(status)) {
        let wanted = retry_after(&response);
        let answer = Answer {
            status,
            body: body(response).await.unwrap_or_default(),
        };
        let said = format!("answers {status}: {}", answer.shown());
        return Ok(Attempt::Again(said, wanted));
    }
    let body = body(response).await?;
    Ok(Attempt::Done(Answer { status, body }))
}

/// Server errors that stay what they are.
fn settled(status: StatusCode) -> bool {
    matches!(status.as_u16(), 501 | 505)
}

async fn body(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|error| failed(&error))? {
        if body.len() + part.len() > LARGEST {
            return Err(format!("sends more than {} MiB", LARGEST >> 20));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// Why there is no answer; the address may hold what is secret and is not told.
fn failed(error: &reqwest::Error) -> String {
    if error.is_timeout() && !error.is_connect() {
        return "does not answer in time".to_owned();
    }
    let mut text = String::from(match error {
        error if error.is_connect() => "cannot be reached",
        error if error.is_body() || error.is_decode() => "breaks off in the middle of its answer",
        _ => "does not answer",
    });
    let mut behind = std::error::Error::source(error);
    let mut last = None;
    while let Some(cause) = behind {
        last = Some(cause.to_string());
        behind = cause.source();
    }
    if let Some(cause) = last {
        text.push_str(": ");
        text.push_str(&cause);
    }
    text
}

/// Seconds, or a date that is counted from the server's own `Date`.
fn retry_after(response: &Response) -> Option<Duration> {
    let header = |name| response.headers().get(name)?.to_str().ok();
    let wanted = header(RETRY_AFTER)?.trim();
    if let Ok(seconds) = wanted.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let parse = |text: &str| jiff::fmt::rfc2822::parse(text).ok();
    let now = parse(header(reqwest::header::DATE)?)?;
    let wait = parse(wanted)?.timestamp().duration_since(now.timestamp());
    Some(Duration::try_from(wait).unwrap_or_default())
}

/// How long one answer is waited for.
pub(crate) fn time_out(told: Option<&str>) -> Result<Duration, Problem> {
    told.map_or(Ok(TIMEOUT), seconds)
}

/// A number of seconds with an `s`; the finer words of durations are not needed for waiting.
fn seconds(text: &str) -> Result<Duration, Problem> {
    let number = text
        .strip_suffix('s')
        .and_then(|text| text.parse::<f64>().ok());
    let length = number.and_then(|number| Duration::try_from_secs_f64(number).ok());
    length.filter(|length| !length.is_zero()).ok_or_else(|| {
        let reason = format!("is no time: {}", shorten(text, SHOWN));
        Problem::wrong("timeout", reason, "write it as \"30s\"")
    })
}

/// An address of a server.
pub(crate) fn address(name: &'static str, text: &str) -> Result<Url, Problem> {
    let example = "write it as \"https://host:port/path\"";
    // An address that is no address may still hold a password, so it is not repeated.
    let url = Url::parse(text)
        .map_err(|error| Problem::wrong(name, format!("is no address: {error}"), example))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        let reason = "does not begin with http:// or https://";
        return Err(Problem::wrong(name, reason, example));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Problem::wrong(
            name,
            "holds a user or password, which would be shown in plans",
            "give them as username and password",
        ));
    }
    Ok(url)
}

/// An address for people: without its query, which may hold what is secret.
pub(crate) fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    shown.as_str().trim_end_matches('/').to_owned()
}

/// Names and values as the body of a form.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let pairs = Url::parse_with_params("http://form", fields);
    let pairs = pairs.ok().and_then(|url| url.query().map(str::to_owned));
    pairs.unwrap_or_default()
}
