//! A state behind a web server, in the protocol of Terraform's `http` backend: one document that
//! is got and posted, and a lock that the server keeps.
//!
//! <https://developer.hashicorp.com/terraform/language/backend/http>

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Certificate, Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde::{Deserialize, Serialize};

use crate::documents::Fault;
use crate::settings::{Problem, Setting, Settings};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("address", "TF_HTTP_ADDRESS", "where the state is"),
    Setting::new(
        "update_method",
        "TF_HTTP_UPDATE_METHOD",
        "how it is written, POST",
    ),
    Setting::new(
        "lock_address",
        "TF_HTTP_LOCK_ADDRESS",
        "where its lock is taken",
    ),
    Setting::new(
        "lock_method",
        "TF_HTTP_LOCK_METHOD",
        "how it is taken, LOCK",
    ),
    Setting::new(
        "unlock_address",
        "TF_HTTP_UNLOCK_ADDRESS",
        "where its lock is given up",
    ),
    Setting::new(
        "unlock_method",
        "TF_HTTP_UNLOCK_METHOD",
        "how it is given up, UNLOCK",
    ),
    Setting::new("username", "TF_HTTP_USERNAME", "the user"),
    Setting::new("password", "TF_HTTP_PASSWORD", "the password").secret(),
    Setting::new(
        "retry_max",
        "TF_HTTP_RETRY_MAX",
        "how often it is tried again, 2",
    ),
    Setting::new(
        "skip_cert_verification",
        "TF_HTTP_SKIP_CERT_VERIFICATION",
        "whether any certificate of the server is good enough",
    ),
    Setting::new(
        "client_ca_certificate_pem",
        "TF_HTTP_CLIENT_CA_CERTIFICATE_PEM",
        "the authority that the server's certificate is of",
    ),
];

/// How long is waited before something is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest answer that is shown.
const SHOWN: usize = 300;

/// A state behind a web server.
#[derive(Debug, Clone)]
pub struct Web {
    client: Client,
    address: Url,
    update: Method,
    lock: Option<(Url, Method)>,
    unlock: Option<(Url, Method)>,
    account: Option<(String, String)>,
    retries: u32,
}

/// Who holds the lock of a server, in Terraform's words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Info {
    /// Names this hold of the lock.
    #[serde(rename = "ID")]
    pub id: String,
    /// The command.
    pub operation: String,
    /// More about it.
    pub info: String,
    /// User and host.
    pub who: String,
    /// Of the program.
    pub version: String,
    /// Since when, as RFC 3339.
    pub created: String,
    /// Where the state is.
    pub path: String,
}

/// Why the lock of a server could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockFault {
    /// Someone else holds it.
    #[error("the state is locked")]
    Held(Option<Box<Info>>),
    /// The server does not do what it is asked for.
    #[error(transparent)]
    Fault(#[from] Fault),
}

pub(crate) fn open(settings: &Settings) -> Result<Web, Problem> {
    let value = |name: &str| {
        let setting = SETTINGS.iter().find(|setting| setting.name == name)?;
        let variable = settings.environment.get(setting.key).map(String::as_str);
        settings.value(name).or(variable)
    };
    let wrong = |name: &str, reason: String| Problem::Wrong {
        name: name.to_owned(),
        reason,
    };
    let url = |name: &str| -> Result<Option<Url>, Problem> {
        let Some(text) = value(name) else {
            return Ok(None);
        };
        let parsed = Url::parse(text).map_err(|error| wrong(name, error.to_string()))?;
        if matches!(parsed.scheme(), "http" | "https") {
            Ok(Some(parsed))
        } else {
            Err(wrong(
                name,
                "it must begin with http:// or https://".to_owned(),
            ))
        }
    };
    let method = |name: &str, usual: &str| {
        let text = value(name).unwrap_or(usual);
        Method::from_bytes(text.as_bytes()).map_err(|error| wrong(name, error.to_string()))
    };
    let retries = value("retry_max").unwrap_or("2");
    let retries = retries.parse();
    let mut client = Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .timeout(Duration::from_secs(120));
    if value("skip_cert_verification") == Some("true") {
        client = client.tls_danger_accept_invalid_certs(true);
    }
    if let Some(pem) = value("client_ca_certificate_pem") {
        let name = "client_ca_certificate_pem";
        let authority = Certificate::from_pem(pem.as_bytes());
        let authority = authority.map_err(|error| wrong(name, error.to_string()))?;
        client = client.tls_certs_merge([authority]);
    }
    let client = client.build();
    let account = value("username").map(|user| {
        let password = value("password").unwrap_or_default();
        (user.to_owned(), password.to_owned())
    });
    Ok(Web {
        client: client.map_err(|error| Problem::Unusable(error.to_string()))?,
        address: url("address")?.ok_or(Problem::Missing {
            name: "address",
            about: "where the state is",
        })?,
        update: method("update_method", "POST")?,
        lock: url("lock_address")?
            .map(|url| Ok((url, method("lock_method", "LOCK")?)))
            .transpose()?,
        unlock: url("unlock_address")?
            .map(|url| Ok((url, method("unlock_method", "UNLOCK")?)))
            .transpose()?,
        account,
        retries: retries.map_err(|_| wrong("retry_max", "it is not a number".to_owned()))?,
    })
}

