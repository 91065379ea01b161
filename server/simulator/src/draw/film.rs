use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::DrawError;

/// An encoder that takes longer is stopped.
const ENCODE_LIMIT: Duration = Duration::from_secs(180);
/// Frames are drawn by so many threads at most.
const MOST_THREADS: usize = 4;

/// Size and length of a clip.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reel {
    /// As drawn, in pixels.
    pub width: u32,
    pub height: u32,
    /// As encoded.
    pub final_width: u32,
    pub final_height: u32,
    pub frames: u32,
    pub fps: u32,
    /// Adds a silent sound track.
    pub has_sound: bool,
}

impl Reel {
    /// How far into the clip a frame is, from 0 to 1.
    pub(crate) fn share(&self, number: u32) -> f32 {
        number as f32 / (self.frames.saturating_sub(1)).max(1) as f32
    }
}

/// Draws every frame, `draw(n)` in RGB, and encodes them as H.264 in MP4.
/// Drawing runs on several threads; the encoder has its own.
pub(crate) fn encode(
    ffmpeg: &Path,
    reel: &Reel,
    target: &Path,
    draw: impl Fn(u32) -> Result<Vec<u8>, DrawError> + Sync,
) -> Result<(), DrawError> {
    let (child, mut stdin) = start_encoder(ffmpeg, reel, target)?;
    let child = Arc::new(Mutex::new(child));
    let (done, is_done) = mpsc::channel::<()>();
    let watched = child.clone();
    let watcher = thread::spawn(move || {
        if is_done.recv_timeout(ENCODE_LIMIT) == Err(RecvTimeoutError::Timeout) {
            let _ = watched.lock().unwrap_or_else(PoisonError::into_inner).kill();
        }
    });
    let fed = feed(&mut stdin, reel.frames, &draw);
    drop(stdin);
    let ended = wait(&child, fed.is_err());
    drop(done);
    let _ = watcher.join();
    fed?;
    ended
}

fn start_encoder(ffmpeg: &Path, reel: &Reel, target: &Path) -> Result<(Child, ChildStdin), DrawError> {
    let size = format!("{}x{}", reel.width, reel.height);
    let rate = reel.fps.to_string();
    let (wide, high) = (reel.final_width, reel.final_height);
    let filter = format!("scale={wide}:{high}:out_color_matrix=bt709:out_range=tv,format=yuv420p");
    let sound: &[&str] =
        if reel.has_sound { &["-f", "lavfi", "-i", "anullsrc=channel_layout=stereo:sample_rate=44100"] } else { &[] };
    let mut child = Command::new(ffmpeg)
        .args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y", "-xerror"])
        .args(["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", &size, "-r", &rate, "-i", "pipe:0"])
        .args(sound)
        .args(["-shortest", "-c:a", "aac", "-b:a", "96k", "-flags:a", "+bitexact", "-vf", &filter])
        .args(["-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-profile:v", "high"])
        .args(["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"])
        .args(["-color_range", "tv", "-movflags", "+faststart", "-map_metadata", "-1"])
        .args(["-fflags", "+bitexact", "-flags:v", "+bitexact", "-f", "mp4"])
        .arg(target)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| DrawError::studio(format!("ffmpeg does not start: {error}")))?;
    let stdin = child.stdin.take().ok_or_else(|| DrawError::studio("ffmpeg has no standard input"))?;
    Ok((child, stdin))
}

fn feed(
    stdin: &mut ChildStdin,
    frames: u32,
    draw: &(impl Fn(u32) -> Result<Vec<u8>, DrawError> + Sync),
) -> Result<(), DrawError> {
    let threads = thread::available_parallelism().map_or(2, usize::from).clamp(1, MOST_THREADS);
    let numbers: Vec<u32> = (0..frames).collect();
    for batch in numbers.chunks(threads) {
        let drawn: Vec<Result<Vec<u8>, DrawError>> = thread::scope(|scope| {
            let started: Vec<_> = batch.iter().map(|number| scope.spawn(move || draw(*number))).collect();
            started
                .into_iter()
                .map(|one| one.join().unwrap_or_else(|_| Err(DrawError::studio("a frame failed"))))
                .collect()
        });
        for frame in drawn {
            stdin.write_all(&frame?).map_err(DrawError::studio)?;
        }
    }
    Ok(())
}

fn wait(child: &Mutex<Child>, give_up: bool) -> Result<(), DrawError> {
    let status = loop {
        let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
        if give_up {
            let _ = child.kill();
        }
        if let Some(status) = child.try_wait().map_err(DrawError::studio)? {
            break status;
        }
        drop(child);
        thread::sleep(Duration::from_millis(5));
    };
    if status.success() {
        Ok(())
    } else {
        Err(DrawError::studio(io::Error::other(format!("ffmpeg ended with {status}"))))
    }
}
