use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use chrono::Utc;
use jobs::{Failure, JobState, NewJob, Outcome};
use sqlx::PgPool;
use tokio::sync::Notify;

use crate::stage::{Actor, Stage, job, quick, until, willing};
use crate::store;

#[sqlx::test]
async fn an_enqueued_job_runs_once_and_succeeds(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let worker = stage.worker(&willing());
    let id = stage.enqueue(&job()).await;

    assert_eq!(worker.step().await.unwrap(), 1);
    assert_eq!(worker.step().await.unwrap(), 0);

    let row = store::read(&stage.pg, id).await;
    assert_eq!((row.state.as_str(), row.attempt, row.lease_epoch), ("succeeded", 1, 1));
    assert_eq!(store::history(&stage.pg, id).await, ["running", "succeeded"]);
}

#[sqlx::test]
async fn a_rolled_back_job_never_runs(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let mut tx = stage.pg.begin().await.unwrap();
    let id = jobs::enqueue(&mut tx, &job()).await.unwrap();
    // Even if the caller dispatches by mistake.
    stage.queue.dispatch(&[id]).await;
    tx.rollback().await.unwrap();
    assert_eq!(stage.worker(&willing()).step().await.unwrap(), 0);
}

#[sqlx::test]
async fn dispatching_again_and_again_is_harmless(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let worker = stage.worker(&willing());
    let id = stage.enqueue(&job()).await;
    stage.queue.dispatch(&[id, id]).await;
    assert_eq!(worker.step().await.unwrap(), 1);
    stage.queue.dispatch(&[id]).await;
    assert_eq!(worker.step().await.unwrap(), 0);
    assert_eq!(store::read(&stage.pg, id).await.lease_epoch, 1);
}

#[sqlx::test]
async fn a_live_twin_is_returned_instead(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let keyed = || NewJob { dedupe_key: Some("product-7".into()), ..job() };
    let first = stage.enqueue(&keyed()).await;
    assert_eq!(stage.enqueue(&keyed()).await, first);
    let same_id = NewJob { id: first, ..job() };
    assert_eq!(stage.enqueue(&same_id).await, first);

    // Two callers at the same moment: the second waits for the first's commit and gets its job.
    let raced = NewJob { dedupe_key: Some("product-8".into()), ..job() };
    let raced_twin = NewJob { id: uuid::Uuid::now_v7(), ..raced.clone() };
    let (one, two) = tokio::join!(stage.commit(&raced), stage.commit(&raced_twin));
    assert_eq!(one, two);

    assert_eq!(stage.worker(&willing()).step().await.unwrap(), 2);
    assert_ne!(stage.enqueue(&keyed()).await, first, "a finished job does not keep its key");
}

#[sqlx::test]
async fn nonsense_is_refused_before_it_is_stored(pg: PgPool) {
    let mut connection = pg.acquire().await.unwrap();
    let cases = [
        (NewJob { kind: String::new(), ..job() }, "kind"),
        (NewJob { group: "a\nb".into(), ..job() }, "group"),
        (NewJob { priority: 1_024, ..job() }, "priority"),
        (NewJob { max_attempts: 0, ..job() }, "max_attempts"),
        (NewJob { run_timeout: Duration::ZERO, ..job() }, "run_timeout"),
    ];
    for (nonsense, name) in cases {
        match jobs::enqueue(&mut connection, &nonsense).await {
            Err(jobs::Error::InvalidJob { field, .. }) => assert_eq!(field, name),
            other => panic!("{name} was let through: {other:?}"),
        }
    }
}

