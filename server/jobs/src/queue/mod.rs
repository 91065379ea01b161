//! The queue as a whole: dispatch, fan-out, health.

pub(crate) mod store;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tokio::sync::broadcast;
use tokio::time::timeout;
use uuid::Uuid;

use crate::redis::{Push, Redis, RedisSettings};
use crate::store::InsertedRow;
use crate::{Error, NewJob};

/// How long a database round trip of the queue itself may take.
pub(crate) const QUERY_TIMEOUT: Duration = Duration::from_secs(5);

/// Rows per statement.
const PAGE: usize = 1_000;

/// Waits for Postgres, but not for ever: somebody may hold a lock, or the peer may be gone without a word.
pub(crate) async fn within<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, Error> {
    Ok(timeout(QUERY_TIMEOUT, work).await.map_err(|_| Error::TimedOut)??)
}

/// A handle to the queue; cheap to clone, one per process is enough.
#[derive(Clone)]
pub struct Queue {
    inner: Arc<Inner>,
}

struct Inner {
    pg: PgPool,
    redis: Arc<Redis>,
    /// The epoch Postgres held when we last looked.
    epoch: RwLock<Uuid>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.redis.abandon();
    }
}

/// Whether the queue works at full speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueHealth {
    /// Postgres answers.
    pub postgres: bool,
    /// Redis takes writes and does not evict.
    pub redis: bool,
    /// Redis holds the same epoch as Postgres; false while it is being rebuilt.
    pub epoch_ok: bool,
}

/// How much there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueDepth {
    /// Due and not yet claimed.
    pub waiting: u64,
    /// Enqueued or to be tried again, but not due yet.
    pub delayed: u64,
    /// In the hands of a worker.
    pub running: u64,
    /// Waiting for the outside world without holding a slot.
    pub parked: u64,
    /// Since when the longest waiting due job could have run.
    pub oldest_due_at: Option<DateTime<Utc>>,
    /// The same as an age by the database's clock; zero when nothing waits.
    pub oldest_age: Duration,
    /// For how long the lease that ran out first has been waiting for a leader to take its job back; zero when none has.
    /// More than some seconds says that nobody leads.
    pub lease_overdue: Duration,
}

impl Queue {
    /// Connects. A Redis that is away does not stop the start, a wrong one does.
    ///
    /// # Errors
    /// [`Error::RedisAddress`], [`Error::RedisNamespace`], [`Error::EvictionPolicy`] when Redis may drop keys,
    /// [`Error::Database`], [`Error::TimedOut`].
    pub async fn connect(pg: PgPool, redis: RedisSettings) -> Result<Self, Error> {
        let redis = Redis::connect(redis).await?;
        let epoch = within(store::read_epoch(&pg)).await?;
        Ok(Self { inner: Arc::new(Inner { pg, redis, epoch: RwLock::new(epoch) }) })
    }

    /// Enqueues jobs in a transaction of their own, all or none, and dispatches them: for callers without other rows to
    /// write. Answers their ids in the same order; a job with a live twin (same id or dedupe key) gets the twin's. A crash
    /// between the commit and the dispatch costs ten seconds.
    ///
    /// # Errors
    /// [`Error::InvalidJob`] before anything is written, [`Error::Database`], [`Error::Contended`].
    pub async fn submit(&self, jobs: &[NewJob]) -> Result<Vec<Uuid>, Error> {
        jobs.iter().try_for_each(NewJob::check)?;
        let inserted: HashMap<Uuid, InsertedRow> =
            self.insert(jobs).await?.into_iter().map(|row| (row.id, row)).collect();
        let (mut ids, mut pushes) = (Vec::with_capacity(jobs.len()), Vec::with_capacity(jobs.len()));
        for job in jobs {
            let Some(row) = inserted.get(&job.id) else {
                let mut connection = self.pg().acquire().await?;
                ids.push(crate::enqueue(&mut connection, job).await?);
                continue;
            };
            ids.push(row.id);
            if !row.is_paused {
                let priority = i16::try_from(job.priority).unwrap_or(i16::MAX);
                let (group, owner) = (job.group.clone(), job.owner);
                pushes.push(Push { id: row.id, group, owner, priority, delay_ms: row.delay_ms });
            }
        }
        if let Err(error) = self.redis().push(&pushes).await {
            tracing::warn!(%error, jobs = pushes.len(), "dispatching {} jobs failed, the reconciler repairs it", pushes.len());
            let missed: Vec<Uuid> = pushes.iter().map(|push| push.id).collect();
            within(store::forget_dispatch(self.pg(), &missed)).await?;
        }
        Ok(ids)
    }

