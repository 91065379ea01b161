//! The inbox of webhooks.

use domain::CallId;
use sqlx::PgConnection;
use uuid::Uuid;

pub(super) async fn call_of_request(
    conn: &mut PgConnection,
    provider: &str,
    request_id: &str,
) -> Result<Option<CallId>, sqlx::Error> {
    let id = sqlx::query_scalar!("select id from calls where provider = $1 and request_id = $2", provider, request_id)
        .fetch_optional(conn)
        .await?;
    Ok(id.map(CallId::from_uuid))
}

pub(super) async fn insert(
    conn: &mut PgConnection,
    provider: &str,
    request_id: &str,
    call: Option<CallId>,
    body_sha256: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into webhook_inbox (id, provider, request_id, call_id, body_sha256) values ($1, $2, $3, $4, $5)
         on conflict on constraint webhook_inbox_once do update set deliveries = webhook_inbox.deliveries + 1",
        Uuid::now_v7(),
        provider,
        request_id,
        call.map(CallId::uuid),
        body_sha256,
    )
    .execute(conn)
    .await?;
    Ok(())
}
