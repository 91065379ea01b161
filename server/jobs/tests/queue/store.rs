//! What the tests read and break behind the queue's back.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

#[derive(Debug, sqlx::FromRow)]
pub struct Row {
    pub state: String,
    pub attempt: i16,
    pub interruptions: i16,
    pub lease_epoch: i64,
    pub run_at: DateTime<Utc>,
    pub lease_until: Option<DateTime<Utc>>,
    pub last_error_code: Option<String>,
}

pub async fn read(pg: &PgPool, id: Uuid) -> Row {
    sqlx::query_as(
        "select state, attempt, interruptions, lease_epoch, run_at, lease_until, last_error_code from jobs where id = $1",
    )
    .bind(id)
    .fetch_one(pg)
    .await
    .unwrap()
}

pub async fn count(pg: &PgPool, state: &str) -> i64 {
    sqlx::query_scalar("select count(*) from jobs where state = $1").bind(state).fetch_one(pg).await.unwrap()
}

/// The states a job went through.
pub async fn history(pg: &PgPool, id: Uuid) -> Vec<String> {
    sqlx::query_scalar("select to_state from job_events where job_id = $1 order by id")
        .bind(id)
        .fetch_all(pg)
        .await
        .unwrap()
}

/// As if the worker had been silent for longer than its lease.
pub async fn expire_lease(pg: &PgPool, id: Uuid) {
    sqlx::query("update jobs set lease_until = now() - interval '1 second' where id = $1 and state = 'running'")
        .bind(id)
        .execute(pg)
        .await
        .unwrap();
}

/// As if somebody else had claimed the running job.
pub async fn steal(pg: &PgPool, id: Uuid) {
    sqlx::query("update jobs set lease_epoch = lease_epoch + 1 where id = $1").bind(id).execute(pg).await.unwrap();
}

/// As if the due job had been pushed long ago and nobody had come for it.
pub async fn age_dispatch(pg: &PgPool, id: Uuid) {
    sqlx::query("update jobs set dispatched_at = now() - interval '11 seconds', run_at = now() - interval '12 seconds' where id = $1")
        .bind(id)
        .execute(pg)
        .await
        .unwrap();
}

pub async fn pass_deadline(pg: &PgPool, id: Uuid) {
    sqlx::query("update jobs set deadline_at = now() - interval '1 second' where id = $1")
        .bind(id)
        .execute(pg)
        .await
        .unwrap();
}

pub async fn now(pg: &PgPool) -> DateTime<Utc> {
    sqlx::query_scalar("select clock_timestamp()").fetch_one(pg).await.unwrap()
}
