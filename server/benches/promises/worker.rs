//! The worker beside its encoders: `lookreel work` as a process of its own, with `lookreel serve` for the clicks.

use std::{net::SocketAddr, path::Path, process::Stdio, time::Duration};

use anyhow::Context as _;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use secrecy::SecretString;
use simulator::Simulator;
use sqlx::ConnectOptions as _;
use storage::embedded::Endpoint;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};
use url::Url;

use super::{
    Ground,
    click::Desk,
    lookreel::{PROGRAM, Ready, tail},
    memory::{peak_mib, reset_peak},
    table::Table,
};

const WORKER_MIB: f64 = 80.0;
const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// Generations before the measured one: what a worker keeps for good is there then.
const WARM_UP: usize = 1;
/// What `up` calls its bucket.
const BUCKET: &str = "lookreel";
const KEY_ID: &str = "bench";
const SECRET: &str = "a secret of this run and no other";

/// Measures the most memory a worker has while it makes a video in 1080p with HLS, in the shop that `up` left in a folder.
pub async fn measure(
    ground: &Ground,
    database: &str,
    folder: &Path,
    account: &Ready,
    table: &mut Table,
) -> anyhow::Result<()> {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let state = folder.join("state");
    let objects = Endpoint::start(&state.join("objects"), any, KEY_ID, &SecretString::from(SECRET)).await?;
    let quick = simulator::Settings { state_dir: state.join("simulator"), ..simulator::Settings::default() };
    let providers = Simulator::start(quick).await?;
    let database = ground.options.clone().database(database).to_url_lossy();
    let (objects_url, providers_url) = (objects.url(), providers.url());
    let work_dir = folder.join("worker").display().to_string();
    let settings = [
        ("DATABASE_URL", database.as_str()),
        ("REDIS_URL", &ground.redis_url),
        ("REDIS_NAMESPACE", &ground.namespace),
        ("S3_ENDPOINT", &objects_url),
        ("S3_BUCKET", BUCKET),
        ("S3_ACCESS_KEY_ID", KEY_ID),
        ("S3_SECRET_ACCESS_KEY", SECRET),
        ("S3_PATH_STYLE", "true"),
        ("SIMULATOR_URL", providers_url.as_str()),
        ("CALLBACK_SECRET", SECRET),
        ("WORK_DIR", &work_dir),
        ("LISTEN", "127.0.0.1:0"),
        ("DAILY_GENERATIONS", "100000"),
        ("DAILY_SPEND_USD", "100000"),
        // As the encoder beside the bare command is measured.
        ("AV1", "false"),
    ];
    let mut server = Role::start("serve", &settings, folder).await?;
    let mut worker = Role::start("work", &settings, folder).await?;
    let measured = video(&server, &worker, account).await;
    let measured = measured.with_context(|| format!("the worker's last words:\n{}", tail(&worker.log)));
    worker.stop().await?;
    server.stop().await?;
    providers.stop().await;
    objects.stop().await;
    table.promise("peak memory of the worker itself while it makes a video", measured?, WORKER_MIB, "MiB");
    Ok(())
}

/// The worker's peak while it makes one video, in MiB.
async fn video(server: &Role, worker: &Role, account: &Ready) -> anyhow::Result<f64> {
    let address = server.said.split_whitespace().last().unwrap_or_default();
    let desk = Desk::sign_in(&Url::parse(address)?, account).await?;
    let product = desk.any_product().await?;
    let process = worker.child.id().context("the worker ended")?;
    for number in 0..=WARM_UP {
        println!("generation {} of {} by a worker of its own", number + 1, WARM_UP + 1);
        reset_peak(process)?;
        desk.make_video(product, &[("resolution", "1080p"), ("hls", "true")]).await?;
    }
    peak_mib(process)
}

/// A role of the program in a process of its own.
struct Role {
    child: Child,
    log: std::path::PathBuf,
    /// The line it prints when it has started.
    said: String,
}

impl Role {
    async fn start(role: &str, settings: &[(&str, &str)], folder: &Path) -> anyhow::Result<Self> {
        let log = folder.join(format!("{role}.log"));
        let mut child = Command::new(PROGRAM)
            .arg(role)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LEPTOS_SITE_ROOT", super::site::root())
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log)?)
            .kill_on_drop(true)
            .spawn()
            .context(PROGRAM)?;
        let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        let said = timeout(START_LIMIT, lines.next_line()).await.context("it is not ready yet")??;
        let said = said.with_context(|| format!("{PROGRAM} {role} did not start:\n{}", tail(&log)))?;
        Ok(Self { child, log, said })
    }

    async fn stop(&mut self) -> anyhow::Result<()> {
        if let Some(pid) = self.child.id().and_then(|pid| i32::try_from(pid).ok()) {
            kill(Pid::from_raw(pid), Signal::SIGTERM)?;
        }
        timeout(STOP_LIMIT, self.child.wait()).await.context("it did not stop")??;
        Ok(())
    }
}
