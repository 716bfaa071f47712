//! Documents as rows of a table in PostgreSQL.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::sync::Mutex;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Error, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::documents::{Condition, Document, Documents, Fault, Tag};
use crate::settings::{Problem, Setting, Settings};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new(
        "conn_str",
        "",
        "how to reach the database, as a URL or as pairs",
    )
    .secret(),
    Setting::new(
        "schema",
        "",
        "the schema of the tables, isobar if there is none",
    ),
    Setting::new("prefix", "", "what the names of documents begin with"),
];

/// Names the lock under which the table is made.
const MAKING: i64 = 0x1_50BA_2000;

/// Rows of a table.
struct Rows {
    config: Config,
    tls: MakeRustlsConnect,
    schema: String,
    prefix: String,
    /// The connection, once there is one; another one after it has broken.
    client: Mutex<Option<Arc<Client>>>,
}

pub(crate) fn open(settings: &Settings) -> Result<Arc<dyn Documents>, Problem> {
    let schema = settings.value("schema").unwrap_or("isobar");
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if schema.is_empty() || !schema.chars().all(allowed) {
        return Err(Problem::Wrong {
            name: "schema".to_owned(),
            reason: "only a-z, 0-9 and _ can be in it".to_owned(),
        });
    }
    let prefix = settings.value("prefix").unwrap_or_default();
    let prefix = prefix.trim_matches('/');
    Ok(Arc::new(Rows {
        config: config(settings)?,
        tls: tls().map_err(|error| Problem::Unusable(error.to_string()))?,
        schema: schema.to_owned(),
        prefix: match prefix {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        },
        client: Mutex::new(None),
    }))
}

/// The variables are those of PostgreSQL's own programs, and that of Terraform's backend.
fn config(settings: &Settings) -> Result<Config, Problem> {
    let wrong = |name: &str, reason: String| Problem::Wrong {
        name: name.to_owned(),
        reason,
    };
    let variable = |name: &str| settings.environment.get(name).map(String::as_str);
    let text = settings.value("conn_str").or(variable("PG_CONN_STR"));
    let mut config = Config::from_str(text.unwrap_or_default())
        .map_err(|error| wrong("conn_str", cause(&error)))?;
    if config.get_hosts().is_empty() {
        config.host(variable("PGHOST").unwrap_or("localhost"));
    }
    if let (true, Some(port)) = (config.get_ports().is_empty(), variable("PGPORT")) {
        let port = port
            .parse()
            .map_err(|_| wrong("PGPORT", format!("{port:?} is not the number of a port")))?;
        config.port(port);
    }
    if let (None, Some(user)) = (config.get_user(), variable("PGUSER")) {
        config.user(user);
    }
    if let (None, Some(password)) = (config.get_password(), variable("PGPASSWORD")) {
        config.password(password);
    }
    if let (None, Some(name)) = (config.get_dbname(), variable("PGDATABASE")) {
        config.dbname(name);
    }
    config.application_name("isobar");
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(10));
    }
    Ok(config)
}

