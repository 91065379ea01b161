//! The HLS package (RFC 8216, Apple's authoring specification): media playlists as ffmpeg wrote them and were checked, and a
//! master playlist of our own with measured rates, because ffmpeg 5.1 writes wrong or empty ones.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use domain::Resolution;

use crate::{Error, Rendition, mp4};

/// Longest playlist that is read. A clip of five seconds has three segments.
const MAX_PLAYLIST_BYTES: usize = 64 * 1024;
/// Name of every playlist.
pub(crate) const PLAYLIST: &str = "playlist.m3u8";
const PLAYLIST_TYPE: &str = "application/vnd.apple.mpegurl";

/// Everything of a package, in the order in which it is stored: the master last, so that who finds it finds the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HlsPackage {
    /// At least a master, a playlist, an initialisation segment and a segment.
    pub files: Vec<HlsFile>,
}

/// One file of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HlsFile {
    /// Below the folder of the package: `720p/init.mp4`.
    pub name: String,
    /// Where it was written.
    pub path: PathBuf,
    /// What it is.
    pub content_type: &'static str,
}

/// The folder of a rung, below the output folder.
pub(crate) fn folder(resolution: Resolution) -> String {
    format!("hls/{}", resolution.as_str())
}

/// A rung as the master playlist tells of it.
struct Variant {
    bandwidth: u64,
    average: u64,
    codecs: String,
    width: u32,
    height: u32,
    fps: u32,
    resolution: Resolution,
}

/// Checks what ffmpeg wrote for these renditions and writes the master playlist.
///
/// # Errors
/// [`Error::Failed`] when it is not what was asked, [`Error::Disk`].
pub(crate) async fn package(out_dir: &Path, renditions: &[&Rendition]) -> Result<HlsPackage, Error> {
    let (mut files, mut variants) = (Vec::new(), Vec::new());
    let mut grid: Option<Vec<u64>> = None;
    for rendition in renditions {
        let folder_name = rendition.resolution.as_str();
        let folder = out_dir.join(folder(rendition.resolution));
        let file = |name: &str, content_type| HlsFile {
            name: format!("{folder_name}/{name}"),
            path: folder.join(name),
            content_type,
        };
        let text = read_playlist(&folder.join(PLAYLIST)).await?;
        let playlist = parse(&text).ok_or_else(|| wrong(&format!("the playlist of {folder_name} cannot be read")))?;
        let total_ms: u64 = playlist.segments.iter().map(|segment| segment.ms).sum();
        if total_ms.abs_diff(rendition.duration_ms) > 1 + 1000 / u64::from(rendition.fps.max(1)) {
            return Err(wrong(&format!("{folder_name} plays {total_ms} of {} ms", rendition.duration_ms)));
        }
        let lengths: Vec<u64> = playlist.segments.iter().map(|segment| segment.ms).collect();
        if grid.get_or_insert_with(|| lengths.clone()) != &lengths {
            return Err(wrong("the rungs are not cut at the same places"));
        }
        let init = tokio::fs::read(folder.join(&playlist.init)).await?;
        let codecs = mp4::codecs_of(&init).ok_or_else(|| wrong("no codec in the initialisation segment"))?;
        if codecs != rendition.codecs {
            return Err(wrong(&format!("{codecs} beside {}", rendition.codecs)));
        }
        let (mut bandwidth, mut bytes) = (0, 0);
        files.push(file(&playlist.init, "video/mp4"));
        for segment in &playlist.segments {
            let length = tokio::fs::metadata(folder.join(&segment.name)).await?.len();
            bandwidth = bandwidth.max((length * 8000).div_ceil(segment.ms));
            bytes += length;
            files.push(file(&segment.name, "video/iso.segment"));
        }
        files.push(file(PLAYLIST, PLAYLIST_TYPE));
        let average = (bytes * 8000).div_ceil(total_ms.max(1));
        let Rendition { width, height, fps, resolution, .. } = **rendition;
        variants.push(Variant { bandwidth, average, codecs, width, height, fps, resolution });
    }
    let path = out_dir.join("hls").join(PLAYLIST);
    tokio::fs::write(&path, master(&variants)).await?;
    files.push(HlsFile { name: PLAYLIST.to_owned(), path, content_type: PLAYLIST_TYPE });
    Ok(HlsPackage { files })
}

async fn read_playlist(path: &Path) -> Result<String, Error> {
    let bytes = tokio::fs::read(path).await?;
    if bytes.len() > MAX_PLAYLIST_BYTES {
        return Err(wrong("a playlist that is too long"));
    }
    String::from_utf8(bytes).map_err(|_| wrong("a playlist that is no text"))
}

/// BANDWIDTH is that of the heaviest segment, AVERAGE-BANDWIDTH that of all (Apple 9.13, 9.14). The first variant is the one
/// players begin with: the smallest.
fn master(variants: &[Variant]) -> String {
    let mut text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n".to_owned();
    for variant in variants {
        let Variant { bandwidth, average, codecs, width, height, fps, resolution } = variant;
        let _ = write!(
            text,
            "#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},AVERAGE-BANDWIDTH={average},CODECS=\"{codecs}\",\
             RESOLUTION={width}x{height},FRAME-RATE={fps}.000\n{}/{PLAYLIST}\n",
            resolution.as_str()
        );
    }
    text
}

