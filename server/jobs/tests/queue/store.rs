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

/// As if a worker had claimed the waiting job and died.
pub async fn orphan(pg: &PgPool, id: Uuid) {
    sqlx::query(
        "update jobs set state = 'running', attempt = 1, lease_epoch = 1, lease_owner = gen_random_uuid(),
             lease_until = now() - interval '1 second', first_started_at = now(), deadline_at = now() + interval '1 hour'
         where id = $1",
    )
    .bind(id)
    .execute(pg)
    .await
    .unwrap();
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

/// As if the job had been due for a while.
pub async fn wait_since(pg: &PgPool, id: Uuid, secs: i32) {
    sqlx::query("update jobs set run_at = now() - make_interval(secs => $2) where id = $1")
        .bind(id)
        .bind(f64::from(secs))
        .execute(pg)
        .await
        .unwrap();
}

/// As if the last tick of a schedule were that long ago.
pub async fn forget_tick(pg: &PgPool, schedule: &str, secs: i32) {
    sqlx::query("update job_schedules set last_tick = now() - make_interval(secs => $2) where name = $1")
        .bind(schedule)
        .bind(f64::from(secs))
        .execute(pg)
        .await
        .unwrap();
}

pub async fn end_days_ago(pg: &PgPool, id: Uuid, days: i32) {
    sqlx::query("update jobs set finished_at = now() - make_interval(days => $2) where id = $1")
        .bind(id)
        .bind(days)
        .execute(pg)
        .await
        .unwrap();
}

/// A pause that nobody told Redis of.
pub async fn pause_everything(pg: &PgPool) {
    sqlx::query("insert into job_pauses (scope, name, reason) values ('everything', '', 'silent')")
        .execute(pg)
        .await
        .unwrap();
}

/// Due in an hour, and nobody told Redis.
pub async fn put_off(pg: &PgPool, id: Uuid) {
    sqlx::query("update jobs set run_at = now() + interval '1 hour' where id = $1").bind(id).execute(pg).await.unwrap();
}
