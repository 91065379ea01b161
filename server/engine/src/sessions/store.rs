//! Sessions in the database, by the digest of their id.

use serde_json::Value;
use sqlx::{PgConnection, types::Json};

use super::KeptSession;

pub(super) async fn insert(conn: &mut PgConnection, id: &[u8; 32], session: &KeptSession) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "insert into sessions (id_sha256, data, expires_at) values ($1, $2, $3) on conflict do nothing",
        id.as_slice(),
        Json(&session.data) as _,
        session.expires_at
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn update(conn: &mut PgConnection, id: &[u8; 32], session: &KeptSession) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update sessions set data = $2, expires_at = $3 where id_sha256 = $1",
        id.as_slice(),
        Json(&session.data) as _,
        session.expires_at
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn load(conn: &mut PgConnection, id: &[u8; 32]) -> Result<Option<KeptSession>, sqlx::Error> {
    let row = sqlx::query!(
        "select data as \"data: Json<serde_json::Map<String, Value>>\", expires_at
         from sessions where id_sha256 = $1 and expires_at > now()",
        id.as_slice()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| KeptSession { data: row.data.0, expires_at: row.expires_at }))
}

pub(super) async fn delete(conn: &mut PgConnection, id: &[u8; 32]) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from sessions where id_sha256 = $1", id.as_slice()).execute(conn).await?;
    Ok(())
}

/// Deletes what has ended; answers how many that were.
pub(crate) async fn forget_ended(conn: &mut PgConnection) -> Result<u64, sqlx::Error> {
    Ok(sqlx::query!("delete from sessions where expires_at <= now()").execute(conn).await?.rows_affected())
}
