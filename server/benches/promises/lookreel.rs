//! The real program as it is measured: both roles in one process, with simulated providers that answer at once.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::Context as _;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde::Deserialize;
use sqlx::ConnectOptions as _;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};
use url::Url;

use super::{Ground, ffmpeg::Journal};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_lookreel");
/// Drawing the demo catalogue takes most of it.
const READY_LIMIT: Duration = Duration::from_secs(180);
const LAST_WORDS_BYTES: usize = 4_000;

/// A running Lookreel.
pub struct Lookreel {
    process: Child,
    log: PathBuf,
    /// How it introduced itself.
    pub ready: Ready,
}

/// The line it prints when everything runs.
#[derive(Clone, Deserialize)]
pub struct Ready {
    /// Where it answers.
    pub url: Url,
    /// Who may sign in.
    pub admin_email: String,
    /// With what.
    pub admin_password: String,
}

impl Lookreel {
    /// Starts it on a database of its own, with the settings people get, but for limits.
    pub async fn start(
        ground: &Ground,
        database: &str,
        folder: &Path,
        journal: &Journal,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let log = folder.join("lookreel.log");
        let mut process = Command::new(PROGRAM)
            .args(["up", "--listen", "127.0.0.1:0", "--ready-json", "--state-dir"])
            .arg(folder.join("state"))
            // The settings of whoever measures are not measured.
            .env_clear()
            .env("PATH", journal.search_path()?)
            .env("DATABASE_URL", ground.options.clone().database(database).to_url_lossy().as_str())
            .env("REDIS_URL", &ground.redis_url)
            .env("REDIS_NAMESPACE", &ground.namespace)
            .env("LEPTOS_SITE_ROOT", super::site::root())
            .envs(["STILL", "QUEUE", "CLIP"].map(|what| (format!("SIMULATOR_{what}_DELAY_MS"), "0")))
            .env("API_REQUESTS_PER_MINUTE", "100000000")
            .env("DAILY_GENERATIONS", "1000000")
            .env("DAILY_SPEND_USD", "100000")
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log)?)
            .kill_on_drop(true)
            .spawn()
            .context(PROGRAM)?;
        let mut lines = BufReader::new(process.stdout.take().context("no output")?).lines();
        let ready = async {
            while let Some(line) = lines.next_line().await? {
                if let Ok(ready) = serde_json::from_str(&line) {
                    return Ok(ready);
                }
            }
            anyhow::bail!("it ended before it was ready")
        };
        let ready = timeout(READY_LIMIT, ready).await.context("it is not ready yet").flatten();
        let ready = ready.with_context(|| format!("{PROGRAM} did not start:\n{}", tail(&log)))?;
        Ok(Self { process, log, ready })
    }

    /// Its process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    /// The end of what it logged.
    pub fn last_words(&self) -> String {
        tail(&self.log)
    }

    /// Ends it as Ctrl-C would.
    pub async fn stop(mut self, limit: Duration) -> anyhow::Result<()> {
        if let Some(pid) = self.process.id().and_then(|pid| i32::try_from(pid).ok()) {
            kill(Pid::from_raw(pid), Signal::SIGINT)?;
        }
        timeout(limit, self.process.wait()).await.context("Lookreel did not stop")??;
        Ok(())
    }
}

pub fn tail(log: &Path) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    let start = bytes.len().saturating_sub(LAST_WORDS_BYTES);
    String::from_utf8_lossy(bytes.get(start..).unwrap_or_default()).into_owned()
}
