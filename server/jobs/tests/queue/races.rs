//! Two that want the same job at the same moment: one of them wins, and the job ends once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jobs::{CancelRequest, Outcome};
use sqlx::PgPool;
use uuid::Uuid;

use crate::stage::{Actor, Stage, job, quick, until};
use crate::store;

const ROUNDS: u64 = 40;

async fn assert_ended_once(stage: &Stage, id: Uuid) {
    let history = store::history(&stage.pg, id).await;
    let finals = history.iter().filter(|state| ["succeeded", "failed", "cancelled"].contains(&state.as_str())).count();
    assert_eq!(finals, 1, "{history:?}");
}

/// A job that takes `micros` of its payload.
fn brief() -> Arc<Actor> {
    Actor::new(async |attempt| {
        let micros = attempt.job.payload["micros"].as_u64().unwrap_or(0);
        tokio::time::sleep(Duration::from_micros(micros)).await;
        Ok(Outcome::Done)
    })
}

#[sqlx::test]
async fn a_cancel_and_a_finish_agree_on_one_end(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let actor = brief();
    let running = stage.start(&actor, quick());
    until("redis to be ready", async || stage.queue.health().await.epoch_ok).await;
    for round in 0..ROUNDS {
        let micros = round * 211 % 5_000;
        let id = stage.enqueue(&jobs::NewJob { payload: serde_json::json!({ "micros": micros }), ..job() }).await;
        tokio::time::sleep(Duration::from_micros(round * 487 % 6_000)).await;
        let mut tx = stage.pg.begin().await.unwrap();
        let answer = jobs::request_cancel(&mut tx, id).await.unwrap();
        tx.commit().await.unwrap();
        until("the job to end", async || {
            store::read(&stage.pg, id).await.lease_until.is_none()
                && ["succeeded", "cancelled"].contains(&store::read(&stage.pg, id).await.state.as_str())
        })
        .await;
        let state = store::read(&stage.pg, id).await.state;
        match answer {
            CancelRequest::Gone => assert_eq!(state, "cancelled", "round {round}"),
            CancelRequest::Final => assert_eq!(state, "succeeded", "round {round}"),
            // It may have been done before it heard of it.
            CancelRequest::Asked => {}
        }
        assert_ended_once(&stage, id).await;
    }
    running.end().await;
}

#[sqlx::test]
async fn a_rescue_and_a_finish_agree_on_one_end(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let runs = Arc::new(AtomicUsize::new(0));
    let count = runs.clone();
    let actor = Actor::new(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        async {
            tokio::time::sleep(Duration::from_millis(2)).await;
            Ok(Outcome::Done)
        }
    });
    let running = stage.start(&actor, quick());
    until("redis to be ready", async || stage.queue.health().await.epoch_ok).await;
    // Both believe to lead: their sweeps meet the finish, and each other.
    let leaders = [stage.worker(&actor), stage.worker(&actor)];
    for round in 0..ROUNDS {
        let id = stage.enqueue(&job()).await;
        tokio::time::sleep(Duration::from_micros(round * 307 % 4_000)).await;
        store::expire_lease(&stage.pg, id).await;
        let (one, two) = tokio::join!(leaders[0].step(), leaders[1].step());
        assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
        stage.wait_for_state(id, "succeeded").await;
        assert_ended_once(&stage, id).await;
        let row = store::read(&stage.pg, id).await;
        assert!(row.lease_epoch <= 2, "round {round}: taken back more than once");
    }
    assert!(runs.load(Ordering::SeqCst) >= usize::try_from(ROUNDS).unwrap());
    running.end().await;
}
