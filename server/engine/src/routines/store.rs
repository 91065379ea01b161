//! What routines count and delete.

use chrono::{DateTime, NaiveDate, Utc};
use domain::MicroUsd;
use sqlx::PgConnection;

/// How a day went.
pub(super) struct DaySums {
    pub(super) videos: u32,
    pub(super) failed: u32,
    pub(super) paid: MicroUsd,
}

pub(super) async fn day(conn: &mut PgConnection, zone: &str, day: NaiveDate) -> Result<DaySums, sqlx::Error> {
    let row = sqlx::query!(
        "select
             count(*) filter (where state = 'completed') as \"videos!\",
             count(*) filter (where state = 'failed') as \"failed!\",
             (select coalesce(sum(amount_micro_usd), 0) from ledger_entries
                 where kind in ('settle', 'adjust') and day = $2)::bigint as \"paid!\"
         from generations where (finished_at at time zone $1)::date = $2",
        zone,
        day
    )
    .fetch_one(conn)
    .await?;
    let count = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    Ok(DaySums { videos: count(row.videos), failed: count(row.failed), paid: MicroUsd::new(row.paid) })
}

/// Generations that failed, and all that ended by themselves, since a moment.
pub(super) async fn ended_since(conn: &mut PgConnection, since: DateTime<Utc>) -> Result<(i64, i64), sqlx::Error> {
    let row = sqlx::query!(
        "select count(*) filter (where state = 'failed') as \"failed!\", count(*) as \"ended!\"
         from generations where finished_at >= $1 and state in ('completed', 'failed')",
        since
    )
    .fetch_one(conn)
    .await?;
    Ok((row.failed, row.ended))
}

/// Deletes what is older than so many days; answers how many rows that were.
pub(super) async fn forget(conn: &mut PgConnection, days: i32) -> Result<u64, sqlx::Error> {
    let notices = sqlx::query!("delete from notices where created_at < now() - make_interval(days => $1)", days)
        .execute(&mut *conn)
        .await?;
    let webhooks =
        sqlx::query!("delete from webhook_inbox where received_at < now() - make_interval(days => $1)", days)
            .execute(conn)
            .await?;
    Ok(notices.rows_affected() + webhooks.rows_affected())
}
