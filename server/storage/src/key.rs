//! The key layout: `videos/{id}/original|encoded|hls|thumbnails|exports/…` and `products/{id}/photos|stills/…`.

use std::fmt;

use domain::{PhotoId, ProductId, StillId, VideoId};

/// Longest key that is accepted, in bytes; far below the 1024 of S3.
const MAX_BYTES: usize = 256;

/// The text is not a key of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an object key")]
pub struct InvalidKey;

/// What a picture's name ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Extension {
    /// JPEG, `.jpg`.
    Jpg,
    /// PNG, `.png`.
    Png,
    /// WebP, `.webp`.
    Webp,
}

impl Extension {
    /// Every extension.
    pub const ALL: [Self; 3] = [Self::Jpg, Self::Png, Self::Webp];

    /// Without the dot.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jpg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }

    /// The content type that belongs to it.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Jpg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    /// Reads an extension without its dot.
    ///
    /// # Errors
    /// [`InvalidKey`] for any other word.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        Self::ALL.into_iter().find(|extension| extension.as_str() == text).ok_or(InvalidKey)
    }
}

/// The name of an object in the bucket. The only way to get one is the layout below or [`Key::parse`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(String);

impl Key {
    /// The provider's bytes, untouched: `videos/{id}/original/video.mp4`. Never public.
    pub fn original(video: VideoId) -> Self {
        Self(format!("videos/{video}/original/video.mp4"))
    }

    /// A rung that shoppers play, by the name of its file: `videos/{id}/encoded/720p.mp4`.
    ///
    /// # Errors
    /// [`InvalidKey`] for a name that is none, as [`Key::parse`].
    pub fn rendition(video: VideoId, name: &str) -> Result<Self, InvalidKey> {
        Self::below(video, "encoded", name)
    }

    /// A file of the HLS package: `videos/{id}/hls/playlist.m3u8`, `videos/{id}/hls/720p/init.mp4`.
    ///
    /// # Errors
    /// [`InvalidKey`] for a name that is none, as [`Key::parse`].
    pub fn hls(video: VideoId, name: &str) -> Result<Self, InvalidKey> {
        Self::below(video, "hls", name)
    }

    /// A picture of the video: `videos/{id}/thumbnails/thumb.jpg`, the one before the first frame.
    ///
    /// # Errors
    /// [`InvalidKey`] for a name that is none, as [`Key::parse`].
    pub fn thumbnail(video: VideoId, name: &str) -> Result<Self, InvalidKey> {
        Self::below(video, "thumbnails", name)
    }

    /// A cut for another place, by the name of its file: `videos/{id}/exports/1x1.mp4`. Never public.
    ///
    /// # Errors
    /// [`InvalidKey`] for a name that is none, as [`Key::parse`].
    pub fn export(video: VideoId, name: &str) -> Result<Self, InvalidKey> {
        Self::below(video, "exports", name)
    }

    fn below(video: VideoId, folder: &str, name: &str) -> Result<Self, InvalidKey> {
        Self::parse(&format!("videos/{video}/{folder}/{name}"))
    }

    /// A source photo: `products/{id}/photos/{photo}.jpg`.
    pub fn photo(product: ProductId, photo: PhotoId, extension: Extension) -> Self {
        Self(format!("products/{product}/photos/{photo}.{}", extension.as_str()))
    }

    /// A wearing still: `products/{id}/stills/{still}.jpg`. Never public.
    pub fn still(product: ProductId, still: StillId, extension: Extension) -> Self {
        Self(format!("products/{product}/stills/{still}.{}", extension.as_str()))
    }

