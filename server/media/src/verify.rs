//! Believes a result only after it was decoded, measured and looked at.

use std::{ffi::OsString, path::Path};

use domain::Resolution;
use tokio::io::AsyncReadExt as _;
use tokio_util::sync::CancellationToken;

use crate::{
    Codec, EncodeResult, Error, PictureFile, Rendition, Tools,
    arguments::{self, Output, Shapes},
    codec::vp9_codecs,
    content,
    encode::WALL,
    hls,
    ladder::Rung,
    mp4::{self, Mp4},
    picture::sniff_image,
    process,
    track::{self, Track},
};

/// The file into which decoding writes what it finds.
const FACTS: &str = "facts";
/// And how long it may be: a line is 60 bytes, a clip of 60 s has 3,600 of them.
const MAX_FACTS_BYTES: u64 = 1 << 20;

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
    let Some(rung) = outputs.first().map(|output| output.rung) else { return Err(wrong("nothing was made")) };
    let paths: Vec<_> = outputs.iter().map(|output| out_dir.join(&output.name)).collect();
    let paths: Vec<&Path> = paths.iter().map(AsRef::as_ref).collect();
    let (tracks, seen) = decode_all(tools, out_dir, &paths, cancel).await?;
    let renditions = measure_all(outputs, &paths, &tracks, fps, expected_frames).await?;
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
    out_dir: &Path,
    output: &Output,
    fps: u32,
    expected_frames: u64,
    cancel: &CancellationToken,
) -> Result<Rendition, Error> {
    let path = out_dir.join(&output.name);
    let paths = [path.as_path()];
    let words = arguments::decode(&paths, FACTS)?;
    let tracks = decode(tools, &out_dir.join("read"), &paths, words, cancel, |_| {}).await?;
    let made = measure_all(std::slice::from_ref(output), &paths, &tracks, fps, expected_frames).await?;
    made.into_iter().next().ok_or_else(|| wrong("nothing was made"))
}

/// Holds renditions against what was asked of them.
async fn measure_all(
    outputs: &[Output],
    paths: &[&Path],
    tracks: &[Track],
    fps: u32,
    expected_frames: u64,
) -> Result<Vec<Rendition>, Error> {
    if tracks.len() != outputs.len() {
        return Err(wrong("not one track alone in each file"));
    }
    let whole = tracks.first().map_or(0, Track::frame_count);
    let mut renditions = Vec::with_capacity(outputs.len());
    for ((output, path), track) in outputs.iter().zip(paths).zip(tracks) {
        // The clip cannot be at fault for what only some of its files lack.
        if track.frame_count() + 1 < whole {
            return Err(wrong(&format!("{} frames beside {whole} in another file", track.frame_count())));
        }
        judge(output, track, fps, expected_frames)?;
        renditions.push(measure(output, path, fps, track.frame_count()).await?);
    }
    Ok(renditions)
}

/// Decodes files to their last frame; gives their tracks and what is seen in the first. One run looks at the first
/// while another reads the others: a run reads its files in turns, which leaves a processor idle.
async fn decode_all(
    tools: &Tools,
    out_dir: &Path,
    paths: &[&Path],
    cancel: &CancellationToken,
) -> Result<(Vec<Track>, content::Frames), Error> {
    let mut seen = content::Frames::default();
    let Some((looked_at, others)) = paths.split_first() else { return Ok((Vec::new(), seen)) };
    let words = arguments::look(looked_at, content::SIDE, FACTS)?;
    let folder = out_dir.join("looked");
    let looking = decode(tools, &folder, std::slice::from_ref(looked_at), words, cancel, |piece| seen.take(piece));
    let reading = async {
        match others {
            [] => Ok(Vec::new()),
            _ => decode(tools, &out_dir.join("read"), others, arguments::decode(others, FACTS)?, cancel, |_| {}).await,
        }
    };
    let (mut tracks, more) = tokio::try_join!(looking, reading)?;
    tracks.extend(more);
    Ok((tracks, seen))
}

