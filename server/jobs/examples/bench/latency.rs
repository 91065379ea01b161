//! How soon things start.

use std::time::{Duration, Instant};

use chrono::Utc;
use jobs::NewJob;

use crate::line;
use crate::stage::{Bench, Stage, job, percentile};

pub async fn measure_starts(stage: &Stage) -> Bench<()> {
    let mut worker = stage.start(100).await?;
    let mut waits = Vec::new();
    for _ in 0..1_000 {
        let mut tx = stage.pg.begin().await?;
        let id = jobs::enqueue(&mut tx, &job()).await?;
        tx.commit().await?;
        let committed_at = Instant::now();
        stage.queue.dispatch(&[id]).await;
        waits.push(worker.next().await?.at.saturating_duration_since(committed_at));
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let (p50, p99) = (percentile(&mut waits, 0.5), percentile(&mut waits, 0.99));
    line("commit -> start, idle worker, p50 / p99", format!("{p50:.2} / {p99:.2} ms"), "1 / 10 ms");
    worker.end().await
}

pub async fn measure_lateness(stage: &Stage) -> Bench<()> {
    let mut worker = stage.start(100).await?;
    let mut late = Vec::new();
    for step in 0..200 {
        let due = Utc::now() + Duration::from_millis(40 + (step * 7) % 90);
        stage.queue.submit(&[NewJob { run_at: due, ..job() }]).await?;
        late.push((worker.next().await?.clock - due).to_std().unwrap_or_default());
    }
    let p99 = percentile(&mut late, 0.99);
    line("delayed job, lateness p99", format!("{p99:.2} ms"), "10 ms");
    worker.end().await
}

/// The time of one job after another, with little and with much behind it.
pub async fn measure_depth(stage: &Stage, many: usize) -> Bench<()> {
    let shallow = drain(stage, 100, 10).await?;
    let deep = drain(stage, many, 1).await?;
    line(
        &format!("one job after another, {many} waiting against 100"),
        format!("{:.2}x ({:.2} ms)", deep / shallow, deep),
        "1.5x",
    );
    Ok(())
}

async fn drain(stage: &Stage, waiting: usize, rounds: usize) -> Bench<f64> {
    let (mut total, mut count) = (Duration::ZERO, 0_u32);
    for _ in 0..rounds {
        let batch: Vec<NewJob> = (0..waiting).map(|_| job()).collect();
        stage.queue.submit(&batch).await?;
        let mut worker = stage.start(1).await?;
        let first = worker.next().await?;
        let mut last = first;
        for _ in 0..(waiting - 1).min(1_000) {
            last = worker.next().await?;
            count += 1;
        }
        total += last.at - first.at;
        worker.end().await?;
        crate::store::clear(&stage.pg).await?;
        stage.eval("return redis.call('DEL', KEYS[1])").await?;
    }
    Ok(total.as_secs_f64() * 1_000.0 / f64::from(count.max(1)))
}
