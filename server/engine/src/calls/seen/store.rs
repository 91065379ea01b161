//! What all calls together tell: of a provider's requests, of a stage, of a generation. Nothing here changes a row.

use domain::{GenerationId, Stage};
use providers::Provider;
use sqlx::PgConnection;

use super::super::Call;

/// Request ids of a provider's endpoint that belong to calls of ours.
pub(crate) async fn known_requests(
    conn: &mut PgConnection,
    provider: &str,
    request_ids: &[String],
) -> Result<Vec<String>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "select request_id as \"request_id!\" from calls where provider = $1 and request_id = any($2)",
        provider,
        request_ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids)
}

/// Other calls to the same model, sent since a moment, whose submit was never answered, given up or not: a request on the
/// provider's list may be theirs.
pub(crate) async fn unanswered_elsewhere(
    conn: &mut PgConnection,
    call: &Call,
    since: chrono::DateTime<chrono::Utc>,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        "select count(*) as \"count!\" from calls
         where provider = $1 and model = $2 and id <> $3 and state in ('intent', 'in_doubt') and request_id is null
             and intent_at >= $4",
        call.model.provider.as_str(),
        call.model.id,
        call.id.uuid(),
        since,
    )
    .fetch_one(conn)
    .await
}

/// Whether nothing of a stage was sent or paid: every call of it is planned, given back, or failed for nothing.
pub(crate) async fn is_untouched(
    conn: &mut PgConnection,
    generation: GenerationId,
    stage: Stage,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        "select not exists (select 1 from calls where generation_id = $1 and stage = $2
             and (state in ('intent', 'submitted', 'in_doubt', 'done') or coalesce(cost_micro_usd, 0) > 0)) as \"untouched!\"",
        generation.uuid(),
        stage.as_str(),
    )
    .fetch_one(conn)
    .await
}

/// Models that calls of a stage were planned for, in the order they were tried.
pub(crate) async fn models_tried(
    conn: &mut PgConnection,
    generation: GenerationId,
    stage: Stage,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "select provider || '/' || model as \"model!\" from calls where generation_id = $1 and stage = $2
         group by 1 order by min(created_at)",
        generation.uuid(),
        stage.as_str(),
    )
    .fetch_all(conn)
    .await
}

/// A provider with a queue was asked for something of this generation, or may have been: only its stage can call it off
/// there and settle what the provider says.
pub(crate) async fn is_asked(conn: &mut PgConnection, generation: GenerationId) -> Result<bool, sqlx::Error> {
    let queues: Vec<String> =
        Provider::ALL.iter().filter(|provider| provider.has_queue()).map(|provider| provider.to_string()).collect();
    sqlx::query_scalar!(
        "select exists (select 1 from calls where generation_id = $1 and provider = any($2)
             and state in ('intent', 'submitted', 'in_doubt') and cost_micro_usd is null) as \"found!\"",
        generation.uuid(),
        &queues,
    )
    .fetch_one(conn)
    .await
}
