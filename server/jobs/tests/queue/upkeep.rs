//! What the leader does besides: schedules and retention.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jobs::{NewJob, Schedule, Worker};
use serde_json::json;
use sqlx::PgPool;

use crate::stage::{Stage, job, quick, willing};
use crate::store;

/// Its last tick was on New Year's Day.
fn yearly(make: impl Fn() -> NewJob + Send + Sync + 'static) -> Schedule {
    Schedule::new("yearly", "0 0 1 1 *", chrono_tz::UTC, move |_| make()).unwrap()
}

/// Returns when both have come, or one has waited in vain.
fn meet(arrived: &AtomicUsize) {
    arrived.fetch_add(1, Ordering::SeqCst);
    for _ in 0..1_000 {
        if arrived.load(Ordering::SeqCst) >= 2 {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Both believe to lead, and both have seen that the tick is due before either of them takes it.
#[sqlx::test]
async fn a_tick_is_one_job_whoever_leads(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let worker = stage.worker(&willing()).with_schedules([yearly(job)]);
    worker.step().await.unwrap();
    assert_eq!(store::count(&stage.pg, "succeeded").await, 0, "a new schedule begins with its next tick");
    store::forget_tick(&stage.pg, "yearly", 370 * 24 * 3_600).await;
    let arrived = Arc::new(AtomicUsize::new(0));
    let leaders = [0, 1].map(|_| {
        let (pg, url, namespace) = (stage.pg.connect_options(), stage.redis_url.clone(), stage.namespace.clone());
        let arrived = arrived.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let pg = PgPool::connect_with((*pg).clone()).await.unwrap();
                let queue = jobs::Queue::connect(pg, jobs::RedisSettings::new(url, namespace)).await.unwrap();
                let make = move || {
                    meet(&arrived);
                    job()
                };
                let worker = Worker::new(queue.clone(), quick()).with_handler("act", willing());
                worker.with_schedules([yearly(make)]).step().await.unwrap();
                queue.close().await;
            });
        })
    });
    for leader in leaders {
        tokio::task::spawn_blocking(move || leader.join()).await.unwrap().unwrap();
    }
    assert_eq!(arrived.load(Ordering::SeqCst), 2, "both saw it");
    worker.step().await.unwrap();
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
