//! Statements of the leader: the sweeper, the reconciler and the rebuild.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::redis::{Hold, Push};
use crate::worker::store::JobRow;

type Result<T> = std::result::Result<T, sqlx::Error>;

/// Takes the leadership for as long as the connection lives, if nobody else has it. "jobs" in ASCII and 2.
pub(crate) async fn try_lead(connection: &mut PgConnection) -> Result<bool> {
    sqlx::query_scalar!(r#"select pg_try_advisory_lock(1785684595, 2) as "leads!""#).fetch_one(connection).await
}

pub(crate) async fn ping(connection: &mut PgConnection) -> Result<()> {
    sqlx::query!(r#"select 1 as "one!""#).fetch_one(connection).await?;
    Ok(())
}

/// Looks at the table anew once it has outgrown what the planner knew of it: statements that were planned for an empty
/// table would go on reading all of it until autovacuum comes.
pub(crate) async fn refresh_statistics(pg: &PgPool) -> Result<()> {
    let outgrown = sqlx::query_scalar!(
        r#"
        select pg_relation_size(oid) / current_setting('block_size')::bigint > 4 * greatest(relpages, 25) as "outgrown!"
        from pg_class where oid = 'jobs'::regclass
        "#
    )
    .fetch_one(pg)
    .await?;
    if outgrown {
        sqlx::query!("analyze jobs").execute(pg).await?;
    }
    Ok(())
}

/// A waiting row as it was when it was pushed.
pub(crate) struct WaitingRow {
    pub(crate) id: Uuid,
    pub(crate) is_new: bool,
    pub(crate) group_name: String,
    pub(crate) owner: Option<Uuid>,
    pub(crate) priority: i16,
    pub(crate) run_at: DateTime<Utc>,
    pub(crate) delay_ms: i64,
}

impl WaitingRow {
    pub(crate) fn to_push(&self) -> Push {
        let (group, owner) = (self.group_name.clone(), self.owner);
        Push { id: self.id, group, owner, priority: self.priority, delay_ms: self.delay_ms }
    }
}

/// Waiting rows never pushed since they changed.
pub(crate) async fn list_undispatched(pg: &PgPool, limit: i64) -> Result<Vec<WaitingRow>> {
    sqlx::query_as!(
        WaitingRow,
        r#"
        select id, group_name, owner, priority, run_at,
               ceil(extract(epoch from run_at - clock_timestamp()) * 1000)::bigint as "delay_ms!",
               dispatched_at is null as "is_new!"
        from jobs
        where state in ('queued', 'parked', 'retrying') and dispatched_at is null
          and (state = 'parked' or not exists (select from job_pauses) or not job_paused(kind, group_name, label))
        limit $1
        "#,
        limit,
    )
    .fetch_all(pg)
    .await
}

/// Due rows pushed long ago and still not claimed: Redis may have lost them.
pub(crate) async fn list_stale(pg: &PgPool, stale_secs: f64, limit: i64) -> Result<Vec<WaitingRow>> {
    sqlx::query_as!(
        WaitingRow,
        r#"
        select id, group_name, owner, priority, run_at,
               ceil(extract(epoch from run_at - clock_timestamp()) * 1000)::bigint as "delay_ms!",
               dispatched_at is null as "is_new!"
        from jobs
        where state in ('queued', 'parked', 'retrying')
          and dispatched_at < now() - make_interval(secs => $1) and run_at < now() - make_interval(secs => $1)
          and (state = 'parked' or not exists (select from job_pauses) or not job_paused(kind, group_name, label))
        order by dispatched_at
        limit $2
        "#,
        stale_secs,
        limit,
    )
    .fetch_all(pg)
    .await
}

/// Notes that rows were pushed, unless they became due at another time meanwhile.
pub(crate) async fn mark_dispatched(pg: &PgPool, ids: &[Uuid], run_ats: &[DateTime<Utc>]) -> Result<()> {
    sqlx::query!(
        r#"
        update jobs set dispatched_at = clock_timestamp()
        from unnest($1::uuid[], $2::timestamptz[]) as pushed (id, run_at),
             (select set_config('synchronous_commit', 'off', true)) unflushed
        where jobs.id = pushed.id and jobs.run_at = pushed.run_at and state in ('queued', 'parked', 'retrying')
        "#,
        ids,
        run_ats,
    )
    .execute(pg)
    .await?;
    Ok(())
}

/// Puts back jobs whose worker fell silent. The statement decides on the row as it is now, so a job that finished
/// meanwhile stays finished.
pub(crate) async fn requeue_expired(pg: &PgPool, max_interruptions: i32, limit: i64) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        r#"
        update jobs
        set state = 'queued', run_at = clock_timestamp(), attempt = greatest(attempt - 1, 0),
            interruptions = interruptions + 1, wake_pending = false, dispatched_at = null,
            lease_owner = null, lease_until = null,
            last_error_code = 'interrupted', last_error = 'its worker stopped renewing the lease'
        where id in (
            select id from jobs
            where state = 'running' and lease_until < now() and interruptions + 1 < $1
              and cancel_requested_at is null and deadline_at > now()
            order by lease_until
            limit $2
            for update skip locked
        )
        returning id
        "#,
        max_interruptions,
        limit,
    )
    .fetch_all(pg)
    .await
}

