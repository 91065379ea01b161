use std::collections::HashSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use chrono::Utc;
use jobs::{Attempt, Error, Failure, Lease, NewJob, Outcome, WorkerSettings};
use serde_json::json;
use sqlx::PgPool;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::stage::{Actor, Answer, Stage, end_of, job, quick, willing};
use crate::store;

/// A handler that hands its attempt out and then never ends by itself.
fn stuck() -> (Arc<Actor>, Arc<Notify>, Arc<Mutex<Vec<Attempt>>>) {
    let (started, attempts) = (Arc::new(Notify::new()), Arc::new(Mutex::new(Vec::new())));
    let (signal, seen) = (started.clone(), attempts.clone());
    let actor = Actor::new(move |attempt| {
        seen.lock().unwrap().push(attempt);
        signal.notify_one();
        std::future::pending()
    });
    (actor, started, attempts)
}

async fn assert_fenced(stage: &Stage, old: &Lease) {
    let mut connection = stage.pg.acquire().await.unwrap();
    let later = Utc::now() + Duration::from_secs(60);
    let writes = [
        old.guard(&mut connection).await,
        old.checkpoint(&mut connection, "late", 90).await,
        old.park(&mut connection, later).await,
        old.succeed(&mut connection).await,
    ];
    for write in writes {
        assert!(matches!(write, Err(Error::LeaseLost { job_id }) if job_id == old.job_id()), "{write:?}");
    }
}

#[sqlx::test]
async fn a_zombie_cannot_write_after_its_job_was_taken_over(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let (actor, started, attempts) = stuck();
    let zombie = stage.worker(&actor);
    let id = stage.enqueue(&job()).await;
    let zombie = tokio::spawn(async move { zombie.step().await });
    started.notified().await;
    let old = attempts.lock().unwrap()[0].lease;

    old.guard(&mut stage.pg.acquire().await.unwrap()).await.unwrap();
    store::steal(&stage.pg, id).await;
    assert_fenced(&stage, &old).await;
    assert_eq!(store::read(&stage.pg, id).await.state, "running", "the other holder's job goes on");

    store::expire_lease(&stage.pg, id).await;
    assert_eq!(stage.worker(&willing()).step().await.unwrap(), 1, "another worker runs it");
    assert_fenced(&stage, &old).await;
    let row = store::read(&stage.pg, id).await;
    assert_eq!((row.state.as_str(), row.lease_epoch, row.attempt), ("succeeded", 3, 1));
    zombie.abort();
}

/// How a job comes into other hands: claimed again, or claimed under the same epoch after Postgres forgot the claim.
#[derive(Debug, Clone, Copy)]
enum Theft {
    Epoch,
    Holder,
}

impl Theft {
    const ALL: [Self; 2] = [Self::Epoch, Self::Holder];

    async fn commit(self, pg: &PgPool, id: Uuid) {
        match self {
            Self::Epoch => store::steal(pg, id).await,
            Self::Holder => store::claim_anew(pg, id).await,
        }
    }

    fn epoch(self) -> i64 {
        match self {
            Self::Epoch => 2,
            Self::Holder => 1,
        }
    }
}

#[sqlx::test]
async fn a_stolen_lease_fires_the_token_and_drops_the_outcome(pg: PgPool) {
    let stage = Stage::open(pg).await;
    for theft in Theft::ALL {
        a_theft_fires_the_token(&stage, theft).await;
    }
}

async fn a_theft_fires_the_token(stage: &Stage, theft: Theft) {
    let started = Arc::new(Notify::new());
    let signal = started.clone();
    let actor = Actor::new(move |attempt| {
        signal.notify_one();
        async move {
            attempt.cancel.cancelled().await;
            Ok(Outcome::Done)
        }
    });
    let worker = stage.worker_with(&actor, WorkerSettings { lease_secs: 1, ..quick() });
    let id = stage.enqueue(&job()).await;
    let step = tokio::spawn(async move { worker.step().await });
    started.notified().await;
    theft.commit(&stage.pg, id).await;
    assert_eq!(end_of(step).await, 1);
    let row = store::read(&stage.pg, id).await;
    assert_eq!((row.state.as_str(), row.lease_epoch), ("running", theft.epoch()), "the thief's job was not touched");
    assert!(actor.gone_codes().is_empty());
}

