//! What can go wrong between us and the bucket.

use std::fmt::Write;

use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

/// Why bytes could not be stored or fetched. Never contains a key pair or a signed address.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such object (or, for [`crate::Store::health`], no such bucket).
    #[error("{0} does not exist in the object store")]
    NotFound(String),
    /// The store knows us and says no, or does not know us: a fault of the settings.
    #[error("the object store refused ({0})")]
    Refused(String),
    /// The store is away, slow or busy; the same request may succeed later.
    #[error("the object store is not available: {0}")]
    Unavailable(String),
    /// The object is larger than the caller allows.
    #[error("{key} has {bytes} bytes, more than the {max_bytes} allowed")]
    TooLarge {
        /// Which object.
        key: String,
        /// What it has, as far as it is known.
        bytes: u64,
        /// What the caller allows.
        max_bytes: u64,
    },
    /// The asked range begins behind the end: the answer is 416 with `Content-Range: bytes */{total_bytes}`.
    #[error("the range lies outside the {total_bytes} bytes of the object")]
    OutOfRange {
        /// How long the object is.
        total_bytes: u64,
    },
    /// A wrong setting, or a request the store does not understand: repeating it does not help.
    #[error("{0}")]
    Invalid(String),
    /// What arrived is not what was sent; the object has been removed or was never visible.
    #[error("{key} arrived with {stored_bytes} bytes instead of {sent_bytes}")]
    Damaged {
        /// Which object.
        key: String,
        /// Bytes that were sent.
        sent_bytes: u64,
        /// Bytes the store has.
        stored_bytes: u64,
    },
    /// A local file could not be read or written.
    #[error("local file: {0}")]
    Disk(#[from] std::io::Error),
}

impl Error {
    /// Whether the same request may succeed later without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Damaged { .. } | Self::Disk(_))
    }

    /// Reads the SDK's answer for a request about `what` (a key or a bucket).
    pub(crate) fn from_sdk<E>(what: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let SdkError::ServiceError(answer) = error else {
            return match error {
                SdkError::ConstructionFailure(_) => Self::Invalid(format!("request about {what}: {}", chain(error))),
                _ => Self::Unavailable(chain(error)),
            };
        };
        let status = answer.raw().status().as_u16();
        let code = answer.err().code().unwrap_or("no code");
        match (status, code) {
            (501, _) | (_, "NotImplemented") => Self::Invalid(format!("the store does not know this ({code})")),
            (_, "NoSuchBucket") => Self::Invalid("the bucket does not exist".to_owned()),
            (404, _) => Self::NotFound(what.to_owned()),
            (401 | 403, "RequestTimeTooSkewed") => Self::Unavailable("the clocks differ too much".to_owned()),
            (401 | 403, _) => Self::Refused(format!("{status} {code}")),
            (408 | 429 | 500..=599, _) | (400, "RequestTimeout") => Self::Unavailable(format!("{status} {code}")),
            _ => Self::Invalid(format!("request about {what} was answered {status} {code}")),
        }
    }
}

/// The causes in one line; the SDK's own `Display` stops at the first.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    // Bounded, because nothing says that a chain of causes must end.
    for _ in 0..8 {
        let Some(inner) = cause else { break };
        let _ = write!(text, ": {inner}");
        cause = inner.source();
    }
    text
}
