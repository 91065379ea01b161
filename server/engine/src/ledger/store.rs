//! Ledger rows and the counters of the day.

use chrono::NaiveDate;
use domain::{CallId, GenerationId, MicroUsd};
use sqlx::PgConnection;

use crate::calls::NewCall;

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

pub(super) async fn insert_holds(
    conn: &mut PgConnection,
    calls: &[NewCall],
    day: NaiveDate,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into ledger_entries (call_id, generation_id, kind, amount_micro_usd, day)
         select n.call_id, n.generation_id, 'hold', n.amount, $4
         from unnest($1::uuid[], $2::uuid[], $3::bigint[]) as n (call_id, generation_id, amount)",
        &calls.iter().map(|call| call.id.uuid()).collect::<Vec<_>>(),
        &calls.iter().map(|call| call.generation_id.uuid()).collect::<Vec<_>>(),
        &calls.iter().map(|call| call.estimate.micros()).collect::<Vec<_>>(),
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

/// A generation with calls that nothing is held for yet.
#[cfg(test)]
pub(super) async fn plan_for_test(
    conn: &mut PgConnection,
    calls: usize,
) -> Result<(GenerationId, Vec<CallId>), sqlx::Error> {
    let id = uuid::Uuid::now_v7();
    for sql in [
        "insert into users (id, email, name, password_hash) values ($1, 'a@b.example', 'a', '-')",
        "insert into products (id, slug, sku, name_ko, name_en, category, price_krw)
         values ($1, 'a', 'a', 'a', 'a', 'a', 1)",
        "insert into product_photos (id, product_id, position, object_key, content_type, width, height, bytes, sha256)
         values ($1, $1, 0, 'a', 'a', 1, 1, 1, 'a')",
        "insert into generations (id, product_id, photo_id, requested_by, request_key, recipe, prompt_version, model_type,
             duration_seconds, resolution, fps, max_attempts, job_id, video_id, day)
         values ($1, $1, $1, $1, $1, 'product_video', 'a', 'female', 3, '720p', 24, 3, $1, $1, '2026-11-22')",
    ] {
        sqlx::query(sql).bind(id).execute(&mut *conn).await?;
    }
    let mut planned = Vec::with_capacity(calls);
    for ordinal in 1..=i16::try_from(calls).unwrap_or(i16::MAX) {
        let call = CallId::from_uuid(uuid::Uuid::now_v7());
        let sql = "insert into calls
                 (id, generation_id, stage, slot, ordinal, provider, model, price_version, estimate_micro_usd)
             values ($1, $2, 'clip', 'clip', $3, 'a', 'a', 'a', 1)";
        sqlx::query(sql).bind(call.uuid()).bind(id).bind(ordinal).execute(&mut *conn).await?;
        planned.push(call);
    }
    Ok((GenerationId::from_uuid(id), planned))
}

/// Held and paid by the entries, then held and paid by the counters.
#[cfg(test)]
pub(super) async fn sums_for_test(conn: &mut PgConnection) -> Result<[i64; 4], sqlx::Error> {
    let sums: (i64, i64, i64, i64) = sqlx::query_as(
        "select coalesce(sum(amount_micro_usd) filter (where kind = 'hold' and not exists (
                 select 1 from ledger_entries c where c.call_id = e.call_id and c.kind in ('settle', 'void'))), 0)::bigint,
             coalesce(sum(amount_micro_usd) filter (where kind in ('settle', 'adjust')), 0)::bigint,
             (select coalesce(sum(held_micro_usd), 0)::bigint from usage_days),
             (select coalesce(sum(paid_micro_usd), 0)::bigint from usage_days)
         from ledger_entries e",
    )
    .fetch_one(conn)
    .await?;
    Ok([sums.0, sums.1, sums.2, sums.3])
}
