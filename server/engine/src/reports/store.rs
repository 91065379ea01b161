//! Sums over the ledger.

use chrono::NaiveDate;
use domain::{MicroUsd, cost::CostShare};
use sqlx::PgConnection;

/// Lets the rest of the transaction see one moment.
pub(super) async fn freeze(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("set transaction isolation level repeatable read, read only").execute(conn).await?;
    Ok(())
}

pub(super) async fn paid_between(
    conn: &mut PgConnection,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<MicroUsd, sqlx::Error> {
    let sum = sqlx::query_scalar!(
        "select coalesce(sum(amount_micro_usd), 0)::bigint as \"sum!\" from ledger_entries
         where kind in ('settle', 'adjust') and day between $1 and $2",
        from,
        to
    )
    .fetch_one(conn)
    .await?;
    Ok(MicroUsd::new(sum))
}

pub(super) async fn held(conn: &mut PgConnection) -> Result<MicroUsd, sqlx::Error> {
    let sum = sqlx::query_scalar!(
        "select coalesce(sum(h.amount_micro_usd), 0)::bigint as \"sum!\" from ledger_entries h
         where h.kind = 'hold' and not exists
             (select 1 from ledger_entries c where c.call_id = h.call_id and c.kind in ('settle', 'void'))"
    )
    .fetch_one(conn)
    .await?;
    Ok(MicroUsd::new(sum))
}

/// Paid for generations without a video, except for stills and clips that the video of a retry was made from.
pub(super) async fn wasted_between(
    conn: &mut PgConnection,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<MicroUsd, sqlx::Error> {
    let sum = sqlx::query_scalar!(
        "select coalesce(sum(e.amount_micro_usd), 0)::bigint as \"sum!\"
         from ledger_entries e join generations g on g.id = e.generation_id
         where e.kind in ('settle', 'adjust') and e.day between $1 and $2 and g.state in ('failed', 'cancelled')
             and not exists (select 1 from stills s join generations r on r.id = s.generation_id
                 where s.call_id = e.call_id and r.state = 'completed')
             and not exists (select 1 from generations r join calls c on c.id = e.call_id
                 where r.clip_video_id = g.video_id and r.state = 'completed' and c.slot = 'clip' and c.state = 'done')",
        from,
        to
    )
    .fetch_one(conn)
    .await?;
    Ok(MicroUsd::new(sum))
}

pub(super) async fn videos_between(
    conn: &mut PgConnection,
    zone: &str,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<u32, sqlx::Error> {
    let count = sqlx::query_scalar!(
        "select count(*) as \"count!\" from videos where (published_at at time zone $1)::date between $2 and $3",
        zone,
        from,
        to
    )
    .fetch_one(conn)
    .await?;
    Ok(u32::try_from(count).unwrap_or(0))
}

pub(super) async fn videos_by_day(
    conn: &mut PgConnection,
    zone: &str,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<(NaiveDate, u32)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select (published_at at time zone $1)::date as \"day!\", count(*) as \"count!\" from videos
         where (published_at at time zone $1)::date between $2 and $3 group by 1 order by 1",
        zone,
        from,
        to
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.day, u32::try_from(row.count).unwrap_or(0))).collect())
}

pub(super) async fn by_model(
    conn: &mut PgConnection,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<CostShare>, sqlx::Error> {
    let rows = sqlx::query!(
        "select c.provider, c.model, count(distinct c.id) as \"calls!\", sum(e.amount_micro_usd)::bigint as \"sum!\"
         from ledger_entries e join calls c on c.id = e.call_id
         where e.kind in ('settle', 'adjust') and e.day between $1 and $2
         group by c.provider, c.model order by 4 desc, 1, 2",
        from,
        to
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| CostShare {
            key: row.provider,
            model: Some(row.model),
            calls: u32::try_from(row.calls).unwrap_or(0),
            amount: MicroUsd::new(row.sum),
        })
        .collect())
}

pub(super) async fn by_stage(
    conn: &mut PgConnection,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<CostShare>, sqlx::Error> {
    let rows = sqlx::query!(
        "select c.stage, count(distinct c.id) as \"calls!\", sum(e.amount_micro_usd)::bigint as \"sum!\"
         from ledger_entries e join calls c on c.id = e.call_id
         where e.kind in ('settle', 'adjust') and e.day between $1 and $2
         group by c.stage",
        from,
        to
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| CostShare {
            key: row.stage,
            model: None,
            calls: u32::try_from(row.calls).unwrap_or(0),
            amount: MicroUsd::new(row.sum),
        })
        .collect())
}

pub(super) async fn paid_by_day(
    conn: &mut PgConnection,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<(NaiveDate, String, MicroUsd)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select e.day, c.provider, sum(e.amount_micro_usd)::bigint as \"sum!\"
         from ledger_entries e join calls c on c.id = e.call_id
         where e.kind in ('settle', 'adjust') and e.day between $1 and $2
         group by e.day, c.provider order by e.day, c.provider",
        from,
        to
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.day, row.provider, MicroUsd::new(row.sum))).collect())
}
