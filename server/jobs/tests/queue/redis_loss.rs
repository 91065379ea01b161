use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::Utc;
use jobs::{Error, Limit, Limits, NewJob, Outcome, Queue, RedisSettings, Worker, WorkerSettings};
use sqlx::{Connection, PgPool};
use tokio::sync::Notify;

use crate::stage::{Actor, NO_REDIS, OwnRedis, Stage, job, quick, until, willing};
use crate::store;

#[sqlx::test]
async fn a_wiped_redis_is_rebuilt_from_postgres(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let worker = stage
        .worker_with(&willing(), WorkerSettings { concurrency: 100, limits: Limits::of_any_group(100), ..quick() });
    assert_eq!(worker.step().await.unwrap(), 0);
    assert!(stage.queue.health().await.epoch_ok);
    let before = stage.queue.health().await;
    for _ in 0..25 {
        stage.enqueue(&job()).await;
    }
    // Some were never marked as dispatched, and some were.
    let later = NewJob { run_at: Utc::now() + Duration::from_secs(3_600), ..job() };
    stage.enqueue(&NewJob { id: uuid::Uuid::now_v7(), ..later.clone() }).await;
    let later = stage.queue.submit(&[later, job()]).await.unwrap()[0];
    stage.wipe_redis().await;
    assert!(before.epoch_ok && !stage.queue.health().await.epoch_ok, "the loss is seen");

    assert_eq!(worker.step().await.unwrap(), 26);
    assert!(stage.queue.health().await.epoch_ok);
    assert_eq!(store::read(&stage.pg, later).await.state, "queued");
    let delayed: i64 =
        stage.eval("return redis.call('ZCARD', ARGV[1])", vec![format!("{{{}}}:delayed", stage.namespace)]).await;
    assert_eq!(delayed, 2, "the delayed jobs are back, too");
}

#[sqlx::test]
async fn a_rebuild_keeps_the_slots_of_running_jobs(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let started = Arc::new(Notify::new());
    let signal = started.clone();
    let actor = Actor::new(move |_| {
        signal.notify_one();
        std::future::pending()
    });
    let settings = WorkerSettings { limits: Limits::of_any_group(1), ..quick() };
    let busy = stage.worker_with(&actor, settings.clone());
    stage.enqueue(&job()).await;
    let busy = tokio::spawn(async move { busy.step().await });
    started.notified().await;
    stage.wipe_redis().await;
    stage.enqueue(&job()).await;
    let other = stage.worker_with(&willing(), settings);
    assert_eq!(other.step().await.unwrap(), 0, "the group is full");
    busy.abort();
}

#[sqlx::test]
async fn without_redis_jobs_are_claimed_from_postgres_within_their_slots(pg: PgPool) {
    let stage = Stage::open_at(pg, NO_REDIS.into()).await;
    assert!(!stage.queue.health().await.redis);
    let settings = WorkerSettings {
        limits: Limits::of_any_group(2).with_group("narrow", Limit::slots(1)).with_group("closed", Limit::slots(0)),
        ..quick()
    };
    let worker = stage.worker_with(&willing(), settings);
    for group in ["narrow", "narrow", "wide", "wide", "wide", "closed"] {
        stage.enqueue(&NewJob::new("act", group, serde_json::json!({}))).await;
    }
    assert_eq!(worker.step().await.unwrap(), 3, "one narrow, two wide");
    assert_eq!(worker.step().await.unwrap(), 2, "the rest");
    assert_eq!(worker.step().await.unwrap(), 0, "a group without slots is closed");
    assert_eq!(store::count(&stage.pg, "succeeded").await, 5);
}

/// Both have claimed, or wait to, before either starts something. They know different kinds, so neither is kept from its
/// job by the other's hold of a row.
#[sqlx::test]
async fn without_redis_two_workers_do_not_count_at_the_same_moment(pg: PgPool) {
    let stage = Stage::open_at(pg, NO_REDIS.into()).await;
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let highest = most.clone();
    let actor = Actor::new(move |_| {
        let (now, most) = (now.clone(), most.clone());
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(500)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(Outcome::Done)
        }
    });
    for kind in ["one", "two"] {
        stage.commit(&NewJob::new(kind, "local", serde_json::json!({}))).await;
    }
    let mut table = stage.pg.begin().await.unwrap();
    store::lock_jobs(&mut table).await;
    let settings = WorkerSettings { limits: Limits::of_any_group(1), poll_ms: 50, ..quick() };
    let running = ["one", "two"].map(|kind| {
        let worker = Worker::new(stage.queue.clone(), settings.clone()).with_handler(kind, actor.clone());
        stage.run(worker)
    });
    until("both to claim", async || {
        let claims = store::count_waiting(&stage.pg, "with due as materialized").await;
        claims + store::count_waiting(&stage.pg, "pg_advisory_xact_lock").await == 2
    })
    .await;
    table.rollback().await.unwrap();
    until("both to end", async || store::count(&stage.pg, "succeeded").await == 2).await;
    assert_eq!(highest.load(Ordering::SeqCst), 1, "the group has one slot");
    for worker in running {
        worker.end().await;
    }
}

