//! A queue of its own for each test, and a handler made of a closure.

use std::future::Future;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use fred::clients::Client;
use fred::interfaces::{ClientLike, LuaInterface};
use futures::future::BoxFuture;
use jobs::{Attempt, Error, Failure, Handler, Job, NewJob, Outcome, Queue, RedisSettings, Worker, WorkerSettings};
use serde_json::json;
use sqlx::{PgConnection, PgPool};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub type Answer = Result<Outcome, Failure>;
type Play = Box<dyn Fn(Attempt) -> BoxFuture<'static, Answer> + Send + Sync>;

/// Runs a closure; remembers what was given up.
pub struct Actor {
    play: Play,
    pub gone: Mutex<Vec<(Uuid, String)>>,
}

impl Actor {
    pub fn new<F, Fut>(play: F) -> Arc<Self>
    where
        F: Fn(Attempt) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Answer> + Send + 'static,
    {
        Arc::new(Self { play: Box::new(move |attempt| Box::pin(play(attempt))), gone: Mutex::new(Vec::new()) })
    }

    pub fn gone_codes(&self) -> Vec<String> {
        self.gone.lock().unwrap().iter().map(|(_, code)| code.clone()).collect()
    }
}

#[async_trait]
impl Handler for Actor {
    async fn run(&self, attempt: &Attempt) -> Answer {
        (self.play)(attempt.clone()).await
    }

    async fn give_up(&self, _tx: &mut PgConnection, job: &Job, failure: &Failure) -> Result<Vec<Uuid>, Error> {
        self.gone.lock().unwrap().push((job.id, failure.code.clone()));
        Ok(Vec::new())
    }
}

/// Nothing listens on port 1.
pub const NO_REDIS: &str = "redis://127.0.0.1:1";

/// A job that succeeds.
pub fn willing() -> Arc<Actor> {
    Actor::new(async |_| Ok(Outcome::Done))
}

pub struct Stage {
    pub pg: PgPool,
    pub queue: Queue,
    pub redis_url: String,
    pub namespace: String,
}

impl Stage {
    pub async fn open(pg: PgPool) -> Self {
        let url = std::env::var("REDIS_URL").expect("REDIS_URL names the Redis to test with");
        Self::open_at(pg, url).await
    }

    pub async fn open_at(pg: PgPool, redis_url: String) -> Self {
        let namespace = format!("test-{}", Uuid::new_v4());
        let queue = Queue::connect(pg.clone(), RedisSettings::new(redis_url.clone(), namespace.clone())).await.unwrap();
        Self { pg, queue, redis_url, namespace }
    }

    pub fn worker(&self, actor: &Arc<Actor>) -> Worker {
        self.worker_with(actor, quick())
    }

    pub fn worker_with(&self, actor: &Arc<Actor>, settings: WorkerSettings) -> Worker {
        Worker::new(self.queue.clone(), settings).with_handler("act", actor.clone())
    }

    /// Starts a worker; it stops when the token fires.
    pub fn start(&self, actor: &Arc<Actor>, settings: WorkerSettings) -> Running {
        self.run(self.worker_with(actor, settings))
    }

    pub fn run(&self, worker: Worker) -> Running {
        let stop = CancellationToken::new();
        let task = tokio::spawn(worker.run(stop.clone()));
        Running { stop, task }
    }

    /// Redis is ready, and no worker leads while the connection is open: nobody reconciles, which would wake them.
    pub async fn take_the_lead(&self) -> PgConnection {
        self.worker(&willing()).step().await.unwrap();
        let mut connection = self.pg.acquire().await.unwrap().detach();
        crate::store::lead(&mut connection).await;
        connection
    }

