use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::Utc;
use jobs::{Failure, FailureClass, JobState, NewJob, Outcome, WorkerSettings};
use sqlx::PgPool;

use crate::stage::{Actor, Stage, job, quick};
use crate::store;

#[sqlx::test]
async fn a_transient_failure_is_tried_again_until_attempts_run_out(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let actor = Actor::new(async |_| Err(Failure::transient("provider_down", "503")));
    let worker = stage.worker(&actor);
    let id = stage.enqueue(&job()).await;
    for _ in 0..2 {
        assert_eq!(worker.step().await.unwrap(), 1);
        assert_eq!(store::read(&stage.pg, id).await.state, "retrying");
        assert!(actor.gone_codes().is_empty());
    }
    assert_eq!(worker.step().await.unwrap(), 1);
    let row = store::read(&stage.pg, id).await;
    assert_eq!((row.state.as_str(), row.attempt), ("failed", 3));
    assert_eq!(actor.gone_codes(), ["provider_down"]);
    assert_eq!(worker.step().await.unwrap(), 0);
}

#[sqlx::test]
async fn the_wait_before_the_next_try_is_known_while_the_job_fails(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let asked = Some(Duration::from_secs(400));
    for failure in [Failure::transient("provider_down", "503"), Failure::rate_limited(asked, "busy", "429")] {
        let told = Arc::new(Mutex::new(Duration::ZERO));
        let (fails, tells) = (failure.clone(), told.clone());
        let actor = Actor::new(move |attempt| {
            *tells.lock().unwrap() = attempt.wait_after(&fails);
            let failure = fails.clone();
            async move { Err(failure) }
        });
        let settings = WorkerSettings { retry_base_secs: 500, retry_cap_secs: 500, ..quick() };
        let id = stage.enqueue(&job()).await;
        let before = Utc::now();
        assert_eq!(stage.worker_with(&actor, settings).step().await.unwrap(), 1);
        let told = *told.lock().unwrap();
        let status = stage.queue.status(id).await.unwrap().unwrap();
        let due = (status.run_at - before).to_std().unwrap();
        assert_eq!(status.state, JobState::Retrying);
        assert!(due + Duration::from_millis(1) >= told && due < told + Duration::from_secs(10), "{told:?}, {due:?}");
        assert!(failure.class == FailureClass::Transient || told >= Duration::from_secs(400), "{told:?}");
    }
}

/// Far more tries than there are attempts; only the deadline ends it, which is told as such.
#[sqlx::test]
async fn an_outage_costs_no_attempt(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let actor = Actor::new(async |_| Err(Failure::outage("store_away", "connection refused")));
    let worker = stage.worker(&actor);
    let id = stage.enqueue(&job()).await;
    for _ in 0..8 {
        assert_eq!(worker.step().await.unwrap(), 1);
        let row = store::read(&stage.pg, id).await;
        assert_eq!((row.state.as_str(), row.attempt), ("retrying", 0));
    }
    assert!(actor.gone_codes().is_empty());
    store::pass_deadline(&stage.pg, id).await;
    worker.step().await.unwrap();
    let row = store::read(&stage.pg, id).await;
    assert_eq!((row.state.as_str(), row.last_error_code.as_deref()), ("failed", Some("timed_out")));
}

#[sqlx::test]
async fn a_permanent_failure_is_final(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let actor = Actor::new(async |_| Err(Failure::permanent("refused", "moderation")));
    let id = stage.enqueue(&job()).await;
    assert_eq!(stage.worker(&actor).step().await.unwrap(), 1);
    let row = store::read(&stage.pg, id).await;
    assert_eq!((row.state.as_str(), row.last_error_code.as_deref()), ("failed", Some("refused")));
    assert_eq!(actor.gone_codes(), ["refused"]);
}

#[sqlx::test]
async fn a_payload_that_cannot_be_read_is_final(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let actor = Actor::new(async |attempt| {
        let number: u32 = attempt.job.payload_as()?;
        assert_eq!(number, 7);
        Ok(Outcome::Done)
    });
    let worker = stage.worker(&actor);
    let good = stage.enqueue(&NewJob { payload: serde_json::json!(7), ..job() }).await;
    let bad = stage.enqueue(&NewJob { payload: serde_json::json!("seven"), ..job() }).await;
    assert_eq!(worker.step().await.unwrap(), 2);
    assert_eq!(store::read(&stage.pg, good).await.state, "succeeded");
    let status = stage.queue.status(bad).await.unwrap().unwrap();
    let (code, message) = status.last_failure.unwrap();
    assert_eq!((status.state, code.as_str()), (JobState::Failed, Failure::INVALID_PAYLOAD));
    assert!(message.contains("expected u32"), "{message}");
}

