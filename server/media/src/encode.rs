//! From the provider's clip to what shoppers are served: one process, one decode, every rung encoded once per codec.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use domain::{ClipSeconds, FramesPerSecond, Resolution};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::{
    Branding, Codec, ContentSigner, Error, HlsPackage, Tools,
    arguments::{Job, Output, Shapes},
    finish, hls, ladder,
    probe::ClipInfo,
    process,
    progress::Progress,
    verify,
};

/// How long making and checking may take each. All outputs of a clip of 5 s were seen to take 40 s on two quiet cores.
pub(crate) const WALL: Duration = Duration::from_secs(300);
/// Pictures in the strip, where the clip has so many.
const TILES: u64 = 8;
/// The long side of each, in pixels.
const TILE_SIDE: u32 = 320;

/// What is asked of an encode.
#[derive(Debug, Clone, PartialEq)]
pub struct EncodePlan {
    /// The best rung; 720p is always made.
    pub resolution: Resolution,
    /// The constant frame rate of the result.
    pub fps: FramesPerSecond,
    /// A longer clip is cut after so many seconds.
    pub duration: ClipSeconds,
    /// What becomes of a shorter one.
    pub shorter: ShorterClip,
    /// What is made besides H.264 in MP4.
    pub extras: Extras,
    /// What is laid over every frame.
    pub branding: Option<Branding>,
    /// Signs MP4 and posters as the last change of their bytes.
    pub signer: Option<ContentSigner>,
}

/// What is made besides H.264 in MP4, out of the same frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extras {
    /// AV1 in MP4, every rung.
    pub av1: bool,
    /// VP9 in WebM, the best rung.
    pub webm: bool,
    /// HLS in fragmented MP4, out of the encodes of every rung.
    pub hls: bool,
}

/// What becomes of a clip that is shorter than asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ShorterClip {
    /// It stays as it is.
    #[default]
    Stays,
    /// It is slowed down to the length asked for when a tenth or more is missing: for models that make one fixed number of
    /// frames.
    SlowsDown,
}

/// How long what is made of a clip plays.
pub(crate) struct Timing {
    pub fps: u32,
    /// Seconds asked for.
    pub seconds: u32,
    /// Times as long as the clip plays, in thousandths; none for one that is not slowed down.
    pub slower_permille: Option<u64>,
    pub length_ms: u64,
}

impl Timing {
    pub fn of(info: &ClipInfo, fps: FramesPerSecond, duration: ClipSeconds, shorter: ShorterClip) -> Self {
        let seconds = u32::from(duration.get());
        let asked_ms = u64::from(seconds) * 1000;
        let is_slowed = shorter == ShorterClip::SlowsDown && (1..asked_ms * 9 / 10).contains(&info.duration_ms);
        let slower_permille = is_slowed.then(|| (asked_ms * 1000).div_ceil(info.duration_ms));
        let length_ms = if is_slowed { asked_ms } else { info.duration_ms.min(asked_ms) };
        Self { fps: u32::from(fps.get()), seconds, slower_permille, length_ms }
    }

    /// Frames there will be of a clip that is as long as its header says.
    pub fn expected_frames(&self) -> u64 {
        (self.length_ms * u64::from(self.fps) + 500) / 1000
    }

    /// Frames there will be at the most.
    pub fn most_frames(&self) -> u64 {
        u64::from(self.fps) * u64::from(self.seconds)
    }
}

impl EncodePlan {
    fn outputs(&self, rungs: &[ladder::Rung]) -> Vec<Output> {
        let output = |codec: Codec, rung: ladder::Rung| {
            let hls = (codec == Codec::H264 && self.extras.hls).then(|| hls::folder(rung.resolution));
            Output { rung, codec, name: codec.file_name(rung), hls }
        };
        let h264 = rungs.iter().map(|rung| output(Codec::H264, *rung));
        let av1 = rungs.iter().filter(|_| self.extras.av1).map(|rung| output(Codec::Av1, *rung));
        let webm = rungs.last().filter(|_| self.extras.webm).map(|rung| output(Codec::Vp9, *rung));
        h264.chain(av1).chain(webm).collect()
    }
}

/// A file that is played: silent, ready to begin before all of it is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendition {
    /// Which rung it is.
    pub resolution: Resolution,
    /// How its pictures are coded.
    pub codec: Codec,
    /// Where it was written, in the output folder.
    pub path: PathBuf,
    /// In pixels, even.
    pub width: u32,
    /// In pixels, even.
    pub height: u32,
    /// Length of the file.
    pub bytes: u64,
    /// For `type='video/mp4; codecs="…"'`, read from the file: `avc1.64001f`.
    pub codecs: String,
    /// Constant.
    pub fps: u32,
    /// How many there are.
    pub frames: u64,
    /// How long it plays.
    pub duration_ms: u64,
}