    /// Reads a key that was stored, for instance in the database. Accepts `videos/…` and `products/…` whose segments
    /// are made of ASCII letters, digits, `-`, `_` and `.` and do not begin with a dot: no `..`, no empty segment, no
    /// leading slash, at most 256 bytes.
    ///
    /// # Errors
    /// [`InvalidKey`] for anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        let sound = |segment: &str| {
            !segment.is_empty()
                && !segment.starts_with('.')
                && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        };
        let mut segments = text.split('/');
        let known_root = matches!(segments.next(), Some("videos" | "products"));
        let accepted = text.len() <= MAX_BYTES && known_root && text.contains('/') && segments.all(sound);
        if accepted { Ok(Self(text.to_owned())) } else { Err(InvalidKey) }
    }

    /// The key as the bucket knows it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The video an object belongs to, where it belongs to one.
    pub fn video(&self) -> Option<VideoId> {
        self.0.strip_prefix("videos/")?.split('/').next()?.parse().ok()
    }

    /// Whether it is a picture of a video.
    pub(crate) fn is_poster(&self) -> bool {
        let mut segments = self.0.split('/');
        (segments.next(), segments.nth(1)) == (Some("videos"), Some("thumbnails"))
    }

    /// Whether anybody may be served these bytes, once the video is shown: renditions, posters and product photos are
    /// public; originals, stills under review and exports are not, nor is anything this version does not know.
    pub fn is_public(&self) -> bool {
        let mut segments = self.0.split('/');
        let place = (segments.next(), segments.nth(1));
        matches!(place, (Some("videos"), Some("encoded" | "hls" | "thumbnails")) | (Some("products"), Some("photos")))
            && segments.next().is_some()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const ID: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);

    #[test]
    fn the_layout_is_the_documented_one() {
        let video = VideoId::from_uuid(ID);
        let product = ProductId::from_uuid(ID);
        let keys = [
            Key::original(video),
            Key::rendition(video, "720p.mp4").unwrap(),
            Key::rendition(video, "1080p.av1.mp4").unwrap(),
            Key::hls(video, "720p/segment_0.m4s").unwrap(),
            Key::thumbnail(video, "thumb.jpg").unwrap(),
            Key::export(video, "1x1.mp4").unwrap(),
            Key::photo(product, PhotoId::from_uuid(ID), Extension::Png),
            Key::still(product, StillId::from_uuid(ID), Extension::Jpg),
        ];
        let told: Vec<_> =
            keys.iter().map(|key| (key.as_str().replace(&ID.to_string(), "ID"), key.is_public())).collect();
        let expected = [
            ("videos/ID/original/video.mp4", false),
            ("videos/ID/encoded/720p.mp4", true),
            ("videos/ID/encoded/1080p.av1.mp4", true),
            ("videos/ID/hls/720p/segment_0.m4s", true),
            ("videos/ID/thumbnails/thumb.jpg", true),
            ("videos/ID/exports/1x1.mp4", false),
            ("products/ID/photos/ID.png", true),
            ("products/ID/stills/ID.jpg", false),
        ];
        assert_eq!(told, expected.map(|(key, public)| (key.to_owned(), public)));
    }

    #[test]
    fn what_could_leave_the_layout_is_refused() {
        let long = format!("videos/{}", "a".repeat(MAX_BYTES));
        let refused = [
            "",
            "/",
            "videos",
            "videos/",
            "/videos/a",
            "videos//a",
            "videos/../secret",
            "videos/a/..",
            "videos/./a",
            "videos/.hidden",
            "other/a",
            "videos/a b",
            "videos/a\\b",
            "videos/%2e%2e",
            "videos/a\0",
            "videos/é",
            "videos/a?versionId=1",
            "Videos/a",
            long.as_str(),
        ];
        for text in refused {
            assert_eq!(Key::parse(text), Err(InvalidKey), "{text:?}");
        }
    }

    #[test]
    fn a_folder_is_not_public() {
        assert!(!Key::parse("videos/a/encoded").unwrap().is_public());
        assert!(!Key::parse("videos/encoded/a").unwrap().is_public());
        assert!(!Key::parse("products/a/encoded/b").unwrap().is_public());
    }

    proptest! {
        #[test]
        fn every_key_we_make_can_be_read_back(bits in any::<u128>(), other in any::<u128>()) {
            let (video, product) = (VideoId::from_uuid(Uuid::from_u128(bits)), ProductId::from_uuid(Uuid::from_u128(bits)));
            let other = Uuid::from_u128(other);
            let mut keys = vec![Key::original(video)];
            keys.extend(["720p.mp4", "720p.webm"].map(|name| Key::rendition(video, name).unwrap()));
            prop_assert!(Key::hls(video, "../../other").is_err() && Key::thumbnail(video, "").is_err());
            keys.extend(Extension::ALL.map(|extension| Key::photo(product, PhotoId::from_uuid(other), extension)));
            keys.extend(Extension::ALL.map(|extension| Key::still(product, StillId::from_uuid(other), extension)));
            for key in keys {
                prop_assert_eq!(Key::parse(key.as_str()), Ok(key));
            }
        }

        #[test]
        fn whatever_is_accepted_stays_inside(text in "(videos|products)?[a-z./%\\\\ -]{0,40}") {
            if let Ok(key) = Key::parse(&text) {
                let path = std::path::Path::new(key.as_str());
                prop_assert!(path.components().all(|part| matches!(part, std::path::Component::Normal(_))));
                prop_assert_eq!(path.components().count(), key.as_str().split('/').count());
            }
        }
    }
}