/// `?` on an error of the database: what passes by itself costs no attempt, a mistake does.
#[sqlx::test]
async fn errors_of_the_database_are_told_apart(pg: PgPool) {
    let stage = Stage::open(pg.clone()).await;
    let actor = Actor::new(move |attempt| {
        let pg = pg.clone();
        async move {
            let mut tx = pg.begin().await?;
            sqlx::query("set local statement_timeout = 50").execute(&mut *tx).await?;
            let slow = attempt.job.payload["slow"] == true;
            let statement = if slow { "select pg_sleep(20)" } else { "select 1 / 0" };
            sqlx::query(statement).execute(&mut *tx).await?;
            Ok(Outcome::Done)
        }
    });
    let worker = stage.worker(&actor);
    for (slow, attempt) in [(true, 0), (false, 1)] {
        let id = stage.enqueue(&NewJob { payload: serde_json::json!({ "slow": slow }), ..job() }).await;
        assert_eq!(worker.step().await.unwrap(), 1);
        let row = store::read(&stage.pg, id).await;
        assert_eq!((row.state.as_str(), row.attempt), ("retrying", attempt), "slow: {slow}");
        cancel(&stage, id).await;
    }
}

async fn cancel(stage: &Stage, id: uuid::Uuid) {
    jobs::request_cancel(&mut stage.pg.acquire().await.unwrap(), id).await.unwrap();
}

#[sqlx::test]
async fn retry_after_is_honoured_and_pauses_the_group(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let actor = Actor::new(async |_| Err(Failure::rate_limited(Some(Duration::from_secs(120)), "too_many", "429")));
    let worker = stage.worker(&actor);
    let id = stage.enqueue(&job()).await;
    assert_eq!(worker.step().await.unwrap(), 1);
    let row = store::read(&stage.pg, id).await;
    assert_eq!(row.state, "retrying");
    assert!(row.run_at > store::now(&stage.pg).await + Duration::from_secs(110), "not before the provider said");

    stage.enqueue(&job()).await;
    stage.enqueue(&NewJob::new("act", "another", serde_json::json!({}))).await;
    assert_eq!(worker.step().await.unwrap(), 1, "the paused group waits, the other does not");
}

#[sqlx::test]
async fn a_panic_is_a_failed_attempt(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let first = Arc::new(AtomicBool::new(true));
    let actor = Actor::new(move |_| {
        let first = first.swap(false, Ordering::SeqCst);
        async move {
            assert!(!first, "the first run panics");
            Ok(Outcome::Done)
        }
    });
    let worker = stage.worker(&actor);
    let id = stage.enqueue(&job()).await;
    assert_eq!(worker.step().await.unwrap(), 1);
    assert_eq!(store::read(&stage.pg, id).await.last_error_code.as_deref(), Some("panicked"));
    assert_eq!(worker.step().await.unwrap(), 1);
    let row = store::read(&stage.pg, id).await;
    assert_eq!((row.state.as_str(), row.attempt), ("succeeded", 2));
}

#[sqlx::test]
async fn a_job_past_its_time_is_stopped(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let actor = Actor::new(async |attempt| {
        attempt.cancel.cancelled().await;
        Err(Failure::transient("stopped", "told to stop"))
    });
    let id = stage.enqueue(&NewJob { run_timeout: Duration::from_millis(100), ..job() }).await;
    assert_eq!(stage.worker(&actor).step().await.unwrap(), 1);
    assert_eq!(store::read(&stage.pg, id).await.state, "failed");
    assert_eq!(actor.gone_codes(), ["timed_out"]);
}

#[sqlx::test]
async fn a_handler_that_ignores_its_token_is_dropped(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let actor = Actor::new(async |_| std::future::pending().await);
    stage.enqueue(&NewJob { run_timeout: Duration::from_millis(100), ..job() }).await;
    assert_eq!(stage.worker(&actor).step().await.unwrap(), 1);
    assert_eq!(actor.gone_codes(), ["timed_out"]);
}

#[sqlx::test]
async fn a_parked_job_past_its_deadline_fails(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let actor = Actor::new(async |_| Ok(Outcome::Park { until: chrono::Utc::now() + Duration::from_secs(3_600) }));
    let worker = stage.worker(&actor);
    let id = stage.enqueue(&job()).await;
    assert_eq!(worker.step().await.unwrap(), 1);
    store::pass_deadline(&stage.pg, id).await;
    assert_eq!(worker.step().await.unwrap(), 0);
    assert_eq!(store::read(&stage.pg, id).await.state, "failed");
    assert_eq!(actor.gone_codes(), ["timed_out"]);
}

#[sqlx::test]
async fn promising_a_commit_that_never_was_is_a_failure(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let actor = Actor::new(async |_| Ok(Outcome::Committed { dispatch: Vec::new() }));
    stage.enqueue(&job()).await;
    assert_eq!(stage.worker(&actor).step().await.unwrap(), 1);
    assert_eq!(actor.gone_codes(), ["not_committed"]);
}
