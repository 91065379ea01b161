//! What the leader does besides: schedules and retention.

use jobs::{NewJob, Schedule};
use serde_json::json;
use sqlx::PgPool;

use crate::stage::{Stage, job, quick, willing};
use crate::store;

fn every_minute() -> Schedule {
    let make = |_| NewJob::new("act", "local", json!({}));
    Schedule::new("every-minute", "* * * * *", chrono_tz::UTC, make).unwrap()
}

#[sqlx::test]
async fn a_tick_is_one_job_whoever_leads(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let workers = [
        stage.worker(&willing()).with_schedules([every_minute()]),
        stage.worker(&willing()).with_schedules([every_minute()]),
    ];
    workers[0].step().await.unwrap();
    assert_eq!(store::count(&stage.pg, "succeeded").await, 0, "a new schedule begins with its next tick");
    store::forget_tick(&stage.pg, "every-minute", 90).await;
    // Both believe to lead.
    let (one, two) = tokio::join!(workers[0].step(), workers[1].step());
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    workers[0].step().await.unwrap();
    assert_eq!(store::count(&stage.pg, "succeeded").await, 1);
}

#[sqlx::test]
async fn ended_jobs_are_kept_as_long_as_asked(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let worker = stage.worker_with(&willing(), jobs::WorkerSettings { keep_days: 7, ..quick() });
    let (old, new) = (stage.enqueue(&job()).await, stage.enqueue(&job()).await);
    worker.step().await.unwrap();
    // More than are deleted in one statement.
    let crowd: Vec<NewJob> = (0..1_500).map(|_| job()).collect();
    store::end_all_days_ago(&stage.pg, &stage.queue.submit(&crowd).await.unwrap(), 9).await;
    // What lives is kept however old it is.
    let alive = stage.commit(&NewJob::new("another kind", "local", json!({}))).await;
    store::wait_since(&stage.pg, alive, 9 * 24 * 3_600).await;
    store::end_days_ago(&stage.pg, old, 8).await;
    worker.step().await.unwrap();
    assert_eq!(store::count(&stage.pg, "succeeded").await, 1);
    assert_eq!(store::read(&stage.pg, alive).await.state, "queued");
    assert!(store::history(&stage.pg, old).await.is_empty(), "its events went with it");
    assert_eq!(store::history(&stage.pg, new).await, ["running", "succeeded"]);
}