/// A picture of the clip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureFile {
    /// Where it was written, in the output folder.
    pub path: PathBuf,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Length of the file.
    pub bytes: u64,
}

/// Everything an encode gives.
#[derive(Debug, Clone, PartialEq)]
pub struct EncodeResult {
    /// Every rung as H.264, smallest first, then the other codecs; at least one.
    pub renditions: Vec<Rendition>,
    /// The HLS package, where one was asked for.
    pub hls: Option<HlsPackage>,
    /// The picture before the first frame: JPEG, near the start, in the shape of the smallest rung.
    pub poster: PictureFile,
    /// The same as WebP.
    pub poster_webp: PictureFile,
    /// Pictures side by side, evenly from first to last: JPEG.
    pub strip: PictureFile,
    /// How many of them.
    pub strip_pictures: u32,
}

/// Encodes a probed clip into `out_dir` (which must exist, and into which nothing else is written), marks every file as
/// made by AI, and checks the results by decoding and looking at them. `on_progress` is told growing percents, at most four
/// times a second, 100 exactly once and last. On any error, and when the future is dropped, ffmpeg is killed and no file is
/// left in `out_dir`.
///
/// # Errors
/// [`Error::Corrupt`] when the clip does not decode to its end, [`Error::Unshowable`] when it is black, frozen or flashes,
/// [`Error::Timeout`] after 5 minutes, [`Error::Cancelled`], [`Error::Disk`], [`Error::Failed`].
pub async fn encode(
    tools: &Tools,
    input: &Path,
    info: &ClipInfo,
    plan: &EncodePlan,
    out_dir: &Path,
    cancel: &CancellationToken,
    on_progress: impl Fn(u8) + Send + Sync,
) -> Result<EncodeResult, Error> {
    let begin = Instant::now();
    let outputs = plan.outputs(&ladder::rungs(info.width, info.height, plan.resolution));
    let timing = Timing::of(info, plan.fps, plan.duration, plan.shorter);
    let (fps, length_ms, expected_frames) = (timing.fps, timing.length_ms, timing.expected_frames());
    let shapes = shapes(info, expected_frames);
    let mut unfinished = Unfinished(Some(out_dir));
    for folder in outputs.iter().filter_map(|output| output.hls.as_ref()) {
        tokio::fs::create_dir_all(out_dir.join(folder)).await?;
    }
    let job = Job {
        input,
        info,
        fps,
        seconds: timing.seconds,
        frames: timing.most_frames(),
        slower_permille: timing.slower_permille,
        outputs: &outputs,
        shapes: &shapes,
        branding: plan.branding.as_ref(),
    };
    let mut command = tools.command(tools.ffmpeg(), &job.reads(), Some(out_dir));
    command.current_dir(out_dir).args(job.arguments()?);
    let mut progress = Progress::new(length_ms * 1000, &on_progress);
    let span = tracing::info_span!("ffmpeg", media.outputs = outputs.len());
    process::run(command, WALL, Some(cancel), |piece| progress.read(piece)).instrument(span).await?;

    finish::mark(out_dir, &outputs, &shapes, plan.signer.as_ref()).await?;
    let result = verify::verify(tools, out_dir, &outputs, &shapes, fps, expected_frames, cancel).await?;
    unfinished.0 = None;
    on_progress(100);
    let elapsed_ms = begin.elapsed().as_millis();
    tracing::info!(
        media.renditions = result.renditions.len(),
        media.elapsed_ms = elapsed_ms,
        "encoded {} rendition(s) of {length_ms} ms in {elapsed_ms} ms",
        result.renditions.len()
    );
    Ok(result)
}

fn shapes(info: &ClipInfo, frames: u64) -> Shapes {
    let long = info.width.max(info.height).max(1);
    let side = |side: u32| (side * TILE_SIDE.min(long) / long).max(2) & !1;
    Shapes {
        poster: "thumb.jpg",
        poster_webp: "thumb.webp",
        strip: "strip.jpg",
        tiles: TILES.min(frames.max(1)),
        tile: (side(info.width), side(info.height)),
    }
}

/// Outputs that are removed unless they were all found good.
pub(crate) struct Unfinished<'a>(pub Option<&'a Path>);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        let entries = self.0.and_then(|folder| std::fs::read_dir(folder).ok());
        for entry in entries.into_iter().flatten().flatten() {
            let path = entry.path();
            let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
        }
    }
}
