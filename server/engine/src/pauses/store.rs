//! Who paused, by name, and what they did, for the audit.

use domain::UserId;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

/// Names of people, by id.
pub(super) async fn names(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<(Uuid, String)>, sqlx::Error> {
    let rows = sqlx::query!("select id, name from users where id = any($1)", ids).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// What was done to a thing that has words and no id.
pub(super) async fn audit(
    conn: &mut PgConnection,
    actor: Option<UserId>,
    action: &str,
    detail: &Value,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into audit_log (actor_id, action, detail) values ($1, $2, $3)",
        actor.map(UserId::uuid),
        action,
        detail
    )
    .execute(conn)
    .await?;
    Ok(())
}