/// Runs ffmpeg on files with a new `folder` to write its findings into, which is gone when this has come to an end.
async fn decode(
    tools: &Tools,
    folder: &Path,
    paths: &[&Path],
    words: Vec<OsString>,
    cancel: &CancellationToken,
    on_output: impl FnMut(&[u8]),
) -> Result<Vec<Track>, Error> {
    tokio::fs::create_dir(folder).await?;
    let mut command = tools.command(tools.ffmpeg(), paths, Some(folder));
    command.current_dir(folder).args(words);
    let ran = process::run(command, WALL, Some(cancel), on_output).await;
    let mut facts = Vec::new();
    if ran.is_ok() {
        tokio::fs::File::open(folder.join(FACTS)).await?.take(MAX_FACTS_BYTES).read_to_end(&mut facts).await?;
    }
    tokio::fs::remove_dir_all(folder).await?;
    // Damage in our own output is not the clip's fault.
    ran.map_err(|error| match error {
        Error::Corrupt(tail) | Error::NotAVideo(tail) => Error::Failed { tail },
        other => other,
    })?;
    track::parse(&String::from_utf8_lossy(&facts)).ok_or_else(|| wrong("what is in it cannot be read"))
}

fn judge(output: &Output, track: &Track, fps: u32, expected_frames: u64) -> Result<(), Error> {
    let Output { rung, codec, .. } = output;
    if track.codec != codec.as_str() {
        return Err(wrong(&format!("{} instead of {}", track.codec, codec.as_str())));
    }
    if track.size != (rung.width, rung.height) || !track.has_square_pixels {
        let shape = if track.has_square_pixels { "square" } else { "other" };
        return Err(wrong(&format!("{:?} {shape} pixels instead of {} × {}", track.size, rung.width, rung.height)));
    }
    let frames = track.frame_count();
    if frames + 1 < expected_frames {
        // The container promised more than there was to decode.
        return Err(Error::Corrupt(format!("it ends after {frames} of {expected_frames} frames")));
    }
    if frames > expected_frames + 1 {
        return Err(wrong(&format!("{frames} frames instead of {expected_frames}")));
    }
    if u16::try_from(fps).is_ok_and(|fps| track.is_steady(fps)) {
        Ok(())
    } else {
        Err(wrong(&format!("frames that are not 1/{fps} s apart")))
    }
}

async fn measure(output: &Output, path: &Path, fps: u32, frames: u64) -> Result<Rendition, Error> {
    let codecs = judge_header(path, output, fps).await?;
    let bytes = tokio::fs::metadata(path).await?.len();
    let Output { rung: Rung { resolution, width, height }, codec, .. } = *output;
    let path = path.to_owned();
    tracing::debug!(media.bytes = bytes, "{} as {} has {bytes} bytes", Resolution::as_str(resolution), codec.as_str());
    let rate = u64::from(fps.max(1));
    let duration_ms = (frames * 1000 + rate / 2) / rate;
    Ok(Rendition { resolution, codec, path, width, height, bytes, codecs, fps, frames, duration_ms })
}

