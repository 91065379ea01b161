//! What exactly one process does: sweep, reconcile, rebuild. Doing it twice at once would only be wasteful.

pub(crate) mod store;

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use metrics::counter;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Core, MAX_INTERRUPTIONS};
use crate::queue::QUERY_TIMEOUT;
use crate::worker::store::JobRow;
use crate::{Error, Failure, Schedule};

/// The reconciler's pace, and how often leadership is sought.
const TICK: Duration = Duration::from_secs(1);
/// The sweeper's pace.
const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// A due id that was pushed this long ago and not claimed is pushed again.
const STALE_SECS: f64 = 10.0;
/// How long a rebuild of Redis may take.
const REBUILD_TIMEOUT: Duration = Duration::from_secs(60);
/// How long any other duty of a round may take.
const DUTY_TIMEOUT: Duration = Duration::from_secs(20);
/// Rows per statement.
const PAGE: i64 = 1_000;
/// Rows per statement of a rebuild, when nobody else uses Redis.
const REBUILD_PAGE: i64 = 5_000;

/// Leads whenever nobody else does, until told to end.
pub(crate) async fn lead(core: Arc<Core>, end: CancellationToken) {
    let mut office = Office::default();
    let mut swept_at: Option<Instant> = None;
    loop {
        let leads = match timeout(QUERY_TIMEOUT, office.hold(&core)).await {
            Ok(Ok(leads)) => leads,
            Ok(Err(error)) => {
                tracing::warn!(%error, "leadership cannot be sought: {error}");
                office = Office::default();
                false
            }
            Err(_) => {
                office = Office::default();
                false
            }
        };
        if leads {
            let sweep = swept_at.is_none_or(|at| at.elapsed() >= SWEEP_EVERY);
            if sweep {
                swept_at = Some(Instant::now());
            }
            tokio::select! {
                () = end.cancelled() => {}
                () = office.keep() => tracing::warn!("the leadership was lost in the middle of upkeep"),
                // What went wrong has been told.
                _ = core.maintain(sweep) => {}
            }
        } else {
            swept_at = None;
        }
        tokio::select! {
            () = end.cancelled() => break,
            () = tokio::time::sleep(TICK) => {}
        }
    }
    if let Some(connection) = office.connection {
        // Closing gives the leadership back at once; a drop would, too.
        timeout(QUERY_TIMEOUT, PgConnection::close(connection)).await.ok();
    }
}

/// The advisory lock belongs to the connection: as long as that answers, nobody else leads. Postgres ends it when the
/// leader says nothing for a lease, or one that is paused or cut off would lead for ever.
#[derive(Default)]
struct Office {
    connection: Option<PgConnection>,
    held: bool,
}

impl Office {
    async fn hold(&mut self, core: &Core) -> Result<bool, Error> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => {
                let silence_ms = core.settings.lease().max(TICK * 3).as_millis().to_string();
                let options = core.queue.pg().connect_options().as_ref().clone();
                let options = options.options([("idle_session_timeout", silence_ms)]);
                self.connection.insert(options.connect().await?)
            }
        };
        if self.held {
            store::ping(connection).await?;
        } else if store::try_lead(connection).await? {
            tracing::info!(worker.id = %core.id, "worker {} leads the queue", core.id);
            self.held = true;
        }
        Ok(self.held)
    }

    /// Keeps the office while the leader is busy; returns once it is lost.
    async fn keep(&mut self) {
        while let Some(connection) = &mut self.connection {
            tokio::time::sleep(TICK).await;
            if !matches!(timeout(QUERY_TIMEOUT, store::ping(connection)).await, Ok(Ok(()))) {
                *self = Self::default();
            }
        }
    }
}

