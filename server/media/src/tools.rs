//! The installed `ffmpeg` and `ffprobe`.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf, absolute},
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
    bwrap: Option<PathBuf>,
    has_av1: bool,
    version: String,
}

/// What of the machine a tool sees in the sandbox, where it exists: programs and libraries, nothing else.
const SEEN: [&str; 6] = ["/usr", "/lib", "/lib64", "/bin", "/etc/alternatives", "/etc/ld.so.cache"];

impl Tools {
    /// Finds `ffmpeg` (with the x264, VP9 and WebP encoders) and `ffprobe` on `PATH` and asks for their versions. `prlimit`,
    /// where it is installed, adds limits of memory, processor time and file size to every run; `bwrap`, where it is
    /// installed and may be used, leaves it nothing but programs, its inputs and its output folder, and no network.
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
            bwrap: look_up("bwrap", &path),
            has_av1: false,
            version: String::new(),
        };
        let told = ask(&tools.ffmpeg, &["-hide_banner", "-encoders"]).await?;
        let encoders = [
            ("libx264", "the x264 encoder of ffmpeg"),
            ("libvpx-vp9", "the VP9 encoder of ffmpeg"),
            ("libwebp", "the WebP encoder of ffmpeg"),
        ];
        if let Some((_, tool)) = encoders.into_iter().find(|(name, _)| !told.contains(name)) {
            let hint = format!("{} was built without it; {HINT}", tools.ffmpeg.display());
            return Err(Error::ToolMissing { tool, hint });
        }
        tools.has_av1 = told.contains("libsvtav1");
        tools.try_sandbox().await;
        tools.version = ask(&tools.ffmpeg, &["-version"]).await?.lines().next().unwrap_or_default().to_owned();
        let prober = ask(&tools.ffprobe, &["-version"]).await?;
        tracing::info!(
            media.limits = tools.prlimit.is_some(),
            media.sandbox = tools.bwrap.is_some(),
            "found {} and {}, {} sandbox",
            tools.version,
            prober.lines().next().unwrap_or_default(),
            if tools.bwrap.is_some() { "in a" } else { "without a" }
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

    /// Whether AV1 can be made (the SVT-AV1 encoder).
    pub fn has_av1(&self) -> bool {
        self.has_av1
    }

    /// Whether tools run in a sandbox.
    pub fn is_sandboxed(&self) -> bool {
        self.bwrap.is_some()
    }

    /// The same tools without a sandbox.
    #[must_use]
    pub fn without_sandbox(mut self) -> Self {
        self.bwrap = None;
        self
    }

    /// A sandbox that may not be used here (no user namespaces) is none.
    async fn try_sandbox(&mut self) {
        if self.bwrap.is_none() {
            return;
        }
        let mut command = self.command(&self.ffprobe, &[], None);
        command.arg("-version");
        if let Err(error) = process::run(command, ANSWER, None, |_| {}).await {
            tracing::warn!(%error, "bwrap is installed but may not be used here: tools run without a sandbox");
            self.bwrap = None;
        }
    }

    /// A run of one of the tools that opens these files and writes into this folder, under limits and in a sandbox where
    /// they can be had.
    pub(crate) fn command(&self, program: &Path, reads: &[&Path], writes: Option<&Path>) -> Command {
        let mut words: Vec<OsString> = Vec::new();
        if let Some(prlimit) = &self.prlimit {
            words.push(prlimit.into());
            words.push(format!("--as={MEMORY_BYTES}").into());
            words.push(format!("--cpu={CPU_SECONDS}").into());
            words.push(format!("--fsize={FILE_BYTES}").into());
            words.extend(["--nofile=256", "--core=0"].map(OsString::from));
        }
        if let Some(bwrap) = &self.bwrap {
            words.push(bwrap.into());
            words
                .extend(["--unshare-all", "--die-with-parent", "--proc", "/proc", "--dev", "/dev"].map(OsString::from));
            let mut bind = |how: &str, path: &Path| {
                let path = absolute(path).unwrap_or_else(|_| path.to_owned());
                words.extend([how.into(), path.clone().into(), path.into()]);
            };
            SEEN.iter().for_each(|path| bind("--ro-bind-try", Path::new(path)));
            bind("--ro-bind", program);
            reads.iter().for_each(|path| bind("--ro-bind-try", path));
            if let Some(folder) = writes {
                bind("--bind", folder);
            }
        }
        words.push(program.into());
        let mut words = words.into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
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
