//! What the tests read behind the engine's back, and how they take a worker's lease away.

use domain::GenerationId;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct CallRow {
    pub id: Uuid,
    pub slot: String,
    pub ordinal: i16,
    pub state: String,
    pub request_id: Option<String>,
    pub cost_micro_usd: Option<i64>,
    pub estimate_micro_usd: i64,
}

/// Every call of a generation, by slot and ordinal.
pub async fn calls(pg: &PgPool, id: GenerationId) -> Vec<CallRow> {
    sqlx::query_as(
        "select id, slot, ordinal, state, request_id, cost_micro_usd, estimate_micro_usd from calls
         where generation_id = $1 order by slot, ordinal",
    )
    .bind(id.uuid())
    .fetch_all(pg)
    .await
    .unwrap()
}

/// `slot/ordinal state` of every call.
pub async fn call_states(pg: &PgPool, id: GenerationId) -> Vec<String> {
    calls(pg, id).await.iter().map(|call| format!("{}/{} {}", call.slot, call.ordinal, call.state)).collect()
}

/// The clip's newest call.
pub async fn clip_call(pg: &PgPool, id: GenerationId) -> CallRow {
    calls(pg, id).await.into_iter().rfind(|call| call.slot == "clip").unwrap()
}

/// Kinds of ledger entries of a call, oldest first.
pub async fn entries(pg: &PgPool, call: Uuid) -> Vec<(String, i64, bool)> {
    sqlx::query_as("select kind, amount_micro_usd, assumed from ledger_entries where call_id = $1 order by id")
        .bind(call)
        .fetch_all(pg)
        .await
        .unwrap()
}

/// What was paused and resumed by whom, oldest first.
pub async fn pause_audit(pg: &PgPool) -> Vec<(String, String, Option<Uuid>)> {
    sqlx::query_as("select action, detail ->> 'scope', actor_id from audit_log where action like 'queue.%' order by id")
        .fetch_all(pg)
        .await
        .unwrap()
}

#[derive(Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Books {
    /// Holds that neither a settle nor a void closed.
    pub open_holds: i64,
    /// The money in them.
    pub held: i64,
    /// What the ledger says was paid.
    pub paid: i64,
    /// What the counters of the days say is held.
    pub usage_held: i64,
    /// What the counters of the days say was paid.
    pub usage_paid: i64,
}

pub async fn books(pg: &PgPool) -> Books {
    sqlx::query_as(
        "select count(*) filter (where kind = 'hold' and closed is null) as open_holds,
             coalesce(sum(amount_micro_usd) filter (where kind = 'hold' and closed is null), 0)::bigint as held,
             coalesce(sum(amount_micro_usd) filter (where kind in ('settle', 'adjust')), 0)::bigint as paid,
             (select coalesce(sum(held_micro_usd), 0)::bigint from usage_days) as usage_held,
             (select coalesce(sum(paid_micro_usd), 0)::bigint from usage_days) as usage_paid
         from ledger_entries e left join lateral (
             select 1 as closed from ledger_entries c
             where c.call_id = e.call_id and c.kind in ('settle', 'void')) c on true",
    )
    .fetch_one(pg)
    .await
    .unwrap()
}

/// Rows a click would write, and what the limits count.
pub async fn written(pg: &PgPool) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in [
        "generations",
        "generation_stages",
        "generation_events",
        "calls",
        "ledger_entries",
        "jobs",
        "audit_log",
        "notices",
    ] {
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from {table}")))
            .fetch_one(pg)
            .await
            .unwrap();
        counts.push(count);
    }
    let clicked: i64 =
        sqlx::query_scalar("select coalesce(sum(generations), 0)::bigint from usage_days").fetch_one(pg).await.unwrap();
    counts.push(clicked);
    counts
}

pub async fn notice_kinds(pg: &PgPool) -> Vec<String> {
    sqlx::query_scalar("select kind from notices order by created_at, id").fetch_all(pg).await.unwrap()
}

/// The state of the job that carries a generation.
pub async fn job_state(pg: &PgPool, id: GenerationId) -> String {
    sqlx::query_scalar("select j.state from jobs j join generations g on g.job_id = j.id where g.id = $1")
        .bind(id.uuid())
        .fetch_one(pg)
        .await
        .unwrap()
}

/// As if the worker that holds the running jobs had been silent for too long.
pub async fn expire_leases(pg: &PgPool) {
    let done = sqlx::query("update jobs set lease_until = now() - interval '1 second' where state = 'running'")
        .execute(pg)
        .await
        .unwrap();
    assert!(done.rows_affected() > 0, "no job was running");
}

