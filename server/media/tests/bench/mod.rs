//! A bench with tools: clips are synthesised, encoded and looked at.
#![allow(dead_code)] // every test file uses its own part

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

use domain::{ClipSeconds, FramesPerSecond, Resolution};
use media::{ClipInfo, EncodePlan, EncodeResult, Error, Extras, ShorterClip, Tools, encode, probe};
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub struct Bench {
    pub tools: Tools,
    pub folder: TempDir,
    pub told: Mutex<Vec<u8>>,
}

impl Bench {
    pub async fn new() -> Self {
        let tools = Tools::find().await.expect("ffmpeg is installed");
        Self { tools, folder: TempDir::new().unwrap(), told: Mutex::default() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs ffmpeg on words separated by blanks; `name` is what it writes.
    pub fn make(&self, words: &str, name: &str) -> PathBuf {
        let path = self.path(name);
        let mut command = Command::new(self.tools.ffmpeg());
        command.args(["-v", "error", "-nostdin", "-y"]).args(words.split_whitespace()).arg(&path);
        let done = command.current_dir(self.folder.path()).output().unwrap();
        assert!(done.status.success(), "{words}: {}", String::from_utf8_lossy(&done.stderr));
        path
    }

    /// A moving H.264 clip with more words for its encoder.
    pub fn clip(&self, size: &str, rate: &str, seconds: &str, more: &str) -> PathBuf {
        let source = format!("-f lavfi -i testsrc2=s={size}:r={rate}:d={seconds}");
        self.make(&format!("{source} -c:v libx264 -preset ultrafast -pix_fmt yuv420p {more}"), "in.mp4")
    }

    pub fn out(&self) -> PathBuf {
        let out = self.path("out");
        std::fs::create_dir_all(&out).unwrap();
        out
    }

    pub async fn probe(&self, path: &Path) -> Result<ClipInfo, Error> {
        probe(&self.tools, path).await
    }

    pub async fn encode(&self, input: &Path, plan: EncodePlan) -> Result<EncodeResult, Error> {
        let info = self.probe(input).await?;
        let tell = |percent| self.told.lock().unwrap().push(percent);
        encode(&self.tools, input, &info, &plan, &self.out(), &CancellationToken::new(), tell).await
    }

    /// What ffprobe says of the first track, with the tags of file and track.
    pub fn look(&self, path: &Path) -> Value {
        let mut command = Command::new(self.tools.ffprobe());
        command.args(["-v", "error", "-of", "json", "-show_streams", "-show_format", "-i"]).arg(path);
        serde_json::from_slice(&command.output().unwrap().stdout).unwrap()
    }

    /// Files left in the output folder.
    pub fn left(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.out()).unwrap();
        names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    /// Processes that have this bench's folder in their command line.
    pub fn processes(&self) -> usize {
        let folder = self.folder.path().to_string_lossy().into_owned();
        let lines = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let lines = lines.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
        lines.filter(|line| String::from_utf8_lossy(line).contains(&folder)).count()
    }

    /// Luma and both chromas in the middle of the first frame, as they are stored.
    pub fn sample(&self, path: &Path) -> [u8; 3] {
        let mut command = Command::new(self.tools.ffmpeg());
        command.args(["-v", "error", "-nostdin", "-i"]).arg(path);
        command.args(["-vf", "crop=64:64,scale=2:2,format=yuv444p", "-frames:v", "1", "-f", "rawvideo", "-"]);
        let planes = command.output().unwrap().stdout;
        [planes[0], planes[4], planes[8]]
    }

    /// About the colour of a box of the frame at `at` seconds; of a picture where that is empty.
    pub fn colour(&self, path: &Path, at: &str, crop: &str) -> [u8; 3] {
        let mut command = Command::new(self.tools.ffmpeg());
        command.args(["-v", "error", "-nostdin"]);
        if !at.is_empty() {
            command.args(["-ss", at]);
        }
        command.arg("-i").arg(path);
        let filter = format!("crop={crop},scale=1:1:flags=area,format=rgb24");
        command.args(["-vf", &filter, "-frames:v", "1", "-f", "rawvideo", "-"]);
        let pixels = command.output().unwrap().stdout;
        pixels.get(..3).unwrap().try_into().unwrap()
    }
}

pub fn plan(resolution: Resolution, fps: i64, seconds: i64) -> EncodePlan {
    let (fps, duration) = (FramesPerSecond::parse(fps).unwrap(), ClipSeconds::parse(seconds).unwrap());
    let extras = Extras::default();
    EncodePlan { resolution, fps, duration, shorter: ShorterClip::Stays, extras, branding: None, signer: None }
}

pub fn sizes(result: &EncodeResult) -> Vec<(&'static str, u32, u32)> {
    result.renditions.iter().map(|made| (made.resolution.as_str(), made.width, made.height)).collect()
}
