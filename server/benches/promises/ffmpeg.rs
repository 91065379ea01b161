//! The time ffmpeg and ffprobe take: the measured Lookreel finds stand-ins of them first on its `PATH`, which run the
//! real ones and write down from when to when.

use std::{
    env, fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;

/// How a stand-in calls this program: `REAL JOURNAL` and the arguments of the tool follow.
const STAND_IN: &str = "--stand-in";

/// Where the stand-ins are and what they wrote down.
pub struct Journal {
    tools: PathBuf,
    path: PathBuf,
}

impl Journal {
    /// Makes the stand-ins in a folder.
    pub fn create(folder: &Path) -> anyhow::Result<Self> {
        let journal = Self { tools: folder.join("tools"), path: folder.join("ffmpeg.journal") };
        fs::create_dir(&journal.tools)?;
        fs::write(&journal.path, "")?;
        let this = env::current_exe()?;
        for tool in ["ffmpeg", "ffprobe"] {
            let script = format!(
                "#!/bin/sh\nexec '{}' {STAND_IN} '{}' '{}' \"$@\"\n",
                this.display(),
                real(tool)?.display(),
                journal.path.display()
            );
            let path = journal.tools.join(tool);
            fs::write(&path, script)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
        Ok(journal)
    }

    /// A `PATH` on which the stand-ins come first.
    pub fn search_path(&self) -> anyhow::Result<std::ffi::OsString> {
        let rest = env::var_os("PATH").unwrap_or_default();
        Ok(env::join_paths(std::iter::once(self.tools.clone()).chain(env::split_paths(&rest)))?)
    }

    /// How long at least one tool ran between two moments.
    pub fn busy(&self, from: SystemTime, to: SystemTime) -> anyhow::Result<Duration> {
        let (from, to) = (nanos(from)?, nanos(to)?);
        let mut runs = Vec::new();
        for line in fs::read_to_string(&self.path)?.lines() {
            let (began, ended) = line.split_once(' ').context("a damaged journal")?;
            let (began, ended) = (began.parse::<u64>()?.max(from), ended.parse::<u64>()?.min(to));
            if began < ended {
                runs.push((began, ended));
            }
        }
        runs.sort_unstable();
        let (mut total, mut reached) = (0, 0);
        for (began, ended) in runs {
            total += ended.saturating_sub(began.max(reached));
            reached = reached.max(ended);
        }
        Ok(Duration::from_nanos(total))
    }
}

/// Runs as a stand-in when called as one.
pub fn stand_in() -> anyhow::Result<Option<ExitCode>> {
    let mut arguments = env::args_os().skip(1);
    if arguments.next().is_none_or(|first| first != STAND_IN) {
        return Ok(None);
    }
    let tool = arguments.next().context("no tool")?;
    let journal = arguments.next().context("no journal")?;
    let began = SystemTime::now();
    let status = Command::new(tool).args(arguments).status()?;
    let line = format!("{} {}\n", nanos(began)?, nanos(SystemTime::now())?);
    // One write of one line: runs at the same time do not mix.
    fs::OpenOptions::new().append(true).open(journal)?.write_all(line.as_bytes())?;
    Ok(Some(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))))
}

fn real(tool: &str) -> anyhow::Result<PathBuf> {
    env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .map(|folder| folder.join(tool))
        .find(|file| file.is_file())
        .with_context(|| format!("{tool} is not installed"))
}

fn nanos(at: SystemTime) -> anyhow::Result<u64> {
    Ok(u64::try_from(at.duration_since(UNIX_EPOCH)?.as_nanos())?)
}