impl Core {
    /// One round of upkeep; answers its first error. Every duty stands alone: one that fails or hangs, because of somebody
    /// else's lock or code, must not keep the others from being done.
    pub(crate) async fn maintain(&self, sweep: bool) -> Result<(), Error> {
        let mut round = Round::default();
        if self.queue.redis().is_usable() && round.attend("epoch", REBUILD_TIMEOUT, self.check_epoch()).await {
            round.attend("dispatch", DUTY_TIMEOUT, self.reconcile()).await;
        }
        if sweep {
            round.attend("leases", DUTY_TIMEOUT, self.take_back()).await;
            round.attend("doomed jobs", DUTY_TIMEOUT, self.end_doomed()).await;
            round.attend("retention", DUTY_TIMEOUT, self.prune()).await;
            let statistics = async { Ok(store::refresh_statistics(self.queue.pg()).await?) };
            round.attend("statistics", DUTY_TIMEOUT, statistics).await;
        }
        for schedule in &self.schedules {
            round.attend(schedule.name(), QUERY_TIMEOUT, self.tick(schedule)).await;
        }
        round.first_error.map_or(Ok(()), Err)
    }

    /// Makes the job of a schedule whose time by the clock has come.
    async fn tick(&self, schedule: &Schedule) -> Result<(), Error> {
        let (since, now) = store::read_tick(self.queue.pg(), schedule.name()).await?;
        let Some(tick) = schedule.last_tick(since, now) else { return Ok(()) };
        let job = schedule.job(tick)?;
        let mut tx = self.queue.pg().begin().await?;
        // A statement that is only dropped here would go on waiting there, and keep its connection.
        store::limit_statements(&mut tx, QUERY_TIMEOUT / 2).await?;
        if store::take_tick(&mut tx, schedule.name(), tick).await? {
            let id = crate::enqueue(&mut tx, &job).await?;
            tx.commit().await?;
            tracing::info!(job.id = %id, schedule = schedule.name(), "schedule {} made job {id}", schedule.name());
            self.queue.dispatch(&[id]).await;
        }
        Ok(())
    }

    /// Forgets what ended long ago, page by page.
    async fn prune(&self) -> Result<(), Error> {
        let days = i32::try_from(self.settings.keep_days).unwrap_or(i32::MAX);
        if days == 0 {
            return Ok(());
        }
        loop {
            let gone = store::prune(self.queue.pg(), days.min(36_500), PAGE).await?;
            if gone > 0 {
                tracing::info!(jobs = gone, "{gone} jobs that ended over {days} days ago were deleted");
            }
            if i64::try_from(gone).is_ok_and(|gone| gone < PAGE) {
                return Ok(());
            }
        }
    }

    /// Pushes what Redis does not know, or may have lost.
    async fn reconcile(&self) -> Result<(), Error> {
        let pg = self.queue.pg();
        loop {
            let rows = store::list_undispatched(pg, PAGE).await?;
            let full = rows.len() == usize::try_from(PAGE).unwrap_or(usize::MAX);
            self.push_and_mark(rows).await?;
            if !full {
                break;
            }
        }
        let stale = store::list_stale(pg, STALE_SECS, PAGE).await?;
        if !stale.is_empty() {
            counter!("jobs_reconciled_total").increment(stale.len() as u64);
            tracing::info!(jobs = stale.len(), "{} due jobs are offered again", stale.len());
        }
        self.push_and_mark(stale).await
    }

