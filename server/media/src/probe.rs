//! What a clip is, before anything is made of it.

use std::{path::Path, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;

use crate::{Error, Tools, arguments, process};

/// Longest clip that is taken, in milliseconds.
const MAX_MS: u64 = 60_000;
/// Longest side in pixels.
const MAX_SIDE: u32 = 4096;
/// Shortest side in pixels.
const MIN_SIDE: u32 = 64;
/// Most frames a second.
const MAX_FPS: f64 = 60.0;
/// Heaviest file.
const MAX_BYTES: u64 = 256 << 20;
/// Longest description that is read.
const MAX_JSON_BYTES: usize = 256 * 1024;
/// How long looking may take.
const WALL: Duration = Duration::from_secs(30);
/// Codecs that are taken.
const CODECS: [&str; 6] = ["h264", "hevc", "vp8", "vp9", "av1", "mpeg4"];

/// A clip that is within all limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClipInfo {
    /// As shown: after rotation and with square pixels. 64 to 4096.
    pub width: u32,
    /// As shown: after rotation and with square pixels. 64 to 4096.
    pub height: u32,
    /// On average, at most 60.
    pub fps: f64,
    /// Length of the picture track, at most 60 s.
    pub duration_ms: u64,
    /// The decoder's name for the codec, like `h264`.
    pub codec: String,
    /// Whether there is a sound track (it will be dropped).
    pub has_audio: bool,
    /// How many frames the container says there are.
    pub frames: Option<u64>,
    /// Whether it says which matrix its colours were made with.
    pub(crate) has_matrix: bool,
}

/// What [`probe`] found of a clip, as it is kept beside it: looking at the same bytes again finds nothing else.
#[derive(Debug, Serialize, Deserialize)]
pub struct KeptInfo {
    version: u32,
    info: ClipInfo,
}

impl KeptInfo {
    /// Raised when [`probe`] finds something else in the same bytes than before, or when [`ClipInfo`] changes.
    const VERSION: u32 = 1;

    /// What this version of [`probe`] found.
    pub fn new(info: ClipInfo) -> Self {
        Self { version: Self::VERSION, info }
    }

    /// What was kept as JSON. None where another version of [`probe`] found it, or where it cannot be read, which is logged.
    pub fn read(kept: serde_json::Value) -> Option<ClipInfo> {
        let version = kept.get("version").and_then(serde_json::Value::as_u64);
        if version.is_some_and(|version| version != u64::from(Self::VERSION)) {
            return None;
        }
        match serde_json::from_value::<Self>(kept) {
            Ok(kept) => Some(kept.info),
            Err(error) => {
                tracing::warn!(%error, "what was found of a clip cannot be read, so it is looked at again");
                None
            }
        }
    }
}

/// Looks at a file: sniffs it, lets `ffprobe` describe it and holds it against the limits (256 MB, 60 s, 64 to 4096
/// pixels, 60 frames a second). Nothing is believed that decoding would not confirm: [`crate::encode`] does that.
///
/// # Errors
/// [`Error::Corrupt`], [`Error::NotAVideo`], [`Error::TooLarge`], [`Error::TooSmall`], [`Error::Unsupported`] (codec,
/// high dynamic range), [`Error::Timeout`], [`Error::Disk`].
pub async fn probe(tools: &Tools, path: &Path) -> Result<ClipInfo, Error> {
    sniff(path).await?;
    describe(tools, path).await?.judge()
}

