//! Redis as the dispatch plane: ids, slots, wakes. Everything in it can be rebuilt from Postgres.

mod channel;
mod connection;
#[cfg(test)]
mod model;
mod script;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::{KeysInterface, PubsubInterface};
use fred::types::Expiration;
use fred::types::scripts::Script;
use tokio::sync::broadcast;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Error;
use channel::Channels;
use script::Scripts;

/// How often the connection is proven by a write.
const PROBE_EVERY: Duration = Duration::from_millis(500);
/// Jobs per call of a script.
const PAGE: usize = 1_000;
/// A thousand groups or owners are cleared per round.
const CLEAR_ROUNDS: usize = 1_000;
/// A client that has not answered for this long is replaced by a new one.
const REPLACE_AFTER: Duration = Duration::from_secs(10);

/// Where Redis is and under which name we live in it.
#[derive(Clone)]
pub struct RedisSettings {
    /// `redis://`, `rediss://`, `redis-sentinel://` or `redis-cluster://`; may hold a password, so it is never printed.
    pub url: secrecy::SecretString,
    /// Prefix of every key and channel, and their hash tag: one slot in a cluster.
    pub namespace: String,
}

impl RedisSettings {
    /// Settings from an address and a namespace.
    pub fn new(url: impl Into<String>, namespace: impl Into<String>) -> Self {
        Self { url: secrecy::SecretString::from(url.into()), namespace: namespace.into() }
    }

    fn address(&self) -> &str {
        secrecy::ExposeSecret::expose_secret(&self.url)
    }

    fn key(&self, name: &str) -> String {
        format!("{{{}}}:{name}", self.namespace)
    }
}

impl fmt::Debug for RedisSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RedisSettings").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

/// One id to be made claimable.
#[derive(Debug, Clone)]
pub(crate) struct Push {
    pub(crate) id: Uuid,
    pub(crate) group: String,
    pub(crate) owner: Option<Uuid>,
    pub(crate) priority: i16,
    /// From now by the database's clock; less than 0 when it has been due for a while.
    pub(crate) delay_ms: i64,
}

/// A job with what its places are counted under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) id: Uuid,
    pub(crate) group: String,
    pub(crate) owner: Option<Uuid>,
}

/// Places to be kept.
#[derive(Debug, Clone)]
pub(crate) struct Hold {
    pub(crate) id: Uuid,
    pub(crate) group: String,
    pub(crate) owner: Option<Uuid>,
    pub(crate) worker: Uuid,
    pub(crate) ttl_ms: i64,
    pub(crate) insert: bool,
}

/// What a claim asks for.
pub(crate) struct ClaimRequest<'a> {
    pub(crate) epoch: Uuid,
    pub(crate) worker: Uuid,
    /// The same ticket again asks for the same answer again.
    pub(crate) ticket: Uuid,
    pub(crate) count: usize,
    pub(crate) lease_ms: i64,
    /// [`crate::Limits`] in the words of the script.
    pub(crate) limits: &'a str,
}

/// What a claim answers.
#[derive(Debug)]
pub(crate) enum ClaimAnswer {
    /// Jobs proposed, their places taken; Postgres has the last word.
    Proposed { jobs: Vec<Place>, next: Option<Duration> },
    /// Redis does not hold the epoch we expect: it was lost or is being rebuilt.
    WrongEpoch,
}

/// A supervised connection to Redis.
pub(crate) struct Redis {
    settings: RedisSettings,
    client: RwLock<Client>,
    scripts: Scripts,
    channels: Arc<Channels>,
    /// Answered its last probe.
    up: AtomicBool,
    /// Keeps what it is given, as far as its policy says. Asked again of whatever answers after a silence: it may be
    /// another server.
    trusted: AtomicBool,
    closed: CancellationToken,
}

impl Redis {
    /// Connects. Waits a moment for the first answer, but a Redis that is away does not stop the start.
    pub(crate) async fn connect(settings: RedisSettings) -> Result<Arc<Self>, Error> {
        let redis = Arc::new(Self::open(settings)?);
        redis.trusted.store(false, Ordering::Relaxed);
        if redis.probe().await {
            redis.refuse_eviction().await?;
        } else {
            tracing::warn!("redis does not answer yet; jobs are claimed from postgres until it does");
        }
        let subscriber = connection::open_subscriber(&redis.settings)?;
        tokio::spawn(redis.channels.clone().keep(subscriber.clone(), redis.closed.clone()));
        tokio::spawn(watch(redis.clone(), subscriber));
        Ok(redis)
    }

