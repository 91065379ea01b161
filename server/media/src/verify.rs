//! Believes a result only after it was decoded and measured.

use std::path::Path;

use domain::Resolution;
use tokio_util::sync::CancellationToken;

use crate::{
    EncodeResult, Error, PosterFile, Rendition, Tools, arguments, encode::WALL, ladder::Rung, mp4,
    picture::sniff_image, probe, process,
};

/// Decodes all renditions to their last frame and holds them against what was asked.
pub(crate) async fn verify(
    tools: &Tools,
    outputs: &[(Rung, &Path)],
    poster: &Path,
    fps: u32,
    expected_frames: u64,
    cancel: &CancellationToken,
) -> Result<EncodeResult, Error> {
    let paths: Vec<_> = outputs.iter().map(|(_, path)| *path).collect();
    let mut command = tools.command(tools.ffmpeg());
    command.args(arguments::decode(&paths)?);
    // Damage in our own output is not the clip's fault.
    process::run(command, WALL, Some(cancel), |_| {}).await.map_err(|error| match error {
        Error::Corrupt(tail) | Error::NotAVideo(tail) => Error::Failed { tail },
        other => other,
    })?;
    let mut renditions = Vec::with_capacity(outputs.len());
    for (rung, path) in outputs {
        renditions.push(measure(tools, *rung, path, fps, expected_frames).await?);
    }
    let Some((rung, _)) = outputs.first() else { return Err(wrong("nothing was made")) };
    Ok(EncodeResult { renditions, poster: look_at(poster, *rung).await? })
}

async fn measure(tools: &Tools, rung: Rung, path: &Path, fps: u32, expected_frames: u64) -> Result<Rendition, Error> {
    let description = probe::describe(tools, path).await.map_err(|error| wrong(&error.to_string()))?;
    let video = description.video().filter(|video| video.codec() == "h264" && description.track_count() == 1);
    let video = video.ok_or_else(|| wrong("not one H.264 track alone"))?;
    if video.shown_size() != Some((rung.width, rung.height)) {
        return Err(wrong(&format!("{:?} instead of {} × {}", video.shown_size(), rung.width, rung.height)));
    }
    if video.fps().is_none_or(|found| (found - f64::from(fps)).abs() > 0.01) {
        return Err(wrong(&format!("{:?} frames a second instead of {fps}", video.fps())));
    }
    let (frames, duration_ms) = (video.frames().unwrap_or_default(), video.duration_ms().unwrap_or_default());
    if frames + 1 < expected_frames {
        // The container promised more than there was to decode.
        return Err(Error::Corrupt(format!("it ends after {frames} of {expected_frames} frames")));
    }
    let exact_ms = frames * 1000 / u64::from(fps.max(1));
    if frames > expected_frames + 1 || duration_ms.abs_diff(exact_ms) > 1 + 1000 / u64::from(fps.max(1)) {
        return Err(wrong(&format!("{frames} frames in {duration_ms} ms instead of {expected_frames}")));
    }
    let header = blocking(path, mp4::read).await?.ok_or_else(|| wrong("no H.264 header"))?;
    if !header.is_fast_start {
        return Err(wrong("the header is behind the frames"));
    }
    let bytes = tokio::fs::metadata(path).await?.len();
    let Rung { resolution, width, height } = rung;
    let path = path.to_owned();
    tracing::debug!(media.bytes = bytes, "{} has {bytes} bytes", Resolution::as_str(resolution));
    Ok(Rendition { resolution, path, width, height, bytes, codecs: header.codecs, fps, frames, duration_ms })
}

async fn look_at(poster: &Path, rung: Rung) -> Result<PosterFile, Error> {
    let bytes = tokio::fs::read(poster).await.map_err(|_| wrong("no poster"))?;
    let image = sniff_image(&bytes).map_err(|error| wrong(&format!("poster: {error}")))?;
    if (image.width, image.height) != (rung.width, rung.height) {
        return Err(wrong(&format!("a poster of {} × {}", image.width, image.height)));
    }
    let bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    Ok(PosterFile { path: poster.to_owned(), width: image.width, height: image.height, bytes })
}

async fn blocking<T: Send + 'static>(
    path: &Path,
    read: impl FnOnce(&Path) -> std::io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let path = path.to_owned();
    let done = tokio::task::spawn_blocking(move || read(&path)).await;
    Ok(done.map_err(std::io::Error::other)??)
}

fn wrong(what: &str) -> Error {
    Error::Failed { tail: format!("the result is not what was asked: {what}") }
}
