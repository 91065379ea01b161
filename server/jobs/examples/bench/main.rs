//! Measures the queue on a real Postgres and Redis and prints a table.
//!
//! Needs `DATABASE_URL` (a role that may create databases; with fsync on, or the figures mean nothing) and `REDIS_URL`.
//! `--jobs 100000` sets the size of the large rounds, `--only latency|enqueue|processing|depth|crash` measures a part.
#![allow(clippy::print_stdout)]

mod latency;
mod loss;
mod stage;
mod store;
mod throughput;

use stage::{Bench, Stage};

#[tokio::main]
async fn main() -> Bench<()> {
    let many: usize = option("--jobs").map_or(Ok(100_000), |many| many.parse())?;
    line("queue (Postgres fsync, one machine)", "measured".to_owned(), "promised");
    let stage = Stage::open().await?;
    let measured = measure(&stage, many, option("--only").as_deref()).await;
    stage.close().await?;
    measured
}

fn option(name: &str) -> Option<String> {
    std::env::args().skip_while(|arg| arg != name).nth(1)
}

async fn measure(stage: &Stage, many: usize, only: Option<&str>) -> Bench<()> {
    let wanted = |part| only.is_none_or(|only| only == part);
    if wanted("latency") {
        latency::measure_starts(stage).await?;
        latency::measure_lateness(stage).await?;
    }
    if wanted("enqueue") {
        throughput::measure_single_enqueue(stage).await?;
        throughput::measure_bulk_enqueue_and_memory(stage, many).await?;
        loss::measure_rebuild(stage, many).await?;
    }
    if wanted("processing") {
        throughput::measure_processing(stage, many.min(60_000)).await?;
    }
    if wanted("depth") {
        latency::measure_depth(stage, many).await?;
    }
    if wanted("crash") {
        loss::measure_crash(stage).await?;
    }
    Ok(())
}

/// A line of the table.
fn line(what: &str, measured: String, promised: &str) {
    println!("{what:<56} {measured:>18}   {promised}");
}
