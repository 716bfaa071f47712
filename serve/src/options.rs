//! What a server serves, where, and within which limits.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// What [`run`](crate::run) serves and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// The ONNX file.
    pub model: PathBuf,
    /// Name under which the model is addressed; the file's stem when `None`.
    pub name: Option<String>,
    /// Version under which the model is addressed; `1` when `None`.
    pub version: Option<String>,
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on; 0 lets the system choose a free one.
    pub port: u16,
    /// Inferences that may run at the same time; further ones wait.
    pub workers: NonZeroUsize,
    /// Sent as `x-isobar-served-by` with every answer; the process id when `None`.
    /// Text that no header can hold (line breaks, for instance) is not sent.
    pub instance: Option<String>,
    /// Bounds on requests and on the shutdown.
    pub limits: Limits,
}

impl Options {
    /// The model at `port` of the loopback address, with one worker and the default limits.
    #[must_use]
    pub fn new(model: PathBuf, port: u16) -> Self {
        Self {
            model,
            name: None,
            version: None,
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port,
            workers: NonZeroUsize::MIN,
            instance: None,
            limits: Limits::default(),
        }
    }

    pub(crate) fn model_name(&self) -> String {
        let stem = || {
            self.model
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
        };
        self.name.clone().or_else(stem).unwrap_or_default()
    }

    pub(crate) fn model_version(&self) -> String {
        self.version.clone().unwrap_or_else(|| "1".to_owned())
    }

    pub(crate) fn instance_name(&self) -> String {
        self.instance
            .clone()
            .unwrap_or_else(|| std::process::id().to_string())
    }
}

/// Bounds on requests and on the shutdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest request body, in bytes; a larger one is answered with 413.
    pub body: usize,
    /// Longest time from a request's head to its answer: reading, waiting and inference.
    pub request: Duration,
    /// Longest time that a shutdown waits for requests in flight.
    pub drain: Duration,
}

impl Default for Limits {
    /// 16 MiB, 30 s and 5 s.
    fn default() -> Self {
        Self {
            body: 16 << 20,
            request: Duration::from_secs(30),
            drain: Duration::from_secs(5),
        }
    }
}
