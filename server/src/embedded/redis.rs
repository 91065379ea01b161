//! The private Redis.

use std::{fs, net::Ipv4Addr, path::Path, process::Stdio, time::Duration};

use nix::{sys::signal::Signal, unistd::Pid};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{
    EmbeddedError, account,
    folder::{Folder, failed},
    process::{ServerProcess, StopPlan, stop_orphan},
    program,
};

/// Long enough to read a large append-only file back.
const START_LIMIT: Duration = Duration::from_secs(60);
const ANSWER_LIMIT: Duration = Duration::from_secs(1);
const ANSWER_MAX_BYTES: u64 = 64 * 1024;
const STOP_PLAN: &StopPlan = &[(Signal::SIGTERM, Duration::from_secs(10))];

/// A Redis of our own, with its append-only file in `state_dir/redis/data`.
#[derive(Debug)]
pub struct EmbeddedRedis {
    process: ServerProcess,
    url: String,
    /// Held until the server is gone, so that no second one starts on the same data.
    _folder: Folder,
}

impl EmbeddedRedis {
    /// Starts the server and waits until it has its data in memory. A server that an earlier run
    /// left behind on the same data is stopped first.
    ///
    /// # Errors
    /// When Redis is not installed, the folder is in use or not writable, or the server does not
    /// come up within 60 s.
    pub async fn start(state_dir: &Path) -> Result<Self, EmbeddedError> {
        let folder = Folder::open(state_dir, "redis")?;
        let program = program::find_redis()?;
        let data = folder.path().join("data");
        fs::create_dir_all(&data).map_err(failed("create", &data))?;
        clear_orphan(&folder).await?;
        let port = folder.choose_port()?;
        let process = ServerProcess::spawn("Redis", serve(&program, port, &folder)?).await?;
        let ready = process.wait_ready(START_LIMIT, &folder, async || is_ready(port, process.pid()).await).await;
        if let Err(error) = ready {
            process.stop(STOP_PLAN).await;
            return Err(error);
        }
        tracing::info!(server.port = port, "private Redis accepts connections on port {port}");
        Ok(Self { process, url: format!("redis://127.0.0.1:{port}"), _folder: folder })
    }

    /// Where to connect: no user, no password, database 0.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns when the server has ended by itself, which it never should.
    pub async fn exited(&self) {
        self.process.exited().await;
    }

    /// Writes everything out and waits for the server to be gone: at most 10 s, then it is killed.
    pub async fn stop(self) {
        self.process.stop(STOP_PLAN).await;
    }
}

fn serve(program: &Path, port: u16, folder: &Folder) -> Result<std::process::Command, EmbeddedError> {
    let log = folder.open_log()?;
    let errors = log.try_clone().map_err(failed("open", &folder.log_path()))?;
    let mut command = account::command(program, None, folder.path());
    command
        .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
        .arg("--dir")
        .arg(folder.path().join("data"))
        .arg("--pidfile")
        .arg(folder.path().join("pid"))
        .args(["--daemonize", "no", "--appendonly", "yes", "--save", ""])
        // Job ids and sessions may be refused for want of memory, but never dropped.
        .args(["--maxmemory-policy", "noeviction"])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors);
    Ok(command)
}

/// Redis shows its address, not its folder, in its command line; the port is known from last time.
async fn clear_orphan(folder: &Folder) -> Result<(), EmbeddedError> {
    let pid = fs::read_to_string(folder.path().join("pid"))
        .ok()
        .and_then(|text| text.trim().parse::<i32>().ok())
        .filter(|pid| *pid > 1);
    let (Some(pid), Some(port)) = (pid, folder.last_port()) else {
        return Ok(());
    };
    let address = format!("127.0.0.1:{port}");
    if stop_orphan(Pid::from_raw(pid), &["redis-server", &address], STOP_PLAN).await {
        return Ok(());
    }
    Err(EmbeddedError::InUse { path: folder.path().to_owned() })
}

/// Whether our process, and not a stranger on the same port, answers with its data loaded.
async fn is_ready(port: u16, pid: Pid) -> bool {
    let Ok(Some(info)) = timeout(ANSWER_LIMIT, ask_info(port)).await else {
        return false;
    };
    let holds = |line: &str| info.lines().any(|found| found.trim() == line);
    holds(&format!("process_id:{pid}")) && holds("loading:0")
}

async fn ask_info(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()?;
    stream.write_all(b"INFO\r\nQUIT\r\n").await.ok()?;
    let mut answer = Vec::new();
    stream.take(ANSWER_MAX_BYTES).read_to_end(&mut answer).await.ok()?;
    Some(String::from_utf8_lossy(&answer).into_owned())
}
