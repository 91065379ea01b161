//! What Redis is told, and what it may say that is not so.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::Utc;
use jobs::{Failure, Limit, Limits, NewJob, Outcome, WorkerSettings};
use serde_json::json;
use sqlx::PgPool;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use crate::stage::{Actor, OwnRedis, Stage, ask, job, quick, until, willing};
use crate::store;

/// A late write of somebody who did not know that the job had ended, or never was.
#[sqlx::test]
async fn a_ghost_runs_nothing_and_goes_away(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let worker = stage.worker(&willing());
    let keyed = || job().dedupe_key("the only one");
    let ended = stage.enqueue(&keyed()).await;
    assert_eq!(worker.step().await.unwrap(), 1);
    let haunt = "local prefix = string.sub(KEYS[1], 1, -6) \
         redis.call('ZADD', prefix .. 'ready:local', 1, ARGV[1] .. ':') \
         redis.call('ZADD', prefix .. 'groups', 0, 'local') \
         return redis.call('ZADD', prefix .. 'delayed', 1, ARGV[2] .. '::512:local')";
    let _: i64 = stage.eval(haunt, vec![ended.to_string(), Uuid::new_v4().to_string()]).await;
    assert_eq!(worker.step().await.unwrap(), 0);
    let left: Vec<String> = stage.dump_redis().await.into_iter().map(|(key, ..)| key).collect();
    for gone in ["ready:local", "delayed", "slots:group:local"] {
        assert!(!left.contains(&gone.to_owned()), "{gone} is still there: {left:?}");
    }
    assert_eq!(store::history(&stage.pg, ended).await, ["running", "succeeded"]);
    assert_ne!(stage.enqueue(&keyed()).await, ended, "its key is free");
    assert_eq!(worker.step().await.unwrap(), 1);
}

type Seen = Mutex<BTreeMap<String, (String, i64)>>;

async fn look(stage: &Stage, seen: &Seen) {
    let dump = stage.dump_redis().await;
    seen.lock().unwrap().extend(dump.into_iter().map(|(key, content, ms)| (key, (content, ms))));
}

/// Nothing that a caller stores, and nothing that could fill it up by standing still.
#[sqlx::test]
async fn redis_holds_ids_only_and_limits_forget_themselves(pg: PgPool) {
    let stage = Arc::new(Stage::open(pg).await);
    let secret = "what-the-caller-stored";
    let seen: Arc<Seen> = Arc::default();
    let (inner, book) = (stage.clone(), seen.clone());
    let actor = Actor::new(move |attempt| {
        let (stage, book) = (inner.clone(), book.clone());
        async move {
            look(&stage, &book).await;
            if attempt.job.payload["refuses"] == true {
                return Err(Failure::rate_limited(Some(Duration::from_secs(60)), "429", secret));
            }
            Ok(Outcome::Done)
        }
    });
    let limits = Limits { owner_slots: Some(1), ..Limits::default() }
        .with_group("fal/pika", Limit::rate(1, Duration::from_secs(60), 1))
        .with_family("fal", Limit::slots(5));
    let owner = Uuid::new_v4();
    let new = |refuses: bool| {
        NewJob::new("act", "fal/pika", json!({ "refuses": refuses, "secret": secret })).owner(owner).label(secret)
    };
    let worker = stage.worker_with(&actor, WorkerSettings { limits, ..quick() });
    stage.enqueue(&new(true).dedupe_key(secret)).await;
    stage.enqueue(&new(false)).await;
    stage.enqueue(&new(false).run_at(Utc::now() + Duration::from_secs(3_600))).await;
    assert_eq!(worker.step().await.unwrap(), 1);
    look(&stage, &seen).await;

    let seen = seen.lock().unwrap();
    let (mut kinds, mut lasting) = (Vec::new(), Vec::new());
    for (key, (content, ms)) in seen.iter() {
        assert!(!content.contains(secret) && !key.contains(secret), "{key} holds {content}");
        kinds.push(key.split(':').next().unwrap());
        if *ms < 0 {
            lasting.push(key.split(':').next().unwrap());
        }
    }
    for kind in ["slots", "rate", "blocked", "brake", "answer"] {
        assert!(kinds.contains(&kind), "{kind} was not put to the test: {kinds:?}");
    }
    lasting.retain(|kind| !["ready", "delayed", "held", "owners", "groups", "epoch"].contains(kind));
    assert!(lasting.is_empty(), "these stay for ever: {lasting:?}");
}

