//! Addresses of stored objects. The database stores keys, never URLs.

use domain::product::Picture;

/// Makes addresses from keys.
pub(crate) struct MediaUrls {
    base: String,
}

impl MediaUrls {
    /// `base` is a path on this server (`/media`) or the URL of a CDN.
    pub(crate) fn new(base: &str) -> Self {
        Self { base: base.trim_end_matches('/').to_owned() }
    }

    pub(crate) fn url(&self, key: &str) -> String {
        format!("{}/{key}", self.base)
    }

    /// The address of an object only the desk may see: always on this server, which asks who wants it.
    pub(crate) fn private_url(key: &str) -> String {
        format!("/media/{key}")
    }

    /// A picture, where all of it is known.
    pub(crate) fn picture(&self, key: Option<String>, width: Option<i32>, height: Option<i32>) -> Option<Picture> {
        Some(Picture { url: self.url(&key?), width: u32::try_from(width?).ok()?, height: u32::try_from(height?).ok()? })
    }
}
