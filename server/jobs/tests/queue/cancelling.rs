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