#[sqlx::test]
async fn groups_with_strange_names_do_not_meet(pg: PgPool) {
    let stage = Stage::open(pg).await;
    let hourly = |burst| Limit::rate(1, Duration::from_secs(3_600), burst);
    let limits = Limits::of_any_group(1).with_group("a/", hourly(1)).with_family("a", hourly(2));
    let worker = stage.worker_with(&willing(), WorkerSettings { concurrency: 20, limits, ..quick() });
    let names =
        ["epoch", "wake", "delayed", "owners", "/a", "b:c", "{x}", "*", "a b", "group:a", "family:a", "옷/코트"];
    for name in names {
        stage.enqueue(&NewJob::new("act", name, json!({}))).await;
    }
    assert_eq!(worker.step().await.unwrap(), names.len());
    // A member without a name is not its family.
    for group in ["a/", "a/", "a/b", "a/b"] {
        stage.enqueue(&NewJob::new("act", group, json!({}))).await;
    }
    assert_eq!(worker.step().await.unwrap(), 2, "one of each");
    assert_eq!(worker.step().await.unwrap(), 0, "the burst of the family is used up");
}

/// Stands between a client and Redis. Connections made before it last became deaf stay open, and nothing comes through.
struct Wire {
    url: String,
    deaf_before: Arc<AtomicU64>,
    made: Arc<AtomicU64>,
}

impl Wire {
    async fn to(redis_url: &str) -> Self {
        let redis = redis_url.strip_prefix("redis://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let wire = Self { url, deaf_before: Arc::default(), made: Arc::default() };
        let (deaf_before, made) = (wire.deaf_before.clone(), wire.made.clone());
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let number = made.fetch_add(1, Ordering::SeqCst);
                let far = TcpStream::connect(&redis).await.unwrap();
                let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
                tokio::spawn(carry(from_near, to_far, number, deaf_before.clone()));
                tokio::spawn(carry(from_far, to_near, number, deaf_before.clone()));
            }
        });
        wire
    }

    fn fall_silent(&self) {
        self.deaf_before.store(self.made.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, number: u64, deaf_before: Arc<AtomicU64>) {
    let mut buffer = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let is_deaf = number < deaf_before.load(Ordering::SeqCst);
        if !is_deaf && to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

/// The peer is gone and nothing says so: no connection is closed, and no answer comes.
#[sqlx::test]
async fn a_connection_that_falls_silent_is_given_up(pg: PgPool) {
    let wire = Wire::to(&std::env::var("REDIS_URL").unwrap()).await;
    let stage = Stage::open_at(pg, wire.url.clone()).await;
    let running = stage.start(&willing(), quick());
    until("redis to be ready", async || stage.queue.health().await.epoch_ok).await;
    wire.fall_silent();
    let id = stage.enqueue(&job()).await;
    stage.wait_for_state(id, "succeeded").await;
    until("redis to be used again", async || stage.queue.health().await.epoch_ok).await;
    let id = stage.enqueue(&job()).await;
    stage.wait_for_state(id, "succeeded").await;
    running.end().await;
}

/// What answers after a silence may be another server: it is asked before it is used, and again until it is right.
#[sqlx::test]
async fn a_redis_that_comes_back_as_one_that_drops_keys_is_not_used(pg: PgPool) {
    let mut redis = OwnRedis::start("noeviction").await;
    let stage = Stage::open_at(pg, redis.url()).await;
    let running = stage.start(&willing(), WorkerSettings { poll_ms: 200, ..quick() });
    until("redis to be ready", async || stage.queue.health().await.epoch_ok).await;
    redis.kill();
    until("the loss to be seen", async || !stage.queue.health().await.redis).await;
    redis.policy = "allkeys-lru";
    redis.restart().await;
    until("the new one to be found", async || !stage.dump_redis().await.is_empty()).await;
    let id = stage.enqueue(&job()).await;
    stage.wait_for_state(id, "succeeded").await;
    let keys: Vec<String> = stage.dump_redis().await.into_iter().map(|(key, ..)| key).collect();
    assert!(keys.iter().all(|key| key == "probe"), "{keys:?}");
    assert!(!stage.queue.health().await.redis);

    assert_eq!(ask(redis.port, &["config", "set", "maxmemory-policy", "noeviction"]), "OK");
    until("the mended one to be used", async || stage.queue.health().await.epoch_ok).await;
    running.end().await;
}
