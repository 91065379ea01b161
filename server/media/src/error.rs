//! Why a picture or a clip could not be used.

use crate::Unshowable;

/// Why a picture or a clip could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes claim to be a picture or a clip but cannot be decoded to the end.
    #[error("the file is damaged: {0}")]
    Corrupt(String),
    /// Something else than an MP4, MOV, WebM or Matroska clip with moving pictures.
    #[error("not a video: {0}")]
    NotAVideo(String),
    /// Something else than a JPEG, PNG or WebP.
    #[error("not a JPEG, PNG or WebP picture")]
    NotAPicture,
    /// Longer, wider, faster or heavier than is taken.
    #[error("too large: {0}")]
    TooLarge(String),
    /// Narrower than is taken.
    #[error("too small: {0}")]
    TooSmall(String),
    /// A sound file of a kind that is not taken (codec, high dynamic range).
    #[error("not supported: {0}")]
    Unsupported(String),
    /// It plays, but nobody may be shown it.
    #[error("not fit to be shown: {0}")]
    Unshowable(Unshowable),
    /// The tool did not end in time and was killed.
    #[error("no result within {seconds} s")]
    Timeout {
        /// The limit.
        seconds: u64,
    },
    /// The caller asked to stop; the tool was killed.
    #[error("cancelled")]
    Cancelled,
    /// A tool is not installed or lacks a part; the text says how to get it.
    #[error("{tool} is missing: {hint}")]
    ToolMissing {
        /// Which tool.
        tool: &'static str,
        /// What to do.
        hint: String,
    },
    /// Content credentials cannot be signed with what was given.
    #[error("content credentials: {0}")]
    Credentials(String),
    /// A file could not be read or written, or the disk is full.
    #[error("disk: {0}")]
    Disk(#[from] std::io::Error),
    /// The tool failed, or its result is not what was asked.
    #[error("the encoder failed: {tail}")]
    Failed {
        /// The end of what it said, at most 4 kB.
        tail: String,
    },
}

impl Error {
    /// Whether the same input may succeed later, on this machine or another.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Timeout { .. } | Self::Disk(_) | Self::Failed { .. })
    }

    /// Reads the reason out of what `ffmpeg` or `ffprobe` said before it gave up.
    pub(crate) fn from_tail(tail: String) -> Self {
        const DAMAGED: [&str; 9] = [
            "Invalid data found",
            "moov atom not found",
            "corrupt",
            "Invalid NAL unit",
            "Error splitting the input",
            "partial file",
            "rror while decoding",
            "missing picture",
            "could not find codec parameters",
        ];
        if tail.contains("Format not on whitelist") {
            Self::NotAVideo("the format is not accepted".to_owned())
        } else if tail.contains("not on whitelist") {
            Self::Unsupported("a codec that is not accepted".to_owned())
        } else if tail.contains("exceeds specified max pixel count") {
            Self::TooLarge("more pixels than are decoded".to_owned())
        } else if tail.contains("No space left on device") {
            Self::Disk(std::io::Error::from(std::io::ErrorKind::StorageFull))
        } else if DAMAGED.iter().any(|sign| tail.contains(sign)) {
            Self::Corrupt(last_line(&tail))
        } else {
            Self::Failed { tail }
        }
    }
}

fn last_line(tail: &str) -> String {
    tail.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no reason given").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_read_from_the_tail() {
        assert!(matches!(Error::from_tail("[mov] moov atom not found\n".into()), Error::Corrupt(_)));
        assert!(matches!(Error::from_tail("[hls] Format not on whitelist 'mov'".into()), Error::NotAVideo(_)));
        assert!(matches!(
            Error::from_tail("av_interleaved_write_frame(): No space left on device".into()),
            Error::Disk(_)
        ));
        assert!(matches!(Error::from_tail("Unknown encoder 'libx264'".into()), Error::Failed { .. }));
    }
}
