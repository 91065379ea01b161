//! A database and a namespace of the bench's own, and a handler that only says when it was called.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use fred::clients::Client;
use fred::interfaces::{ClientLike, LuaInterface};
use jobs::{Attempt, Error, Failure, Handler, Limits, NewJob, Outcome, Queue, RedisSettings, Worker, WorkerSettings};
use serde_json::json;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::store;

pub type Bench<T> = Result<T, Box<dyn std::error::Error>>;

/// When a job was started.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    pub at: Instant,
    pub clock: DateTime<Utc>,
}

/// Says when each run started; never comes back from the first run of one that hangs.
struct Stopwatch(mpsc::UnboundedSender<Start>);

#[async_trait]
impl Handler for Stopwatch {
    async fn run(&self, attempt: &Attempt) -> Result<Outcome, Failure> {
        // The receiver goes first only when the bench is over.
        self.0.send(Start { at: Instant::now(), clock: Utc::now() }).ok();
        if attempt.job.payload["hangs"] == true && attempt.lease.epoch() == 1 {
            std::future::pending::<()>().await;
        }
        Ok(Outcome::Done)
    }
}

pub struct Stage {
    pub pg: PgPool,
    pub queue: Queue,
    pub namespace: String,
    redis: Client,
    options: PgConnectOptions,
    database: String,
}

/// A worker that runs.
pub struct Running {
    pub starts: mpsc::UnboundedReceiver<Start>,
    pub stop: CancellationToken,
    pub task: JoinHandle<Result<(), Error>>,
}

impl Running {
    pub async fn next(&mut self) -> Bench<Start> {
        let wait = tokio::time::timeout(Duration::from_secs(60), self.starts.recv());
        Ok(wait.await?.ok_or("the worker ended")?)
    }

    pub async fn end(self) -> Bench<()> {
        self.stop.cancel();
        Ok(self.task.await??)
    }
}

impl Stage {
    pub async fn open() -> Bench<Self> {
        let options: PgConnectOptions = std::env::var("DATABASE_URL")?.parse()?;
        let (pg, database) = store::create(&options).await?;
        let namespace = format!("bench-{}", Uuid::new_v4());
        let url = std::env::var("REDIS_URL")?;
        let redis = Client::new(fred::types::config::Config::from_url(&url)?, None, None, None);
        redis.init().await?;
        let queue = Queue::connect(pg.clone(), RedisSettings::new(url, namespace.clone())).await?;
        Ok(Self { pg, queue, namespace, redis, options, database })
    }

    pub async fn close(self) -> Bench<()> {
        self.queue.close().await;
        self.redis.quit().await?;
        self.pg.close().await;
        store::drop(&self.options, &self.database).await?;
        Ok(())
    }

    /// Starts a worker and waits until the queue works at full speed.
    pub async fn start(&self, concurrency: usize) -> Bench<Running> {
        let (sender, starts) = mpsc::unbounded_channel();
        // A place is free when the end of its job is written, a seat when its handler has returned.
        let limits = Limits::of_any_group(2 * concurrency);
        let settings = WorkerSettings { concurrency, limits, ..WorkerSettings::default() };
        let worker = Worker::new(self.queue.clone(), settings).with_handler("noop", Stopwatch(sender));
        let stop = CancellationToken::new();
        let task = tokio::spawn(worker.run(stop.clone()));
        self.wait_for_epoch().await?;
        Ok(Running { starts, stop, task })
    }

    pub async fn wait_for_epoch(&self) -> Bench<()> {
        for _ in 0..6_000 {
            if self.queue.health().await.epoch_ok {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err("redis was not rebuilt".into())
    }

    /// Runs Lua with the namespace's prefix as its first argument.
    pub async fn eval(&self, script: &str) -> Bench<i64> {
        let prefix = format!("{{{}}}:", self.namespace);
        Ok(self.redis.eval(script, vec![format!("{prefix}epoch")], vec![prefix]).await?)
    }

    /// What Redis uses, in bytes.
    pub async fn redis_bytes(&self) -> Bench<u64> {
        let info: String = self.redis.info(Some(fred::types::InfoKind::Memory)).await?;
        let used = info.lines().find_map(|line| line.strip_prefix("used_memory:")).ok_or("no used_memory")?;
        Ok(used.trim().parse()?)
    }
}

pub fn job() -> NewJob {
    NewJob::new("noop", "local", json!({}))
}

pub fn percentile(times: &mut [Duration], part: f64) -> f64 {
    times.sort();
    let at = (times.len() as f64 * part) as usize;
    times.get(at.min(times.len().saturating_sub(1))).copied().unwrap_or_default().as_secs_f64() * 1_000.0
}