/// The first bytes must be those of an MP4/MOV or a Matroska/WebM.
async fn sniff(path: &Path) -> Result<(), Error> {
    const BOXES: [&[u8]; 7] = [b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp"];
    const EBML: [u8; 4] = [0x1a, 0x45, 0xdf, 0xa3];
    let mut head = Vec::with_capacity(8);
    let file = tokio::fs::File::open(path).await?;
    let bytes = file.metadata().await?.len();
    file.take(8).read_to_end(&mut head).await?;
    if bytes == 0 {
        return Err(Error::Corrupt("the file is empty".to_owned()));
    }
    if bytes > MAX_BYTES {
        return Err(Error::TooLarge(format!("{bytes} bytes")));
    }
    let is_known = head.get(4..).is_some_and(|kind| BOXES.contains(&kind)) || head.starts_with(&EBML);
    if is_known { Ok(()) } else { Err(Error::NotAVideo("neither MP4 nor WebM".to_owned())) }
}

/// What `ffprobe` says of a file.
async fn describe(tools: &Tools, path: &Path) -> Result<Description, Error> {
    let mut command = tools.command(tools.ffprobe(), &[path], None);
    command.args(arguments::describe(path)?);
    let mut json = Vec::new();
    process::run(command, WALL, None, |piece| {
        if json.len() < MAX_JSON_BYTES {
            json.extend_from_slice(piece);
        }
    })
    .await
    .map_err(|error| match error {
        // ffprobe has no other reason to fail than the file.
        Error::Failed { tail } => Error::Corrupt(tail.trim().to_owned()),
        other => other,
    })?;
    serde_json::from_slice(&json).map_err(|_| Error::Corrupt("the description cannot be read".to_owned()))
}

/// The JSON of `ffprobe -show_streams -show_format`, as far as it is used. Numbers come as text.
#[derive(Debug, Deserialize)]
struct Description {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    format: Format,
}

#[derive(Debug, Default, Deserialize)]
struct Format {
    duration: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stream {
    codec_type: Option<String>,
    codec_name: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    sample_aspect_ratio: Option<String>,
    avg_frame_rate: Option<String>,
    r_frame_rate: Option<String>,
    duration: Option<String>,
    nb_frames: Option<String>,
    color_space: Option<String>,
    color_transfer: Option<String>,
    disposition: Disposition,
    side_data_list: Vec<SideData>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Disposition {
    attached_pic: u8,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SideData {
    rotation: Option<f64>,
}

impl Description {
    /// The first track of moving pictures; a cover picture is none.
    fn video(&self) -> Option<&Stream> {
        let is_video =
            |stream: &&Stream| stream.codec_type.as_deref() == Some("video") && stream.disposition.attached_pic == 0;
        self.streams.iter().find(is_video)
    }

    fn judge(&self) -> Result<ClipInfo, Error> {
        let video = self.video().ok_or_else(|| Error::NotAVideo("no moving pictures in it".to_owned()))?;
        let codec = video.codec_name.clone().unwrap_or_default();
        if !CODECS.contains(&codec.as_str()) {
            return Err(Error::Unsupported(format!("codec {codec}")));
        }
        if matches!(video.color_transfer.as_deref(), Some("smpte2084" | "arib-std-b67")) {
            return Err(Error::Unsupported("high dynamic range".to_owned()));
        }
        let (width, height) = video.shown_size().ok_or_else(|| Error::Corrupt("no picture size".to_owned()))?;
        if width.max(height) > MAX_SIDE {
            return Err(Error::TooLarge(format!("{width} × {height} pixels")));
        }
        if width.min(height) < MIN_SIDE {
            return Err(Error::TooSmall(format!("{width} × {height} pixels")));
        }
        let fps = video.fps().ok_or_else(|| Error::NotAVideo("no frame rate".to_owned()))?;
        if fps > MAX_FPS + 0.01 {
            return Err(Error::TooLarge(format!("{fps:.0} frames a second")));
        }
        let seconds = video.duration.as_deref().or(self.format.duration.as_deref());
        let duration_ms = seconds.and_then(milliseconds).ok_or_else(|| Error::Corrupt("no duration".to_owned()))?;
        if duration_ms > MAX_MS {
            return Err(Error::TooLarge(format!("{} s", duration_ms / 1000)));
        }
        let has_audio = self.streams.iter().any(|stream| stream.codec_type.as_deref() == Some("audio"));
        let has_matrix = video.color_space.as_deref().is_some_and(|name| name != "unknown");
        Ok(ClipInfo { width, height, fps, duration_ms, codec, has_audio, frames: video.frames(), has_matrix })
    }
}

impl Stream {
    fn frames(&self) -> Option<u64> {
        self.nb_frames.as_deref().and_then(|count| count.parse().ok())
    }

    /// Frames a second on average; the nominal rate where there is no average.
    fn fps(&self) -> Option<f64> {
        [&self.avg_frame_rate, &self.r_frame_rate].into_iter().flatten().find_map(|rate| ratio(rate, '/'))
    }

    /// Size on a screen: pixels made square, then turned.
    fn shown_size(&self) -> Option<(u32, u32)> {
        let (width, height) = (self.width.filter(|side| *side > 0)?, self.height.filter(|side| *side > 0)?);
        let pixel = self.sample_aspect_ratio.as_deref().and_then(|shape| ratio(shape, ':')).unwrap_or(1.0);
        let width = whole((f64::from(width) * pixel).round())?;
        let turn = self.side_data_list.iter().find_map(|data| data.rotation).unwrap_or_default();
        let is_turned = (turn.abs() - 90.0).abs() < 1.0 || (turn.abs() - 270.0).abs() < 1.0;
        Some(if is_turned { (height, width) } else { (width, height) })
    }
}

/// A positive ratio like `24/1`.
fn ratio(text: &str, between: char) -> Option<f64> {
    let (over, under) = text.split_once(between)?;
    let value = over.parse::<f64>().ok()? / under.parse::<f64>().ok()?;
    (value.is_finite() && value > 0.0).then_some(value)
}

/// Seconds as text to milliseconds; a length that is no number, or not positive, is none.
fn milliseconds(seconds: &str) -> Option<u64> {
    let value = seconds.parse::<f64>().ok()? * 1000.0;
    (value > 0.0).then(|| whole(value.round()).map_or(u64::from(u32::MAX), u64::from))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked just before
fn whole(value: f64) -> Option<u32> {
    (value.is_finite() && (0.0..=f64::from(u32::MAX)).contains(&value)).then_some(value as u32)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn judge(stream: &str) -> Result<ClipInfo, Error> {
        let json = format!(
            r#"{{"streams":[{{"codec_type":"video","codec_name":"h264",{stream}}}],"format":{{"duration":"4.0"}}}}"#
        );
        serde_json::from_str::<Description>(&json).unwrap().judge()
    }

    #[test]
    fn pixels_are_made_square_and_turned() {
        let info = judge(
            r#""width":720,"height":576,"sample_aspect_ratio":"64:45","avg_frame_rate":"25/1",
            "side_data_list":[{"side_data_type":"Display Matrix","rotation":-90}]"#,
        );
        let info = info.unwrap();
        assert_eq!((info.width, info.height, info.duration_ms), (576, 1024, 4000));
    }

    /// As databases have it: who changes what this reads raises the version.
    #[test]
    fn what_was_kept_is_read_again() {
        let kept = r#"{"version":1,"info":{"width":720,"height":1280,"fps":24.0,"duration_ms":3000,"codec":"h264",
            "has_audio":false,"frames":72,"has_matrix":true}}"#;
        let kept: serde_json::Value = serde_json::from_str(kept).unwrap();
        let info = KeptInfo::read(kept.clone()).unwrap();
        assert_eq!((info.width, info.height, info.duration_ms, info.has_matrix), (720, 1280, 3000, true));
        assert_eq!(serde_json::to_value(KeptInfo::new(info)).unwrap(), kept);
        let changed = |change: fn(&mut serde_json::Value)| {
            let mut kept = kept.clone();
            change(&mut kept);
            KeptInfo::read(kept)
        };
        assert_eq!(changed(|kept| kept["version"] = 2.into()), None);
        assert_eq!(changed(|kept| kept["info"]["has_matrix"] = serde_json::Value::Null), None);
        assert_eq!(changed(|kept| *kept = serde_json::json!({})), None);
    }

    #[test]
    fn every_limit_is_kept() {
        let clip = |width: u32, height: u32, rate: &str, seconds: &str| {
            judge(&format!(r#""width":{width},"height":{height},"avg_frame_rate":"{rate}","duration":"{seconds}""#))
        };
        assert!(clip(4096, 64, "60/1", "60.0").is_ok());
        assert!(matches!(clip(4098, 64, "24/1", "4"), Err(Error::TooLarge(_))));
        assert!(matches!(clip(62, 640, "24/1", "4"), Err(Error::TooSmall(_))));
        assert!(matches!(clip(640, 640, "90/1", "4"), Err(Error::TooLarge(_))));
        assert!(matches!(clip(640, 640, "24/1", "36000.0"), Err(Error::TooLarge(_))));
        assert!(matches!(clip(640, 640, "24/1", "1e300"), Err(Error::TooLarge(_))));
        assert!(matches!(clip(640, 640, "24/1", "nan"), Err(Error::Corrupt(_))));
        assert!(matches!(clip(640, 640, "0/0", "4"), Err(Error::NotAVideo(_))));
        assert!(matches!(clip(0, 640, "24/1", "4"), Err(Error::Corrupt(_))));
    }

    #[test]
    fn a_cover_picture_is_not_a_video() {
        let cover = judge(r#""width":640,"height":640,"avg_frame_rate":"24/1","disposition":{"attached_pic":1}"#);
        assert!(matches!(cover, Err(Error::NotAVideo(_))));
    }

    #[test]
    fn high_dynamic_range_is_refused() {
        let bright = judge(r#""width":640,"height":640,"avg_frame_rate":"24/1","color_transfer":"smpte2084""#);
        assert!(matches!(bright, Err(Error::Unsupported(_))));
    }
}
