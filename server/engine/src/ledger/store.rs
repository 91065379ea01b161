//! Ledger rows and the counters of the day.

use chrono::NaiveDate;
use domain::{CallId, GenerationId, MicroUsd};
use sqlx::PgConnection;

pub(super) async fn insert_hold(
    conn: &mut PgConnection,
    call: CallId,
    generation: GenerationId,
    amount: MicroUsd,
    day: NaiveDate,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into ledger_entries (call_id, generation_id, kind, amount_micro_usd, day) values ($1, $2, 'hold', $3, $4)",
        call.uuid(),
        generation.uuid(),
        amount.micros(),
        day,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn count_hold(conn: &mut PgConnection, day: NaiveDate, amount: MicroUsd) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into usage_days (day, held_micro_usd) values ($1, $2)
         on conflict (day) do update set held_micro_usd = usage_days.held_micro_usd + excluded.held_micro_usd",
        day,
        amount.micros(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// False when the hold is closed already (or never was).
pub(super) async fn insert_close(
    conn: &mut PgConnection,
    call: CallId,
    kind: &str,
    amount: MicroUsd,
    assumed: bool,
    today: NaiveDate,
) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "insert into ledger_entries (call_id, generation_id, kind, amount_micro_usd, assumed, day)
         select call_id, generation_id, $2, $3, $4, $5 from ledger_entries where call_id = $1 and kind = 'hold'
         on conflict (call_id) where kind in ('settle', 'void') do nothing",
        call.uuid(),
        kind,
        amount.micros(),
        assumed,
        today,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

pub(super) async fn count_close(conn: &mut PgConnection, call: CallId, paid: MicroUsd) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update usage_days u
         set held_micro_usd = u.held_micro_usd - h.amount_micro_usd, paid_micro_usd = u.paid_micro_usd + $2
         from ledger_entries h
         where h.call_id = $1 and h.kind = 'hold' and u.day = h.day",
        call.uuid(),
        paid.micros(),
    )
    .execute(conn)
    .await?;
    Ok(())
}
