//! The private Postgres.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use nix::{sys::signal::Signal, unistd::Pid};
use tokio::{io::AsyncWriteExt, time::timeout};

use super::{
    EmbeddedError,
    account::{self, Account},
    folder::{Folder, failed, tail},
    process::{ServerProcess, StopPlan, stop_orphan},
    program,
};

const OWNER: &str = "lookreel";
const DATABASE: &str = "lookreel";
const INITDB_LIMIT: Duration = Duration::from_secs(120);
/// Long enough to replay what a killed server had not yet written.
const START_LIMIT: Duration = Duration::from_secs(90);
/// Fast shutdown, then immediate shutdown: <https://www.postgresql.org/docs/current/server-shutdown.html>.
const STOP_PLAN: &StopPlan = &[(Signal::SIGINT, Duration::from_secs(20)), (Signal::SIGQUIT, Duration::from_secs(5))];

/// A Postgres of our own, with its data in `state_dir/postgres/data`.
#[derive(Debug)]
pub struct EmbeddedPostgres {
    process: ServerProcess,
    url: String,
    /// Held until the server is gone, so that no second one starts on the same data.
    _folder: Folder,
}

impl EmbeddedPostgres {
    /// Starts the server and waits until it accepts connections. The first time it also makes the
    /// cluster (UTF-8, trusting loopback) and an empty database. A server that an earlier run left
    /// behind on the same data is stopped first.
    ///
    /// # Errors
    /// When Postgres is not installed, the folder is in use or not writable, or the server does not
    /// come up within 90 s.
    pub async fn start(state_dir: &Path) -> Result<Self, EmbeddedError> {
        let folder = Folder::open(state_dir, "postgres")?;
        let data = folder.path().join("data");
        let cluster = Cluster {
            programs: program::find_postgres(made_with(&data)?.as_deref())?,
            account: Account::for_postgres().await?,
            data,
        };
        if made_with(&cluster.data)?.is_none() {
            cluster.create(&folder).await?;
        }
        cluster.clear_orphan().await?;
        let port = folder.choose_port()?;
        let process = ServerProcess::spawn("Postgres", cluster.serve(port, &folder)?).await?;
        let ready = process.wait_ready(START_LIMIT, &folder, async || cluster.is_ready(process.pid())).await;
        if let Err(error) = ready {
            process.stop(STOP_PLAN).await;
            return Err(error);
        }
        tracing::info!(server.port = port, "private Postgres accepts connections on port {port}");
        Ok(Self { process, url: format!("postgres://{OWNER}@127.0.0.1:{port}/{DATABASE}"), _folder: folder })
    }

    /// Where to connect: user and database `lookreel`, no password.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns when the server has ended by itself, which it never should.
    pub async fn exited(&self) {
        self.process.exited().await;
    }

    /// Ends every session, writes everything out and waits for the server to be gone: at most
    /// 25 s, then it is killed.
    pub async fn stop(self) {
        self.process.stop(STOP_PLAN).await;
    }
}

/// A data folder with the programs and the user that belong to it.
struct Cluster {
    programs: PathBuf,
    account: Option<Account>,
    data: PathBuf,
}

impl Cluster {
    /// Makes the cluster beside its place and moves it there when it is complete, so that a start
    /// that was interrupted half-way is simply done again.
    async fn create(&self, folder: &Folder) -> Result<(), EmbeddedError> {
        let fresh = folder.path().join("data.new");
        if fresh.exists() {
            fs::remove_dir_all(&fresh).map_err(failed("remove", &fresh))?;
        }
        fs::create_dir(&fresh).map_err(failed("create", &fresh))?;
        let private = fs::Permissions::from_mode(0o700);
        fs::set_permissions(&fresh, private).map_err(failed("close", &fresh))?;
        if let Some(Account { uid, gid }) = self.account {
            chown(&fresh, Some(uid), Some(gid)).map_err(failed("hand over", &fresh))?;
        }
        self.initdb(&fresh).await?;
        self.create_database(&fresh).await?;
        fs::rename(&fresh, &self.data).map_err(failed("rename", &fresh))
    }