#[sqlx::test]
async fn a_parked_job_resumes_on_a_wake_without_using_an_attempt(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let runs = Arc::new(AtomicU16::new(0));
    let count = runs.clone();
    let actor = Actor::new(move |_| {
        let run = count.fetch_add(1, Ordering::SeqCst);
        async move {
            match run {
                0 => Ok(Outcome::Park { until: Utc::now() + Duration::from_secs(3_600) }),
                _ => Ok(Outcome::Done),
            }
        }
    });
    let worker = stage.worker(&actor);
    let id = stage.enqueue(&job()).await;
    assert_eq!(worker.step().await.unwrap(), 1);
    assert_eq!(store::read(&stage.pg, id).await.state, "parked");
    assert_eq!(worker.step().await.unwrap(), 0, "it waits");

    assert!(wake(&stage, id).await);
    assert_eq!(worker.step().await.unwrap(), 1);
    let row = store::read(&stage.pg, id).await;
    assert_eq!((row.state.as_str(), row.attempt, row.lease_epoch), ("succeeded", 1, 2));
    assert!(!wake(&stage, id).await, "a finished job cannot be woken");
}

#[sqlx::test]
async fn a_wake_that_comes_while_the_job_runs_is_not_lost(pg: PgPool) {
    let stage = Arc::new(Stage::open(pg).await);
    let inner = stage.clone();
    let actor = Actor::new(move |attempt| {
        let stage = inner.clone();
        async move {
            if attempt.lease.epoch() == 1 {
                assert!(!wake(&stage, attempt.job.id).await, "it is not waiting");
                return Ok(Outcome::Park { until: Utc::now() + Duration::from_secs(3_600) });
            }
            Ok(Outcome::Done)
        }
    });
    let worker = stage.worker(&actor);
    let id = stage.enqueue(&job()).await;
    assert_eq!(worker.step().await.unwrap(), 1);
    assert_eq!(worker.step().await.unwrap(), 1, "due at once, not in an hour");
    assert_eq!(store::read(&stage.pg, id).await.state, "succeeded");
}

#[sqlx::test]
async fn a_job_may_come_back_before_the_handler_that_parked_it_has_returned(pg: PgPool) {
    let stage = Arc::new(Stage::open(pg).await);
    let done = Arc::new(Notify::new());
    let (inner, ended) = (stage.clone(), done.clone());
    let actor = Actor::new(move |attempt| {
        let (stage, done) = (inner.clone(), ended.clone());
        async move {
            if attempt.lease.epoch() > 1 {
                done.notify_one();
                return Ok(Outcome::Done);
            }
            let mut connection = stage.pg.acquire().await.unwrap();
            attempt.lease.park(&mut connection, Utc::now()).await?;
            drop(connection);
            // A webhook comes before this run has returned.
            stage.queue.dispatch(&[attempt.job.id]).await;
            done.notified().await;
            Ok(Outcome::Committed { dispatch: Vec::new() })
        }
    });
    let running = stage.start(&actor, quick());
    let id = stage.enqueue(&job()).await;
    stage.wait_for_state(id, "succeeded").await;
    running.end().await;
    assert_eq!(store::read(&stage.pg, id).await.interruptions, 0);
}

#[sqlx::test]
async fn a_handler_commits_its_own_end_with_the_next_job(pg: PgPool) {
    let stage = Arc::new(Stage::open(pg).await);
    let inner = stage.clone();
    let actor = Actor::new(move |attempt| {
        let stage = inner.clone();
        async move {
            if attempt.job.payload["last"] == true {
                return Ok(Outcome::Done);
            }
            let mut tx = stage.pg.begin().await.map_err(|error| Failure::transient("db", error.to_string()))?;
            let next = NewJob { payload: serde_json::json!({ "last": true }), ..job() };
            let next = jobs::enqueue(&mut tx, &next).await?;
            attempt.lease.checkpoint(&mut tx, "handed over", 50).await?;
            attempt.lease.succeed(&mut tx).await?;
            tx.commit().await.map_err(|error| Failure::transient("db", error.to_string()))?;
            Ok(Outcome::Committed { dispatch: vec![next] })
        }
    });
    let worker = stage.worker(&actor);
    stage.enqueue(&job()).await;
    assert_eq!(worker.step().await.unwrap(), 1);
    assert_eq!(worker.step().await.unwrap(), 1);
    assert_eq!(store::count(&stage.pg, "succeeded").await, 2);
}

