//! Generations by version.

use domain::GenerationId;
use sqlx::PgConnection;

pub(super) async fn live_ids(conn: &mut PgConnection) -> Result<Vec<GenerationId>, sqlx::Error> {
    let ids = sqlx::query_scalar!("select id from generations where finished_at is null order by created_at limit 200")
        .fetch_all(conn)
        .await?;
    Ok(ids.into_iter().map(GenerationId::from_uuid).collect())
}

pub(super) async fn live_between(
    conn: &mut PgConnection,
    after: i64,
    until: i64,
) -> Result<Vec<(GenerationId, i64)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, version from generations where finished_at is null and version > $1 and version <= $2
         order by version limit 200",
        after,
        until
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (GenerationId::from_uuid(row.id), row.version)).collect())
}

pub(super) async fn changed_since(
    conn: &mut PgConnection,
    version: i64,
) -> Result<Vec<(GenerationId, i64)>, sqlx::Error> {
    let rows =
        sqlx::query!("select id, version from generations where version > $1 order by version limit 200", version)
            .fetch_all(conn)
            .await?;
    Ok(rows.into_iter().map(|row| (GenerationId::from_uuid(row.id), row.version)).collect())
}

pub(super) async fn newest_version(conn: &mut PgConnection) -> Result<i64, sqlx::Error> {
    let newest = sqlx::query_scalar!("select max(version) from generations").fetch_one(conn).await?;
    Ok(newest.unwrap_or(0))
}
