//! Statements that read the queue as a whole.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use crate::redis::Push;

type Result<T> = std::result::Result<T, sqlx::Error>;

/// What Redis needs to know about those of the ids that wait.
pub(crate) async fn list_waiting(pg: &PgPool, ids: &[Uuid]) -> Result<Vec<Push>> {
    sqlx::query_as!(
        Push,
        r#"
        select id, group_name as "group", owner, priority,
               ceil(extract(epoch from run_at - clock_timestamp()) * 1000)::bigint as "delay_ms!"
        from jobs
        where id = any($1) and state in ('queued', 'parked', 'retrying')
          and (state = 'parked' or not exists (select from job_pauses) or not job_paused(kind, group_name, label))
        "#,
        ids,
    )
    .fetch_all(pg)
    .await
}

pub(crate) async fn read_epoch(pg: &PgPool) -> Result<Uuid> {
    sqlx::query_scalar!("select epoch from queue_epoch").fetch_one(pg).await
}

/// A job as [`crate::JobStatus`] tells it.
pub(crate) struct StatusRow {
    pub(crate) state: String,
    pub(crate) attempt: i16,
    pub(crate) step: Option<String>,
    pub(crate) progress: i16,
    pub(crate) run_at: DateTime<Utc>,
    pub(crate) finished_at: Option<DateTime<Utc>>,
    pub(crate) last_error_code: Option<String>,
    pub(crate) last_error: Option<String>,
}

pub(crate) async fn read_status(pg: &PgPool, id: Uuid) -> Result<Option<StatusRow>> {
    sqlx::query_as!(
        StatusRow,
        "select state, attempt, step, progress, run_at, finished_at, last_error_code, last_error from jobs where id = $1",
        id,
    )
    .fetch_optional(pg)
    .await
}

pub(crate) struct DepthRow {
    pub(crate) waiting: i64,
    pub(crate) delayed: i64,
    pub(crate) parked: i64,
    pub(crate) running: i64,
    pub(crate) oldest_due_at: Option<DateTime<Utc>>,
    pub(crate) oldest_age_ms: Option<i64>,
    pub(crate) lease_overdue_ms: Option<i64>,
}

pub(crate) async fn read_depth(pg: &PgPool) -> Result<DepthRow> {
    sqlx::query_as!(
        DepthRow,
        r#"
        select count(*) filter (where state in ('queued', 'retrying') and run_at <= now()) as "waiting!",
               count(*) filter (where state in ('queued', 'retrying') and run_at > now()) as "delayed!",
               count(*) filter (where state = 'parked') as "parked!",
               count(*) filter (where state = 'running') as "running!",
               min(run_at) filter (where state in ('queued', 'retrying') and run_at <= now()) as oldest_due_at,
               (extract(epoch from now() - min(run_at)
                    filter (where state in ('queued', 'retrying') and run_at <= now())) * 1000)::bigint
                   as oldest_age_ms,
               (extract(epoch from now() - min(lease_until)
                    filter (where state = 'running' and lease_until < now())) * 1000)::bigint as lease_overdue_ms
        from jobs
        where state in ('queued', 'running', 'parked', 'retrying')
        "#,
    )
    .fetch_one(pg)
    .await
}

pub(crate) async fn pause(pg: &PgPool, scope: &str, name: &str, by: Option<Uuid>, reason: &str) -> Result<()> {
    sqlx::query!(
        "insert into job_pauses (scope, name, reason, paused_by) values ($1, $2, $3, $4) on conflict do nothing",
        scope,
        name,
        reason,
        by,
    )
    .execute(pg)
    .await?;
    Ok(())
}

/// Ends a pause and lets the reconciler offer what waited for it.
pub(crate) async fn resume(pg: &PgPool, scope: &str, name: &str) -> Result<bool> {
    let ended = sqlx::query_scalar!(
        r#"
        with ended as (
            delete from job_pauses where scope = $1 and name = $2 returning scope
        ), offered as (
            update jobs set dispatched_at = null
            where state in ('queued', 'retrying') and dispatched_at is not null and exists (select from ended)
              and ($1 = 'everything' or ($1 = 'kind' and kind = $2) or ($1 = 'group' and group_name = $2)
                   or ($1 = 'family' and split_part(group_name, '/', 1) = $2) or ($1 = 'label' and label = $2))
        )
        select exists (select from ended) as "ended!"
        "#,
        scope,
        name,
    )
    .fetch_one(pg)
    .await?;
    Ok(ended)
}

pub(crate) struct PauseRow {
    pub(crate) scope: String,
    pub(crate) name: String,
    pub(crate) reason: String,
    pub(crate) paused_by: Option<Uuid>,
    pub(crate) paused_at: DateTime<Utc>,
}

pub(crate) async fn list_pauses(pg: &PgPool) -> Result<Vec<PauseRow>> {
    sqlx::query_as!(
        PauseRow,
        "select scope, name, reason, paused_by, paused_at from job_pauses order by paused_at, scope, name limit 1000"
    )
    .fetch_all(pg)
    .await
}

/// A page of what waits and is paused, in the order of the ids.
pub(crate) async fn list_paused(pg: &PgPool, after: Uuid, limit: i64) -> Result<Vec<Push>> {
    sqlx::query_as!(
        Push,
        r#"
        select id, group_name as "group", owner, priority, 0::bigint as "delay_ms!"
        from jobs
        where state in ('queued', 'retrying') and id > $1 and job_paused(kind, group_name, label)
        order by id
        limit $2
        "#,
        after,
        limit,
    )
    .fetch_all(pg)
    .await
}

/// Lets the reconciler offer jobs whose dispatch failed.
pub(crate) async fn forget_dispatch(pg: &PgPool, ids: &[Uuid]) -> Result<()> {
    sqlx::query!("update jobs set dispatched_at = null where id = any($1) and state in ('queued', 'retrying')", ids)
        .execute(pg)
        .await?;
    Ok(())
}
