//! Addresses of stored objects. The database stores keys, never URLs.
//!
//! What shoppers see is public below the base of the settings. The rest is reached by addresses that were signed for some
//! hours: `/media/signed/{expires}/{signature}/{key}`. Their signature is of a folder, not of a file, so that the segments
//! beside a playlist inherit it.

use chrono::{DateTime, Utc};
use domain::product::Picture;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::Engine;

/// A signed address is good for so many hours at least, and for one more at most: within an hour it stays the same, so
/// that a page that is shown anew loads nothing anew.
const SIGNED_HOURS: i64 = 6;
const HOUR_SECS: i64 = 3_600;
/// Characters of the signature in an address: 128 bits.
const MAC_CHARS: usize = 32;
/// What sets this use of the secret apart from others.
const PURPOSE: &str = "media address";

/// Makes addresses from keys.
pub(crate) struct MediaUrls {
    base: String,
    secret: SecretString,
}

impl MediaUrls {
    /// `base` is a path on this server (`/media`) or the URL of a CDN; `secret` signs addresses that are not for everybody.
    pub(crate) fn new(base: &str, secret: SecretString) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), secret }
    }

    pub(crate) fn url(&self, key: &str) -> String {
        format!("{}/{key}", self.base)
    }

    /// The address of an object that not everybody may see: always on this server, and good for some hours from `now`.
    pub(crate) fn private_url(&self, key: &str, now: DateTime<Utc>) -> String {
        let expires = expires(now);
        format!("/media/signed/{expires}/{}/{key}", self.signature(folder(key), expires))
    }

    /// The address of a part of a video: signed at this moment where it is not for everybody.
    pub(crate) fn video_url(&self, key: &str, signed_at: Option<DateTime<Utc>>) -> String {
        signed_at.map_or_else(|| self.url(key), |now| self.private_url(key, now))
    }

    /// A picture, where all of it is known.
    pub(crate) fn picture(&self, key: Option<String>, width: Option<i32>, height: Option<i32>) -> Option<Picture> {
        Some(Picture { url: self.url(&key?), width: u32::try_from(width?).ok()?, height: u32::try_from(height?).ok()? })
    }

    fn is_signed(&self, key: &str, expires: i64, signature: &str, now: DateTime<Utc>) -> bool {
        let ours = self.signature(folder(key), expires);
        !ours.is_empty() && expires > now.timestamp() && bool::from(ours.as_bytes().ct_eq(signature.as_bytes()))
    }

    fn signature(&self, folder: &str, expires: i64) -> String {
        // HMAC takes keys of any length, so this never fails; an empty signature opens nothing.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.secret.expose_secret().as_bytes()) else {
            return String::new();
        };
        mac.update(format!("{PURPOSE}\n{expires}\n{folder}").as_bytes());
        let mut text = hex::encode(mac.finalize().into_bytes());
        text.truncate(MAC_CHARS);
        text
    }
}

/// When an address that is signed now ends, in seconds of the epoch.
const fn expires(now: DateTime<Utc>) -> i64 {
    (now.timestamp() / HOUR_SECS + 1 + SIGNED_HOURS) * HOUR_SECS
}

/// When an address that is signed now ends.
pub(crate) fn signed_until(now: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(expires(now), 0).unwrap_or(now)
}

/// What a signature is of: the part of a video (`videos/{id}/hls`), and of everything else the object alone.
fn folder(key: &str) -> &str {
    if !key.starts_with("videos/") {
        return key;
    }
    key.match_indices('/').nth(2).map_or(key, |(at, _)| key.get(..at).unwrap_or(key))
}

impl Engine {
    /// Whether an address was signed here for this object, and is still good.
    pub fn is_signed(&self, key: &storage::Key, expires: i64, signature: &str) -> bool {
        self.media().is_signed(key.as_str(), expires, signature, self.now())
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn urls(secret: &str) -> MediaUrls {
        MediaUrls::new("https://cdn.example/", SecretString::from(secret))
    }

    fn parts(url: &str) -> Option<(i64, String, String)> {
        let (expires, rest) = url.strip_prefix("/media/signed/")?.split_once('/')?;
        let (signature, key) = rest.split_once('/')?;
        Some((expires.parse().ok()?, signature.to_owned(), key.to_owned()))
    }

    #[test]
    fn a_signed_address_is_good_for_hours_and_for_its_folder_only() {
        let (ours, now) = (urls("a secret"), DateTime::UNIX_EPOCH + TimeDelta::seconds(1_000_000));
        let made = parts(&ours.private_url("videos/v/hls/playlist.m3u8", now));
        assert!(made.is_some());
        let Some((expires, signature, key)) = made else { return };
        let is_good = |key: &str, at: DateTime<Utc>| ours.is_signed(key, expires, &signature, at);
        assert!(is_good(&key, now) && is_good("videos/v/hls/720p/segment_0.m4s", now), "segments inherit it");
        assert!(is_good(&key, now + TimeDelta::hours(6)) && !is_good(&key, now + TimeDelta::hours(7)));
        for other in ["videos/v/original/video.mp4", "videos/w/hls/playlist.m3u8", "products/p/stills/s.jpg"] {
            assert!(!is_good(other, now), "{other}");
        }
        assert!(!ours.is_signed(&key, expires + 1, &signature, now), "the end is signed as well");
        assert!(!ours.is_signed(&key, expires, "", now) && !urls("another").is_signed(&key, expires, &signature, now));
    }

    #[test]
    fn an_address_stays_the_same_for_an_hour() {
        let (ours, hour) = (urls("a secret"), DateTime::UNIX_EPOCH + TimeDelta::hours(500_000));
        let at = |minutes| ours.private_url("products/p/stills/s.jpg", hour + TimeDelta::minutes(minutes));
        assert!(at(0) == at(59) && at(59) != at(60));
        assert!(at(0).ends_with("/products/p/stills/s.jpg"));
        assert_eq!(ours.url("products/p/photos/f.jpg"), "https://cdn.example/products/p/photos/f.jpg");
    }
}