#[sqlx::test]
async fn a_running_worker_is_woken_and_starts_delayed_jobs_by_itself(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let ran = Arc::new(Notify::new());
    let signal = ran.clone();
    let actor = Actor::new(move |_| {
        signal.notify_one();
        async { Ok(Outcome::Done) }
    });
    // A poll of an hour, and nobody reconciles: only a wake or the local timer can start anything.
    let _leadership = stage.take_the_lead().await;
    let running = stage.start(&actor, jobs::WorkerSettings { poll_ms: 3_600_000, ..quick() });
    // A wake before the worker listens is nobody's; the poll that makes up for it is an hour away here.
    until("the worker to listen", async || {
        stage.enqueue(&job()).await;
        tokio::time::timeout(Duration::from_millis(500), ran.notified()).await.is_ok()
    })
    .await;
    until("an empty queue", async || store::count(&stage.pg, "queued").await == 0).await;
    until("rest", async || tokio::time::timeout(Duration::from_millis(50), ran.notified()).await.is_err()).await;

    let soon = store::now(&stage.pg).await + Duration::from_millis(300);
    let id = stage.enqueue(&NewJob { run_at: soon, ..job() }).await;
    tokio::time::timeout(Duration::from_secs(5), ran.notified()).await.unwrap();
    stage.wait_for_state(id, "succeeded").await;

    let id = stage.enqueue(&job()).await;
    tokio::time::timeout(Duration::from_secs(5), ran.notified()).await.unwrap();
    stage.wait_for_state(id, "succeeded").await;
    running.end().await;
}

#[sqlx::test]
async fn its_status_follows_a_job(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let actor = Actor::new(async |attempt| {
        if attempt.job.attempt == 1 {
            return Err(Failure::transient("busy", "not now"));
        }
        Ok(Outcome::Done)
    });
    let worker = stage.worker(&actor);
    assert_eq!(stage.queue.status(uuid::Uuid::new_v4()).await.unwrap(), None);
    let id = stage.enqueue(&job()).await;
    let status = async || stage.queue.status(id).await.unwrap().unwrap();
    assert_eq!((status().await.state, status().await.attempt), (JobState::Queued, 0));
    assert_eq!(worker.step().await.unwrap(), 1);
    let retrying = status().await;
    assert_eq!((retrying.state, retrying.attempt, retrying.state.is_final()), (JobState::Retrying, 1, false));
    assert_eq!(retrying.last_failure, Some(("busy".to_owned(), "not now".to_owned())));
    assert_eq!(worker.step().await.unwrap(), 1);
    let ended = status().await;
    assert_eq!((ended.state, ended.attempt, ended.progress), (JobState::Succeeded, 2, 100));
    assert!(ended.state.is_final() && ended.finished_at.is_some());
    assert_eq!(ended.state.to_string(), store::read(&stage.pg, id).await.state);
}

#[sqlx::test]
async fn depth_counts_what_waits_and_how_long(pg: PgPool) {
    let stage = Stage::open(pg).await;
    stage.commit(&job()).await;
    stage.commit(&NewJob { run_at: Utc::now() + Duration::from_secs(3_600), ..job() }).await;
    let depth = stage.queue.depth().await.unwrap();
    assert_eq!((depth.waiting, depth.delayed, depth.running, depth.parked), (1, 1, 0, 0));
    assert!(depth.oldest_due_at.is_some());
}

async fn wake(stage: &Stage, id: uuid::Uuid) -> bool {
    let mut connection = stage.pg.acquire().await.unwrap();
    let woken = jobs::wake(&mut connection, id).await.unwrap();
    stage.queue.dispatch(&[id]).await;
    woken
}
