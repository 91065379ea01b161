//! Measures the queue: start latency on an idle worker, lateness of delayed jobs, throughput of no-ops.
//!
//! Needs `DATABASE_URL` (a role that may create databases) and `REDIS_URL`. `--n 500` sets the number of jobs.
#![allow(clippy::print_stdout)]

mod store;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use jobs::{Attempt, Error, Failure, Handler, Job, NewJob, Outcome, Queue, RedisSettings, Worker, WorkerSettings};
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{PgConnection, PgPool};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

type Bench<T> = Result<T, Box<dyn std::error::Error>>;

/// Says when each run started.
struct Stopwatch(mpsc::UnboundedSender<(Uuid, Instant, DateTime<Utc>)>);

#[async_trait]
impl Handler for Stopwatch {
    async fn run(&self, attempt: &Attempt) -> Result<Outcome, Failure> {
        // The receiver goes first only when the bench is over.
        self.0.send((attempt.job.id, Instant::now(), Utc::now())).ok();
        Ok(Outcome::Done)
    }

    async fn give_up(&self, _: &mut PgConnection, _: &Job, _: &Failure) -> Result<Vec<Uuid>, Error> {
        Ok(Vec::new())
    }
}

#[tokio::main]
async fn main() -> Bench<()> {
    let mut args = std::env::args().skip_while(|arg| arg != "--n").skip(1);
    let n = args.next().map_or(Ok(300), |n| n.parse())?;
    let options: PgConnectOptions = std::env::var("DATABASE_URL")?.parse()?;
    let (pg, database) = store::create(&options).await?;
    let redis = RedisSettings::new(std::env::var("REDIS_URL")?, format!("bench-{}", Uuid::new_v4()));
    let queue = Queue::connect(pg.clone(), redis).await?;
    let result = measure(&pg, &queue, n).await;
    queue.close().await;
    pg.close().await;
    store::drop(&options, &database).await?;
    result
}

async fn measure(pg: &PgPool, queue: &Queue, n: usize) -> Bench<()> {
    let (starts, mut started) = mpsc::unbounded_channel();
    let settings = WorkerSettings { concurrency: 100, default_group_slots: 100, ..WorkerSettings::default() };
    let worker = Worker::new(queue.clone(), vec![("noop", Arc::new(Stopwatch(starts)))], settings);
    let stop = CancellationToken::new();
    let running = tokio::spawn(worker.run(stop.clone()));
    while !queue.health().await.epoch_ok {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let mut waits = Vec::with_capacity(n);
    for _ in 0..n {
        let (_, committed_at) = enqueue(pg, queue, job()).await?;
        let (_, at, _) = started.recv().await.ok_or("the worker ended")?;
        waits.push(at.saturating_duration_since(committed_at));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    report("commit -> start, idle worker", waits);

    let mut late = Vec::with_capacity(n);
    for step in 0..n.min(100) {
        let due = Utc::now() + Duration::from_millis(50 + (step as u64 * 7) % 100);
        enqueue(pg, queue, NewJob { run_at: due, ..job() }).await?;
        let (_, _, at) = started.recv().await.ok_or("the worker ended")?;
        late.push((at - due).to_std().unwrap_or_default());
    }
    report("delayed job, lateness", late);

    let begun = Instant::now();
    let enqueued = futures::future::try_join_all((0..16).map(|_| async {
        for _ in 0..n.div_ceil(16) {
            enqueue(pg, queue, job()).await?;
        }
        Bench::Ok(())
    }));
    enqueued.await?;
    let total = n.div_ceil(16) * 16;
    println!("enqueue, 16 clients            {:>8.0} jobs/s", total as f64 / begun.elapsed().as_secs_f64());
    for _ in 0..total {
        started.recv().await.ok_or("the worker ended")?;
    }
    println!("enqueue to last start          {:>8.0} jobs/s", total as f64 / begun.elapsed().as_secs_f64());
    stop.cancel();
    running.await??;
    Ok(())
}

fn job() -> NewJob {
    NewJob::new("noop", "local", json!({}))
}

async fn enqueue(pg: &PgPool, queue: &Queue, job: NewJob) -> Bench<(Uuid, Instant)> {
    let mut tx = pg.begin().await?;
    let id = jobs::enqueue(&mut tx, &job).await?;
    tx.commit().await?;
    let committed_at = Instant::now();
    queue.dispatch(&[id]).await;
    Ok((id, committed_at))
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |part: usize| times.get((times.len() * part / 100).min(times.len().saturating_sub(1))).copied();
    let ms = |time: Option<Duration>| time.unwrap_or_default().as_secs_f64() * 1_000.0;
    println!("{what:<30} p50 {:>6.2}  p90 {:>6.2}  p99 {:>6.2} ms", ms(at(50)), ms(at(90)), ms(at(99)));
}
