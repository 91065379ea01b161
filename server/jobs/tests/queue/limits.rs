//! Families, owners, rates, ageing: with Redis and without.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use jobs::{Limit, Limits, NewJob, Outcome, WorkerSettings};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use crate::stage::{Actor, NO_REDIS, Stage, quick, until, willing};
use crate::store;

async fn stages(pg: &PgPool) -> [Stage; 2] {
    [Stage::open(pg.clone()).await, Stage::open_at(pg.clone(), NO_REDIS.into()).await]
}

fn with(limits: Limits) -> WorkerSettings {
    WorkerSettings { limits, ..quick() }
}

fn of(group: &str, owner: Option<Uuid>) -> NewJob {
    NewJob { owner, ..NewJob::new("act", group, json!({})) }
}

#[sqlx::test]
async fn a_family_never_exceeds_its_slots(pg: PgPool) {
    for stage in stages(&pg).await {
        let worker = stage.worker_with(&willing(), with(Limits::default().with_family("fal", Limit::slots(3))));
        for group in ["fal/pika", "fal/pika", "fal/wan", "fal/wan", "gemini/banana"] {
            stage.enqueue(&of(group, None)).await;
        }
        assert_eq!(worker.step().await.unwrap(), 4, "three of the family, and the other one");
        assert_eq!(worker.step().await.unwrap(), 1);
    }
}

#[sqlx::test]
async fn each_group_of_a_family_has_the_slots_of_a_member(pg: PgPool) {
    for stage in stages(&pg).await {
        let limits = Limits::default()
            .with_family("hook", Limit::default().with_member_slots(1))
            .with_group("hook/wide", Limit::slots(2));
        let worker = stage.worker_with(&willing(), with(limits));
        for group in ["hook/a", "hook/a", "hook/a", "hook/b", "hook/wide", "hook/wide", "hook/wide"] {
            stage.enqueue(&of(group, None)).await;
        }
        assert_eq!(worker.step().await.unwrap(), 4, "one of each, and two of the one with slots of its own");
        assert_eq!(worker.step().await.unwrap(), 2, "one of each that has any left");
        assert_eq!(worker.step().await.unwrap(), 1, "the last one");
    }
}

#[sqlx::test]
async fn an_owner_at_its_limit_does_not_hold_up_the_others(pg: PgPool) {
    for stage in stages(&pg).await {
        let worker = stage.worker_with(&willing(), with(Limits { owner_slots: Some(2), ..Limits::default() }));
        let (eager, late) = (Uuid::new_v4(), Uuid::new_v4());
        for owner in [Some(eager), Some(eager), Some(eager), Some(eager), Some(eager), Some(late), None] {
            stage.enqueue(&of("local", owner)).await;
        }
        assert_eq!(worker.step().await.unwrap(), 4, "two of the eager one, the late one, and nobody's");
        assert_eq!(worker.step().await.unwrap(), 2, "the next two");
        assert_eq!(worker.step().await.unwrap(), 1, "the last one");
    }
}

#[sqlx::test]
async fn what_is_held_back_for_its_owner_can_be_cancelled_and_survives_a_rebuild(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let settings = with(Limits { owner_slots: Some(1), ..Limits::default() });
    let owner = Some(Uuid::new_v4());
    let worker = stage.worker_with(&willing(), settings);
    let ids = [stage.enqueue(&of("local", owner)).await, stage.enqueue(&of("local", owner)).await];
    let last = stage.enqueue(&of("local", owner)).await;
    assert_eq!(worker.step().await.unwrap(), 1);
    let mut tx = stage.pg.begin().await.unwrap();
    jobs::request_cancel(&mut tx, ids[1]).await.unwrap();
    tx.commit().await.unwrap();
    stage.wipe_redis().await;
    assert_eq!(worker.step().await.unwrap(), 1, "the last one, the other is gone");
    stage.wait_for_state(last, "succeeded").await;
    assert_eq!(store::count(&stage.pg, "cancelled").await, 1);
}

#[sqlx::test]
async fn starts_keep_to_the_rate_after_their_burst(pg: PgPool) {
    for stage in stages(&pg).await {
        let slow = Limits::default()
            .with_group("fal/pika", Limit::rate(1, Duration::from_secs(3_600), 3))
            .with_family("gemini", Limit::rate(1, Duration::from_secs(3_600), 2));
        let worker = stage.worker_with(&willing(), with(slow));
        for group in ["fal/pika", "fal/pika", "fal/pika", "fal/pika", "gemini/a", "gemini/b", "gemini/b", "fal/wan"] {
            stage.enqueue(&of(group, None)).await;
        }
        assert_eq!(worker.step().await.unwrap(), 6, "the bursts, and the one without a rate");
        assert_eq!(worker.step().await.unwrap(), 0, "the next may start in an hour");
    }
}

#[sqlx::test]
async fn a_rate_lets_the_next_one_start_by_itself(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let limits = Limits::default().with_group("local", Limit::rate(20, Duration::from_secs(1), 1));
    let _leadership = stage.take_the_lead().await;
    let batch: Vec<NewJob> = (0..5).map(|_| of("local", None)).collect();
    stage.queue.submit(&batch).await.unwrap();
    // It finds them when it starts. Then nothing polls and nothing wakes it: only the answer of the claim says when the
    // next one may start.
    let running = stage.start(&willing(), WorkerSettings { poll_ms: 60_000, ..with(limits) });
    until("all to end", async || store::count(&stage.pg, "succeeded").await == 5).await;
    running.end().await;
}

#[sqlx::test]
async fn who_waits_long_enough_overtakes_the_more_important(pg: PgPool) {
    for stage in stages(&pg).await {
        let order: Arc<Mutex<Vec<String>>> = Arc::default();
        let book = order.clone();
        let actor = Actor::new(move |attempt| {
            book.lock().unwrap().push(attempt.job.payload["name"].as_str().unwrap().to_owned());
            async { Ok(Outcome::Done) }
        });
        let job = |name: &str, priority, waited_secs| NewJob {
            priority,
            run_at: Utc::now() - TimeDelta::seconds(waited_secs),
            ..NewJob::new("act", "local", json!({ "name": name }))
        };
        let jobs = [job("urgent", 10, 0), job("patient", 600, 0), job("forgotten", 600, 0)];
        for job in &jobs {
            stage.commit(job).await;
        }
        store::wait_since(&stage.pg, jobs[2].id, 595).await;
        let worker = stage.worker_with(&actor, WorkerSettings { concurrency: 1, ..quick() });
        for _ in 0..3 {
            assert_eq!(worker.step().await.unwrap(), 1);
        }
        assert_eq!(*order.lock().unwrap(), ["forgotten", "urgent", "patient"]);
    }
}
