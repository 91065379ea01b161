//! What is made of a video later: cuts in the shape of other places, and posters from a moment a person chose.

use std::path::Path;

use domain::{ClipSeconds, FramesPerSecond, Resolution, export::ExportOptions};
use tokio_util::sync::CancellationToken;

use crate::{
    Branding, Codec, ContentSigner, Error, PictureFile, Rendition, ShorterClip, Tools,
    arguments::{ExportJob, Output, PosterJob},
    encode::{Timing, Unfinished, WALL},
    finish, framing,
    ladder::Rung,
    probe::ClipInfo,
    process,
    progress::Progress,
    verify,
};

/// What the file of an export is called in its folder.
const FILE: &str = "export.mp4";

/// What is asked of an export.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportPlan {
    /// Shape, fit and focal point.
    pub options: ExportOptions,
    /// The constant frame rate of the result.
    pub fps: FramesPerSecond,
    /// A longer clip is cut after so many seconds.
    pub duration: ClipSeconds,
    /// What becomes of a shorter one.
    pub shorter: ShorterClip,
    /// What is laid over every frame, in the corners of the new shape.
    pub branding: Option<Branding>,
    /// Signs the file as the last change of its bytes.
    pub signer: Option<ContentSigner>,
}

/// Makes one H.264 MP4 of a probed clip in another shape, into `out_dir` (which must exist, and into which nothing else is
/// written): never larger than the clip, at most 1080 pixels on the short side, marked as made by AI, decoded and measured.
/// `on_progress` is told growing percents. On any error, and when the future is dropped, ffmpeg is killed and no file is
/// left.
///
/// # Errors
/// [`Error::Corrupt`] when the clip does not decode to its end, [`Error::Timeout`] after 5 minutes, [`Error::Cancelled`],
/// [`Error::Disk`], [`Error::Failed`].
pub async fn export(
    tools: &Tools,
    input: &Path,
    info: &ClipInfo,
    plan: &ExportPlan,
    out_dir: &Path,
    cancel: &CancellationToken,
    on_progress: impl Fn(u8) + Send + Sync,
) -> Result<Rendition, Error> {
    let (width, height) = framing::target((info.width, info.height), plan.options.shape, plan.options.fit);
    let full = Resolution::P1080.short_side();
    let resolution = if width.min(height) >= full { Resolution::P1080 } else { Resolution::P720 };
    let rung = Rung { resolution, width, height };
    let output = Output { rung, codec: Codec::H264, name: FILE.to_owned(), hls: None };
    let timing = Timing::of(info, plan.fps, plan.duration, plan.shorter);
    let mut unfinished = Unfinished(Some(out_dir));
    let job = ExportJob {
        input,
        info,
        options: &plan.options,
        fps: timing.fps,
        seconds: timing.seconds,
        frames: timing.most_frames(),
        slower_permille: timing.slower_permille,
        output: &output,
        branding: plan.branding.as_ref(),
    };
    let mut command = tools.command(tools.ffmpeg(), &job.reads(), Some(out_dir));
    command.current_dir(out_dir).args(job.arguments()?);
    let mut progress = Progress::new(timing.length_ms * 1000, &on_progress);
    process::run(command, WALL, Some(cancel), |piece| progress.read(piece)).await?;
    let path = out_dir.join(FILE);
    finish::mark_mp4(&path, plan.signer.as_ref()).await?;
    let made = verify::verify_one(tools, out_dir, &output, timing.fps, timing.expected_frames(), cancel).await?;
    unfinished.0 = None;
    on_progress(100);
    Ok(made)
}

/// What is asked of a poster.
#[derive(Debug, Clone, Copy)]
pub struct PosterPlan<'a> {
    /// The moment of the clip, in milliseconds.
    pub at_ms: u32,
    /// What the files are called, without their endings: letters, digits and hyphens.
    pub name: &'a str,
    /// Signs the files as the last change of their bytes.
    pub signer: Option<&'a ContentSigner>,
}

/// The frame at a moment of a probed clip as `{name}.jpg` and `{name}.webp`, into `out_dir` (which must exist), in the size of
/// the clip and marked as made by AI. After the end of the clip there is no frame.
///
/// # Errors
/// As [`export`]; [`Error::Failed`] also where there is no frame.
pub async fn poster(
    tools: &Tools,
    input: &Path,
    info: &ClipInfo,
    plan: &PosterPlan<'_>,
    out_dir: &Path,
    cancel: &CancellationToken,
) -> Result<[PictureFile; 2], Error> {
    let PosterPlan { at_ms, name, signer } = *plan;
    let (jpeg, webp) = (format!("{name}.jpg"), format!("{name}.webp"));
    let size = (info.width & !1, info.height & !1);
    let mut unfinished = Unfinished(Some(out_dir));
    let job = PosterJob { input, info, at_ms, size, jpeg: &jpeg, webp: &webp };
    let mut command = tools.command(tools.ffmpeg(), &[input], Some(out_dir));
    command.current_dir(out_dir).args(job.arguments()?);
    process::run(command, WALL, Some(cancel), |_| {}).await?;
    let (jpeg, webp) = (out_dir.join(jpeg), out_dir.join(webp));
    if !jpeg.exists() {
        return Err(Error::Failed { tail: format!("there is no frame at {at_ms} ms") });
    }
    finish::mark_jpeg(&jpeg, signer).await?;
    finish::mark_webp(&webp, signer).await?;
    let made = [verify::look_at(&jpeg, size).await?, verify::look_at(&webp, size).await?];
    unfinished.0 = None;
    Ok(made)
}