/// The heartbeat has not noticed yet: only the guard of each statement stands between the zombie and the row.
#[sqlx::test]
async fn no_outcome_of_a_zombie_is_written(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let settings = WorkerSettings { lease_secs: 60, heartbeat_secs: 20, ..quick() };
    let outcomes: [fn() -> Answer; 5] = [
        || Ok(Outcome::Done),
        || Ok(Outcome::Park { until: Utc::now() }),
        || Ok(Outcome::Release),
        || Err(Failure::transient("late", "tries again")),
        || Err(Failure::permanent("late", "ends")),
    ];
    for (outcome, theft) in outcomes.into_iter().flat_map(|outcome| Theft::ALL.map(|theft| (outcome, theft))) {
        let (started, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (signal, gate) = (started.clone(), go_on.clone());
        let actor = Actor::new(move |_| {
            signal.notify_one();
            let gate = gate.clone();
            async move {
                gate.notified().await;
                outcome()
            }
        });
        let worker = stage.worker_with(&actor, settings.clone());
        let id = stage.enqueue(&job()).await;
        let step = tokio::spawn(async move { worker.step().await });
        started.notified().await;
        theft.commit(&stage.pg, id).await;
        go_on.notify_one();
        assert_eq!(end_of(step).await, 1);
        let row = store::read(&stage.pg, id).await;
        let (state, epoch) = (row.state.as_str(), row.lease_epoch);
        assert_eq!((state, epoch), ("running", theft.epoch()), "{:?} was written after {theft:?}", outcome());
        assert!(actor.gone_codes().is_empty());
    }
}

#[sqlx::test]
async fn crashes_cost_no_attempt_but_three_of_them_end_the_job(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let (actor, started, attempts) = stuck();
    let id = stage.enqueue(&job()).await;
    let mut names = HashSet::new();
    for crash in 1..=3 {
        let worker = stage.worker(&actor);
        assert!(names.insert(worker.id()), "a worker that is started anew is another one");
        let step = tokio::spawn(async move { worker.step().await });
        started.notified().await;
        // Dropped without a release, as by kill -9.
        step.abort();
        step.await.unwrap_err();
        let attempt = attempts.lock().unwrap().pop().unwrap();
        assert_eq!((attempt.job.attempt, attempt.lease.epoch()), (1, crash));
        store::expire_lease(&stage.pg, id).await;
    }
    assert_eq!(stage.worker(&willing()).step().await.unwrap(), 0);
    let row = store::read(&stage.pg, id).await;
    assert_eq!((row.state.as_str(), row.interruptions), ("failed", 3));
    assert_eq!(row.last_error_code.as_deref(), Some("worker_crashed"));
}

/// Nobody took the job yet, but somebody may: whoever cannot say that it lives has to stop before.
#[sqlx::test]
async fn a_lease_that_cannot_be_renewed_is_taken_for_lost(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let (started, told) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (signal, heard) = (started.clone(), told.clone());
    let actor = Actor::new(move |attempt| {
        signal.notify_one();
        let heard = heard.clone();
        async move {
            attempt.cancel.cancelled().await;
            heard.notify_one();
            Ok(Outcome::Done)
        }
    });
    let worker = stage.worker_with(&actor, WorkerSettings { lease_secs: 1, ..quick() });
    let id = stage.enqueue(&job()).await;
    let step = tokio::spawn(async move { worker.step().await });
    started.notified().await;
    let mut table = stage.pg.begin().await.unwrap();
    store::lock_jobs(&mut table).await;
    tokio::time::timeout(Duration::from_secs(15), told.notified()).await.expect("the token fires");
    table.rollback().await.unwrap();
    assert_eq!(end_of(step).await, 1);
    assert_eq!(store::history(&stage.pg, id).await, ["running"], "its outcome is dropped");
}

#[sqlx::test]
async fn a_row_that_is_deleted_under_its_worker_is_a_lost_lease(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let started = Arc::new(Notify::new());
    let signal = started.clone();
    let actor = Actor::new(move |attempt| {
        signal.notify_one();
        async move {
            if attempt.job.payload["deleted"] == true {
                attempt.cancel.cancelled().await;
            }
            Ok(Outcome::Done)
        }
    });
    let worker = Arc::new(stage.worker_with(&actor, WorkerSettings { lease_secs: 1, ..quick() }));
    let id = stage.enqueue(&NewJob { payload: json!({ "deleted": true }), ..job() }).await;
    let inner = worker.clone();
    let step = tokio::spawn(async move { inner.step().await });
    started.notified().await;
    store::delete(&stage.pg, id).await;
    assert_eq!(end_of(step).await, 1, "it is told, and nothing is written");
    assert_eq!(stage.queue.status(id).await.unwrap(), None);
    assert!(actor.gone_codes().is_empty());
    assert_eq!(stage.enqueue(&job().id(id)).await, id, "nothing of it is in the way");
    assert_eq!(worker.step().await.unwrap(), 1);
    assert_eq!(store::read(&stage.pg, id).await.state, "succeeded");
}

#[sqlx::test]
async fn progress_forgives_interruptions(pg: PgPool) {
    let stage = Arc::new(Stage::open(pg).await);
    let (crashing, started, _) = stuck();
    let id = stage.enqueue(&job()).await;
    for _ in 0..2 {
        let worker = stage.worker(&crashing);
        let step = tokio::spawn(async move { worker.step().await });
        started.notified().await;
        step.abort();
        step.await.unwrap_err();
        store::expire_lease(&stage.pg, id).await;
    }
    let inner = stage.clone();
    let actor = Actor::new(move |attempt| {
        let stage = inner.clone();
        async move {
            assert_eq!(attempt.job.interruptions, 2);
            let mut connection = stage.pg.acquire().await.unwrap();
            attempt.lease.checkpoint(&mut connection, "encode", 10).await?;
            assert_eq!(store::read(&stage.pg, attempt.job.id).await.interruptions, 0);
            Ok(Outcome::Done)
        }
    });
    assert_eq!(stage.worker(&actor).step().await.unwrap(), 1);
    assert_eq!(store::read(&stage.pg, id).await.state, "succeeded");
}

#[sqlx::test]
async fn the_heartbeat_goes_on_while_the_work_blocks_its_runtime(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let actor = Actor::new(async |_| {
        // Blocks the only thread of this test's runtime for twice the lease.
        std::thread::sleep(Duration::from_secs(2));
        Ok(Outcome::Done)
    });
    let worker = stage.worker_with(&actor, WorkerSettings { lease_secs: 1, ..quick() });
    let id = stage.enqueue(&job()).await;

    // Another process sweeps all the time meanwhile.
    let (pg, url, namespace) = (stage.pg.connect_options(), stage.redis_url.clone(), stage.namespace.clone());
    let rival = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let pg = PgPool::connect_with((*pg).clone()).await.unwrap();
            let queue = jobs::Queue::connect(pg.clone(), jobs::RedisSettings::new(url, namespace)).await.unwrap();
            let stage = Stage { pg: pg.clone(), queue, redis_url: String::new(), namespace: String::new() };
            let thief = stage.worker(&Actor::new(async |_| Err(Failure::permanent("stolen", "double run"))));
            crate::stage::until("the job to start", async || store::read(&pg, id).await.lease_epoch == 1).await;
            crate::stage::until("the job to end", async || {
                assert_eq!(thief.step().await.unwrap(), 0, "a live job was taken over");
                store::read(&pg, id).await.state == "succeeded"
            })
            .await;
            drop(thief);
            stage.queue.close().await;
            pg.close().await;
        });
    });
    let step = worker.step();
    assert_eq!(step.await.unwrap(), 1);
    tokio::task::spawn_blocking(move || rival.join()).await.unwrap().unwrap();
    assert_eq!(store::read(&stage.pg, id).await.lease_epoch, 1);
}

