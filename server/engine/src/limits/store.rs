//! The counters of a day.

use chrono::NaiveDate;
use domain::MicroUsd;
use sqlx::PgConnection;

#[derive(Default)]
pub(super) struct Used {
    pub(super) generations: u32,
    pub(super) held: MicroUsd,
    pub(super) paid: MicroUsd,
    pub(super) warned: bool,
}

pub(super) async fn ensure(conn: &mut PgConnection, day: NaiveDate) -> Result<(), sqlx::Error> {
    sqlx::query!("insert into usage_days (day) values ($1) on conflict (day) do nothing", day).execute(conn).await?;
    Ok(())
}

pub(super) async fn lock(conn: &mut PgConnection, day: NaiveDate) -> Result<Used, sqlx::Error> {
    let row = sqlx::query!(
        "select generations, held_micro_usd, paid_micro_usd, warned_at is not null as \"warned!\"
         from usage_days where day = $1 for update",
        day
    )
    .fetch_one(conn)
    .await?;
    Ok(Used {
        generations: u32::try_from(row.generations).unwrap_or(0),
        held: MicroUsd::new(row.held_micro_usd),
        paid: MicroUsd::new(row.paid_micro_usd),
        warned: row.warned,
    })
}

pub(super) async fn load(conn: &mut PgConnection, day: NaiveDate) -> Result<Option<Used>, sqlx::Error> {
    let row = sqlx::query!(
        "select generations, held_micro_usd, paid_micro_usd, warned_at is not null as \"warned!\"
         from usage_days where day = $1",
        day
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Used {
        generations: u32::try_from(row.generations).unwrap_or(0),
        held: MicroUsd::new(row.held_micro_usd),
        paid: MicroUsd::new(row.paid_micro_usd),
        warned: row.warned,
    }))
}

pub(super) async fn count_clicks(
    conn: &mut PgConnection,
    day: NaiveDate,
    clicks: u32,
    held: MicroUsd,
    warn: bool,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update usage_days set generations = generations + $2, held_micro_usd = held_micro_usd + $3,
             warned_at = case when $4 then now() else warned_at end
         where day = $1",
        day,
        i32::try_from(clicks).unwrap_or(i32::MAX),
        held.micros(),
        warn
    )
    .execute(conn)
    .await?;
    Ok(())
}