    /// A connection without supervision or channels, for the heartbeat's own runtime.
    pub(crate) fn open(settings: RedisSettings) -> Result<Self, Error> {
        Ok(Self {
            client: RwLock::new(connection::open_client(&settings)?),
            settings,
            scripts: Scripts::new(),
            channels: Channels::new(),
            up: AtomicBool::new(true),
            trusted: AtomicBool::new(true),
            closed: CancellationToken::new(),
        })
    }

    #[cfg(test)]
    fn with_clock(mut self) -> Self {
        self.scripts = Scripts::with_clock();
        self
    }

    pub(crate) fn settings(&self) -> &RedisSettings {
        &self.settings
    }

    pub(crate) fn is_usable(&self) -> bool {
        self.up.load(Ordering::Relaxed) && self.trusted.load(Ordering::Relaxed)
    }

    /// Stops the supervision and closes the connections.
    pub(crate) async fn close(&self) {
        self.closed.cancel();
        connection::close_client(&self.client()).await;
    }

    /// Lets the supervision end by itself; for when nobody can wait.
    pub(crate) fn abandon(&self) {
        self.closed.cancel();
    }

    fn client(&self) -> Client {
        self.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) async fn push(&self, jobs: &[Push]) -> Result<(), Error> {
        for page in jobs.chunks(PAGE) {
            let mut args = Vec::with_capacity(page.len() * 5);
            for job in page {
                args.extend([job.id.to_string(), job.group.clone(), owner_word(job.owner)]);
                args.extend([job.priority.to_string(), job.delay_ms.to_string()]);
            }
            self.run(&self.scripts.push, args).await?;
        }
        Ok(())
    }

    /// Makes waiting jobs unclaimable.
    pub(crate) async fn withdraw(&self, jobs: &[Push]) -> Result<(), Error> {
        for page in jobs.chunks(PAGE) {
            let mut args = Vec::with_capacity(page.len() * 4);
            for job in page {
                args.extend([job.id.to_string(), job.group.clone(), owner_word(job.owner), job.priority.to_string()]);
            }
            self.run(&self.scripts.withdraw, args).await?;
        }
        Ok(())
    }

    pub(crate) async fn claim(&self, request: &ClaimRequest<'_>) -> Result<ClaimAnswer, Error> {
        let args = vec![
            request.epoch.to_string(),
            request.worker.to_string(),
            request.ticket.to_string(),
            request.count.to_string(),
            request.lease_ms.to_string(),
            request.limits.to_owned(),
        ];
        let answer = self.run(&self.scripts.claim, args).await?;
        let mut words = answer.into_iter();
        if words.next().as_deref() != Some("1") {
            return Ok(ClaimAnswer::WrongEpoch);
        }
        let next = words.next().and_then(|ms| ms.parse::<u64>().ok()).map(Duration::from_millis);
        let mut jobs = Vec::new();
        while let (Some(id), Some(group), Some(owner)) = (words.next(), words.next(), words.next()) {
            // Something else under our prefix is not ours to run.
            if let Ok(id) = Uuid::parse_str(&id) {
                jobs.push(Place { id, group, owner: Uuid::parse_str(&owner).ok() });
            }
        }
        Ok(ClaimAnswer::Proposed { jobs, next })
    }

    pub(crate) async fn hold(&self, jobs: &[Hold]) -> Result<(), Error> {
        for page in jobs.chunks(PAGE) {
            let mut args = Vec::with_capacity(page.len() * 6);
            for job in page {
                let insert = if job.insert { "1" } else { "0" };
                args.extend([job.id.to_string(), job.group.clone(), owner_word(job.owner)]);
                args.extend([job.worker.to_string(), job.ttl_ms.to_string(), insert.to_owned()]);
            }
            self.run(&self.scripts.hold, args).await?;
        }
        Ok(())
    }

    pub(crate) async fn release(&self, worker: Uuid, places: &[Place]) -> Result<(), Error> {
        for page in places.chunks(PAGE) {
            let mut args = vec![worker.to_string()];
            for place in page {
                args.extend([place.id.to_string(), place.group.clone(), owner_word(place.owner)]);
            }
            self.run(&self.scripts.release, args).await?;
        }
        Ok(())
    }

