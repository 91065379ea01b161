//! What a file is, by its first bytes: names and headers are not believed.

/// Kinds of files providers send us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// MP4 or a close relative (`ftyp` box first).
    Mp4,
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
}

impl MediaKind {
    /// How many first bytes [`MediaKind::sniff`] wants to see.
    pub const SNIFFED_BYTES: usize = 12;

    /// The kinds that are pictures.
    pub const PICTURES: [Self; 3] = [Self::Jpeg, Self::Png, Self::Webp];

    /// Recognises a file by its first bytes; none for every other kind.
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        if bytes.get(4..8) == Some(b"ftyp") {
            Some(Self::Mp4)
        } else if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
            Some(Self::Jpeg)
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Some(Self::Webp)
        } else {
            None
        }
    }

    /// Its media type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Mp4 => "video/mp4",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    /// The usual ending of its name, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }

    /// Whether it is a picture.
    pub fn is_picture(self) -> bool {
        Self::PICTURES.contains(&self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_decide() {
        assert_eq!(MediaKind::sniff(b"\0\0\0\x20ftypisom"), Some(MediaKind::Mp4));
        assert_eq!(MediaKind::sniff(b"\xFF\xD8\xFF\xE0"), Some(MediaKind::Jpeg));
        assert_eq!(MediaKind::sniff(b"\x89PNG\r\n\x1a\n"), Some(MediaKind::Png));
        assert_eq!(MediaKind::sniff(b"RIFF\0\0\0\0WEBP"), Some(MediaKind::Webp));
        for other in [&b"#EXTM3U\n"[..], b"<html>", b"RIFF\0\0\0\0WAVE", b"", b"GIF89a"] {
            assert_eq!(MediaKind::sniff(other), None);
        }
    }
}
