use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use jobs::{CancelRequest, Failure, NewJob, Outcome};
use sqlx::PgPool;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::stage::{Actor, NO_REDIS, Stage, job, quick, willing};
use crate::store;

async fn cancel(stage: &Stage, id: Uuid) -> CancelRequest {
    let mut connection = stage.pg.acquire().await.unwrap();
    jobs::request_cancel(&mut connection, id).await.unwrap()
}

#[sqlx::test]
async fn a_waiting_job_is_gone_at_once(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let id = stage.enqueue(&job()).await;
    assert_eq!(cancel(&stage, id).await, CancelRequest::Gone);
    assert_eq!(stage.worker(&willing()).step().await.unwrap(), 0);
    assert_eq!(store::read(&stage.pg, id).await.state, "cancelled");
    assert_eq!(cancel(&stage, id).await, CancelRequest::Final);
    assert_eq!(cancel(&stage, Uuid::new_v4()).await, CancelRequest::Final);
}

#[sqlx::test]
async fn a_live_job_is_found_by_its_key_with_how_far_it_is(pg: PgPool) {
    let stage = Arc::new(Stage::open(pg).await);
    let inner = stage.clone();
    let keys = ["a".to_owned(), "b".to_owned(), "nobody's".to_owned()];
    let asked = keys.clone();
    let actor = Actor::new(move |attempt| {
        let (stage, keys) = (inner.clone(), asked.clone());
        async move {
            let mut connection = stage.pg.acquire().await.unwrap();
            attempt.lease.checkpoint(&mut connection, "half", 50).await.unwrap();
            cancel(&stage, attempt.job.id).await;
            let live = jobs::live(&mut connection, &keys).await.unwrap();
            let own = live.into_iter().find(|job| job.id == attempt.job.id).unwrap();
            assert_eq!(
                (own.dedupe_key.as_str(), own.is_running, own.progress, own.is_cancelling),
                ("a", true, 50, true)
            );
            Ok(Outcome::Done)
        }
    });
    let first = stage.enqueue(&job().dedupe_key("a")).await;
    assert_eq!(stage.worker(&actor).step().await.unwrap(), 1);
    let later = Utc::now() + chrono::TimeDelta::hours(1);
    let second = stage.enqueue(&job().dedupe_key("b").run_at(later)).await;
    let mut connection = stage.pg.acquire().await.unwrap();
    let live = jobs::live(&mut connection, &keys).await.unwrap();
    assert_ne!(first, second);
    assert_eq!(live.len(), 1, "what has ended is not live: {live:?}");
    assert_eq!((live[0].id, live[0].is_running, live[0].progress), (second, false, 0));
}

/// The wish is read from Postgres: without Redis it arrives as soon.
#[sqlx::test]
async fn a_running_job_is_told_and_given_up(pg: PgPool) {
    for stage in [Stage::open(pg.clone()).await, Stage::open_at(pg, NO_REDIS.into()).await] {
        let started = Arc::new(Notify::new());
        let signal = started.clone();
        let actor = Actor::new(move |attempt| {
            signal.notify_one();
            async move {
                attempt.cancel.cancelled().await;
                Err(Failure::transient("stopped", "told to stop"))
            }
        });
        let running = stage.start(&actor, quick());
        let id = stage.enqueue(&job()).await;
        started.notified().await;
        assert_eq!(cancel(&stage, id).await, CancelRequest::Asked);
        stage.wait_for_state(id, "cancelled").await;
        assert_eq!(actor.gone_codes(), ["cancelled"]);
        running.end().await;
    }
}

#[sqlx::test]
async fn a_job_that_parks_after_a_cancel_does_not_come_back(pg: PgPool) {
    let stage = Arc::new(Stage::open(pg).await);
    let inner = stage.clone();
    let actor = Actor::new(move |attempt| {
        let stage = inner.clone();
        async move {
            // Parks in its own transaction, not having seen the token yet.
            assert_eq!(cancel(&stage, attempt.job.id).await, CancelRequest::Asked);
            let mut connection = stage.pg.acquire().await.unwrap();
            attempt.lease.park(&mut connection, Utc::now() + Duration::from_secs(3_600)).await?;
            Ok(Outcome::Committed { dispatch: Vec::new() })
        }
    });
    let worker = stage.worker(&actor);
    let id = stage.enqueue(&job()).await;
    assert_eq!(worker.step().await.unwrap(), 1);
    worker.step().await.unwrap();
    let row = store::read(&stage.pg, id).await;
    assert_eq!((row.state.as_str(), row.lease_epoch), ("cancelled", 1), "the handler did not run again");
    assert_eq!(actor.gone_codes(), ["cancelled"]);
}

#[sqlx::test]
async fn finishing_first_wins_over_a_cancel(pg: PgPool) {
    let stage = Arc::new(Stage::open(pg).await);
    let inner = stage.clone();
    let actor = Actor::new(move |attempt| {
        let stage = inner.clone();
        async move {
            assert_eq!(cancel(&stage, attempt.job.id).await, CancelRequest::Asked);
            Ok(Outcome::Done)
        }
    });
    let id = stage.enqueue(&NewJob { max_attempts: 1, ..job() }).await;
    assert_eq!(stage.worker(&actor).step().await.unwrap(), 1);
    assert_eq!(store::read(&stage.pg, id).await.state, "succeeded");
    assert!(actor.gone_codes().is_empty());
}
