use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use jobs::{Outcome, WorkerSettings};
use sqlx::PgPool;
use tokio::sync::Notify;

use crate::stage::{Actor, Stage, job, quick, willing};
use crate::store;

#[sqlx::test]
async fn a_stop_lets_jobs_park(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let started = Arc::new(Notify::new());
    let signal = started.clone();
    let actor = Actor::new(move |attempt| {
        signal.notify_one();
        async move {
            attempt.stopping.cancelled().await;
            Ok(Outcome::Park { until: Utc::now() + Duration::from_secs(60) })
        }
    });
    let running = stage.start(&actor, quick());
    let id = stage.enqueue(&job()).await;
    started.notified().await;
    running.end().await;
    assert_eq!(store::read(&stage.pg, id).await.state, "parked");
}

#[sqlx::test]
async fn what_outlasts_the_grace_is_given_back_for_free(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let started = Arc::new(Notify::new());
    let signal = started.clone();
    let actor = Actor::new(move |_| {
        signal.notify_one();
        std::future::pending()
    });
    let running = stage.start(&actor, WorkerSettings { grace_secs: 0, ..quick() });
    let id = stage.enqueue(&job()).await;
    started.notified().await;
    running.end().await;
    let row = store::read(&stage.pg, id).await;
    assert_eq!((row.state.as_str(), row.attempt, row.interruptions), ("queued", 0, 0));
    assert!(row.lease_until.is_none());

    assert_eq!(stage.worker(&willing()).step().await.unwrap(), 1, "the next process starts it at once");
    assert_eq!(store::read(&stage.pg, id).await.attempt, 1);
}

#[sqlx::test]
async fn giving_back_without_a_stop_is_an_interruption(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let actor = Actor::new(async |_| Ok(Outcome::Release));
    let worker = stage.worker(&actor);
    stage.enqueue(&job()).await;
    for _ in 0..3 {
        assert_eq!(worker.step().await.unwrap(), 1);
    }
    assert_eq!(worker.step().await.unwrap(), 0);
    assert_eq!(actor.gone_codes(), ["worker_crashed"]);
}
