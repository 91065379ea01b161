//! Statements of callers and handlers, inside their transactions.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Lease, NewJob};

type Result<T> = std::result::Result<T, sqlx::Error>;

/// A job that was inserted.
pub(crate) struct InsertedRow {
    pub(crate) id: Uuid,
    /// From now by the database's clock.
    pub(crate) delay_ms: i64,
    pub(crate) is_paused: bool,
}

/// A live job as [`crate::LiveJob`] tells it.
pub(crate) struct LiveRow {
    pub(crate) id: Uuid,
    pub(crate) dedupe_key: String,
    pub(crate) is_running: bool,
    pub(crate) progress: i16,
    pub(crate) is_cancelling: bool,
}

/// Inserts unless a twin lives (same id, or same dedupe key among the live). `dispatched` says that the caller pushes it
/// to Redis at once and the reconciler need not.
pub(crate) async fn insert(
    tx: impl sqlx::PgExecutor<'_>,
    job: &NewJob,
    dispatched: bool,
) -> Result<Option<InsertedRow>> {
    sqlx::query_as!(
        InsertedRow,
        r#"
        insert into jobs (id, kind, group_name, owner, priority, run_at, max_attempts, run_timeout_ms,
                          payload, dedupe_key, label, trace_parent, dispatched_at)
        values ($1, $2, $3, $4, $5, greatest($6, now()), $7, $8, $9, $10, $11, $12, case when $13 then now() end)
        on conflict do nothing
        returning id, ceil(extract(epoch from run_at - now()) * 1000)::bigint as "delay_ms!",
                  exists (select from job_pauses) and job_paused(kind, group_name, label) as "is_paused!"
        "#,
        job.id,
        job.kind,
        job.group,
        job.owner,
        i16::try_from(job.priority).unwrap_or(i16::MAX),
        job.run_at,
        i16::try_from(job.max_attempts).unwrap_or(i16::MAX),
        i64::try_from(job.run_timeout.as_millis()).unwrap_or(i64::MAX),
        job.payload,
        job.dedupe_key,
        job.label,
        job.trace_parent,
        dispatched,
    )
    .fetch_optional(tx)
    .await
}

/// Inserts those that have no twin; `dispatched` as for [`insert`].
pub(crate) async fn insert_all(
    tx: impl sqlx::PgExecutor<'_>,
    jobs: &[NewJob],
    dispatched: bool,
) -> Result<Vec<InsertedRow>> {
    let small = |number: u16| i16::try_from(number).unwrap_or(i16::MAX);
    let long = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    sqlx::query_as!(
        InsertedRow,
        r#"
        insert into jobs (id, kind, group_name, owner, priority, run_at, max_attempts, run_timeout_ms,
                          payload, dedupe_key, label, trace_parent, dispatched_at)
        select id, kind, group_name, owner, priority, greatest(run_at, now()), max_attempts, run_timeout_ms,
               payload, dedupe_key, label, trace_parent, case when $13 then now() end
        from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::smallint[], $6::timestamptz[], $7::smallint[],
                    $8::bigint[], $9::jsonb[], $10::text[], $11::text[], $12::text[])
            as new (id, kind, group_name, owner, priority, run_at, max_attempts, run_timeout_ms, payload, dedupe_key,
                    label, trace_parent)
        on conflict do nothing
        returning id, ceil(extract(epoch from run_at - now()) * 1000)::bigint as "delay_ms!",
                  exists (select from job_pauses) and job_paused(kind, group_name, label) as "is_paused!"
        "#,
        &jobs.iter().map(|job| job.id).collect::<Vec<_>>(),
        &jobs.iter().map(|job| job.kind.as_str()).collect::<Vec<_>>() as &[&str],
        &jobs.iter().map(|job| job.group.as_str()).collect::<Vec<_>>() as &[&str],
        &jobs.iter().map(|job| job.owner).collect::<Vec<_>>() as &[Option<Uuid>],
        &jobs.iter().map(|job| small(job.priority)).collect::<Vec<_>>(),
        &jobs.iter().map(|job| job.run_at).collect::<Vec<_>>(),
        &jobs.iter().map(|job| small(job.max_attempts)).collect::<Vec<_>>(),
        &jobs.iter().map(|job| long(job.run_timeout)).collect::<Vec<_>>(),
        &jobs.iter().map(|job| job.payload.clone()).collect::<Vec<_>>(),
        &jobs.iter().map(|job| job.dedupe_key.as_deref()).collect::<Vec<_>>() as &[Option<&str>],
        &jobs.iter().map(|job| job.label.as_deref()).collect::<Vec<_>>() as &[Option<&str>],
        &jobs.iter().map(|job| job.trace_parent.as_deref()).collect::<Vec<_>>() as &[Option<&str>],
        dispatched,
    )
    .fetch_all(tx)
    .await
}