impl Web {
    /// Where it is, for people; without what may be secret in it.
    #[must_use]
    pub fn place(&self) -> String {
        let mut shown = self.address.clone();
        shown.set_query(None);
        // Only addresses without a host refuse this.
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
        shown.to_string()
    }

    /// Whether the server keeps a lock.
    #[must_use]
    pub const fn can_lock(&self) -> bool {
        self.lock.is_some()
    }

    /// Sends a request, again where no answer comes or the server has a fault of its own. All
    /// that is sent here may arrive twice: it is the same the second time.
    async fn send(
        &self,
        method: &Method,
        url: &Url,
        body: Option<Bytes>,
    ) -> Result<Response, Fault> {
        let mut left = self.retries;
        loop {
            let mut request: RequestBuilder = self.client.request(method.clone(), url.clone());
            if let Some((user, password)) = &self.account {
                request = request.basic_auth(user, Some(password));
            }
            if let Some(body) = &body {
                request = request
                    .header("content-type", "application/json")
                    .body(body.clone());
            }
            let answer = request.send().await;
            let again = match &answer {
                Ok(answer) => answer.status().is_server_error(),
                Err(_) => true,
            };
            if !again || left == 0 {
                // The address may hold a password.
                let answer = answer.map_err(reqwest::Error::without_url);
                return answer.map_err(|error| Fault::failed(&self.place(), &error));
            }
            left -= 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn refused(&self, answer: Response) -> Fault {
        let status = answer.status();
        let mut text = answer.text().await.unwrap_or_default();
        if let Some((end, _)) = text.char_indices().nth(SHOWN) {
            text.truncate(end);
        }
        Fault::Failed {
            name: self.place(),
            reason: format!("the server answers {status}: {}", text.trim()),
        }
    }

    /// The state; `None` if there is none.
    ///
    /// # Errors
    /// What the server says.
    pub async fn read(&self) -> Result<Option<Bytes>, Fault> {
        let answer = self.send(&Method::GET, &self.address, None).await?;
        match answer.status() {
            StatusCode::OK => {
                let content = answer.bytes().await.map_err(reqwest::Error::without_url);
                let content = content.map_err(|error| Fault::failed(&self.place(), &error))?;
                Ok((!content.is_empty()).then_some(content))
            }
            StatusCode::NO_CONTENT | StatusCode::NOT_FOUND => Ok(None),
            _ => Err(self.refused(answer).await),
        }
    }

    /// Replaces the state, under the lock of this id.
    ///
    /// # Errors
    /// What the server says.
    pub async fn write(&self, content: Bytes, lock: Option<&str>) -> Result<(), Fault> {
        let mut url = self.address.clone();
        if let Some(id) = lock {
            url.query_pairs_mut().append_pair("ID", id);
        }
        let answer = self.send(&self.update, &url, Some(content)).await?;
        if answer.status().is_success() {
            Ok(())
        } else {
            Err(self.refused(answer).await)
        }
    }

    /// Takes the lock, if the server has one.
    ///
    /// # Errors
    /// Who holds it, or what the server says.
    pub async fn lock(&self, info: &Info) -> Result<(), LockFault> {
        let Some((url, method)) = &self.lock else {
            return Ok(());
        };
        let body = serde_json::to_vec(info).unwrap_or_default();
        let answer = self.send(method, url, Some(body.into())).await?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            StatusCode::CONFLICT | StatusCode::LOCKED => {
                let text = answer.bytes().await.unwrap_or_default();
                let holder: Option<Info> = serde_json::from_slice(&text).ok();
                match holder {
                    // An attempt of ours whose answer did not arrive.
                    Some(holder) if holder.id == info.id => Ok(()),
                    holder => Err(LockFault::Held(holder.map(Box::new))),
                }
            }
            _ => Err(self.refused(answer).await.into()),
        }
    }

    /// Gives the lock up.
    ///
    /// # Errors
    /// What the server says.
    pub async fn unlock(&self, info: &Info) -> Result<(), Fault> {
        let Some((url, method)) = &self.unlock else {
            return Ok(());
        };
        let body = serde_json::to_vec(info).unwrap_or_default();
        let answer = self.send(method, url, Some(body.into())).await?;
        if answer.status().is_success() {
            Ok(())
        } else {
            Err(self.refused(answer).await)
        }
    }
}
