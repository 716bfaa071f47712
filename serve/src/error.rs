//! Why a server could not start or go on.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why [`run`](crate::run) ended other than by its shutdown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The file cannot be read: another path, or its permissions, will help.
    #[error("cannot read the model file {}: {source}; check its path and permissions", path.display())]
    ModelFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is something else: it must be exported as ONNX.
    #[error("{} is not an ONNX model ({reason}); export the model as ONNX and serve that file", path.display())]
    NotOnnx {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The model needs operators that the runtime lacks: it must be exported without them.
    #[error(
        "{} uses ONNX operators that this server does not support: {}; export the model without them",
        path.display(), operators.join(", ")
    )]
    UnsupportedOperators {
        /// The file.
        path: PathBuf,
        /// Their names in order, with the domain unless it is ONNX's own.
        operators: Vec<String>,
    },
    /// The model is ONNX but cannot be prepared or fails its first inference.
    #[error("{} cannot be served: {reason}; check that another ONNX runtime accepts the file", path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// What the runtime said.
        reason: String,
    },
    /// Another process listens there: another port will help.
    #[error(
        "port {} of {} is already in use; stop the process that listens there or choose another port",
        address.port(), address.ip()
    )]
    PortTaken {
        /// Where the server should have listened.
        address: SocketAddr,
    },
    /// The address cannot be listened on, for instance for lack of rights.
    #[error("cannot listen on {address}: {source}; choose another host or port")]
    Listen {
        /// Where the server should have listened.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system's networking failed while serving.
    #[error("the server stopped: {0}")]
    Serving(#[source] io::Error),
}
