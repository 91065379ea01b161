//! From the provider's clip to what shoppers are served: one process, one decode, every rung encoded once.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use domain::{ClipSeconds, FramesPerSecond, Resolution};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::{Error, Tools, arguments::Job, ladder, probe::ClipInfo, process, progress::Progress, verify};

/// How long making and checking may take each. A clip of 5 s was seen to take 15 s on two quiet cores.
pub(crate) const WALL: Duration = Duration::from_secs(300);

/// What is asked of an encode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncodePlan {
    /// The best rung; 720p is always made.
    pub resolution: Resolution,
    /// The constant frame rate of the result.
    pub fps: FramesPerSecond,
    /// A longer clip is cut after so many seconds.
    pub duration: ClipSeconds,
    /// What becomes of a shorter one.
    pub shorter: ShorterClip,
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

impl EncodePlan {
    /// Times as long as it plays, in thousandths; none for a clip that is not slowed down.
    fn slower_permille(&self, duration_ms: u64) -> Option<u64> {
        let asked_ms = u64::from(self.duration.get()) * 1000;
        let is_slowed = self.shorter == ShorterClip::SlowsDown && (1..asked_ms * 9 / 10).contains(&duration_ms);
        is_slowed.then(|| (asked_ms * 1000).div_ceil(duration_ms))
    }
}

/// A file that plays in every browser: H.264, silent, header first.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendition {
    /// Which rung it is.
    pub resolution: Resolution,
    /// Where it was written: `{rung}.mp4` in the output folder.
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

/// The picture before the first frame: JPEG, near the start, in the shape of the smallest rung.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PosterFile {
    /// Where it was written: `thumb.jpg` in the output folder.
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
    /// Smallest first, at least one.
    pub renditions: Vec<Rendition>,
    /// The poster.
    pub poster: PosterFile,
}

/// Encodes a probed clip into `out_dir` (which must exist, and into which nothing else is written) and checks the
/// results by decoding them. `on_progress` is told growing percents, at most four times a second, 100 exactly once and
/// last. On any error, and when the future is dropped, ffmpeg is killed and no file is left in `out_dir`.
///
/// # Errors
/// [`Error::Corrupt`] when the clip does not decode to its end, [`Error::Timeout`] after 5 minutes,
/// [`Error::Cancelled`], [`Error::Disk`], [`Error::Failed`].
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
    let rungs = ladder::rungs(info.width, info.height, plan.resolution);
    let paths: Vec<_> = rungs.iter().map(|rung| out_dir.join(format!("{}.mp4", rung.resolution.as_str()))).collect();
    let poster = out_dir.join("thumb.jpg");
    let mut unfinished = Unfinished(paths.iter().chain([&poster]).cloned().collect());

    let outputs: Vec<_> = rungs.iter().copied().zip(paths.iter().map(PathBuf::as_path)).collect();
    let (fps, seconds) = (u32::from(plan.fps.get()), u32::from(plan.duration.get()));
    let slower_permille = plan.slower_permille(info.duration_ms);
    let job = Job { input, info, fps, seconds, slower_permille, rungs: &outputs, poster: &poster };
    let mut command = tools.command(tools.ffmpeg());
    command.args(job.arguments()?);
    let asked_ms = u64::from(seconds) * 1000;
    let length_ms = if slower_permille.is_some() { asked_ms } else { info.duration_ms.min(asked_ms) };
    let mut progress = Progress::new(length_ms * 1000, &on_progress);
    let span = tracing::info_span!("ffmpeg", media.rungs = rungs.len());
    process::run(command, WALL, Some(cancel), |piece| progress.read(piece)).instrument(span).await?;

    let expected_frames = (length_ms * u64::from(fps) + 500) / 1000;
    let result = verify::verify(tools, &outputs, &poster, fps, expected_frames, cancel).await?;
    unfinished.0.clear();
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

/// Outputs that are removed unless they were all found good.
struct Unfinished(Vec<PathBuf>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        for path in &self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}