pub(crate) async fn find_twin(tx: &mut PgConnection, id: Uuid, dedupe_key: Option<&str>) -> Result<Option<Uuid>> {
    sqlx::query_scalar!(
        r#"
        select id from jobs
        where id = $1
           or (dedupe_key = $2 and state in ('queued', 'running', 'parked', 'retrying'))
        order by id = $1 desc
        limit 1
        "#,
        id,
        dedupe_key,
    )
    .fetch_optional(tx)
    .await
}

/// What is live under some dedupe keys.
pub(crate) async fn live(connection: &mut PgConnection, keys: &[String]) -> Result<Vec<LiveRow>> {
    sqlx::query_as!(
        LiveRow,
        r#"
        select id, dedupe_key as "dedupe_key!", state = 'running' as "is_running!", progress,
               cancel_requested_at is not null as "is_cancelling!"
        from jobs
        where dedupe_key = any($1) and state in ('queued', 'running', 'parked', 'retrying')
        "#,
        keys,
    )
    .fetch_all(connection)
    .await
}

pub(crate) async fn lock(tx: &mut PgConnection, id: Uuid) -> Result<bool> {
    let found = sqlx::query_scalar!("select id from jobs where id = $1 for update", id).fetch_optional(tx).await?;
    Ok(found.is_some())
}

pub(crate) async fn wake(tx: &mut PgConnection, id: Uuid) -> Result<bool> {
    let woken = sqlx::query_scalar!(
        r#"
        update jobs
        set run_at = case when state = 'running' then run_at else least(run_at, now()) end,
            wake_pending = (state = 'running'),
            dispatched_at = null
        where id = $1 and state in ('queued', 'parked', 'running')
        returning state <> 'running' as "waited!"
        "#,
        id,
    )
    .fetch_optional(tx)
    .await?;
    Ok(woken.unwrap_or(false))
}

/// The state the job is in afterwards, if it was live.
pub(crate) async fn request_cancel(tx: &mut PgConnection, id: Uuid) -> Result<Option<String>> {
    sqlx::query_scalar!(
        r#"
        update jobs
        set state = case when state = 'running' then 'running' else 'cancelled' end,
            finished_at = case when state = 'running' then null else clock_timestamp() end,
            cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp()),
            last_error_code = case when state = 'running' then last_error_code else 'cancelled' end,
            last_error = case when state = 'running' then last_error else 'cancelled on request' end
        where id = $1 and state in ('queued', 'running', 'parked', 'retrying')
        returning state
        "#,
        id,
    )
    .fetch_optional(tx)
    .await
}

pub(crate) async fn succeed(tx: &mut PgConnection, lease: &Lease) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        update jobs
        set state = 'succeeded', progress = 100, finished_at = clock_timestamp(), lease_owner = null, lease_until = null
        where id = $1 and state = 'running' and lease_epoch = $2 and lease_owner = $3
        "#,
        lease.job_id,
        lease.epoch,
        lease.worker,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn park(tx: &mut PgConnection, lease: &Lease, until: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        update jobs
        set state = 'parked',
            run_at = case when wake_pending or cancel_requested_at is not null then now() else greatest($4, now()) end,
            wake_pending = false, interruptions = 0, dispatched_at = null, lease_owner = null, lease_until = null
        where id = $1 and state = 'running' and lease_epoch = $2 and lease_owner = $3
        "#,
        lease.job_id,
        lease.epoch,
        lease.worker,
        until,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn guard(tx: &mut PgConnection, lease: &Lease) -> Result<bool> {
    let held = sqlx::query_scalar!(
        r#"
        select id from jobs
        where id = $1 and state = 'running' and lease_epoch = $2 and lease_owner = $3
        for update
        "#,
        lease.job_id,
        lease.epoch,
        lease.worker,
    )
    .fetch_optional(tx)
    .await?;
    Ok(held.is_some())
}

pub(crate) async fn checkpoint(tx: &mut PgConnection, lease: &Lease, step: &str, percent: i16) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        update jobs
        set interruptions = case when step is distinct from $4 or progress < $5 then 0 else interruptions end,
            step = $4, progress = greatest(progress, $5)
        where id = $1 and state = 'running' and lease_epoch = $2 and lease_owner = $3
        "#,
        lease.job_id,
        lease.epoch,
        lease.worker,
        step,
        percent,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