/// What browsers are told of the codec, of a file whose header is as they want it.
async fn judge_header(path: &Path, output: &Output, fps: u32) -> Result<String, Error> {
    if output.codec == Codec::Vp9 {
        return Ok(vp9_codecs(output.rung, fps));
    }
    let header = blocking(path, mp4::read).await?.ok_or_else(|| wrong("no header that can be read"))?;
    match header {
        Mp4 { is_fast_start: false, .. } => Err(wrong("the header is behind the frames")),
        Mp4 { is_upright: false, .. } => Err(wrong("players would turn it")),
        Mp4 { codecs, .. } => Ok(codecs),
    }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::process::Command;

    use super::*;

    const FPS: u32 = 24;
    const FRAMES: u64 = 24;

    /// What verifying says of a file that ffmpeg makes of these words: asked for is a second of H.264 in 128 × 64.
    async fn said_of(words: &str) -> Result<Rendition, Error> {
        said_of_changed(Codec::H264, words, |bytes| bytes).await
    }

    /// The same of another codec, and of a file whose bytes were changed.
    async fn said_of_changed(
        codec: Codec,
        words: &str,
        change: impl FnOnce(Vec<u8>) -> Vec<u8>,
    ) -> Result<Rendition, Error> {
        let tools = Tools::find().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let rung = Rung { resolution: Resolution::P720, width: 128, height: 64 };
        let name = if codec == Codec::Vp9 { "made.webm" } else { "made.mp4" };
        let output = Output { rung, codec, name: name.to_owned(), hls: None };
        let path = folder.path().join(&output.name);
        make(&tools, words, &path);
        std::fs::write(&path, change(std::fs::read(&path).unwrap())).unwrap();
        let said = verify_one(&tools, folder.path(), &output, FPS, FRAMES, &CancellationToken::new()).await;
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(left, [name], "{words}");
        said
    }

    /// Has ffmpeg make a file of these words.
    fn make(tools: &Tools, words: &str, path: &Path) {
        let words_before = ["-v", "error", "-nostdin", "-y"].into_iter().chain(words.split_whitespace());
        let done = Command::new(tools.ffmpeg()).args(words_before).arg(path).output().unwrap();
        assert!(done.status.success(), "{words}: {}", String::from_utf8_lossy(&done.stderr));
    }

    fn position(bytes: &[u8], word: &[u8]) -> usize {
        bytes.windows(word.len()).position(|window| window == word).unwrap()
    }

    /// A picture that moves, at a rate and of a size, and how it is coded.
    fn of(size: &str, rate: u32, seconds: f64) -> String {
        format!("-f lavfi -i testsrc2=s={size}:r={rate}:d={seconds} -pix_fmt yuv420p -movflags +faststart")
    }

    #[tokio::test]
    async fn what_was_asked_is_believed() {
        let made = said_of(&format!("{} -c:v libx264", of("128x64", 24, 1.0))).await.unwrap();
        assert_eq!((made.width, made.height, made.fps, made.frames, made.duration_ms), (128, 64, 24, 24, 1000));
        assert!(made.codecs.starts_with("avc1."), "{}", made.codecs);
    }

    #[tokio::test]
    async fn anything_else_is_not() {
        let good = of("128x64", 24, 1.0);
        let h264 = format!("{good} -c:v libx264");
        for (words, reason) in [
            (format!("{good} -c:v mpeg4"), "mpeg4 instead of h264"),
            (format!("{} -c:v libx264", of("64x128", 24, 1.0)), "(64, 128) square pixels instead of 128 × 64"),
            (format!("{h264} -vf setsar=4/3"), "(128, 64) other pixels"),
            (format!("{h264} -map 0:v -map 0:v"), "not one track alone"),
            (format!("{} -c:v libx264 -movflags +faststart", of("128x64", 30, 0.8)), "not 1/24 s apart"),
            (
                format!("{h264} -vf settb=1/1000,setpts=N*1000/24+10*gt(N\\,11) -fps_mode vfr -enc_time_base 1/1000"),
                "not 1/24 s apart",
            ),
            (format!("{} -c:v libx264", of("128x64", 24, 1.2)), "29 frames instead of 24"),
            (format!("{} -c:v libx264", of("128x64", 49, 1.0).replace("r=49", "r=49/2")), "not 1/24 s apart"),
            (h264.replace("+faststart", "0"), "the header is behind the frames"),
        ] {
            let said = said_of(&words).await;
            assert!(matches!(&said, Err(Error::Failed { tail }) if tail.contains(reason)), "{words}: {said:?}");
        }
        let short = said_of(&format!("{} -c:v libx264", of("128x64", 24, 0.8))).await.unwrap_err();
        assert!(matches!(&short, Error::Corrupt(tail) if tail.contains("it ends after")), "{short:?}");
    }

    #[tokio::test]
    async fn what_happened_to_the_bytes_is_seen() {
        let h264 = format!("{} -c:v libx264", of("128x64", 24, 1.0));
        let turned = said_of_changed(Codec::H264, &h264, |mut bytes| {
            // The first number of the matrix of a track header: shown as its mirror image.
            let at = position(&bytes, b"tkhd") + 4 + 40;
            bytes[at..at + 4].copy_from_slice(&0xffff_0000_u32.to_be_bytes());
            bytes
        });
        let turned = turned.await;
        assert!(matches!(&turned, Err(Error::Failed { tail }) if tail.contains("players would turn it")), "{turned:?}");
    }

    /// Overwrites everything from the middle of what is behind a word.
    fn lose_second_half(mut bytes: Vec<u8>, word: &[u8]) -> Vec<u8> {
        let at = position(&bytes, word) + word.len();
        let half = at + (bytes.len() - at) / 2;
        bytes[half..].fill(0xff);
        bytes
    }

    #[tokio::test]
    async fn a_file_whose_second_half_is_lost_is_refused_in_every_codec() {
        let good = of("128x64", 24, 1.0);
        const CLUSTER: &[u8] = b"\x1f\x43\xb6\x75";
        let mut codecs = vec![
            (Codec::H264, "-c:v libx264", b"mdat".as_slice()),
            (Codec::Vp9, "-c:v libvpx-vp9 -cpu-used 4", CLUSTER),
        ];
        if Tools::find().await.unwrap().has_av1() {
            codecs.push((Codec::Av1, "-c:v libsvtav1 -preset 10", b"mdat"));
        }
        for (codec, words, frames_begin) in codecs {
            let words = format!("{good} {words}");
            let made = said_of_changed(codec, &words, |bytes| bytes).await.unwrap();
            assert_eq!((made.codec, made.frames), (codec, FRAMES));
            let damaged = said_of_changed(codec, &words, |bytes| lose_second_half(bytes, frames_begin)).await;
            // By the decoder, or in WebM, where the frames say themselves where they are, by whoever counts them.
            let is_seen = match &damaged {
                Err(Error::Failed { tail }) => !tail.contains("not what was asked"),
                Err(Error::Corrupt(tail)) => codec == Codec::Vp9 && tail.contains("it ends after"),
                _ => false,
            };
            assert!(is_seen, "{}: {damaged:?}", codec.as_str());
            let asked = if codec == Codec::H264 { Codec::Av1 } else { Codec::H264 };
            let said = said_of_changed(asked, &words, |bytes| bytes).await;
            assert!(matches!(&said, Err(Error::Failed { tail }) if tail.contains("instead of")), "{said:?}");
        }
    }

    #[tokio::test]
    async fn a_clip_is_at_fault_only_for_what_all_its_files_lack() {
        let tools = Tools::find().await.unwrap();
        let said_of_both = async |seconds: [f64; 2]| {
            let folder = tempfile::tempdir().unwrap();
            let rung = Rung { resolution: Resolution::P720, width: 128, height: 64 };
            let outputs = ["one.mp4", "other.mp4"].map(|name| Output {
                rung,
                codec: Codec::H264,
                name: name.to_owned(),
                hls: None,
            });
            let paths = outputs.each_ref().map(|output| folder.path().join(&output.name));
            let paths = paths.each_ref().map(std::path::PathBuf::as_path);
            for (path, seconds) in paths.iter().zip(seconds) {
                make(&tools, &format!("{} -c:v libx264", of("128x64", 24, seconds)), path);
            }
            let words = arguments::decode(&paths, FACTS).unwrap();
            let (read, cancel) = (folder.path().join("read"), CancellationToken::new());
            let tracks = decode(&tools, &read, &paths, words, &cancel, |_| {}).await.unwrap();
            measure_all(&outputs, &paths, &tracks, FPS, FRAMES).await
        };
        assert_eq!(said_of_both([1.0, 1.0]).await.unwrap().len(), 2);
        let clip = said_of_both([0.5, 0.5]).await;
        assert!(matches!(&clip, Err(Error::Corrupt(tail)) if tail.contains("it ends after")), "{clip:?}");
        let ours = said_of_both([1.0, 0.5]).await;
        assert!(matches!(&ours, Err(Error::Failed { tail }) if tail.contains("12 frames beside 24")), "{ours:?}");
    }
}