#[sqlx::test]
async fn a_leader_that_freezes_is_replaced(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let settings = WorkerSettings { lease_secs: 1, ..quick() };
    let (frozen, (go_on, gate)) = (Arc::new(Notify::new()), std::sync::mpsc::channel::<()>());
    // As good as a process of its own: one thread, which its job stops with everything else on it.
    let (pg, url, namespace) = (stage.pg.connect_options(), stage.redis_url.clone(), stage.namespace.clone());
    let (signal, gate, of_leader) = (frozen.clone(), Mutex::new(gate), settings.clone());
    let leader = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            // What the pool sets for its sessions must not displace what the leader sets for its own.
            let bounds = [("statement_timeout", "30s"), ("idle_in_transaction_session_timeout", "30s")];
            let pg = PgPool::connect_with((*pg).clone().options(bounds)).await.unwrap();
            let queue = jobs::Queue::connect(pg.clone(), jobs::RedisSettings::new(url, namespace)).await.unwrap();
            let stage = Stage { pg: pg.clone(), queue, redis_url: String::new(), namespace: String::new() };
            let actor = Actor::new(move |_| {
                signal.notify_one();
                gate.lock().unwrap().recv().ok();
                async { Ok(Outcome::Done) }
            });
            let running = stage.start(&actor, of_leader);
            crate::stage::until("both jobs to end", async || store::count(&pg, "succeeded").await == 2).await;
            running.end().await;
            stage.queue.close().await;
            pg.close().await;
        });
    });
    crate::stage::until("a leader", async || stage.queue.health().await.epoch_ok).await;
    stage.enqueue(&job()).await;
    frozen.notified().await;

    // Only a leader takes back what a dead worker held.
    let orphan = stage.commit(&job()).await;
    store::orphan(&stage.pg, orphan).await;
    let successor = stage.start(&willing(), settings);
    stage.wait_for_state(orphan, "succeeded").await;
    drop(go_on);
    tokio::task::spawn_blocking(move || leader.join()).await.unwrap().unwrap();
    successor.end().await;
}
