//! What a `backend` block says: a table of the kinds of places and of what each can be told.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::documents::Documents;

/// One kind of place.
#[derive(Debug)]
pub struct Kind {
    /// Its name in configurations.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub about: &'static str,
    /// What it can be told.
    pub settings: &'static [Setting],
    open: fn(&Settings) -> Result<Opened, Problem>,
}

/// A place that can be asked.
#[derive(Debug, Clone)]
pub enum Opened {
    /// One that keeps documents.
    Documents(Arc<dyn Documents>),
    /// A web server that keeps one state.
    #[cfg(feature = "http")]
    Web(Box<crate::web::Web>),
}

/// One thing that a kind can be told.
#[derive(Debug)]
pub struct Setting {
    /// Its name in configurations.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub about: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// Whether it must not be shown.
    pub secret: bool,
    /// What the library behind it calls it.
    pub(crate) key: &'static str,
}

impl Setting {
    pub(crate) const fn new(name: &'static str, key: &'static str, about: &'static str) -> Self {
        Self {
            name,
            about,
            required: false,
            secret: false,
            key,
        }
    }

    pub(crate) const fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    pub(crate) const fn secret(self) -> Self {
        Self {
            secret: true,
            ..self
        }
    }
}

/// What a place is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// By the configuration, by name.
    pub values: BTreeMap<String, String>,
    /// By the environment, by variable.
    pub environment: BTreeMap<String, String>,
}

/// What is wrong with settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// One is not known.
    #[error("it has no setting {name:?}")]
    Unknown {
        /// The setting.
        name: String,
    },
    /// One is not there.
    #[error("it needs {name:?}: {about}")]
    Missing {
        /// The setting.
        name: &'static str,
        /// What it is.
        about: &'static str,
    },
    /// One cannot be what it is.
    #[error("{name:?} cannot be used: {reason}")]
    Wrong {
        /// The setting.
        name: String,
        /// Why not.
        reason: String,
    },
    /// All of them together lead nowhere.
    #[error("{0}")]
    Unusable(String),
}

impl Settings {
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }
}

impl Kind {
    /// All that this build has, by name.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &[
            #[cfg(feature = "azblob")]
            Self {
                name: "azblob",
                about: "a container of Azure Blob Storage",
                settings: crate::azblob::SETTINGS,
                open: |settings| crate::azblob::open(settings).map(Opened::Documents),
            },
            #[cfg(feature = "gcs")]
            Self {
                name: "gcs",
                about: "a bucket of Google Cloud Storage",
                settings: crate::gcs::SETTINGS,
                open: |settings| crate::gcs::open(settings).map(Opened::Documents),
            },
            #[cfg(feature = "http")]
            Self {
                name: "http",
                about: "a web server that speaks the protocol of Terraform's backend",
                settings: crate::web::SETTINGS,
                open: |settings| crate::web::open(settings).map(|web| Opened::Web(Box::new(web))),
            },
            #[cfg(feature = "postgres")]
            Self {
                name: "postgres",
                about: "a schema of a PostgreSQL database",
                settings: crate::postgres::SETTINGS,
                open: |settings| crate::postgres::open(settings).map(Opened::Documents),
            },
            #[cfg(feature = "s3")]
            Self {
                name: "s3",
                about: "a bucket of Amazon S3, or of what speaks its protocol",
                settings: crate::s3::SETTINGS,
                open: |settings| crate::s3::open(settings).map(Opened::Documents),
            },
        ]
    }

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().iter().find(|kind| kind.name == name)
    }

    /// All that is wrong with the names of settings.
    #[must_use]
    pub fn check(&self, settings: &Settings) -> Vec<Problem> {
        let known = |name: &str| self.settings.iter().any(|setting| setting.name == name);
        let unknown = settings.values.keys().filter(|name| !known(name));
        let unknown = unknown.map(|name| Problem::Unknown { name: name.clone() });
        let needed = self.settings.iter().filter(|setting| setting.required);
        let missing = needed.filter(|setting| settings.value(setting.name).is_none());
        let missing = missing.map(|setting| Problem::Missing {
            name: setting.name,
            about: setting.about,
        });
        unknown.chain(missing).collect()
    }

    /// The place that settings describe. Nothing is asked of it yet.
    ///
    /// # Errors
    /// All that is wrong with the settings.
    pub fn open(&self, settings: &Settings) -> Result<Opened, Vec<Problem>> {
        let problems = self.check(settings);
        if problems.is_empty() {
            (self.open)(settings).map_err(|problem| vec![problem])
        } else {
            Err(problems)
        }
    }
}