#[derive(Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct InboxRow {
    pub request_id: String,
    pub call_id: Option<Uuid>,
    pub deliveries: i32,
}

pub async fn inbox(pg: &PgPool) -> Vec<InboxRow> {
    sqlx::query_as("select request_id, call_id, deliveries from webhook_inbox order by received_at, id")
        .fetch_all(pg)
        .await
        .unwrap()
}

/// Changes rows the way nobody may.
pub async fn tamper(pg: &PgPool, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(sql).execute(pg).await.map(|_| ())
}

/// Puts generations into the past, a minute apart, oldest first as given.
pub async fn spread(pg: &PgPool, ids: &[GenerationId]) {
    for (index, id) in ids.iter().enumerate() {
        sqlx::query("update generations set created_at = now() - make_interval(mins => $2) where id = $1")
            .bind(id.uuid())
            .bind(i32::try_from(ids.len() - index).unwrap())
            .execute(pg)
            .await
            .unwrap();
    }
}

/// Puts a sent call back, as the look-up does when the provider's list does not name it.
pub async fn plan_again(pg: &PgPool, call: Uuid) {
    let done = sqlx::query("update calls set state = 'planned', intent_at = null where id = $1 and state = 'intent'")
        .bind(call)
        .execute(pg)
        .await
        .unwrap();
    assert_eq!(done.rows_affected(), 1);
}

/// Holds the row of the job that carries a generation, as whoever claims it does.
pub async fn hold_job(conn: &mut PgConnection, id: GenerationId) {
    sqlx::query("select j.id from jobs j where j.id = (select job_id from generations where id = $1) for update")
        .bind(id.uuid())
        .fetch_one(conn)
        .await
        .unwrap();
}

/// Changes a generation without changing anything of it; gives up where somebody else holds the row.
pub async fn touch(conn: &mut PgConnection, id: GenerationId) -> Result<(), sqlx::Error> {
    sqlx::query("set local lock_timeout = '3s'").execute(&mut *conn).await?;
    sqlx::query("update generations set progress = progress where id = $1").bind(id.uuid()).execute(conn).await?;
    Ok(())
}

/// Whether somebody waits for a row of this database.
pub async fn somebody_waits(pg: &PgPool) -> bool {
    sqlx::query_scalar(
        "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')",
    )
    .fetch_one(pg)
    .await
    .unwrap()
}

/// Keys that tries to sign in are counted under.
pub async fn sign_in_keys(pg: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from sign_in_tries").fetch_one(pg).await.unwrap()
}

/// Lets an hour pass for everything that was counted.
pub async fn age_sign_in_tries(pg: &PgPool) {
    sqlx::query("update sign_in_tries set window_started_at = window_started_at - interval '1 hour'")
        .execute(pg)
        .await
        .unwrap();
}

pub async fn has_succeeded(pg: &PgPool, job: Uuid) -> bool {
    sqlx::query_scalar("select state = 'succeeded' from jobs where id = $1").bind(job).fetch_one(pg).await.unwrap()
}

/// Jobs of a kind, ended or not.
pub async fn jobs_of_kind(pg: &PgPool, kind: &str) -> i64 {
    sqlx::query_scalar("select count(*) from jobs where kind = $1").bind(kind).fetch_one(pg).await.unwrap()
}

/// As if a job had been due for so long.
pub async fn wait_since(pg: &PgPool, job: Uuid, time: std::time::Duration) {
    sqlx::query("update jobs set run_at = now() - make_interval(secs => $2) where id = $1")
        .bind(job)
        .bind(time.as_secs_f64())
        .execute(pg)
        .await
        .unwrap();
}

/// As if every notice were so old.
pub async fn age_notices(pg: &PgPool, days: i32) {
    sqlx::query("update notices set created_at = now() - make_interval(days => $1)")
        .bind(days)
        .execute(pg)
        .await
        .unwrap();
}

/// A still of a generation: the call that paid for it and where it is stored, start before end.
pub async fn stills(pg: &PgPool, id: GenerationId) -> Vec<(Uuid, String)> {
    sqlx::query_as("select call_id, object_key from stills where generation_id = $1 order by frame desc")
        .bind(id.uuid())
        .fetch_all(pg)
        .await
        .unwrap()
}

/// Gives a product another first photo; the bytes are the old one's.
pub async fn replace_photo(pg: &PgPool, product: domain::ProductId) {
    for sql in [
        "update product_photos set position = 1 where product_id = $1",
        "insert into product_photos (id, product_id, position, object_key, content_type, width, height, bytes, sha256)
         select gen_random_uuid(), product_id, 0, object_key || '-again', content_type, width, height, bytes, sha256
         from product_photos where product_id = $1",
    ] {
        sqlx::query(sql).bind(product.uuid()).execute(pg).await.unwrap();
    }
}

