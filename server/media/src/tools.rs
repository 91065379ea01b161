//! The installed `ffmpeg` and `ffprobe`.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::process::Command;

use crate::{Error, process};

const HINT: &str = "install it with `apt-get install ffmpeg` (Debian, Ubuntu) or `brew install ffmpeg` (macOS)";
/// A tool that takes longer to say its version is broken.
const ANSWER: Duration = Duration::from_secs(10);
/// Address space of one tool. A ladder was seen to touch 0.9 GiB; the rest is for threads and mappings.
const MEMORY_BYTES: u64 = 4 << 30;
/// Processor time of one tool.
const CPU_SECONDS: u64 = 900;
/// Largest file a tool may write.
const FILE_BYTES: u64 = 256 << 20;

/// Where the tools are. Found once at start-up, then shared.
#[derive(Debug, Clone)]
pub struct Tools {
    ffmpeg: PathBuf,
    ffprobe: PathBuf,
    prlimit: Option<PathBuf>,
    version: String,
}

impl Tools {
    /// Finds `ffmpeg` (with the x264 encoder) and `ffprobe` on `PATH` and asks for their versions. `prlimit`, where it
    /// is installed, adds limits of memory, processor time and file size to every run.
    ///
    /// # Errors
    /// [`Error::ToolMissing`] says what to install.
    pub async fn find() -> Result<Self, Error> {
        let path = env::var_os("PATH").unwrap_or_default();
        let missing = |tool| Error::ToolMissing { tool, hint: HINT.to_owned() };
        let mut tools = Self {
            ffmpeg: look_up("ffmpeg", &path).ok_or_else(|| missing("ffmpeg"))?,
            ffprobe: look_up("ffprobe", &path).ok_or_else(|| missing("ffprobe"))?,
            prlimit: look_up("prlimit", &path),
            version: String::new(),
        };
        let told = ask(&tools.ffmpeg, &["-hide_banner", "-encoders"]).await?;
        if !told.contains("libx264") {
            let hint = format!("{} was built without it; {HINT}", tools.ffmpeg.display());
            return Err(Error::ToolMissing { tool: "the x264 encoder of ffmpeg", hint });
        }
        tools.version = ask(&tools.ffmpeg, &["-version"]).await?.lines().next().unwrap_or_default().to_owned();
        let prober = ask(&tools.ffprobe, &["-version"]).await?;
        tracing::info!(
            media.limits = tools.prlimit.is_some(),
            "found {} and {}",
            tools.version,
            prober.lines().next().unwrap_or_default()
        );
        Ok(tools)
    }

    /// Path of `ffmpeg`.
    pub fn ffmpeg(&self) -> &Path {
        &self.ffmpeg
    }

    /// Path of `ffprobe`.
    pub fn ffprobe(&self) -> &Path {
        &self.ffprobe
    }

    /// The first line `ffmpeg -version` says.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A run of one of the tools, under limits where they can be had.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let Some(prlimit) = &self.prlimit else {
            return Command::new(program);
        };
        let mut command = Command::new(prlimit);
        command
            .arg(format!("--as={MEMORY_BYTES}"))
            .arg(format!("--cpu={CPU_SECONDS}"))
            .arg(format!("--fsize={FILE_BYTES}"))
            .args(["--nofile=256", "--core=0"])
            .arg(program);
        command
    }
}

fn look_up(name: &str, path: &OsString) -> Option<PathBuf> {
    env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

async fn ask(program: &Path, arguments: &[&str]) -> Result<String, Error> {
    let mut command = Command::new(program);
    command.args(arguments);
    let mut told = Vec::new();
    process::run(command, ANSWER, None, |piece| told.extend_from_slice(piece)).await?;
    Ok(String::from_utf8_lossy(&told).into_owned())
}
