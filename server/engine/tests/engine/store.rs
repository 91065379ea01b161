//! What the tests read behind the engine's back, and how they take a worker's lease away.

use domain::GenerationId;
use sqlx::PgPool;
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

/// Changes the ledger the way nobody may.
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
