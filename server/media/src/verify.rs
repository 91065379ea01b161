//! Believes a result only after it was decoded, measured and looked at.

use std::{ffi::OsString, path::Path};

use domain::Resolution;
use tokio_util::sync::CancellationToken;

use crate::{
    Codec, EncodeResult, Error, PictureFile, Rendition, Tools,
    arguments::{self, Output, Shapes},
    codec::vp9_codecs,
    content,
    encode::WALL,
    hls,
    ladder::Rung,
    mp4,
    picture::sniff_image,
    probe, process,
};

/// Decodes all renditions to their last frame, looks at what is seen in them and holds them against what was asked.
pub(crate) async fn verify(
    tools: &Tools,
    out_dir: &Path,
    outputs: &[Output],
    shapes: &Shapes,
    fps: u32,
    expected_frames: u64,
    cancel: &CancellationToken,
) -> Result<EncodeResult, Error> {
    let paths: Vec<_> = outputs.iter().map(|output| out_dir.join(&output.name)).collect();
    let paths: Vec<&Path> = paths.iter().map(AsRef::as_ref).collect();
    let Some(rung) = outputs.first().map(|output| output.rung) else { return Err(wrong("nothing was made")) };
    // While they are decoded they are measured; what decoding says comes first.
    let measuring = async {
        let mut renditions = Vec::with_capacity(outputs.len());
        for (output, path) in outputs.iter().zip(&paths) {
            renditions.push(measure(tools, output, path, fps, expected_frames).await?);
        }
        Ok::<_, Error>(renditions)
    };
    let (seen, renditions) = tokio::join!(decode_all(tools, &paths, cancel), measuring);
    let (seen, renditions) = (seen?, renditions?);
    seen.judge(fps).map_err(Error::Unshowable)?;
    let packaged: Vec<_> = outputs.iter().zip(&renditions).filter(|(output, _)| output.hls.is_some()).collect();
    let packaged: Vec<&Rendition> = packaged.into_iter().map(|(_, rendition)| rendition).collect();
    let hls = if packaged.is_empty() { None } else { Some(hls::package(out_dir, &packaged).await?) };
    let size = (rung.width, rung.height);
    let tiles = u32::try_from(shapes.tiles).unwrap_or(1);
    Ok(EncodeResult {
        renditions,
        hls,
        poster: look_at(&out_dir.join(shapes.poster), size).await?,
        poster_webp: look_at(&out_dir.join(shapes.poster_webp), size).await?,
        strip: look_at(&out_dir.join(shapes.strip), (shapes.tile.0 * tiles, shapes.tile.1)).await?,
        strip_pictures: tiles,
    })
}

/// The same of one rendition alone. What is seen in it was looked at when its source was made.
pub(crate) async fn verify_one(
    tools: &Tools,
    path: &Path,
    output: &Output,
    fps: u32,
    expected_frames: u64,
    cancel: &CancellationToken,
) -> Result<Rendition, Error> {
    decode(tools, &[path], arguments::decode(&[path])?, cancel, |_| {}).await?;
    measure(tools, output, path, fps, expected_frames).await
}

/// Decodes files to their last frame; gives what is seen in the first. One run looks at the first while another reads the
/// others: a run reads its files in turns, which leaves a processor idle.
async fn decode_all(tools: &Tools, paths: &[&Path], cancel: &CancellationToken) -> Result<content::Frames, Error> {
    let mut seen = content::Frames::default();
    let Some((looked_at, others)) = paths.split_first() else { return Ok(seen) };
    let words = arguments::look(looked_at, content::SIDE)?;
    let looking = decode(tools, std::slice::from_ref(looked_at), words, cancel, |piece| seen.take(piece));
    let reading = async {
        if others.is_empty() { Ok(()) } else { decode(tools, others, arguments::decode(others)?, cancel, |_| {}).await }
    };
    tokio::try_join!(looking, reading)?;
    Ok(seen)
}

async fn decode(
    tools: &Tools,
    paths: &[&Path],
    words: Vec<OsString>,
    cancel: &CancellationToken,
    on_output: impl FnMut(&[u8]),
) -> Result<(), Error> {
    let mut command = tools.command(tools.ffmpeg(), paths, None);
    command.args(words);
    // Damage in our own output is not the clip's fault.
    process::run(command, WALL, Some(cancel), on_output).await.map_err(|error| match error {
        Error::Corrupt(tail) | Error::NotAVideo(tail) => Error::Failed { tail },
        other => other,
    })
}

async fn measure(
    tools: &Tools,
    output: &Output,
    path: &Path,
    fps: u32,
    expected_frames: u64,
) -> Result<Rendition, Error> {
    let Output { rung, codec, .. } = *output;
    let description = probe::describe(tools, path).await.map_err(|error| wrong(&error.to_string()))?;
    let video = description.video().filter(|video| video.codec() == codec.as_str() && description.track_count() == 1);
    let video = video.ok_or_else(|| wrong(&format!("not one {} track alone", codec.as_str())))?;
    if video.shown_size() != Some((rung.width, rung.height)) {
        return Err(wrong(&format!("{:?} instead of {} × {}", video.shown_size(), rung.width, rung.height)));
    }
    if video.fps().is_none_or(|found| (found - f64::from(fps)).abs() > 0.01) {
        return Err(wrong(&format!("{:?} frames a second instead of {fps}", video.fps())));
    }
    let frames = video.frames().or_else(|| video.packets()).unwrap_or_default();
    if frames + 1 < expected_frames {
        // The container promised more than there was to decode.
        return Err(Error::Corrupt(format!("it ends after {frames} of {expected_frames} frames")));
    }
    let exact_ms = frames * 1000 / u64::from(fps.max(1));
    // WebM tells the length of the file alone, to a millisecond.
    let duration_ms = video.duration_ms().or((codec == Codec::Vp9).then_some(exact_ms)).unwrap_or_default();
    if frames > expected_frames + 1 || duration_ms.abs_diff(exact_ms) > 1 + 1000 / u64::from(fps.max(1)) {
        return Err(wrong(&format!("{frames} frames in {duration_ms} ms instead of {expected_frames}")));
    }
    let codecs = codecs(path, output, fps).await?;
    let bytes = tokio::fs::metadata(path).await?.len();
    let Rung { resolution, width, height } = rung;
    let path = path.to_owned();
    tracing::debug!(media.bytes = bytes, "{} as {} has {bytes} bytes", Resolution::as_str(resolution), codec.as_str());
    Ok(Rendition { resolution, codec, path, width, height, bytes, codecs, fps, frames, duration_ms })
}

async fn codecs(path: &Path, output: &Output, fps: u32) -> Result<String, Error> {
    if output.codec == Codec::Vp9 {
        return Ok(vp9_codecs(output.rung, fps));
    }
    let header = blocking(path, mp4::read).await?.ok_or_else(|| wrong("no header that can be read"))?;
    if header.is_fast_start { Ok(header.codecs) } else { Err(wrong("the header is behind the frames")) }
}

pub(crate) async fn look_at(path: &Path, size: (u32, u32)) -> Result<PictureFile, Error> {
    let bytes = tokio::fs::read(path).await.map_err(|_| wrong("a picture is missing"))?;
    let image = sniff_image(&bytes).map_err(|error| wrong(&format!("picture: {error}")))?;
    if (image.width, image.height) != size {
        return Err(wrong(&format!("a picture of {} × {}", image.width, image.height)));
    }
    let bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    Ok(PictureFile { path: path.to_owned(), width: image.width, height: image.height, bytes })
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