    /// Nothing of the group is claimed for this long; of `slots` it keeps half when it is not the first time.
    pub(crate) async fn block(&self, group: &str, pause: Duration, slots: usize) -> Result<(), Error> {
        let millis = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX).max(1);
        self.run(&self.scripts.block, vec![group.to_owned(), millis.to_string(), slots.to_string()]).await?;
        Ok(())
    }

    /// Forgets what a rebuild writes anew, also of groups and owners that only Postgres knows.
    pub(crate) async fn clear(&self, known: &[(String, Option<Uuid>)]) -> Result<(), Error> {
        for page in known.chunks(PAGE).chain(std::iter::repeat_n(&[][..], CLEAR_ROUNDS)) {
            let args = page.iter().flat_map(|(group, owner)| [group.clone(), owner_word(*owner)]).collect();
            let left = self.run(&self.scripts.clear, args).await?;
            if page.is_empty() && left.first().is_none_or(|left| left == "0") {
                break;
            }
        }
        Ok(())
    }

    pub(crate) async fn read_epoch(&self) -> Result<Option<Uuid>, Error> {
        let epoch: Option<String> = self.client().get(self.settings.key("epoch")).await.map_err(connection::refuse)?;
        Ok(epoch.and_then(|epoch| Uuid::parse_str(&epoch).ok()))
    }

    pub(crate) async fn write_epoch(&self, epoch: Uuid) -> Result<(), Error> {
        let key = self.settings.key("epoch");
        self.client().set(key, epoch.to_string(), None, None, false).await.map_err(connection::refuse)
    }

    pub(crate) async fn publish(&self, channel: &str, payload: &str) -> Result<(), Error> {
        if !self.is_usable() {
            return Err(Error::RedisAway);
        }
        let channel = self.settings.key(&format!("on:{channel}"));
        self.client().publish(channel, payload).await.map_err(connection::refuse)
    }

    pub(crate) fn subscribe(&self, channel: &str) -> broadcast::Receiver<String> {
        self.channels.subscribe(&self.settings.key(&format!("on:{channel}")))
    }

    /// Tells that something may have become claimable.
    pub(crate) fn wakes(&self) -> broadcast::Receiver<String> {
        self.channels.subscribe(&self.settings.key("wake"))
    }

    async fn run(&self, script: &Script, args: Vec<String>) -> Result<Vec<String>, Error> {
        if !self.is_usable() {
            return Err(Error::RedisAway);
        }
        let key = self.settings.key("epoch");
        script.evalsha_with_reload(&self.client(), vec![key], args).await.map_err(connection::refuse)
    }

    /// A write, because a full Redis still answers reads.
    async fn probe(&self) -> bool {
        let key = self.settings.key("probe");
        let client = self.client();
        let write = client.set::<(), _, _>(key, 1, Some(Expiration::PX(60_000)), None, false);
        let up = matches!(tokio::time::timeout(connection::COMMAND_TIMEOUT, write).await, Ok(Ok(())));
        if self.up.swap(up, Ordering::Relaxed) != up {
            tracing::warn!(redis.up = up, "redis {}", if up { "answers again" } else { "does not answer" });
        }
        up
    }

    async fn refuse_eviction(&self) -> Result<(), Error> {
        match connection::read_eviction_policy(&self.client()).await? {
            Some(found) if found != "noeviction" => Err(Error::EvictionPolicy { found }),
            _ => {
                self.trusted.store(true, Ordering::Relaxed);
                Ok(())
            }
        }
    }
}

fn owner_word(owner: Option<Uuid>) -> String {
    owner.map(|owner| owner.to_string()).unwrap_or_default()
}

/// Proves the connection again and again; replaces the client when fred does not get it back by itself.
async fn watch(redis: Arc<Redis>, subscriber: fred::clients::SubscriberClient) {
    let mut last_answer = Instant::now();
    let mut told = false;
    loop {
        tokio::select! {
            () = redis.closed.cancelled() => break,
            () = tokio::time::sleep(PROBE_EVERY) => {}
        }
        if redis.probe().await {
            last_answer = Instant::now();
            if !redis.trusted.load(Ordering::Relaxed)
                && let Err(error) = redis.refuse_eviction().await
                && !std::mem::replace(&mut told, true)
            {
                tracing::error!(%error, "redis cannot be used: {error}");
            }
        } else {
            redis.trusted.store(false, Ordering::Relaxed);
            told = false;
            if last_answer.elapsed() > REPLACE_AFTER
                && let Ok(fresh) = connection::open_client(&redis.settings)
            {
                let old = std::mem::replace(&mut *redis.client.write().unwrap_or_else(PoisonError::into_inner), fresh);
                tokio::spawn(async move { connection::close_client(&old).await });
                last_answer = Instant::now();
                tracing::warn!("the redis client was replaced: it did not come back by itself");
            }
        }
    }
    connection::close_client(&subscriber).await;
    connection::close_client(&redis.client()).await;
}
