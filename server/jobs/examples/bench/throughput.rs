//! How much goes through.

use std::time::{Duration, Instant};

use jobs::NewJob;

use crate::line;
use crate::stage::{Bench, Stage, job};

pub async fn measure_single_enqueue(stage: &Stage) -> Bench<()> {
    let begun = Instant::now();
    let clients = (0..16).map(|_| async {
        let mut count = 0_u32;
        while begun.elapsed() < Duration::from_secs(3) {
            stage.queue.submit(&[job()]).await?;
            count += 1;
        }
        Bench::Ok(count)
    });
    let counts = futures::future::try_join_all(clients).await?;
    let rate = f64::from(counts.iter().sum::<u32>()) / begun.elapsed().as_secs_f64();
    line("enqueue one by one, durable, 16 clients", format!("{rate:.0} jobs/s"), "5000 jobs/s");
    forget(stage).await
}

pub async fn measure_bulk_enqueue_and_memory(stage: &Stage, many: usize) -> Bench<()> {
    let worker = stage.start(1).await?;
    worker.end().await?;
    let before = stage.redis_bytes().await?;
    let batch: Vec<NewJob> = (0..many).map(|_| job()).collect();
    let begun = Instant::now();
    let halves = batch.chunks(many.div_ceil(2)).map(|half| stage.queue.submit(half));
    futures::future::try_join_all(halves).await?;
    let rate = many as f64 / begun.elapsed().as_secs_f64();
    line("enqueue in bulk, durable and dispatched", format!("{rate:.0} rows/s"), "60000 rows/s");
    let bytes = stage.redis_bytes().await?.saturating_sub(before) as f64 / many as f64;
    line("redis memory per waiting job", format!("{bytes:.0} B"), "200 B");
    Ok(())
}

/// Also empties the queue.
pub async fn measure_processing(stage: &Stage, most: usize) -> Bench<()> {
    forget(stage).await?;
    let batch: Vec<NewJob> = (0..most).map(|_| job()).collect();
    let worker = stage.start(1).await?;
    worker.end().await?;
    stage.queue.submit(&batch).await?;
    let begun = Instant::now();
    let mut worker = stage.start(100).await?;
    for _ in 0..most {
        worker.next().await?;
    }
    // All have started; counting rows any earlier would be work beside the measured one.
    while crate::store::count_ended(&stage.pg).await? < most {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let rate = most as f64 / begun.elapsed().as_secs_f64();
    line("no-op jobs start to end, durable, concurrency 100", format!("{rate:.0} jobs/s"), "12000 jobs/s");
    worker.end().await?;
    forget(stage).await
}

async fn forget(stage: &Stage) -> Bench<()> {
    crate::store::clear(&stage.pg).await?;
    stage.eval("return redis.call('DEL', KEYS[1])").await?;
    Ok(())
}