    /// Commits a job without telling Redis.
    pub async fn commit(&self, job: &NewJob) -> Uuid {
        let mut tx = self.pg.begin().await.unwrap();
        let id = jobs::enqueue(&mut tx, job).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    pub async fn enqueue(&self, job: &NewJob) -> Uuid {
        let id = self.commit(job).await;
        self.queue.dispatch(&[id]).await;
        id
    }

    pub async fn wait_for_state(&self, id: Uuid, state: &str) {
        let pg = &self.pg;
        until(&format!("job to be {state}"), async || crate::store::read(pg, id).await.state == state).await;
    }

    /// Deletes every key of this test.
    pub async fn wipe_redis(&self) {
        let script = "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end return 1";
        let _: i64 = self.eval(script, vec![format!("{{{}}}:*", self.namespace)]).await;
    }

    /// Every key of this test with what it holds and the milliseconds it lives, -1 for ever.
    pub async fn dump_redis(&self) -> Vec<(String, String, i64)> {
        let script = "local all = {} \
             for _, key in ipairs(redis.call('KEYS', ARGV[1])) do \
               local kind = redis.call('TYPE', key).ok \
               local words = kind == 'zset' and redis.call('ZRANGE', key, 0, -1) or { redis.call('GET', key) } \
               all[#all + 1] = key \
               all[#all + 1] = table.concat(words, ' ') \
               all[#all + 1] = tostring(redis.call('PTTL', key)) \
             end return all";
        let prefix = format!("{{{}}}:", self.namespace);
        let words: Vec<String> = self.eval(script, vec![format!("{prefix}*")]).await;
        let key = |word: &str| word.strip_prefix(&prefix).unwrap().to_owned();
        words.chunks(3).map(|key_of| (key(&key_of[0]), key_of[1].clone(), key_of[2].parse().unwrap())).collect()
    }

    pub async fn eval<R: fred::types::FromValue>(&self, script: &str, args: Vec<String>) -> R {
        let client = Client::new(fred::types::config::Config::from_url(&self.redis_url).unwrap(), None, None, None);
        client.init().await.unwrap();
        let answer = client.eval(script, vec![format!("{{{}}}:epoch", self.namespace)], args).await.unwrap();
        client.quit().await.unwrap();
        answer
    }
}

pub struct Running {
    pub stop: CancellationToken,
    pub task: JoinHandle<Result<(), Error>>,
}

impl Running {
    pub async fn end(self) {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(20), self.task).await.unwrap().unwrap().unwrap();
    }
}

pub fn job() -> NewJob {
    NewJob::new("act", "local", json!({}))
}

/// Retries come at once.
pub fn quick() -> WorkerSettings {
    WorkerSettings { retry_base_secs: 0, grace_secs: 5, cancel_grace_secs: 1, ..WorkerSettings::default() }
}

/// What redis-cli says.
pub fn ask(port: u16, words: &[&str]) -> String {
    let output = Command::new("redis-cli").args(["-p", &port.to_string()]).args(words).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// What a spawned step came to: one that never ends is a failure like any other.
pub async fn end_of(step: JoinHandle<Result<usize, Error>>) -> usize {
    tokio::time::timeout(Duration::from_secs(30), step).await.expect("the step ends").unwrap().unwrap()
}

/// Waits for a condition, and fails loudly when it does not come.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    for _ in 0..1_000 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    panic!("waited in vain for {what}");
}

/// A Redis of the test's own, to be configured and killed.
pub struct OwnRedis {
    child: Child,
    pub port: u16,
    pub policy: &'static str,
}

impl OwnRedis {
    pub async fn start(policy: &'static str) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { child: Self::spawn(port, policy), port, policy };
        server.wait().await;
        server
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub async fn restart(&mut self) {
        self.child = Self::spawn(self.port, self.policy);
        self.wait().await;
    }

    fn spawn(port: u16, policy: &str) -> Child {
        let port = port.to_string();
        Command::new("redis-server")
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--maxmemory-policy", policy])
            .current_dir(std::env::temp_dir())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed")
    }

    async fn wait(&self) {
        until("redis-server to listen", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_ok()
        })
        .await;
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
