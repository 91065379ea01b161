use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a simulator could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The state folder cannot be read or written.
    #[error("cannot use the state folder {path}: {source}")]
    State {
        /// The file or folder concerned.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The HTTP client for image URLs and webhooks could not be built.
    #[error("cannot build the HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    /// The bound address does not make a URL.
    #[error("cannot name myself: {0}")]
    Url(#[from] url::ParseError),
}

impl Error {
    /// Whether starting again a moment later may work: a port can become free.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Bind { .. })
    }

    pub(crate) fn state(path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::State { path: path.into(), source }
    }
}