#[derive(Debug, PartialEq)]
struct MediaPlaylist {
    init: String,
    segments: Vec<Segment>,
}

#[derive(Debug, PartialEq)]
struct Segment {
    name: String,
    ms: u64,
}

/// Reads a media playlist of fragmented MP4 that is complete and whose target duration holds; none for anything else.
fn parse(text: &str) -> Option<MediaPlaylist> {
    let mut lines = text.lines();
    if lines.next()? != "#EXTM3U" {
        return None;
    }
    let (mut init, mut segments, mut length) = (None, Vec::new(), None);
    let (mut target, mut version, mut is_vod, mut has_ended) = (0_u64, 0_u64, false, false);
    for line in lines {
        if let Some(value) = line.strip_prefix("#EXT-X-TARGETDURATION:") {
            target = value.parse().ok()?;
        } else if let Some(value) = line.strip_prefix("#EXT-X-VERSION:") {
            version = value.parse().ok()?;
        } else if let Some(value) = line.strip_prefix("#EXT-X-MAP:URI=\"") {
            init = Some(value.strip_suffix('"').filter(|name| is_name(name))?.to_owned());
        } else if let Some(value) = line.strip_prefix("#EXTINF:") {
            length = Some(milliseconds(value.split(',').next()?)?);
        } else if line == "#EXT-X-PLAYLIST-TYPE:VOD" {
            is_vod = true;
        } else if line == "#EXT-X-ENDLIST" {
            has_ended = true;
        } else if !line.starts_with('#') {
            let name = Some(line).filter(|name| is_name(name))?.to_owned();
            segments.push(Segment { name, ms: length.take()? });
        }
    }
    // EXTINF, rounded, is never above the target (RFC 8216, 4.3.3.1).
    let fits = segments.iter().all(|segment| segment.ms > 0 && (segment.ms + 500) / 1000 <= target);
    let is_whole = version >= 6 && is_vod && has_ended && !segments.is_empty() && fits;
    is_whole.then_some(MediaPlaylist { init: init?, segments })
}

/// A file beside the playlist.
fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    !text.is_empty() && !text.starts_with('.') && text.bytes().all(is_plain)
}

fn milliseconds(seconds: &str) -> Option<u64> {
    let (whole, part) = seconds.split_once('.').unwrap_or((seconds, ""));
    let part: u64 = format!("{part:0<6}").get(..6)?.parse().ok()?;
    Some(whole.parse::<u64>().ok()?.checked_mul(1000)? + (part + 500) / 1000)
}

fn wrong(what: &str) -> Error {
    Error::Failed { tail: format!("the HLS package is not what was asked: {what}") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n\
        #EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"init.mp4\"\n\
        #EXTINF:2.000000,\nsegment_0.m4s\n#EXTINF:1.041667,\nsegment_1.m4s\n#EXT-X-ENDLIST\n";

    #[test]
    fn a_playlist_is_believed_when_it_is_whole() {
        let read = parse(GOOD).unwrap();
        assert_eq!(read.init, "init.mp4");
        let segments: Vec<_> = read.segments.iter().map(|segment| (segment.name.as_str(), segment.ms)).collect();
        assert_eq!(segments, [("segment_0.m4s", 2000), ("segment_1.m4s", 1042)]);
    }

    #[test]
    fn a_playlist_that_lacks_something_is_not() {
        for line in [
            "#EXT-X-ENDLIST\n",
            "#EXT-X-PLAYLIST-TYPE:VOD\n",
            "#EXT-X-MAP:URI=\"init.mp4\"\n",
            "#EXT-X-VERSION:7\n",
            "#EXT-X-TARGETDURATION:2\n",
            "#EXTINF:2.000000,\n",
        ] {
            assert_eq!(parse(&GOOD.replacen(line, "", 1)), None, "{line}");
        }
        assert_eq!(parse(&GOOD.replace("segment_1.m4s", "../../etc/passwd")), None);
        assert_eq!(parse(&GOOD.replace("segment_1.m4s", "http://elsewhere/a.m4s")), None);
        assert_eq!(parse(&GOOD.replace("2.000000", "2.600000")), None, "longer than the target");
    }

    #[test]
    fn the_master_tells_what_was_measured() {
        let variant = |short: u32, resolution| Variant {
            bandwidth: 3_001_234,
            average: 2_000_001,
            codecs: "avc1.64001f".to_owned(),
            width: short,
            height: short * 16 / 9,
            fps: 24,
            resolution,
        };
        let text = master(&[variant(720, Resolution::P720), variant(1080, Resolution::P1080)]);
        assert!(text.contains(
            "#EXT-X-STREAM-INF:BANDWIDTH=3001234,AVERAGE-BANDWIDTH=2000001,CODECS=\"avc1.64001f\",RESOLUTION=720x1280,\
             FRAME-RATE=24.000\n720p/playlist.m3u8\n"
        ));
        assert!(text.ends_with("1080p/playlist.m3u8\n"));
    }

    proptest! {
        #[test]
        fn rubbish_never_panics(text in "(#EXTM3U|#EXTINF:|[0-9.]{0,30}|,|\n|#EXT-X-MAP:URI=\"|a.mp4|\"){0,40}") {
            let _ = parse(&text);
        }
    }
}
