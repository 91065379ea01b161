//! Pictures as they are sent.

use crate::MediaKind;

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
}

impl std::fmt::Debug for Picture {
    /// Without the bytes: they are megabytes, and a customer's.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} of {} bytes", self.content_type, self.bytes.len())
    }
}
