//! Documents as objects in a bucket.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
    PutPayload, RetryConfig, UpdateVersion,
};

use crate::documents::{Condition, Document, Documents, Fault, Tag};
use crate::settings::{Problem, Setting, Settings};

/// Stands between the two parts of a tag; neither holds it.
const BETWEEN: char = '\n';

/// Objects below a folder of a bucket.
pub(crate) struct Objects<S> {
    store: S,
    folder: Path,
    place: String,
}

impl<S> Objects<S> {
    /// The objects in the folder that the settings name.
    pub(crate) fn new(store: S, scheme: &str, bucket: &str, settings: &Settings) -> Self {
        let folder = Path::from(settings.value("prefix").unwrap_or_default());
        let place = match folder.as_ref() {
            "" => format!("{scheme}://{bucket}"),
            folder => format!("{scheme}://{bucket}/{folder}"),
        };
        Self {
            store,
            folder,
            place,
        }
    }

    fn path(&self, name: &str) -> Path {
        name.split('/')
            .filter(|part| !part.is_empty())
            .fold(self.folder.clone(), Path::join)
    }
}

impl<S> fmt::Debug for Objects<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Objects").field(&self.place).finish()
    }
}

/// Amazon and Azure tell versions of an object apart by its entity tag, Google by a generation.
fn tag(e_tag: Option<String>, version: Option<String>) -> Tag {
    let (e_tag, version) = (e_tag.unwrap_or_default(), version.unwrap_or_default());
    Tag(format!("{e_tag}{BETWEEN}{version}"))
}

fn update(tag: &Tag) -> PutMode {
    let (e_tag, version) = tag.0.split_once(BETWEEN).unwrap_or((&tag.0, ""));
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    PutMode::Update(UpdateVersion {
        e_tag: some(e_tag),
        version: some(version),
    })
}

fn fault(name: &str, error: &Error) -> Fault {
    match error {
        Error::AlreadyExists { .. } | Error::Precondition { .. } => Fault::Conflict {
            name: name.to_owned(),
        },
        _ => Fault::failed(name, error),
    }
}

impl<S: ObjectStore> Documents for Objects<S> {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Document>, Fault>> {
        async move {
            let found = match self.store.get(&self.path(name)).await {
                Ok(found) => found,
                Err(Error::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(fault(name, &error)),
            };
            let tag = tag(found.meta.e_tag.clone(), found.meta.version.clone());
            let content = found.bytes().await.map_err(|error| fault(name, &error))?;
            Ok(Some(Document { content, tag }))
        }
        .boxed()
    }

    fn put<'a>(
        &'a self,
        name: &'a str,
        content: Bytes,
        condition: Condition<'a>,
    ) -> BoxFuture<'a, Result<Tag, Fault>> {
        let mode = match condition {
            Condition::Absent => PutMode::Create,
            Condition::Still(tag) => update(tag),
        };
        async move {
            let options = PutOptions {
                mode,
                ..PutOptions::default()
            };
            let payload = PutPayload::from_bytes(content);
            let path = self.path(name);
            match self.store.put_opts(&path, payload, options).await {
                Ok(written) => Ok(tag(written.e_tag, written.version)),
                // An object that is to be replaced and is not there was replaced by nothing.
                Err(Error::NotFound { .. }) => Err(Fault::Conflict {
                    name: name.to_owned(),
                }),
                Err(error) => Err(fault(name, &error)),
            }
        }
        .boxed()
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Fault>> {
        async move {
            match self.store.delete(&self.path(name)).await {
                Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(fault(name, &error)),
            }
        }
        .boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, Fault>> {
        async move {
            let within = self.path(prefix);
            let skip = match self.folder.as_ref() {
                "" => 0,
                folder => folder.len() + 1,
            };
            let objects = self
                .store
                .list(Some(&within))
                .map(|found| found.map(|meta| meta.location.as_ref()[skip..].to_owned()));
            let names = objects.try_collect::<Vec<String>>().await;
            let mut names = names.map_err(|error| fault(prefix, &error))?;
            names.retain(|name| name.starts_with(prefix));
            names.sort_unstable();
            Ok(names)
        }
        .boxed()
    }
}

/// How often and how long something is tried again. Someone waits at a terminal.
pub(crate) fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: 6,
        retry_timeout: Duration::from_secs(45),
    }
}

/// How long a connection and an answer are waited for. A state of a hundred thousand resources
/// has about 60 MB.
pub(crate) fn client(plain: bool) -> ClientOptions {
    ClientOptions::new()
        .with_connect_timeout(Duration::from_secs(10))
        .with_timeout(Duration::from_secs(120))
        .with_allow_http(plain)
}

/// Whether the settings name an address without encryption.
pub(crate) fn is_plain(settings: &Settings) -> bool {
    let endpoint = settings.value("endpoint").unwrap_or_default();
    endpoint.starts_with("http://")
}

/// What a library is told: what of the environment concerns it, and then the settings.
pub(crate) fn told<K: std::str::FromStr>(
    settings: &Settings,
    table: &[Setting],
    variables: &str,
) -> Result<Vec<(K, String)>, Problem> {
    let mut told = Vec::new();
    for (name, value) in &settings.environment {
        if name.starts_with(variables)
            && let Ok(key) = name.to_ascii_lowercase().parse()
        {
            told.push((key, value.clone()));
        }
    }
    for setting in table.iter().filter(|setting| !setting.key.is_empty()) {
        if let Some(value) = settings.value(setting.name) {
            let key = setting.key.parse().map_err(|_| Problem::Unknown {
                name: setting.name.to_owned(),
            })?;
            told.push((key, value.to_owned()));
        }
    }
    Ok(told)
}

/// What a library says about the settings it got.
pub(crate) fn unusable(error: &Error) -> Problem {
    match Fault::failed("", error) {
        Fault::Failed { reason, .. } => Problem::Unusable(reason),
        other => Problem::Unusable(other.to_string()),
    }
}
