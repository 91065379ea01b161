//! How long it takes to recover.

use std::time::Instant;

use jobs::NewJob;
use serde_json::json;

use crate::line;
use crate::stage::{Bench, Stage, job};

const WIPE: &str = "for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do redis.call('DEL', key) end return 1";

/// With `many` jobs waiting already.
pub async fn measure_rebuild(stage: &Stage, many: usize) -> Bench<()> {
    let worker = stage.start(1).await?;
    let begun = Instant::now();
    stage.eval(WIPE).await?;
    stage.wait_for_epoch().await?;
    let secs = begun.elapsed().as_secs_f64();
    line(&format!("redis wiped -> rebuilt, {many} waiting"), format!("{secs:.2} s"), "5 s");
    worker.end().await
}

/// A worker that vanishes with a job, and one that is told to stop.
pub async fn measure_crash(stage: &Stage) -> Bench<()> {
    let other = stage.start(0).await?;
    let mut doomed = stage.start(1).await?;
    stage.queue.submit(&[NewJob { payload: json!({ "hangs": true }), ..job() }]).await?;
    doomed.next().await?;
    // As if killed: nothing is given back.
    doomed.task.abort();
    let begun = Instant::now();
    other.end().await?;
    let mut heir = stage.start(1).await?;
    heir.next().await?;
    line("worker killed -> its job starts elsewhere", format!("{:.1} s", begun.elapsed().as_secs_f64()), "35 s");
    heir.end().await
}
