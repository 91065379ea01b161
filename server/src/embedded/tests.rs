//! Real servers from the installed programs; nothing here waits by sleeping.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::{Child, Command, Stdio},
};

use sqlx::{Connection, Executor, PgConnection, Row};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{EmbeddedError, EmbeddedPostgres, EmbeddedRedis, program};

/// Makes [`hold_servers`] do its work, in the folder it names.
const HOLD: &str = "LOOKREEL_TEST_HOLD";

#[tokio::test]
async fn postgres_keeps_its_data_and_its_port_over_a_restart() {
    let state = TempDir::new().unwrap();

    let first = EmbeddedPostgres::start(state.path()).await.unwrap();
    let url = first.url().to_owned();
    write_row(&url, "옷").await;
    first.stop().await;
    assert!(PgConnection::connect(&url).await.is_err(), "still there after stop");

    let second = EmbeddedPostgres::start(state.path()).await.unwrap();
    assert_eq!(second.url(), url);
    assert_eq!(read_row(second.url()).await, "옷");
    second.stop().await;
}

#[tokio::test]
async fn redis_keeps_its_data_over_a_restart_and_never_drops_keys() {
    let state = TempDir::new().unwrap();

    let first = EmbeddedRedis::start(state.path()).await.unwrap();
    assert!(ask(first.url(), "SET job 7").await.starts_with("+OK"));
    let policy = ask(first.url(), "CONFIG GET maxmemory-policy").await;
    assert!(policy.contains("noeviction"), "{policy}");
    first.stop().await;

    let second = EmbeddedRedis::start(state.path()).await.unwrap();
    assert!(ask(second.url(), "GET job").await.contains('7'));
    second.stop().await;
}

#[tokio::test]
async fn a_taken_port_is_chosen_anew() {
    let state = TempDir::new().unwrap();
    fs::create_dir_all(state.path().join("redis")).unwrap();
    let stranger = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let taken = stranger.local_addr().unwrap().port();
    fs::write(state.path().join("redis/port"), taken.to_string()).unwrap();

    let redis = EmbeddedRedis::start(state.path()).await.unwrap();

    assert!(!redis.url().ends_with(&format!(":{taken}")));
    assert!(ask(redis.url(), "PING").await.starts_with("+PONG"));
    redis.stop().await;
}

#[tokio::test]
async fn two_lookreels_do_not_share_a_state_folder() {
    let state = TempDir::new().unwrap();
    let first = EmbeddedRedis::start(state.path()).await.unwrap();

    let second = EmbeddedRedis::start(state.path()).await;

    assert!(matches!(second, Err(EmbeddedError::InUse { .. })), "{second:?}");
    assert!(ask(first.url(), "PING").await.starts_with("+PONG"));
    first.stop().await;
}

#[tokio::test]
async fn a_half_made_cluster_is_made_again() {
    let state = TempDir::new().unwrap();
    fs::create_dir_all(state.path().join("postgres/data.new/base")).unwrap();

    let postgres = EmbeddedPostgres::start(state.path()).await.unwrap();

    write_row(postgres.url(), "x").await;
    postgres.stop().await;
}

#[tokio::test]
async fn a_stale_pid_of_a_stranger_is_neither_signalled_nor_in_the_way() {
    let state = TempDir::new().unwrap();
    EmbeddedPostgres::start(state.path()).await.unwrap().stop().await;
    let pid_file = state.path().join("postgres/data/postmaster.pid");
    let mut stranger = Command::new("sleep").arg("60").spawn().unwrap();
    fs::write(&pid_file, format!("{}\n", stranger.id())).unwrap();

    let postgres = EmbeddedPostgres::start(state.path()).await.unwrap();

    assert!(stranger.try_wait().unwrap().is_none(), "the stranger was stopped");
    postgres.stop().await;
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[tokio::test]
async fn data_survives_a_killed_lookreel() {
    let state = TempDir::new().unwrap();
    let mut lookreel = held_servers(state.path(), None);
    write_row(&lookreel.postgres_url, "kept").await;
    lookreel.kill();

    let postgres = EmbeddedPostgres::start(state.path()).await.unwrap();
    let redis = EmbeddedRedis::start(state.path()).await.unwrap();

    assert_eq!(read_row(postgres.url()).await, "kept");
    assert!(ask(redis.url(), "PING").await.starts_with("+PONG"));
    redis.stop().await;
    postgres.stop().await;
}

/// Without `setpriv` nothing interrupts the servers when their lookreel is killed.
#[tokio::test]
async fn servers_left_behind_are_stopped_by_the_next_start() {
    let state = TempDir::new().unwrap();
    open_to_all(state.path());
    let programs = TempDir::new().unwrap();
    for name in ["id", "redis-server"] {
        symlink(program::find(name).unwrap(), programs.path().join(name)).unwrap();
    }
    let mut lookreel = held_servers(state.path(), Some(programs.path()));
    write_row(&lookreel.postgres_url, "kept").await;
    lookreel.kill();
    PgConnection::connect(&lookreel.postgres_url).await.expect("the servers outlive their lookreel here");

    let postgres = EmbeddedPostgres::start(state.path()).await.unwrap();
    let redis = EmbeddedRedis::start(state.path()).await.unwrap();

    assert_eq!(read_row(postgres.url()).await, "kept");
    assert_eq!(redis.url(), lookreel.redis_url, "the port is free again");
    redis.stop().await;
    postgres.stop().await;
}

/// Not a test by itself: the lookreel that the tests above kill.
#[tokio::test]
#[ignore = "run as a child process by other tests"]
async fn hold_servers() {
    let Some(state) = env::var_os(HOLD) else {
        return;
    };
    let postgres = EmbeddedPostgres::start(Path::new(&state)).await.unwrap();
    let redis = EmbeddedRedis::start(Path::new(&state)).await.unwrap();
    let mut stdout = std::io::stdout();
    writeln!(stdout, "held {} {}", postgres.url(), redis.url()).unwrap();
    std::future::pending::<()>().await;
}

struct Held {
    child: Child,
    postgres_url: String,
    redis_url: String,
}

impl Held {
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn held_servers(state: &Path, path: Option<&Path>) -> Held {
    let name = module_path!().split_once("::").unwrap().1;
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--ignored", "--exact", "--nocapture"])
        .arg(format!("{name}::hold_servers"))
        .env(HOLD, state)
        .stdout(Stdio::piped());
    if let Some(path) = path {
        command.env("PG_BINDIR", program::find_postgres(None).unwrap()).env("PATH", path);
    }
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let held = lines
        .map(Result::unwrap)
        .find_map(|line| Some(line.split_once("held ")?.1.to_owned()))
        .expect("the child says where its servers are");
    let (postgres_url, redis_url) = held.split_once(' ').unwrap();
    Held { child, postgres_url: postgres_url.to_owned(), redis_url: redis_url.to_owned() }
}

fn open_to_all(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
}

async fn write_row(url: &str, text: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    connection.execute("create table kept (text text not null)").await.unwrap();
    let insert = sqlx::query("insert into kept values ($1)").bind(text);
    connection.execute(insert).await.unwrap();
    connection.close().await.unwrap();
}

async fn read_row(url: &str) -> String {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let row = connection.fetch_one("select text from kept").await.unwrap();
    row.get(0)
}

async fn ask(url: &str, question: &str) -> String {
    let address = url.strip_prefix("redis://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{question}\r\nQUIT\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
