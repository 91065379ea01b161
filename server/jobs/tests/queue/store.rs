//! What the tests read and break behind the queue's back.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
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

pub async fn only_of_kind(pg: &PgPool, kind: &str) -> Uuid {
    sqlx::query_scalar("select id from jobs where kind = $1").bind(kind).fetch_one(pg).await.unwrap()
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

/// As if Postgres had crashed and forgotten the claim, and somebody else had made it anew: the same epoch, another holder.
pub async fn claim_anew(pg: &PgPool, id: Uuid) {
    sqlx::query("update jobs set lease_owner = gen_random_uuid() where id = $1").bind(id).execute(pg).await.unwrap();
}

/// As if workers had vanished with it so often.
pub async fn interrupt(pg: &PgPool, id: Uuid, times: i16) {
    sqlx::query("update jobs set interruptions = $2 where id = $1").bind(id).bind(times).execute(pg).await.unwrap();
}

/// As if the running job had started so long ago, its lease renewed all the time.
pub async fn run_since(pg: &PgPool, id: Uuid, mins: i32) {
    sqlx::query(
        "update jobs set first_started_at = now() - make_interval(mins => $2), created_at = now() - make_interval(mins => $2),
             run_at = now() - make_interval(mins => $2), lease_until = now() + interval '20 seconds' where id = $1",
    )
    .bind(id)
    .bind(mins)
    .execute(pg)
    .await
    .unwrap();
}

/// What its worker writes when the running job is done.
pub async fn succeed(tx: &mut PgConnection, id: Uuid) {
    sqlx::query(
        "update jobs set state = 'succeeded', finished_at = now(), lease_owner = null, lease_until = null where id = $1",
    )
    .bind(id)
    .execute(tx)
    .await
    .unwrap();
}

pub async fn delete(pg: &PgPool, id: Uuid) {
    sqlx::query("delete from jobs where id = $1").bind(id).execute(pg).await.unwrap();
}

/// Nobody locks or writes a row of a job until the transaction ends; reading goes on.
pub async fn lock_jobs(tx: &mut PgConnection) {
    sqlx::query("lock table jobs in exclusive mode").execute(tx).await.unwrap();
}

/// Statements that wait for somebody's lock, of those that contain these words.
pub async fn count_waiting(pg: &PgPool, words: &str) -> i64 {
    sqlx::query_scalar(
        "select count(*) from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock' and position($1 in query) > 0",
    )
    .bind(words)
    .fetch_one(pg)
    .await
    .unwrap()
}

/// Keeps everybody else from leading until the connection is closed.
pub async fn lead(connection: &mut PgConnection) {
    sqlx::query("select pg_advisory_lock(1785684595, 2)").execute(connection).await.unwrap();
}

/// Holds back whoever wants to rebuild Redis, until the connection is closed.
pub async fn hold_rebuilds(connection: &mut PgConnection) {
    sqlx::query("select pg_advisory_lock(1785684595, 3)").execute(connection).await.unwrap();
}

/// From now on every epoch that is written is kept; see [`count_epochs`].
pub async fn keep_epochs(pg: &PgPool) {
    sqlx::raw_sql(
        "create table epochs (epoch uuid not null);
         create function keep_epoch() returns trigger language plpgsql as
             $$ begin insert into epochs values (new.epoch); return null; end $$;
         create trigger keep_epoch after update on queue_epoch for each row execute function keep_epoch();",
    )
    .execute(pg)
    .await
    .unwrap();
}

pub async fn count_epochs(pg: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from epochs").fetch_one(pg).await.unwrap()
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

pub async fn end_all_days_ago(pg: &PgPool, ids: &[Uuid], days: i32) {
    sqlx::query(
        "update jobs set state = 'succeeded', finished_at = now() - make_interval(days => $2) where id = any($1)",
    )
    .bind(ids)
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
