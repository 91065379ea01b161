//! A Postgres and a Redis that belong to one run, to be stopped in every bad way.

use std::{
    fs::{File, Permissions},
    net::SocketAddr,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use sqlx::{Connection as _, PgConnection};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::house::free_address;

/// A server that takes longer to answer has not started.
const START: Duration = Duration::from_secs(60);

/// Postgres, fast and forgetful only where the machine itself dies.
pub struct Postgres {
    child: Child,
    bin: PathBuf,
    dir: PathBuf,
    address: SocketAddr,
    account: Option<(u32, u32)>,
}

impl Postgres {
    /// An empty cluster in a folder.
    pub async fn start(dir: &Path) -> Self {
        let found = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/find-postgres")).output();
        let bin = PathBuf::from(String::from_utf8(found.unwrap().stdout).unwrap().trim());
        let (dir, account) = (dir.join("postgres"), lent_account(dir));
        std::fs::create_dir(&dir).unwrap();
        if let Some((uid, gid)) = account {
            chown(&dir, Some(uid), Some(gid)).unwrap();
        }
        let data = dir.join("data");
        let mut init = as_account(&bin.join("initdb"), account, &dir);
        let words = ["--username", "lookreel", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"];
        let made = init.arg("--pgdata").arg(&data).args(words).output().expect("initdb runs: scripts/setup test");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let address = free_address();
        let child = Self::spawn(&bin, &dir, address, account);
        let server = Self { child, bin, dir, address, account };
        server.wait().await;
        server
    }

    pub fn url(&self) -> String {
        format!("postgres://lookreel@{}/postgres", self.address)
    }

    /// Stops it as a crash does and starts it again: what was acknowledged is there, what was under way is not.
    pub async fn restart(&mut self) {
        kill(pid(&self.child), Signal::SIGQUIT).unwrap();
        self.child.wait().unwrap();
        self.child = Self::spawn(&self.bin, &self.dir, self.address, self.account);
        self.wait().await;
    }

    /// Writes everything in it as SQL.
    pub fn dump(&self, to: &Path) -> Result<(), String> {
        let mut command = Command::new(self.bin.join("pg_dump"));
        let dumped = command.args(["--dbname", &self.url(), "--no-owner", "--file"]).arg(to).output();
        let dumped = dumped.map_err(|error| format!("pg_dump does not start: {error}"))?;
        dumped.status.success().then_some(()).ok_or_else(|| String::from_utf8_lossy(&dumped.stderr).into_owned())
    }

    fn spawn(bin: &Path, dir: &Path, address: SocketAddr, account: Option<(u32, u32)>) -> Child {
        let log = File::options().create(true).append(true).open(dir.with_extension("log")).unwrap();
        let mut command = as_account(&bin.join("postgres"), account, dir);
        command.arg("-D").arg(dir.join("data")).args(["-p", &address.port().to_string()]);
        // Without fsync a commit still is with the system before it is acknowledged, so it outlives the process.
        for setting in ["fsync=off", "full_page_writes=off", "max_connections=200", "listen_addresses=127.0.0.1"] {
            command.args(["-c", setting]);
        }
        command.args(["-c", "unix_socket_directories=", "-c", "timezone=UTC"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    async fn wait(&self) {
        let connects = async || match PgConnection::connect(&self.url()).await {
            Ok(connection) => connection.close().await.is_ok(),
            Err(_) => false,
        };
        until("Postgres", connects).await;
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // It may have ended already.
        _ = kill(pid(&self.child), Signal::SIGQUIT);
        _ = self.child.wait();
    }
}

/// Redis without a disk: what it forgets is gone.
pub struct Redis {
    child: Child,
    dir: PathBuf,
    address: SocketAddr,
}

impl Redis {
    pub async fn start(dir: &Path) -> Self {
        let address = free_address();
        let server = Self { child: Self::spawn(dir, address), dir: dir.to_owned(), address };
        server.wait().await;
        server
    }

    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Every key goes.
    pub async fn flush(&self) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(b"FLUSHALL\r\n").await.unwrap();
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"+OK\r\n");
    }

    /// Gone without a word, away for a while, back and empty.
    pub async fn kill_for(&mut self, away: Duration) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        tokio::time::sleep(away).await;
        self.child = Self::spawn(&self.dir, self.address);
        self.wait().await;
    }

    /// There, and silent.
    pub async fn freeze_for(&self, silent: Duration) {
        kill(pid(&self.child), Signal::SIGSTOP).unwrap();
        tokio::time::sleep(silent).await;
        kill(pid(&self.child), Signal::SIGCONT).unwrap();
    }

    fn spawn(dir: &Path, address: SocketAddr) -> Child {
        let mut command = Command::new("redis-server");
        command.args(["--port", &address.port().to_string(), "--bind", "127.0.0.1"]).arg("--dir").arg(dir);
        command.args(["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"]);
        command.arg("--logfile").arg(dir.join("redis.log"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("redis-server is installed")
    }

    async fn wait(&self) {
        until("Redis", async || TcpStream::connect(self.address).await.is_ok()).await;
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap())
}

/// Postgres refuses to be root: whom it becomes instead. Its folder must be reachable for them, too.
fn lent_account(dir: &Path) -> Option<(u32, u32)> {
    if std::fs::metadata(dir).unwrap().uid() != 0 {
        return None;
    }
    std::fs::set_permissions(dir, Permissions::from_mode(0o755)).unwrap();
    let ask = |flag: &str, name: &str| {
        let answer = Command::new("id").args([flag, name]).output().ok()?;
        String::from_utf8(answer.stdout).ok()?.trim().parse().ok()
    };
    ["postgres", "nobody"].iter().find_map(|name| Some((ask("-u", name)?, ask("-g", name)?)))
}

fn as_account(program: &Path, account: Option<(u32, u32)>, dir: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(dir);
    if let Some((uid, gid)) = account {
        command.uid(uid).gid(gid);
    }
    command
}

async fn until(what: &str, mut is_there: impl AsyncFnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !is_there().await {
        assert!(begun.elapsed() < START, "{what} does not answer");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
