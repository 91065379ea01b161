//! The heartbeat: a thread with its own runtime and connections, so that busy or blocked work cannot stop it.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use super::roster::{Cause, Entry, Roster};
use super::{WorkerSettings, store};
use crate::Lease;
use crate::redis::{Hold, Redis, RedisSettings};

/// How often running jobs are asked whether a person wants them to end.
const TICK: Duration = Duration::from_millis(250);
/// A beat must not wait for longer: the next one may find a better connection.
const BEAT_TIMEOUT: Duration = Duration::from_secs(3);

/// What the heartbeat needs.
pub(crate) struct Pulse {
    pub(crate) worker: Uuid,
    pub(crate) roster: Arc<Roster>,
    pub(crate) pg: PgConnectOptions,
    pub(crate) redis: RedisSettings,
    pub(crate) lease_ms: i64,
    pub(crate) heartbeat: Duration,
}

impl Pulse {
    pub(crate) fn new(
        worker: Uuid,
        roster: Arc<Roster>,
        pg: PgConnectOptions,
        redis: RedisSettings,
        settings: &WorkerSettings,
    ) -> Self {
        Self { worker, roster, pg, redis, lease_ms: settings.lease_ms(), heartbeat: settings.heartbeat() }
    }

    /// Starts the thread; it ends when the guard is dropped.
    pub(crate) fn start(self) -> std::io::Result<DropGuard> {
        let end = CancellationToken::new();
        let stop = end.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("jobs-heartbeat".into()).spawn(move || runtime.block_on(self.beat(stop)))?;
        Ok(end.drop_guard())
    }

    async fn beat(self, stop: CancellationToken) {
        let redis = Redis::open(self.redis.clone())
            .inspect_err(|error| tracing::error!(%error, "the heartbeat cannot use redis"))
            .ok();
        let mut connection = None;
        let mut last_beat = Instant::now();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(TICK) => {}
            }
            let entries = self.roster.list();
            if entries.is_empty() {
                continue;
            }
            // Two beats were missed: stop before anybody else can have been given the job.
            self.roster.fire_stale(self.heartbeat * 5 / 2);
            let due = last_beat.elapsed() >= self.heartbeat;
            match timeout(BEAT_TIMEOUT, self.check(&mut connection, &entries, due)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the heartbeat could not reach postgres");
                    connection = None;
                }
                Err(_) => {
                    tracing::warn!("the heartbeat waited too long for postgres");
                    connection = None;
                }
            }
            if due {
                last_beat = Instant::now();
                if let Some(redis) = &redis {
                    self.keep_slots(redis, &entries).await;
                }
            }
        }
        if let Some(redis) = redis {
            redis.close().await;
        }
        if let Some(connection) = connection {
            // A connection that does not close is closed by the drop.
            timeout(BEAT_TIMEOUT, PgConnection::close(connection)).await.ok();
        }
    }

    async fn check(
        &self,
        connection: &mut Option<PgConnection>,
        entries: &[Entry],
        renew: bool,
    ) -> Result<(), sqlx::Error> {
        let connection = match connection {
            Some(connection) => connection,
            None => {
                let mut fresh = self.pg.connect().await?;
                store::defer_flush(&mut fresh).await?;
                connection.insert(fresh)
            }
        };
        let ids: Vec<Uuid> = entries.iter().map(|entry| entry.lease.job_id).collect();
        for (id, epoch) in store::list_cancel_requests(connection, &ids).await? {
            self.roster.fire(id, epoch, Cause::Asked);
        }
        if renew {
            let asked_at = Instant::now();
            let epochs: Vec<i64> = entries.iter().map(|entry| entry.lease.epoch).collect();
            let held = store::renew(connection, self.worker, &ids, &epochs, self.lease_ms).await?;
            for entry in entries {
                let (id, epoch) = (entry.lease.job_id, entry.lease.epoch);
                if held.contains(&(id, epoch)) {
                    self.roster.note_renewed(id, epoch, asked_at);
                } else {
                    self.roster.fire(id, epoch, Cause::LeaseLost);
                }
            }
        }
        Ok(())
    }

    async fn keep_slots(&self, redis: &Redis, entries: &[Entry]) {
        let holds: Vec<Hold> = entries
            .iter()
            .map(|entry| Hold {
                id: entry.place.id,
                group: entry.place.group.clone(),
                owner: entry.place.owner,
                worker: self.worker,
                ttl_ms: self.lease_ms,
                insert: !entry.slotted,
            })
            .collect();
        let kept = redis.hold(&holds).await.is_ok();
        let leases: Vec<Lease> = entries.iter().map(|entry| entry.lease).collect();
        self.roster.note_slots(&leases, kept);
    }
}