fn tls() -> Result<MakeRustlsConnect, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// What an error rests on: its own text often says only where it came from.
fn cause(error: &(dyn std::error::Error + 'static)) -> String {
    match Fault::failed("", error) {
        Fault::Failed { reason, .. } => reason,
        other => other.to_string(),
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rows").field(&self.place()).finish()
    }
}

impl Rows {
    async fn client(&self) -> Result<Arc<Client>, Error> {
        let mut kept = self.client.lock().await;
        if let Some(client) = kept.as_ref().filter(|client| !client.is_closed()) {
            return Ok(Arc::clone(client));
        }
        let (client, connection) = self.config.connect(self.tls.clone()).await?;
        // It ends with the client; what breaks it is told to whoever uses that.
        tokio::spawn(connection);
        let client = Arc::new(client);
        *kept = Some(Arc::clone(&client));
        Ok(client)
    }

    async fn query(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Error> {
        let table = format!("{}.documents", self.schema);
        let sql = sql.replace("DOCUMENTS", &table);
        self.client().await?.query(&sql, values).await
    }

    /// Makes the table. Of several programs that do so at once all but one would fail without
    /// the lock.
    async fn make(&self) -> Result<(), Error> {
        let schema = &self.schema;
        let sql = format!(
            "BEGIN; SELECT pg_advisory_xact_lock({MAKING});
             CREATE SCHEMA IF NOT EXISTS {schema};
             CREATE SEQUENCE IF NOT EXISTS {schema}.tags;
             CREATE TABLE IF NOT EXISTS {schema}.documents (
                 name text COLLATE \"C\" PRIMARY KEY, tag bigint NOT NULL, content bytea NOT NULL);
             COMMIT"
        );
        self.client().await?.batch_execute(&sql).await
    }

    fn full(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    async fn write(
        &self,
        name: &str,
        content: &[u8],
        condition: Condition<'_>,
    ) -> Result<Vec<Row>, Error> {
        let name = self.full(name);
        let next = format!("nextval('{}.tags')", self.schema);
        match condition {
            Condition::Absent => {
                let sql = format!(
                    "INSERT INTO DOCUMENTS VALUES ($1, {next}, $2) \
                     ON CONFLICT DO NOTHING RETURNING tag"
                );
                self.query(&sql, &[&name, &content]).await
            }
            Condition::Still(tag) => {
                let tag: i64 = tag.0.parse().unwrap_or_default();
                let sql = format!(
                    "UPDATE DOCUMENTS SET tag = {next}, content = $2 \
                     WHERE name = $1 AND tag = $3 RETURNING tag"
                );
                self.query(&sql, &[&name, &content, &tag]).await
            }
        }
    }
}

/// Whether the table has not been made yet.
fn is_missing(error: &Error) -> bool {
    let missing = [
        SqlState::UNDEFINED_TABLE,
        SqlState::INVALID_SCHEMA_NAME,
        SqlState::UNDEFINED_OBJECT,
    ];
    error.code().is_some_and(|code| missing.contains(code))
}

impl Documents for Rows {
    fn place(&self) -> String {
        let host = match self.config.get_hosts().first() {
            Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
            #[cfg(unix)]
            Some(tokio_postgres::config::Host::Unix(path)) => path.display().to_string(),
            None => String::new(),
        };
        let name = self.config.get_dbname().or(self.config.get_user());
        let (name, schema, prefix) = (name.unwrap_or_default(), &self.schema, &self.prefix);
        format!("postgres://{host}/{name}/{schema}/{prefix}")
            .trim_end_matches('/')
            .to_owned()
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Document>, Fault>> {
        async move {
            let sql = "SELECT tag, content FROM DOCUMENTS WHERE name = $1";
            let rows = match self.query(sql, &[&self.full(name)]).await {
                Ok(rows) => rows,
                Err(error) if is_missing(&error) => return Ok(None),
                Err(error) => return Err(Fault::failed(name, &error)),
            };
            Ok(rows.first().map(|row| Document {
                tag: Tag(row.get::<_, i64>(0).to_string()),
                content: row.get::<_, Vec<u8>>(1).into(),
            }))
        }
        .boxed()
    }

    fn put<'a>(
        &'a self,
        name: &'a str,
        content: Bytes,
        condition: Condition<'a>,
    ) -> BoxFuture<'a, Result<Tag, Fault>> {
        async move {
            let mut written = self.write(name, &content, condition).await;
            if written.as_ref().is_err_and(is_missing) {
                let made = self.make().await;
                made.map_err(|error| Fault::failed(&self.schema, &error))?;
                written = self.write(name, &content, condition).await;
            }
            let rows = written.map_err(|error| Fault::failed(name, &error))?;
            let row = rows.first().ok_or_else(|| Fault::Conflict {
                name: name.to_owned(),
            })?;
            Ok(Tag(row.get::<_, i64>(0).to_string()))
        }
        .boxed()
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Fault>> {
        async move {
            let sql = "DELETE FROM DOCUMENTS WHERE name = $1";
            match self.query(sql, &[&self.full(name)]).await {
                Ok(_) => Ok(()),
                Err(error) if is_missing(&error) => Ok(()),
                Err(error) => Err(Fault::failed(name, &error)),
            }
        }
        .boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, Fault>> {
        async move {
            let sql = "SELECT name FROM DOCUMENTS WHERE starts_with(name, $1) ORDER BY name";
            match self.query(sql, &[&self.full(prefix)]).await {
                Ok(rows) => {
                    let names = rows.iter().map(|row| row.get::<_, String>(0));
                    Ok(names
                        .map(|name| name[self.prefix.len()..].to_owned())
                        .collect())
                }
                Err(error) if is_missing(&error) => Ok(Vec::new()),
                Err(error) => Err(Fault::failed(prefix, &error)),
            }
        }
        .boxed()
    }
}
