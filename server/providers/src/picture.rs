//! Pictures as they are sent.

use domain::FailureCode;

use crate::{Certainty, MediaKind, ProviderError, Retry, catalogue::InputLimits};

/// A picture to send.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its media type, like `image/png`.
    pub content_type: String,
}

impl Picture {
    /// A picture whose media type is read from its first bytes; none when they show no picture we know.
    pub fn sniffed(bytes: Vec<u8>) -> Option<Self> {
        let kind = MediaKind::sniff(&bytes).filter(|kind| kind.is_picture())?;
        Some(Self { bytes, content_type: kind.content_type().to_owned() })
    }

    /// Whether a model takes it: its size, its media type, and that its bytes are of that type.
    ///
    /// # Errors
    /// Not sent, with the reason.
    pub(crate) fn check(&self, limits: &InputLimits) -> Result<(), ProviderError> {
        let (code, detail) = if self.bytes.len() > limits.photo_max_bytes {
            let detail =
                format!("the picture has {} bytes, at most {} are taken", self.bytes.len(), limits.photo_max_bytes);
            (FailureCode::PhotoTooLarge, detail)
        } else if !limits.photo_types.contains(&self.content_type) {
            (FailureCode::PhotoUnreadable, format!("a picture of type {} is not taken", self.content_type))
        } else if MediaKind::sniff(&self.bytes).is_none_or(|kind| kind.content_type() != self.content_type) {
            (FailureCode::PhotoUnreadable, format!("the picture is not {}", self.content_type))
        } else {
            return Ok(());
        };
        Err(ProviderError::new(code, Certainty::NotSent, Retry::Never, detail))
    }
}

impl std::fmt::Debug for Picture {
    /// Without the bytes: they are megabytes, and a customer's.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} of {} bytes", self.content_type, self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn picture(bytes: &[u8], content_type: &str) -> Picture {
        Picture { bytes: bytes.to_vec(), content_type: content_type.to_owned() }
    }

    #[test]
    fn a_picture_is_judged_before_it_is_sent() {
        let limits = InputLimits { photos_max: 1, photo_max_bytes: 20, photo_types: vec!["image/png".to_owned()] };
        let png = b"\x89PNG\r\n\x1a\n....";
        assert_eq!(picture(png, "image/png").check(&limits), Ok(()));
        let code = |picture: Picture| picture.check(&limits).unwrap_err().code;
        assert_eq!(code(picture(&[0; 21], "image/png")), FailureCode::PhotoTooLarge);
        assert_eq!(code(picture(png, "image/gif")), FailureCode::PhotoUnreadable);
        assert_eq!(code(picture(b"\xFF\xD8\xFF\xE0", "image/png")), FailureCode::PhotoUnreadable);
        assert_eq!(Picture::sniffed(png.to_vec()).unwrap().content_type, "image/png");
        assert_eq!(Picture::sniffed(b"<svg/>".to_vec()), None);
        assert_eq!(format!("{:?}", picture(png, "image/png")), "image/png of 12 bytes");
    }
}
