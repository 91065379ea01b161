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
        select id, group_name as "group", priority,
               ceil(extract(epoch from run_at - clock_timestamp()) * 1000)::bigint as "delay_ms!"
        from jobs
        where id = any($1) and state in ('queued', 'parked', 'retrying')
        "#,
        ids,
    )
    .fetch_all(pg)
    .await
}

pub(crate) async fn read_epoch(pg: &PgPool) -> Result<Uuid> {
    sqlx::query_scalar!("select epoch from queue_epoch").fetch_one(pg).await
}

pub(crate) struct DepthRow {
    pub(crate) waiting: i64,
    pub(crate) delayed: i64,
    pub(crate) parked: i64,
    pub(crate) running: i64,
    pub(crate) oldest_due_at: Option<DateTime<Utc>>,
    pub(crate) oldest_age_ms: Option<i64>,
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
                   as oldest_age_ms
        from jobs
        where state in ('queued', 'running', 'parked', 'retrying')
        "#,
    )
    .fetch_one(pg)
    .await
}