    async fn push_and_mark(&self, rows: Vec<store::WaitingRow>) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let pushes: Vec<_> = rows.iter().map(store::WaitingRow::to_push).collect();
        self.queue.redis().push(&pushes).await?;
        let (ids, run_ats): (Vec<_>, Vec<_>) = rows.iter().map(|row| (row.id, row.run_at)).unzip();
        store::mark_dispatched(self.queue.pg(), &ids, &run_ats).await?;
        Ok(())
    }

    /// Puts back what crashed workers held.
    async fn take_back(&self) -> Result<(), Error> {
        let back = store::requeue_expired(self.queue.pg(), i32::from(MAX_INTERRUPTIONS), PAGE).await?;
        counter!("jobs_leases_expired_total").increment(back.len() as u64);
        for id in &back {
            tracing::warn!(job.id = %id, "job {id} is taken back: its worker stopped renewing the lease");
        }
        self.queue.dispatch(&back).await;
        Ok(())
    }

    /// Ends what cannot go on. A round begins where the last one stopped: neither many jobs whose handler cannot let go
    /// nor one that hangs may hide the rest.
    async fn end_doomed(&self) -> Result<(), Error> {
        let looked_at = || self.doomed_after.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let after = *looked_at();
            let rows = store::list_doomed(self.queue.pg(), i32::from(MAX_INTERRUPTIONS), &self.kinds, after).await?;
            if rows.is_empty() {
                *looked_at() = Uuid::nil();
                return Ok(());
            }
            for row in rows {
                let id = row.id;
                *looked_at() = id;
                match timeout(QUERY_TIMEOUT, self.condemn(row)).await.unwrap_or(Err(Error::TimedOut)) {
                    Ok(next) => self.queue.dispatch(&next).await,
                    Err(error) => tracing::error!(job.id = %id, %error, "job {id} could not be ended: {error}"),
                }
            }
        }
    }

    async fn condemn(&self, row: JobRow) -> Result<Vec<Uuid>, Error> {
        let failure = if row.cancel_requested {
            Failure::cancelled()
        } else if row.remaining_ms.is_some_and(|left| left <= 0) {
            Failure::permanent(Failure::TIMED_OUT, "took longer than it may")
        } else {
            Failure::permanent(Failure::WORKER_CRASHED, "its worker crashed three times without progress")
        };
        let (state, epoch) = (row.state.clone(), row.lease_epoch);
        let end = if row.cancel_requested { "cancelled" } else { "failed" };
        let job = row.into_job();
        let mut tx = self.queue.pg().begin().await?;
        let at = (job.id, state.as_str(), epoch);
        if !store::condemn(&mut tx, at, end, &failure.code, &failure.message).await? {
            return Ok(Vec::new());
        }
        let next = self.give_up(&mut tx, &job, &failure).await?;
        tx.commit().await?;
        tracing::warn!(job.id = %job.id, "job {} has ended: {}", job.id, failure.code);
        Ok(next)
    }

    /// Rebuilds Redis from Postgres when it does not hold our epoch.
    async fn check_epoch(&self) -> Result<(), Error> {
        let expected = self.queue.refresh_epoch().await?;
        if self.queue.redis().read_epoch().await? == Some(expected) {
            return Ok(());
        }
        let mut tx = self.queue.pg().begin().await?;
        store::lock_rebuild(&mut tx).await?;
        // Another process may have done it while we waited for the lock.
        if self.queue.redis().read_epoch().await? != Some(store::read_epoch(&mut tx).await?) {
            let epoch = Uuid::new_v4();
            store::write_epoch(&mut tx, epoch).await?;
            let jobs = self.rebuild(&mut tx).await?;
            // Last, so that nobody claims from half a queue.
            self.queue.redis().write_epoch(epoch).await?;
            counter!("jobs_redis_rebuilds_total").increment(1);
            // An empty Redis is what every installation begins with.
            if jobs == 0 {
                tracing::info!("redis begins with an empty queue");
            } else {
                tracing::warn!(jobs, "redis was rebuilt from postgres with {jobs} waiting jobs");
            }
        }
        tx.commit().await?;
        self.queue.refresh_epoch().await?;
        Ok(())
    }

    /// Reads over the connection that holds the lock, so that its transaction never is idle for long.
    async fn rebuild(&self, tx: &mut PgConnection) -> Result<usize, Error> {
        let redis = self.queue.redis();
        redis.clear(&store::list_groups(tx).await?).await?;
        redis.hold(&store::list_held(tx).await?).await?;
        let mut after = Uuid::nil();
        let mut pushed = 0;
        loop {
            let rows = store::list_waiting_after(tx, after, REBUILD_PAGE).await?;
            let Some(last) = rows.last() else { return Ok(pushed) };
            after = last.id;
            pushed += rows.len();
            // To mark those again that are marked would be most of the work.
            let (new, known): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.is_new);
            let pushes: Vec<_> = known.iter().map(store::WaitingRow::to_push).collect();
            redis.push(&pushes).await?;
            self.push_and_mark(new).await?;
        }
    }
}

/// A round of upkeep.
#[derive(Default)]
struct Round {
    first_error: Option<Error>,
}

impl Round {
    /// Does a duty; whether it was done.
    async fn attend(&mut self, duty: &str, most: Duration, work: impl Future<Output = Result<(), Error>>) -> bool {
        match timeout(most, work).await.unwrap_or(Err(Error::TimedOut)) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, duty, "the leader could not see to {duty}: {error}");
                self.first_error.get_or_insert(error);
                false
            }
        }
    }
}
