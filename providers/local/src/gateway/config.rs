//! The file that tells a gateway what to do.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What the requests mean, which decides whether one may be sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Protocol {
    /// Unknown to the gateway: only methods that HTTP calls idempotent may be sent twice.
    Raw,
    /// The older inference protocol with `instances` and `predictions`.
    V1,
    /// The Open Inference Protocol.
    OipV2,
    /// The API of OpenAI.
    Openai,
}

impl Protocol {
    /// Their names in a configuration.
    pub(crate) const NAMES: [&'static str; 4] = ["raw", "v1", "oip-v2", "openai"];

    /// The protocol of this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Raw, Self::V1, Self::OipV2, Self::Openai]
            .into_iter()
            .find(|protocol| protocol.as_str() == name)
    }

    /// Its name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::V1 => "v1",
            Self::OipV2 => "oip-v2",
            Self::Openai => "openai",
        }
    }

    /// Whether every request only predicts, so that doing it twice does no harm.
    pub(crate) const fn only_predicts(self) -> bool {
        !matches!(self, Self::Raw)
    }
}

/// All that a gateway has to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Config {
    /// What is served; the name of the deployment.
    pub(crate) name: String,
    /// The zone.
    pub(crate) zone: String,
    /// The address to listen on.
    pub(crate) host: IpAddr,
    /// The port to listen on.
    pub(crate) port: u16,
    /// What the requests mean.
    pub(crate) protocol: Protocol,
    /// The folder that holds a registry of replicas per version.
    pub(crate) replicas: PathBuf,
    /// Model version to weight.
    pub(crate) routes: BTreeMap<String, f64>,
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// What is wrong with it, as a clause.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read(path).map_err(|error| error.to_string())?;
        serde_json::from_slice(&text).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::Protocol;

    #[test]
    fn a_protocol_has_the_same_name_everywhere() {
        for name in Protocol::NAMES {
            let protocol = Protocol::parse(name).unwrap();
            assert_eq!(protocol.as_str(), name);
            assert_eq!(serde_json::to_value(protocol).unwrap(), name);
        }
        assert_eq!(Protocol::parse("grpc"), None);
    }
}
