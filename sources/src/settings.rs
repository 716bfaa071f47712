//! What a `source` block says: a table of the kinds of sources and of what each can be told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::source::Source;

/// One kind of source.
#[derive(Debug)]
pub struct Kind {
    /// Its name in configurations.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub about: &'static str,
    /// What it can be told.
    pub settings: &'static [Setting],
    open: fn(&Settings) -> Result<Box<dyn Source>, Problem>,
}

/// What a setting is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Text.
    Text,
    /// True or false.
    Flag,
    /// Texts by name.
    Texts,
    /// An object whose fields the kind knows.
    Any,
}

/// One thing that a kind can be told.
#[derive(Debug)]
pub struct Setting {
    /// Its name in configurations.
    pub name: &'static str,
    /// What it is, in one sentence with a full stop.
    pub about: &'static str,
    /// What it is made of.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
    /// Whether it may hold what must not be shown.
    pub secret: bool,
}

impl Setting {
    pub(crate) const fn new(name: &'static str, about: &'static str) -> Self {
        Self {
            name,
            about,
            shape: Shape::Text,
            required: false,
            secret: false,
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

    pub(crate) const fn shaped(self, shape: Shape) -> Self {
        Self { shape, ..self }
    }
}

/// What a source is told.
#[derive(Clone, Default, PartialEq)]
pub struct Settings {
    /// By the configuration, by name; those that are null are left out.
    pub values: BTreeMap<String, Value>,
    /// The names of those that must not be shown or kept.
    pub secrets: BTreeSet<String>,
    /// By the environment, by variable.
    pub environment: BTreeMap<String, String>,
    /// What paths are relative to.
    pub folder: PathBuf,
    /// The length of a slot.
    pub step: Duration,
    /// Whether the values are those of a growing counter.
    pub counter: bool,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("values", &self.open_values())
            .field("secrets", &self.secrets)
            .finish_non_exhaustive()
    }
}

/// What is wrong with settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// One is not there.
    #[error("{what}")]
    Missing {
        /// What is needed.
        what: String,
        /// How to give it.
        help: String,
    },
    /// One cannot be what it is.
    #[error("{name} {reason}")]
    Wrong {
        /// The setting.
        name: &'static str,
        /// Why not, to be read behind its name.
        reason: String,
        /// What to write instead.
        help: String,
    },
    /// The program was built without it.
    #[error("this build of isobar has no source \"{kind}\"")]
    NotBuilt {
        /// The kind.
        kind: &'static str,
        /// The feature to build it with.
        feature: &'static str,
    },
}

impl Problem {
    pub(crate) fn missing(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Missing {
            what: what.into(),
            help: help.into(),
        }
    }

    pub(crate) fn wrong(
        name: &'static str,
        reason: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self::Wrong {
            name,
            reason: reason.into(),
            help: help.into(),
        }
    }
}

impl Settings {
    /// What may be shown.
    fn open_values(&self) -> BTreeMap<&String, &Value> {
        let open = |name: &str| !self.secrets.contains(name);
        self.values.iter().filter(|(name, _)| open(name)).collect()
    }

    /// A name for these settings that two equal ones share: a digest of all that is not secret.
    #[must_use]
    pub fn identity(&self, kind: &Kind) -> String {
        let secret = |name: &str| kind.settings.iter().any(|s| s.secret && s.name == name);
        let mut values = self.open_values();
        // A map of headers may hold secrets; only a value that is marked is known to.
        values.retain(|name, _| !secret(name) || matches!(self.values[*name], Value::Object(_)));
        let told = serde_json::json!([
            kind.name,
            values,
            self.step.as_nanos().to_string(),
            self.counter
        ]);
        let digest = Sha256::digest(told.to_string().as_bytes());
        digest
            .iter()
            .take(16)
            .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }

    /// The settings as the type that a kind keeps them in.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let values: Map<String, Value> = self.values.clone().into_iter().collect();
        serde_json::from_value(Value::Object(values)).map_err(|error| {
            Problem::missing(
                format!("the settings cannot be used: {error}"),
                "docs/telemetry.md lists the settings of each source",
            )
        })
    }

    /// A variable of the environment that is not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        let value = self.environment.get(name).map(String::as_str);
        value.filter(|value| !value.is_empty())
    }
}

impl Kind {
    /// All there are, by name.
    #[must_use]
    pub const fn all() -> &'static [Self] {
        &[
            Self {
                name: "azure_monitor",
                about: "A metric of a resource in Azure.",
                settings: crate::azure_monitor::SETTINGS,
                open: crate::azure_monitor::open,
            },
            Self {
                name: "bigquery",
                about: "A table of BigQuery.",
                settings: crate::bigquery::SETTINGS,
                open: crate::bigquery::open,
            },
            Self {
                name: "cloudwatch",
                about: "A metric of Amazon CloudWatch, or an expression over several.",
                settings: crate::cloudwatch::SETTINGS,
                open: crate::cloudwatch::open,
            },
            Self {
                name: "csv",
                about: "A CSV file with the columns timestamp and value.",
                settings: crate::csv::SETTINGS,
                open: crate::csv::open,
            },
            Self {
                name: "http_json",
                about: "JSON from a web server.",
                settings: crate::http_json::SETTINGS,
                open: crate::http_json::open,
            },
            Self {
                name: "parquet",
                about: "A Parquet file, or a folder of them.",
                settings: crate::parquet::SETTINGS,
                open: crate::parquet::open,
            },
            Self {
                name: "prometheus",
                about: "A query of Prometheus, or of what speaks its protocol.",
                settings: crate::prometheus::SETTINGS,
                open: crate::prometheus::open,
            },
        ]
    }

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().iter().find(|kind| kind.name == name)
    }

    /// The setting of this name.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&'static Setting> {
        self.settings.iter().find(|setting| setting.name == name)
    }

    /// The source that settings describe. Nothing is asked of it yet.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn open(&self, settings: &Settings) -> Result<Box<dyn Source>, Problem> {
        (self.open)(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_and_setting_says_what_it_is() {
        for kind in Kind::all() {
            assert!(kind.about.ends_with('.'), "{}", kind.name);
            for setting in kind.settings {
                assert!(
                    setting.about.ends_with('.'),
                    "{} {}",
                    kind.name,
                    setting.name
                );
                assert_eq!(
                    kind.settings
                        .iter()
                        .filter(|s| s.name == setting.name)
                        .count(),
                    1
                );
            }
        }
    }

    #[test]
    fn secrets_are_neither_shown_nor_part_of_the_identity() {
        let kind = Kind::named("prometheus").unwrap();
        let with = |token: &str, query: &str| {
            let values = [("token", token), ("query", query)];
            Settings {
                values: values.map(|(n, v)| (n.to_owned(), v.into())).into(),
                secrets: ["token".to_owned()].into(),
                ..Settings::default()
            }
        };
        let one = with("hunter2", "up");
        assert!(!format!("{one:?}").contains("hunter2"));
        assert_eq!(one.identity(kind), with("other", "up").identity(kind));
        assert_ne!(one.identity(kind), with("hunter2", "down").identity(kind));
        assert_eq!(one.identity(kind).len(), 32);
    }
}
