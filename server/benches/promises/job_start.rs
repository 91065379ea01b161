//! From the commit of a job to the start of its handler, on a worker that has nothing else to do.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use async_trait::async_trait;
use fred::prelude::{Builder, Client, ClientLike as _, Config};
use jobs::{Attempt, Failure, Handler, NewJob, Outcome, Queue, RedisSettings, Worker, WorkerSettings};
use serde_json::json;
use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Ground, figures::Figures, store, table::Table};

const P50_BUDGET_MS: f64 = 2.0;
const P99_BUDGET_MS: f64 = 15.0;
const START_LIMIT: Duration = Duration::from_secs(30);
/// Between two jobs, so that the worker is idle again.
const PAUSE: Duration = Duration::from_millis(5);

/// Tells when a handler started.
struct Stopwatch(mpsc::UnboundedSender<Instant>);

#[async_trait]
impl Handler for Stopwatch {
    async fn run(&self, _: &Attempt) -> Result<Outcome, Failure> {
        // The receiver goes first only when the measurement is over.
        self.0.send(Instant::now()).ok();
        Ok(Outcome::Done)
    }
}

/// Measures a queue and a worker of this process, with tables and keys of their own.
pub async fn measure(ground: &Ground, starts: usize, table: &mut Table) -> anyhow::Result<()> {
    let database = store::create(&ground.options).await?;
    let pg = store::connect(&ground.options, &database).await?;
    let namespace = format!("{}-starts", ground.namespace);
    let queue = Queue::connect(pg.clone(), RedisSettings::new(ground.redis_url.clone(), namespace)).await?;
    let redis = Builder::from_config(Config::from_url(&ground.redis_url)?).build()?;
    redis.init().await?;
    let measured = run(&pg, &queue, &redis, starts, table).await;
    redis.quit().await?;
    queue.close().await;
    pg.close().await;
    store::drop(&ground.options, &database).await?;
    measured
}

async fn run(pg: &PgPool, queue: &Queue, redis: &Client, starts: usize, table: &mut Table) -> anyhow::Result<()> {
    let (sender, mut started) = mpsc::unbounded_channel();
    let worker = Worker::new(queue.clone(), WorkerSettings::default()).with_handler("noop", Stopwatch(sender));
    let stop = CancellationToken::new();
    let running = tokio::spawn(worker.run(stop.clone()));
    while !queue.health().await.epoch_ok {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (mut waits, mut commits, mut pings) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..starts {
        let mut tx = pg.begin().await?;
        let id = jobs::enqueue(&mut tx, &NewJob::new("noop", "local", json!({}))).await?;
        let committing = Instant::now();
        tx.commit().await?;
        let committed = Instant::now();
        queue.dispatch(&[id]).await;
        let start = tokio::time::timeout(START_LIMIT, started.recv()).await?.context("the worker ended")?;
        waits.push(start.saturating_duration_since(committed));
        commits.push(committed - committing);
        let asked = Instant::now();
        redis.ping::<()>(None).await?;
        pings.push(asked.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    stop.cancel();
    running.await??;
    let waits = Figures::from(waits);
    let what = |part: &str| format!("commit to start of the first stage, idle worker, {part} of {starts}");
    table.promise(&what("p50"), waits.percentile_ms(50), P50_BUDGET_MS, "ms");
    table.promise(&what("p99"), waits.percentile_ms(99), P99_BUDGET_MS, "ms");
    table.detail("baseline: one commit in Postgres, p50", Figures::from(commits).percentile_ms(50), "ms");
    table.detail("baseline: one question to Redis, p50", Figures::from(pings).percentile_ms(50), "ms");
    Ok(())
}