#[sqlx::test]
async fn one_process_rebuilds_redis_at_a_time(pg: PgPool) {
    let stage = Stage::open(pg).await;
    store::keep_epochs(&stage.pg).await;
    for _ in 0..10 {
        stage.commit(&job()).await;
    }
    let mut turn = stage.pg.acquire().await.unwrap().detach();
    store::hold_rebuilds(&mut turn).await;
    // Both believe to lead, and both have seen that Redis is not the one they know.
    let workers = [stage.worker(&willing()), stage.worker(&willing())];
    let steps = workers.map(|worker| tokio::spawn(async move { worker.step().await.unwrap() }));
    until("both to wait for their turn", async || store::count_waiting(&stage.pg, "pg_advisory_xact_lock").await == 2)
        .await;
    turn.close().await.unwrap();
    for step in steps {
        step.await.unwrap();
    }
    assert_eq!(store::count_epochs(&stage.pg).await, 1, "the second found it done");
    // How many of the ten the two took depends on which of them gave its slots back first.
    let worker = stage.worker(&willing());
    until("all to end", async || worker.step().await.is_ok() && store::count(&stage.pg, "succeeded").await == 10).await;
}

#[sqlx::test]
async fn what_was_never_dispatched_is_found(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let running = stage.start(&willing(), quick());
    until("redis to be ready", async || stage.queue.health().await.epoch_ok).await;
    // As if the process had died between commit and dispatch.
    let id = stage.commit(&job()).await;
    stage.wait_for_state(id, "succeeded").await;
    running.end().await;
}

#[sqlx::test]
async fn an_id_that_redis_lost_alone_is_offered_again(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let worker = stage.worker(&willing());
    worker.step().await.unwrap();
    let id = stage.enqueue(&job()).await;
    let key = format!("{{{}}}:ready:local", stage.namespace);
    let lost: i64 = stage.eval("return redis.call('DEL', ARGV[1])", vec![key]).await;
    assert_eq!(lost, 1);
    store::age_dispatch(&stage.pg, id).await;
    assert_eq!(worker.step().await.unwrap(), 1);
}

#[sqlx::test]
async fn a_redis_that_may_drop_keys_is_refused(pg: PgPool) {
    let redis = OwnRedis::start("allkeys-lru").await;
    match Queue::connect(pg, RedisSettings::new(redis.url(), "test")).await {
        Err(Error::EvictionPolicy { found }) => assert_eq!(found, "allkeys-lru"),
        Err(other) => panic!("refused for the wrong reason: {other}"),
        Ok(_) => panic!("accepted"),
    }
}

#[sqlx::test]
async fn killing_and_restarting_redis_stops_nothing(pg: PgPool) {
    let mut redis = OwnRedis::start("noeviction").await;
    let stage = Stage::open_at(pg, redis.url()).await;
    let running = stage.start(&willing(), WorkerSettings { poll_ms: 200, ..quick() });
    until("redis to be ready", async || stage.queue.health().await.epoch_ok).await;
    let id = stage.enqueue(&job()).await;
    stage.wait_for_state(id, "succeeded").await;

    redis.kill();
    let id = stage.enqueue(&job()).await;
    stage.wait_for_state(id, "succeeded").await;

    redis.restart().await;
    until("redis to be rebuilt", async || stage.queue.health().await.epoch_ok).await;
    // Wakes work again, too: subscriptions came back.
    let mut progress = stage.queue.subscribe("progress");
    until("a message to arrive", async || {
        stage.queue.publish("progress", "42").await;
        matches!(tokio::time::timeout(Duration::from_millis(50), progress.recv()).await, Ok(Ok(text)) if text == "42")
    })
    .await;
    let id = stage.enqueue(&job()).await;
    stage.wait_for_state(id, "succeeded").await;
    running.end().await;
}

#[sqlx::test]
async fn many_listeners_share_one_subscription(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let mut first = stage.queue.subscribe("generation-1");
    let mut second = stage.queue.subscribe("generation-1");
    let channel = format!("{{{}}}:on:generation-1", stage.namespace);
    let count = async || -> i64 {
        stage.eval("return redis.call('PUBSUB', 'NUMSUB', ARGV[1])[2]", vec![channel.clone()]).await
    };
    until("the subscription", async || count().await == 1).await;
    stage.queue.publish("generation-1", "half").await;
    assert_eq!(first.recv().await.unwrap(), "half");
    assert_eq!(second.recv().await.unwrap(), "half");

    drop((first, second));
    // Noticed at the next message, or when somebody subscribes to something else.
    let _other = stage.queue.subscribe("generation-2");
    until("the end of the subscription", async || count().await == 0).await;
}

#[sqlx::test]
async fn wrong_addresses_are_named_without_their_password(pg: PgPool) {
    for namespace in ["", "a{b", "}"] {
        let refused = Queue::connect(pg.clone(), RedisSettings::new(NO_REDIS, namespace)).await;
        assert!(matches!(refused.err(), Some(Error::RedisNamespace)), "{namespace:?} is no hash tag");
    }
    let settings = RedisSettings::new("http://user:hunter2@example.com", "test");
    assert!(!format!("{settings:?}").contains("hunter2"));
    match Queue::connect(pg, settings).await {
        Err(error @ Error::RedisAddress { .. }) => assert!(!error.to_string().contains("hunter2"), "{error}"),
        Err(other) => panic!("refused for the wrong reason: {other}"),
        Ok(_) => panic!("accepted"),
    }
}

/// Not a handler at all: the kind is unknown to this worker and must stay for one that knows it.
#[sqlx::test]
async fn an_unknown_kind_waits_for_a_worker_that_knows_it(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let id = stage.enqueue(&NewJob::new("of another release", "local", serde_json::json!({}))).await;
    let worker = stage.worker(&Actor::new(async |_| Ok(Outcome::Done)));
    assert_eq!(worker.step().await.unwrap(), 0);
    assert_eq!(store::read(&stage.pg, id).await.state, "queued");
}
