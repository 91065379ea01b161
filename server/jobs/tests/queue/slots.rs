use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jobs::{Limit, Limits, NewJob, Outcome, WorkerSettings};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use crate::stage::{Actor, NO_REDIS, Stage, job, quick, until};
use crate::store;

/// Counts how many run at once; each run lasts a few milliseconds so that they could overlap.
fn counting() -> (Arc<Actor>, Arc<AtomicUsize>) {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let highest = most.clone();
    let actor = Actor::new(move |_| {
        let (now, most) = (now.clone(), most.clone());
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(5)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(Outcome::Done)
        }
    });
    (actor, highest)
}

#[sqlx::test]
async fn a_group_never_exceeds_its_slots_over_all_workers(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let (actor, most) = counting();
    let settings = WorkerSettings { limits: Limits::default().with_group("fal/pika", Limit::slots(2)), ..quick() };
    let workers = [stage.start(&actor, settings.clone()), stage.start(&actor, settings)];
    // Until then they would be counted in Postgres.
    until("redis to be ready", async || stage.queue.health().await.epoch_ok).await;
    for _ in 0..20 {
        stage.enqueue(&NewJob::new("act", "fal/pika", json!({}))).await;
    }
    until("all to end", async || store::count(&stage.pg, "succeeded").await == 20).await;
    assert_eq!(most.load(Ordering::SeqCst), 2);
    for worker in workers {
        worker.end().await;
    }
}

/// All of them claim from Postgres, at the same moment.
#[sqlx::test]
async fn without_redis_a_group_never_exceeds_its_slots_either(pg: PgPool) {
    let stage = Stage::open_at(pg, NO_REDIS.into()).await;
    let (actor, most) = counting();
    let settings = WorkerSettings { limits: Limits::of_any_group(1), ..quick() };
    let workers: Vec<_> = (0..4).map(|_| stage.worker_with(&actor, settings.clone())).collect();
    for _ in 0..40 {
        stage.enqueue(&job()).await;
    }
    until("all to end", async || {
        futures::future::join_all(workers.iter().map(|worker| async { worker.step().await.unwrap() })).await;
        store::count(&stage.pg, "succeeded").await == 40
    })
    .await;
    assert_eq!(most.load(Ordering::SeqCst), 1);
}

#[sqlx::test]
async fn two_workers_never_run_one_job_at_once(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let seen: Arc<Mutex<HashMap<Uuid, usize>>> = Arc::default();
    let book = seen.clone();
    let actor = Actor::new(move |attempt| {
        *book.lock().unwrap().entry(attempt.job.id).or_default() += 1;
        async { Ok(Outcome::Done) }
    });
    let workers = [stage.start(&actor, quick()), stage.start(&actor, quick())];
    for _ in 0..100 {
        let id = stage.enqueue(&job()).await;
        stage.queue.dispatch(&[id]).await;
    }
    until("all to end", async || store::count(&stage.pg, "succeeded").await == 100).await;
    for worker in workers {
        worker.end().await;
    }
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 100);
    assert!(seen.values().all(|runs| *runs == 1), "{seen:?}");
}

#[sqlx::test]
async fn the_urgent_go_first_then_the_oldest(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let order: Arc<Mutex<Vec<i64>>> = Arc::default();
    let book = order.clone();
    let actor = Actor::new(move |attempt| {
        book.lock().unwrap().push(attempt.job.payload["n"].as_i64().unwrap());
        async { Ok(Outcome::Done) }
    });
    for (n, group, priority) in [(3, "a", 900), (1, "a", 0), (4, "b", 1_023), (2, "b", 5)] {
        stage.enqueue(&NewJob { priority, ..NewJob::new("act", group, json!({ "n": n })) }).await;
    }
    let worker = stage.worker_with(&actor, WorkerSettings { concurrency: 1, ..quick() });
    for _ in 0..4 {
        assert_eq!(worker.step().await.unwrap(), 1);
    }
    assert_eq!(*order.lock().unwrap(), [1, 2, 3, 4]);
}