/// While it refuses, a job can be worked on but its failure cannot be written.
pub async fn refuse_failed_jobs(pg: &PgPool, is_refusing: bool) {
    let sql: &[&'static str] = if is_refusing {
        &[
            "create function jobs_refuse() returns trigger language plpgsql as $$
             begin raise exception 'not now'; end $$",
            "create trigger jobs_refuse before update on jobs for each row when (new.state = 'failed')
                 execute function jobs_refuse()",
        ]
    } else {
        &["drop trigger jobs_refuse on jobs", "drop function jobs_refuse"]
    };
    for sql in sql {
        sqlx::query(*sql).execute(pg).await.unwrap();
    }
}

/// As if a call had been sent an hour ago.
pub async fn age_intent(pg: &PgPool, call: Uuid) {
    sqlx::query("update calls set intent_at = intent_at - interval '1 hour' where id = $1")
        .bind(call)
        .execute(pg)
        .await
        .unwrap();
}

pub async fn catalogue_rows(pg: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from catalogue_rows").fetch_one(pg).await.unwrap()
}

/// As if everything that has happened had happened so many days earlier.
pub async fn age(pg: &PgPool, days: i32) {
    for sql in [
        "update generations set created_at = created_at - make_interval(days => $1),
             finished_at = finished_at - make_interval(days => $1)",
        "update videos set unpublished_at = unpublished_at - make_interval(days => $1)",
        "update video_objects set stored_at = stored_at - make_interval(days => $1),
             replaced_at = replaced_at - make_interval(days => $1)",
    ] {
        sqlx::query(sql).bind(days).execute(pg).await.unwrap();
    }
}

/// As if a generation had not ended.
pub async fn reopen(pg: &PgPool, id: GenerationId) {
    sqlx::query("update generations set state = 'encoding', finished_at = null where id = $1")
        .bind(id.uuid())
        .execute(pg)
        .await
        .unwrap();
}

/// Rows of the audit log about an action.
pub async fn audited(pg: &PgPool, action: &str) -> i64 {
    sqlx::query_scalar("select count(*) from audit_log where action = $1").bind(action).fetch_one(pg).await.unwrap()
}

/// An object of a video gets its row.
pub async fn know_object(pg: &PgPool, video: domain::VideoId, key: &str) {
    sqlx::query(
        "insert into video_objects (object_key, video_id, part, content_type, bytes, sha256)
         values ($1, $2, 'export', 'video/mp4', 8, repeat('0', 64))",
    )
    .bind(key)
    .bind(video.uuid())
    .execute(pg)
    .await
    .unwrap();
}

/// While it refuses, a job can be worked on but that it ended well cannot be written.
pub async fn refuse_succeeded_jobs(pg: &PgPool, is_refusing: bool) {
    let sql: &[&'static str] = if is_refusing {
        &[
            "create function jobs_refuse_success() returns trigger language plpgsql as $$
             begin raise exception 'not now'; end $$",
            "create trigger jobs_refuse_success before update on jobs for each row when (new.state = 'succeeded')
                 execute function jobs_refuse_success()",
        ]
    } else {
        &["drop trigger jobs_refuse_success on jobs", "drop function jobs_refuse_success"]
    };
    for sql in sql {
        sqlx::query(*sql).execute(pg).await.unwrap();
    }
}

/// Writes a message for an address, as a change of a generation does.
pub async fn insert_delivery(conn: &mut PgConnection, endpoint: domain::EndpointId) {
    sqlx::query(
        "insert into webhook_deliveries (id, endpoint_id, event, payload) values (gen_random_uuid(), $1, 'ping', '{}')",
    )
    .bind(endpoint.uuid())
    .execute(conn)
    .await
    .unwrap();
}

pub async fn delete_endpoint(conn: &mut PgConnection, endpoint: domain::EndpointId) {
    sqlx::query("delete from webhook_endpoints where id = $1").bind(endpoint.uuid()).execute(conn).await.unwrap();
}

/// As if an address had answered 410 before anybody looked at what it was to be told.
pub async fn disable_endpoint(pg: &PgPool, endpoint: domain::EndpointId) {
    sqlx::query("update webhook_endpoints set disabled_at = now() where id = $1")
        .bind(endpoint.uuid())
        .execute(pg)
        .await
        .unwrap();
}

/// As if every message of a webhook were so many days older.
pub async fn age_deliveries(pg: &PgPool, days: i32) {
    sqlx::query("update webhook_deliveries set created_at = created_at - make_interval(days => $1)")
        .bind(days)
        .execute(pg)
        .await
        .unwrap();
}
