//! Statements of a worker about the jobs it holds.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::{Job, Lease};

type Result<T> = std::result::Result<T, sqlx::Error>;

/// A job's row as the worker and the sweeper read it.
pub(crate) struct JobRow {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) group_name: String,
    pub(crate) owner: Option<Uuid>,
    pub(crate) payload: Value,
    pub(crate) attempt: i16,
    pub(crate) max_attempts: i16,
    pub(crate) interruptions: i16,
    pub(crate) step: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) deadline_at: Option<DateTime<Utc>>,
    pub(crate) first_started_at: Option<DateTime<Utc>>,
    pub(crate) label: Option<String>,
    pub(crate) trace_parent: Option<String>,
    pub(crate) state: String,
    pub(crate) lease_epoch: i64,
    pub(crate) remaining_ms: Option<i64>,
    pub(crate) waited_ms: i64,
    pub(crate) cancel_requested: bool,
}

impl JobRow {
    /// Time to the deadline by the database's clock.
    pub(crate) fn remaining(&self) -> Duration {
        Duration::from_millis(self.remaining_ms.and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0))
    }

    /// How long it has been due by the database's clock.
    pub(crate) fn waited(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.waited_ms).unwrap_or(0))
    }

    pub(crate) fn into_job(self) -> Job {
        let count = |number: i16| u16::try_from(number).unwrap_or(0);
        Job {
            id: self.id,
            kind: self.kind,
            group: self.group_name,
            owner: self.owner,
            payload: self.payload,
            attempt: count(self.attempt),
            max_attempts: count(self.max_attempts),
            interruptions: count(self.interruptions),
            step: self.step,
            created_at: self.created_at,
            deadline_at: self.deadline_at,
            first_started_at: self.first_started_at,
            label: self.label,
            trace_parent: self.trace_parent,
        }
    }
}

/// Confirms proposed ids: those that really wait, are due and have a handler here start under a new epoch.
///
/// The commit is not flushed: losing it in a crash of Postgres only forgets that the job started, and any durable write
/// of the job flushes this one first. The holder in the guard keeps a repeated epoch from matching the forgotten lease.
pub(crate) async fn confirm(
    pg: impl sqlx::PgExecutor<'_>,
    ids: &[Uuid],
    kinds: &[String],
    worker: Uuid,
    lease_ms: i64,
) -> Result<Vec<JobRow>> {
    sqlx::query_as!(
        JobRow,
        r#"
        with due as materialized (
            select jobs.id
            from jobs, (select set_config('synchronous_commit', 'off', true)) unflushed
            where jobs.id = any($1) and state in ('queued', 'parked', 'retrying') and kind = any($2)
              and run_at <= clock_timestamp() + interval '5 milliseconds'
              and (state = 'parked' or not exists (select from job_pauses) or not job_paused(kind, group_name, label))
            for update of jobs skip locked
        )
        update jobs
        set state = 'running',
            attempt = case when state = 'parked' then attempt else attempt + 1 end,
            lease_epoch = lease_epoch + 1,
            lease_owner = $3,
            lease_until = clock_timestamp() + $4::bigint * interval '1 millisecond',
            wake_pending = false,
            dispatched_at = null,
            first_started_at = coalesce(first_started_at, clock_timestamp()),
            deadline_at = coalesce(deadline_at, clock_timestamp() + run_timeout_ms * interval '1 millisecond')
        from due
        where jobs.id = due.id
        returning jobs.id, kind, group_name, owner, payload, attempt, max_attempts, interruptions, step, created_at,
                  deadline_at, first_started_at, label, trace_parent, state, lease_epoch,
                  (extract(epoch from deadline_at - clock_timestamp()) * 1000)::bigint as remaining_ms,
                  (extract(epoch from clock_timestamp() - run_at) * 1000)::bigint as "waited_ms!",
                  cancel_requested_at is not null as "cancel_requested!"
        "#,
        ids,
        kinds,
        worker,
        lease_ms,
    )
    .fetch_all(pg)
    .await
}

/// One process at a time claims without Redis, so that the counts of running jobs hold. "jobs" in ASCII and 1, see also
/// `super::leader`.
pub(crate) async fn lock_claims(tx: &mut PgConnection) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(1785684595, 1)").execute(tx).await?;
    Ok(())
}

/// A group and an owner of running jobs, and how many there are.
pub(crate) struct RunningRow {
    pub(crate) group_name: String,
    pub(crate) owner: Option<Uuid>,
    pub(crate) count: i64,
}

pub(crate) async fn count_running(tx: &mut PgConnection) -> Result<Vec<RunningRow>> {
    sqlx::query_as!(
        RunningRow,
        r#"select group_name, owner, count(*) as "count!" from jobs where state = 'running' group by group_name, owner"#
    )
    .fetch_all(tx)
    .await
}

/// A due job that may be started.
pub(crate) struct DueRow {
    pub(crate) id: Uuid,
    pub(crate) group_name: String,
    pub(crate) owner: Option<Uuid>,
}