/// Jobs that nobody runs and nobody may run any more: interrupted too often, past the deadline, or cancelled while they
/// ran. A page in the order of the ids; they are found first and put in order then, or the planner might walk the whole
/// table in that order.
pub(crate) async fn list_doomed(
    pg: &PgPool,
    max_interruptions: i32,
    kinds: &[String],
    after: Uuid,
) -> Result<Vec<JobRow>> {
    sqlx::query_as!(
        JobRow,
        r#"
        with doomed as materialized (
            select id from jobs
            where kind = any($2) and (
                (state = 'running' and lease_until < now()
                    and (interruptions + 1 >= $1 or cancel_requested_at is not null or deadline_at <= now()))
                or (state in ('queued', 'parked', 'retrying') and deadline_at is not null and deadline_at <= now())
                or (state in ('queued', 'parked', 'retrying') and cancel_requested_at is not null))
        )
        select id, kind, group_name, owner, payload, attempt, max_attempts, interruptions, step, created_at,
               deadline_at, first_started_at, label, trace_parent, state, lease_epoch,
               (extract(epoch from deadline_at - now()) * 1000)::bigint as remaining_ms,
               (extract(epoch from now() - run_at) * 1000)::bigint as "waited_ms!",
               cancel_requested_at is not null as "cancel_requested!"
        from jobs
        where id in (select id from doomed where id > $3 order by id limit 100)
        order by id
        "#,
        max_interruptions,
        kinds,
        after,
    )
    .fetch_all(pg)
    .await
}

/// Ends every later statement of the transaction that takes longer, so that it does not outlive whoever waits for it.
pub(crate) async fn limit_statements(tx: &mut PgConnection, most: Duration) -> Result<()> {
    sqlx::query!(r#"select set_config('statement_timeout', $1, true) as "set!""#, most.as_millis().to_string())
        .fetch_one(tx)
        .await?;
    Ok(())
}

/// The end of a job nobody holds; false if it moved since it was read.
pub(crate) async fn condemn(
    tx: &mut PgConnection,
    row: (Uuid, &str, i64),
    state: &str,
    code: &str,
    message: &str,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        update jobs
        set state = $4, last_error_code = $5, last_error = $6, finished_at = clock_timestamp(),
            interruptions = interruptions + case when state = 'running' then 1 else 0 end,
            lease_owner = null, lease_until = null
        where id = $1 and state = $2 and lease_epoch = $3 and (state <> 'running' or lease_until < now())
        "#,
        row.0,
        row.1,
        row.2,
        state,
        code,
        message,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// One rebuild at a time, whoever starts it. "jobs" in ASCII and 3.
pub(crate) async fn lock_rebuild(tx: &mut PgConnection) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(1785684595, 3)").execute(tx).await?;
    Ok(())
}

pub(crate) async fn read_epoch(tx: &mut PgConnection) -> Result<Uuid> {
    sqlx::query_scalar!("select epoch from queue_epoch").fetch_one(tx).await
}

pub(crate) async fn write_epoch(tx: &mut PgConnection, epoch: Uuid) -> Result<()> {
    sqlx::query!("update queue_epoch set epoch = $1, set_at = clock_timestamp()", epoch).execute(tx).await?;
    Ok(())
}

/// Groups and owners of live jobs.
pub(crate) async fn list_groups(tx: &mut PgConnection) -> Result<Vec<(String, Option<Uuid>)>> {
    let rows = sqlx::query!(
        "select distinct group_name, owner from jobs where state in ('queued', 'running', 'parked', 'retrying')"
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.group_name, row.owner)).collect())
}

/// A page of all waiting rows, in the order of their ids.
pub(crate) async fn list_waiting_after(tx: &mut PgConnection, after: Uuid, limit: i64) -> Result<Vec<WaitingRow>> {
    sqlx::query_as!(
        WaitingRow,
        r#"
        select id, group_name, owner, priority, run_at,
               ceil(extract(epoch from run_at - clock_timestamp()) * 1000)::bigint as "delay_ms!",
               dispatched_at is null as "is_new!"
        from jobs
        where state in ('queued', 'parked', 'retrying') and id > $1
          and (state = 'parked' or not exists (select from job_pauses) or not job_paused(kind, group_name, label))
        order by id
        limit $2
        "#,
        after,
        limit,
    )
    .fetch_all(tx)
    .await
}

/// The slots of the running jobs.
pub(crate) async fn list_held(tx: &mut PgConnection) -> Result<Vec<Hold>> {
    sqlx::query_as!(
        Hold,
        r#"
        select id, group_name as "group", owner, lease_owner as "worker!", true as "insert!",
               greatest(ceil(extract(epoch from lease_until - clock_timestamp()) * 1000), 1)::bigint as "ttl_ms!"
        from jobs
        where state = 'running'
        "#,
    )
    .fetch_all(tx)
    .await
}

/// Deletes ended jobs older than `days`, with their events; answers how many.
pub(crate) async fn prune(pg: &PgPool, days: i32, limit: i64) -> Result<u64> {
    let done = sqlx::query!(
        r#"
        delete from jobs where id in (
            select id from jobs where finished_at < now() - make_interval(days => $1) order by finished_at limit $2
        )
        "#,
        days,
        limit,
    )
    .execute(pg)
    .await?;
    Ok(done.rows_affected())
}

/// The last tick of a schedule; a new schedule begins now.
pub(crate) async fn read_tick(pg: &PgPool, schedule: &str) -> Result<(DateTime<Utc>, DateTime<Utc>)> {
    let row = sqlx::query!(
        r#"
        insert into job_schedules (name, last_tick) values ($1, now())
        on conflict (name) do update set name = excluded.name
        returning last_tick, now() as "now!"
        "#,
        schedule,
    )
    .fetch_one(pg)
    .await?;
    Ok((row.last_tick, row.now))
}

/// Takes a tick; false if somebody has it.
pub(crate) async fn take_tick(tx: &mut PgConnection, schedule: &str, tick: DateTime<Utc>) -> Result<bool> {
    let taken =
        sqlx::query!("update job_schedules set last_tick = $2 where name = $1 and last_tick < $2", schedule, tick)
            .execute(tx)
            .await?;
    Ok(taken.rows_affected() == 1)
}
