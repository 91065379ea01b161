//! Objects as they come back from the store.

use std::{fmt, time::Duration};

use aws_sdk_s3::primitives::{ByteStream, DateTime};
use bytes::Bytes;
use chrono::Utc;
use futures::stream::{self, BoxStream, StreamExt};

use crate::{Error, Key};

/// How long the next piece of a body may take while somebody waits for it.
const STALL: Duration = Duration::from_secs(20);

/// What was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Where.
    pub key: Key,
    /// How many bytes.
    pub bytes: u64,
    /// SHA-256 of the bytes, 64 hexadecimal digits.
    pub sha256: String,
}

/// What is known of an object without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Length of the whole object in bytes.
    pub total_bytes: u64,
    /// As it was stored.
    pub content_type: String,
    /// As it was stored.
    pub cache_control: Option<String>,
    /// Strong entity tag with its quotes, ready for the `ETag` header.
    pub etag: String,
    /// When it was written, to the second.
    pub last_modified: Option<chrono::DateTime<Utc>>,
}

/// The part of an object somebody asks for (RFC 9110, 14.1.2: one range of bytes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteRange {
    /// From this byte to the end: `bytes=500-`.
    From(u64),
    /// Both ends included: `bytes=0-499`.
    Between(u64, u64),
    /// The last so many bytes: `bytes=-500`.
    Last(u64),
}

impl fmt::Display for ByteRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From(first) => write!(formatter, "bytes={first}-"),
            Self::Between(first, last) => write!(formatter, "bytes={first}-{last}"),
            Self::Last(count) => write!(formatter, "bytes=-{count}"),
        }
    }
}

/// An object of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub key: Key,
    /// Its length.
    pub bytes: u64,
    /// When it was written, to the second.
    pub last_modified: Option<chrono::DateTime<Utc>>,
}

/// An open object: what is known of it, and its bytes as they arrive.
pub struct Object {
    /// The bytes asked for. Ends with an error when the store stalls for 20 s or breaks off; a reader that pauses is
    /// not a stall. Dropping it closes the connection.
    pub body: BoxStream<'static, Result<Bytes, Error>>,
    /// Position of the first byte of `body` in the object.
    pub first_byte: u64,
    /// Length of `body`.
    pub bytes: u64,
    /// Length of the whole object in bytes.
    pub total_bytes: u64,
    /// As it was stored.
    pub content_type: String,
    /// Strong entity tag with its quotes, ready for the `ETag` header.
    pub etag: String,
    /// When it was written, to the second.
    pub last_modified: Option<chrono::DateTime<Utc>>,
}

impl fmt::Debug for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Object")
            .field("first_byte", &self.first_byte)
            .field("bytes", &self.bytes)
            .field("total_bytes", &self.total_bytes)
            .field("content_type", &self.content_type)
            .field("etag", &self.etag)
            .finish_non_exhaustive()
    }
}

/// Turns the SDK's body into a stream with a stall clock that also notices a body that ends too early.
pub(crate) fn body(source: ByteStream, expected_bytes: u64) -> BoxStream<'static, Result<Bytes, Error>> {
    let broken = |what: &str| Some((Err(Error::Unavailable(what.to_owned())), None));
    stream::unfold(Some((source, expected_bytes)), move |state| async move {
        let (mut source, missing) = state?;
        match tokio::time::timeout(STALL, source.next()).await {
            Err(_) => broken("the download stalled"),
            Ok(Some(Err(error))) => broken(&format!("the download broke off: {error}")),
            Ok(None) if missing > 0 => broken("the download ended too early"),
            Ok(None) => None,
            Ok(Some(Ok(piece))) => {
                let missing = missing.saturating_sub(u64::try_from(piece.len()).unwrap_or(u64::MAX));
                Some((Ok(piece), Some((source, missing))))
            }
        }
    })
    .boxed()
}

pub(crate) fn instant(stamp: Option<&DateTime>) -> Option<chrono::DateTime<Utc>> {
    stamp.and_then(|stamp| chrono::DateTime::from_timestamp(stamp.secs(), 0))
}

/// `bytes 0-499/1234` → (0, 1234).
pub(crate) fn content_range(text: &str) -> Option<(u64, u64)> {
    let (span, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = span.split_once('-')?;
    Some((first.parse().ok()?, total.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_written_as_the_protocol_wants() {
        let told =
            [ByteRange::From(500), ByteRange::Between(0, 499), ByteRange::Last(5)].map(|range| range.to_string());
        assert_eq!(told, ["bytes=500-", "bytes=0-499", "bytes=-5"]);
    }

    #[test]
    fn content_range_is_read() {
        assert_eq!(content_range("bytes 5-9/20"), Some((5, 20)));
        assert_eq!(content_range("bytes 5-9/*"), None);
        assert_eq!(content_range("pages 5-9/20"), None);
    }
}