/// Due jobs in the order of the queue, at most `per_group` of a group.
pub(crate) async fn list_due(tx: &mut PgConnection, kinds: &[String], per_group: i64) -> Result<Vec<DueRow>> {
    sqlx::query_as!(
        DueRow,
        r#"
        with recursive waiting as (
            (select group_name from jobs
             where state in ('queued', 'parked', 'retrying') order by group_name limit 1)
            union all
            select (select group_name from jobs
                    where state in ('queued', 'parked', 'retrying') and group_name > waiting.group_name
                    order by group_name limit 1)
            from waiting where waiting.group_name is not null
        )
        select first.id as "id!", first.group_name as "group_name!", first.owner
        from waiting
        cross join lateral (
            select id, group_name, owner, job_rank(run_at, priority) as rank from jobs
            where jobs.group_name = waiting.group_name and state in ('queued', 'parked', 'retrying')
              and run_at <= now() and kind = any($1)
              and (state = 'parked' or not exists (select from job_pauses) or not job_paused(kind, group_name, label))
            order by job_rank(run_at, priority), id
            limit $2
        ) first
        order by first.rank, first.id
        "#,
        kinds,
        per_group,
    )
    .fetch_all(tx)
    .await
}

/// Ends jobs well, many at once; answers which were still held under their lease.
pub(crate) async fn succeed_all(
    pg: &PgPool,
    worker: Uuid,
    ids: &[Uuid],
    epochs: &[i64],
) -> Result<HashSet<(Uuid, i64)>> {
    let rows = sqlx::query!(
        r#"
        update jobs
        set state = 'succeeded', progress = 100, finished_at = clock_timestamp(), lease_owner = null, lease_until = null
        from unnest($2::uuid[], $3::bigint[]) as ended (id, epoch)
        where jobs.id = ended.id and lease_epoch = ended.epoch and lease_owner = $1 and state = 'running'
        returning jobs.id, lease_epoch
        "#,
        worker,
        ids,
        epochs,
    )
    .fetch_all(pg)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.lease_epoch)).collect())
}

/// How a job is tried again.
pub(crate) struct Again<'a> {
    pub(crate) delay_ms: i64,
    /// Whether this attempt is used up.
    pub(crate) counts: bool,
    pub(crate) code: &'a str,
    pub(crate) message: &'a str,
}

/// Another attempt, or the same again.
pub(crate) async fn retry(pg: &PgPool, lease: &Lease, again: &Again<'_>) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        update jobs
        set state = 'retrying', run_at = clock_timestamp() + $4::bigint * interval '1 millisecond',
            attempt = case when $7 then attempt else greatest(attempt - 1, 0) end,
            last_error_code = $5, last_error = left($6, 4000), interruptions = 0, dispatched_at = null,
            lease_owner = null, lease_until = null
        where id = $1 and state = 'running' and lease_epoch = $2 and lease_owner = $3
        "#,
        lease.job_id,
        lease.epoch,
        lease.worker,
        again.delay_ms,
        again.code,
        again.message,
        again.counts,
    )
    .execute(pg)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Back to the queue at once, the attempt not used up.
pub(crate) async fn release(pg: &PgPool, lease: &Lease, interrupted: bool) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        update jobs
        set state = 'queued', run_at = clock_timestamp(), attempt = greatest(attempt - 1, 0),
            interruptions = interruptions + case when $4 then 1 else 0 end,
            last_error_code = 'released', last_error = 'given back by its worker', dispatched_at = null,
            lease_owner = null, lease_until = null
        where id = $1 and state = 'running' and lease_epoch = $2 and lease_owner = $3
        "#,
        lease.job_id,
        lease.epoch,
        lease.worker,
        interrupted,
    )
    .execute(pg)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The end of a job this worker holds. `state` is `failed` or `cancelled`.
pub(crate) async fn finish(
    tx: &mut PgConnection,
    lease: &Lease,
    state: &str,
    code: &str,
    message: &str,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        update jobs
        set state = $4, last_error_code = $5, last_error = left($6, 4000), finished_at = clock_timestamp(),
            lease_owner = null, lease_until = null
        where id = $1 and state = 'running' and lease_epoch = $2 and lease_owner = $3
        "#,
        lease.job_id,
        lease.epoch,
        lease.worker,
        state,
        code,
        message,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether the job still runs under this lease.
pub(crate) async fn is_held(pg: &PgPool, lease: &Lease) -> Result<bool> {
    sqlx::query_scalar!(
        r#"
        select exists (
            select from jobs where id = $1 and state = 'running' and lease_epoch = $2 and lease_owner = $3
        ) as "held!"
        "#,
        lease.job_id,
        lease.epoch,
        lease.worker,
    )
    .fetch_one(pg)
    .await
}

/// Heartbeats need no flush: after a crash of Postgres the lease is older, never younger.
pub(crate) async fn defer_flush(connection: &mut PgConnection) -> Result<()> {
    sqlx::query!("set synchronous_commit = off").execute(connection).await?;
    Ok(())
}

/// Renews leases; the ones that do not come back are lost.
pub(crate) async fn renew(
    connection: &mut PgConnection,
    worker: Uuid,
    ids: &[Uuid],
    epochs: &[i64],
    lease_ms: i64,
) -> Result<HashSet<(Uuid, i64)>> {
    let rows = sqlx::query!(
        r#"
        update jobs
        set lease_until = clock_timestamp() + $4::bigint * interval '1 millisecond'
        from unnest($2::uuid[], $3::bigint[]) as held (id, epoch)
        where jobs.id = held.id and lease_epoch = held.epoch and lease_owner = $1 and state = 'running'
        returning jobs.id, lease_epoch
        "#,
        worker,
        ids,
        epochs,
        lease_ms,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.lease_epoch)).collect())
}

/// Which of the running jobs a person wants to end.
pub(crate) async fn list_cancel_requests(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<(Uuid, i64)>> {
    let rows = sqlx::query!(
        "select id, lease_epoch from jobs where id = any($1) and state = 'running' and cancel_requested_at is not null",
        ids,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.lease_epoch)).collect())
}