    async fn initdb(&self, fresh: &Path) -> Result<(), EmbeddedError> {
        let mut command = self.command("initdb");
        command.arg("--pgdata").arg(fresh).args(["--username", OWNER, "--auth", "trust", "--encoding", "UTF8"]);
        // The same order and letter classes on every machine, Korean included.
        if cfg!(target_os = "macos") {
            command.args(["--locale", "C", "--lc-ctype", "UTF-8"]);
        } else {
            command.args(["--locale", "C.UTF-8"]);
        }
        run("initdb", command, "").await
    }

    /// Single-user mode needs neither a client program nor a port.
    async fn create_database(&self, fresh: &Path) -> Result<(), EmbeddedError> {
        let mut command = self.command("postgres");
        command.arg("--single").arg("-D").arg(fresh).arg("postgres");
        run("postgres --single", command, &format!("create database {DATABASE}\n")).await
    }

    /// Stops a server that outlived its lookreel, and removes its `postmaster.pid` when the number
    /// in it belongs to nobody or to a stranger, which Postgres could not tell apart by itself.
    async fn clear_orphan(&self) -> Result<(), EmbeddedError> {
        let pid_file = self.data.join("postmaster.pid");
        let Some(pid) = first_line_pid(&pid_file) else {
            return Ok(());
        };
        let data = self.data.to_string_lossy();
        if !stop_orphan(pid, &["postgres", &data], STOP_PLAN).await {
            return Err(EmbeddedError::InUse { path: self.data.clone() });
        }
        match fs::remove_file(&pid_file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed("remove", &pid_file)(error)),
            _ => Ok(()),
        }
    }

    fn serve(&self, port: u16, folder: &Folder) -> Result<Command, EmbeddedError> {
        let log = folder.open_log()?;
        let errors = log.try_clone().map_err(failed("open", &folder.log_path()))?;
        let mut command = self.command("postgres");
        command
            .arg("-D")
            .arg(&self.data)
            .args(["-p", &port.to_string()])
            .args(["-c", "listen_addresses=127.0.0.1"])
            // A socket file would need a path shorter than some checkouts have.
            .args(["-c", "unix_socket_directories="])
            .args(["-c", "cluster_name=lookreel"])
            .args(["-c", "timezone=UTC"])
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors);
        Ok(command)
    }

    /// The sign that `pg_ctl start --wait` waits for: our process, with `ready` in line 8 of its
    /// `postmaster.pid`.
    fn is_ready(&self, pid: Pid) -> bool {
        let text = fs::read_to_string(self.data.join("postmaster.pid")).unwrap_or_default();
        let mut lines = text.lines();
        lines.next().map(str::trim) == Some(&pid.to_string()) && lines.nth(6).map(str::trim) == Some("ready")
    }

    fn command(&self, name: &str) -> Command {
        let mut command = account::command(&self.programs.join(name), self.account.as_ref(), &self.data);
        // The caller's folder may be closed to the server's user.
        command.current_dir("/").env_remove("PGDATA");
        command
    }
}

/// The version that made the data, or `None` when there is no complete cluster yet.
fn made_with(data: &Path) -> Result<Option<String>, EmbeddedError> {
    let path = data.join("PG_VERSION");
    match fs::read_to_string(&path) {
        Ok(version) => Ok(Some(version)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", &path)(error)),
    }
}

fn first_line_pid(pid_file: &Path) -> Option<Pid> {
    let text = fs::read_to_string(pid_file).ok()?;
    let pid: i32 = text.lines().next()?.trim().parse().ok()?;
    (pid > 1).then(|| Pid::from_raw(pid))
}

/// Runs a preparing program to its end.
async fn run(program: &'static str, command: Command, input: &str) -> Result<(), EmbeddedError> {
    let path = PathBuf::from(command.get_program());
    let spawn_error = |source| EmbeddedError::Spawn { program: path.clone(), source };
    let mut child = tokio::process::Command::from(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(spawn_error)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ended early says why in its own words below.
        _ = stdin.write_all(input.as_bytes()).await;
    }
    let Ok(output) = timeout(INITDB_LIMIT, child.wait_with_output()).await else {
        return Err(EmbeddedError::TimedOut { what: program, limit_seconds: INITDB_LIMIT.as_secs(), log: path });
    };
    let output = output.map_err(spawn_error)?;
    if output.status.success() {
        return Ok(());
    }
    Err(EmbeddedError::Failed {
        program,
        status: output.status,
        output: tail(&[output.stdout, output.stderr].concat()),
    })
}
