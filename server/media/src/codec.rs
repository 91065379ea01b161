//! The codecs renditions are made in.

use crate::ladder::Rung;

/// How the pictures of a rendition are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Codec {
    /// Plays everywhere; the only one HLS is made of.
    H264,
    /// A half to a third of the bytes, where it can be decoded. In MP4.
    Av1,
    /// In WebM, for who asks for that container.
    Vp9,
}

impl Codec {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::Av1 => "av1",
            Self::Vp9 => "vp9",
        }
    }

    /// The content type of its container, without codecs.
    pub const fn container(self) -> &'static str {
        match self {
            Self::H264 | Self::Av1 => "video/mp4",
            Self::Vp9 => "video/webm",
        }
    }

    /// The name of a rung's file: `720p.mp4`, `720p.av1.mp4`, `720p.webm`.
    pub(crate) fn file_name(self, rung: Rung) -> String {
        let resolution = rung.resolution.as_str();
        match self {
            Self::H264 => format!("{resolution}.mp4"),
            Self::Av1 => format!("{resolution}.av1.mp4"),
            Self::Vp9 => format!("{resolution}.webm"),
        }
    }
}

/// The codec of a VP9 file (VP Codec ISO Media File Format Binding, section "Codecs Parameter String"): profile 0, 8 bit and
/// the smallest level that may carry the picture (luma samples of a frame and of a second).
pub(crate) fn vp9_codecs(rung: Rung, fps: u32) -> String {
    const LEVELS: [(&str, u64, u64); 6] = [
        ("21", 122_880, 3_686_400),
        ("30", 552_960, 20_736_000),
        ("31", 983_040, 36_864_000),
        ("40", 2_228_224, 83_558_400),
        ("41", 2_228_224, 160_432_128),
        ("50", 8_912_896, 311_951_360),
    ];
    let frame = u64::from(rung.width) * u64::from(rung.height);
    let carries = |(_, most, rate): &&(&str, u64, u64)| frame <= *most && frame * u64::from(fps) <= *rate;
    let level = LEVELS.iter().find(carries).map_or("51", |(name, ..)| name);
    format!("vp09.00.{level}.08")
}

#[cfg(test)]
mod tests {
    use domain::Resolution;

    use super::*;

    #[test]
    fn the_level_of_vp9_is_not_above_need() {
        let rung = |width, height| Rung { resolution: Resolution::P720, width, height };
        assert_eq!(vp9_codecs(rung(720, 1280), 30), "vp09.00.31.08");
        assert_eq!(vp9_codecs(rung(1080, 1920), 24), "vp09.00.40.08");
        assert_eq!(vp9_codecs(rung(320, 240), 24), "vp09.00.21.08");
        assert_eq!(vp9_codecs(rung(4096, 2304), 30), "vp09.00.51.08");
    }
}
