//! Asks BigQuery: credentials, time-outs, what is tried again, pages.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use gcp_bigquery_client::Client;
use gcp_bigquery_client::auth::Authenticator;
use gcp_bigquery_client::client_builder::ClientBuilder;
use gcp_bigquery_client::error::BQError;
use gcp_bigquery_client::model::get_query_results_parameters::GetQueryResultsParameters;
use gcp_bigquery_client::model::query_request::QueryRequest;
use gcp_bigquery_client::model::query_response::ResultSet;

use crate::MAX_READINGS;
use crate::fault::{Fault, chain};
use crate::settings::Settings;

/// How often something is asked.
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);
/// How long a query may take altogether.
const PATIENCE: Duration = Duration::from_secs(300);
const HELP: &str = "set credentials or GOOGLE_APPLICATION_CREDENTIALS to the file of an account, log in with gcloud auth application-default login, or run where Google's metadata server is; the account needs the roles BigQuery Job User and Data Viewer";

/// Who asks, and whom.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) endpoint: Option<String>,
    pub(super) timeout: Duration,
    credential: Credential,
}

#[derive(Clone)]
enum Credential {
    Token(String),
    File(PathBuf),
    /// The metadata server of Google's machines.
    Machine,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl Access {
    pub(super) fn of(
        settings: &Settings,
        (token, credentials): (Option<String>, Option<String>),
        endpoint: Option<String>,
        timeout: Duration,
    ) -> Self {
        let variable = |name: &str| settings.variable(name).map(str::to_owned);
        let token = token.or_else(|| variable("GOOGLE_OAUTH_ACCESS_TOKEN"));
        let file = credentials.map(|file| settings.folder.join(file));
        let file = file.or_else(|| variable("GOOGLE_APPLICATION_CREDENTIALS").map(PathBuf::from));
        let known = variable("HOME").map(|home| {
            PathBuf::from(home).join(".config/gcloud/application_default_credentials.json")
        });
        let known = known.filter(|file| file.exists());
        let credential = match (token, file.or(known)) {
            (Some(token), _) => Credential::Token(token),
            (None, Some(file)) => Credential::File(file),
            (None, None) => Credential::Machine,
        };
        Self {
            endpoint,
            timeout,
            credential,
        }
    }

    pub(super) async fn client(&self) -> Result<Client, Fault> {
        // Two providers of cryptography are linked beside this client; rustls wants to be told
        // which one counts, and refuses to be told twice.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut builder = ClientBuilder::new();
        if let Some(endpoint) = &self.endpoint {
            let endpoint = endpoint.trim_end_matches('/');
            builder.with_v2_base_url(format!("{endpoint}/bigquery/v2"));
        }
        let client = match &self.credential {
            Credential::Token(token) => {
                let token: Arc<dyn Authenticator> = Arc::new(Token(token.clone()));
                builder.build_from_authenticator(token).await
            }
            Credential::File(file) => {
                let text = std::fs::read_to_string(file);
                let text = text
                    .map_err(|error| refused(format!("the credentials cannot be read: {error}")))?;
                let path = file.to_string_lossy();
                match text.contains("\"authorized_user\"") {
                    true => {
                        builder
                            .build_from_authorized_user_authenticator(&*path)
                            .await
                    }
                    false => builder.build_from_service_account_key_file(&path).await,
                }
            }
            Credential::Machine => builder.build_with_workload_identity(true).await,
        };
        client.map_err(|error| {
            refused(format!(
                "there are no credentials for Google: {}",
                chain(&error)
            ))
        })
    }
}

/// A token that was issued already.
#[derive(Clone)]
struct Token(String);

impl Authenticator for Token {
    fn access_token<'a, 'b>(
        &'a self,
    ) -> Pin<Box<dyn Future<Output = Result<String, BQError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

fn refused(what: impl Into<String>) -> Fault {
    Fault::Refused {
        what: what.into(),
        help: HELP.to_owned(),
    }
}

/// Why an attempt failed.
enum Failed {
    /// Later it may not.
    Passing(String),
    Lasting(Fault),
}

/// All rows of a query, page by page; `row` reads the one that is current.
pub(super) async fn rows<T>(
    access: &Access,
    project: &str,
    request: QueryRequest,
    row: impl Fn(&ResultSet) -> Result<T, BQError>,
) -> Result<Vec<T>, Fault> {
    let client = access.client().await?;
    let location = request.location.clone();
    let ask = || client.job().query(project, request.clone());
    let answer = again(access.timeout, ask).await?;
    let (job, mut token) = (answer.job_reference.clone(), answer.page_token.clone());
    let job = job.and_then(|job| job.job_id).unwrap_or_default();
    let mut complete = answer.job_complete.unwrap_or(true);
    let mut rows = Vec::new();
    if complete {
        take(ResultSet::new_from_query_response(answer), &row, &mut rows)?;
    }
    let began = tokio::time::Instant::now();
    while !complete || token.is_some() {
        if !complete && began.elapsed() > PATIENCE {
            let what = format!(
                "BigQuery does not finish the query in {} s",
                PATIENCE.as_secs()
            );
            return Err(Fault::unavailable(what));
        }
        let parameters = GetQueryResultsParameters {
            page_token: token.clone(),
            location: location.clone(),
            timeout_ms: Some(10_000),
            ..GetQueryResultsParameters::default()
        };
        let ask = || {
            client
                .job()
                .get_query_results(project, &job, parameters.clone())
        };
        let page = again(access.timeout, ask).await?;
        complete = page.job_complete.unwrap_or(true);
        token = page.page_token.clone();
        if complete {
            take(
                ResultSet::new_from_get_query_results_response(page),
                &row,
                &mut rows,
            )?;
        }
    }
    Ok(rows)
}

fn take<T>(
    mut page: ResultSet,
    row: &impl Fn(&ResultSet) -> Result<T, BQError>,
    rows: &mut Vec<T>,
) -> Result<(), Fault> {
    while page.next_row() {
        if rows.len() == MAX_READINGS {
            let help = "use a longer `step` or a shorter `history`";
            return Err(Fault::unusable(
                format!("more than {MAX_READINGS} readings"),
                help,
            ));
        }
        let read = row(&page).map_err(|error| {
            let what = format!("BigQuery gives a row that is no reading: {}", chain(&error));
            Fault::unusable(what, "make value a number and timestamp a TIMESTAMP")
        });
        rows.push(read?);
    }
    Ok(())
}

/// Asks until it is answered: reading twice changes nothing.
async fn again<T, F: Future<Output = Result<T, BQError>>>(
    timeout: Duration,
    ask: impl Fn() -> F,
) -> Result<T, Fault> {
    let mut pause = PAUSE;
    for attempt in 1.. {
        let what = match tokio::time::timeout(timeout, ask()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => match failed(&error) {
                Failed::Lasting(fault) => return Err(fault),
                Failed::Passing(what) => what,
            },
            Err(_) => "BigQuery does not answer in time".to_owned(),
        };
        if attempt == ATTEMPTS {
            return Err(Fault::unavailable(format!("{what}, {ATTEMPTS} times")));
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    Err(Fault::unavailable("BigQuery was not asked"))
}

fn failed(error: &BQError) -> Failed {
    match error {
        BQError::ResponseError { error } => {
            let error = &error.error;
            let reason = error.errors.first().and_then(|first| first.get("reason"));
            let reason = reason.map_or("", String::as_str);
            let what = format!("BigQuery answers {}: {}", error.code, error.message);
            match (error.code, reason) {
                (429 | 500.., _) | (_, "rateLimitExceeded" | "backendError") => {
                    Failed::Passing(what)
                }
                (401 | 403, _) => Failed::Lasting(refused(what)),
                _ => Failed::Lasting(Fault::question(
                    what,
                    "check table, columns, where and query",
                )),
            }
        }
        BQError::RequestError(error) => {
            Failed::Passing(format!("BigQuery does not answer: {}", chain(error)))
        }
        other => Failed::Lasting(refused(format!(
            "BigQuery cannot be asked: {}",
            chain(other)
        ))),
    }
}