    /// A statement alone is its own transaction, a round trip cheaper.
    async fn insert(&self, jobs: &[NewJob]) -> Result<Vec<InsertedRow>, Error> {
        match jobs {
            [job] => Ok(crate::store::insert(self.pg(), job, true).await?.into_iter().collect()),
            jobs if jobs.len() <= PAGE => Ok(crate::store::insert_all(self.pg(), jobs, true).await?),
            jobs => {
                let mut tx = self.pg().begin().await?;
                let mut rows = Vec::with_capacity(jobs.len());
                for page in jobs.chunks(PAGE) {
                    rows.extend(crate::store::insert_all(&mut *tx, page, true).await?);
                }
                tx.commit().await?;
                Ok(rows)
            }
        }
    }

    /// Pushes jobs to Redis after the commit that enqueued, woke or parked them. Failing is harmless and only logged:
    /// the reconciler pushes them within a second. Repeating is harmless too.
    pub async fn dispatch(&self, ids: &[Uuid]) {
        if let Err(error) = self.push(ids, Duration::ZERO).await {
            tracing::warn!(%error, jobs = ids.len(), "dispatching {} jobs failed, the reconciler repairs it", ids.len());
        }
    }

    /// Sends a message to whoever listens now; nobody may. Failing is only logged.
    pub async fn publish(&self, channel: &str, payload: &str) {
        if let Err(error) = self.inner.redis.publish(channel, payload).await {
            tracing::debug!(%error, channel, "a message on {channel} was not published");
        }
    }

    /// Listens to a channel. There is one Redis subscription per process and channel however many receivers; messages
    /// are hints, a receiver that fell behind or started late reads Postgres.
    pub fn subscribe(&self, channel: &str) -> broadcast::Receiver<String> {
        self.inner.redis.subscribe(channel)
    }

    /// Whether the queue works at full speed; every part is really asked.
    pub async fn health(&self) -> QueueHealth {
        let expected = within(store::read_epoch(self.pg())).await.ok();
        let redis = self.redis().is_usable();
        let found = if redis { self.redis().read_epoch().await.ok().flatten() } else { None };
        QueueHealth { postgres: expected.is_some(), redis, epoch_ok: expected.is_some() && expected == found }
    }

    /// Counts what waits and runs.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::TimedOut`].
    pub async fn depth(&self) -> Result<QueueDepth, Error> {
        let row = within(store::read_depth(self.pg())).await?;
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        Ok(QueueDepth {
            waiting: count(row.waiting),
            delayed: count(row.delayed),
            running: count(row.running),
            parked: count(row.parked),
            oldest_due_at: row.oldest_due_at,
            oldest_age: Duration::from_millis(count(row.oldest_age_ms.unwrap_or(0))),
            lease_overdue: Duration::from_millis(count(row.lease_overdue_ms.unwrap_or(0))),
        })
    }

    /// Closes the Redis connections. The Postgres pool is the caller's.
    pub async fn close(&self) {
        self.inner.redis.close().await;
    }

    pub(crate) fn pg(&self) -> &PgPool {
        &self.inner.pg
    }

    pub(crate) fn redis(&self) -> &Arc<Redis> {
        &self.inner.redis
    }

    /// Pushes those of the ids that wait, no sooner than `pause` from now.
    pub(crate) async fn push(&self, ids: &[Uuid], pause: Duration) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut waiting = within(store::list_waiting(self.pg(), ids)).await?;
        let pause_ms = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        for job in &mut waiting {
            job.delay_ms = job.delay_ms.max(pause_ms);
        }
        self.redis().push(&waiting).await
    }

    pub(crate) fn epoch(&self) -> Uuid {
        *self.inner.epoch.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the epoch in Postgres again.
    pub(crate) async fn refresh_epoch(&self) -> Result<Uuid, Error> {
        let epoch = within(store::read_epoch(self.pg())).await?;
        *self.inner.epoch.write().unwrap_or_else(PoisonError::into_inner) = epoch;
        Ok(epoch)
    }
}
