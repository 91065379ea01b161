//! Kept answers.

use std::collections::HashMap;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{AnswerClaim, Found, HeldKey, KeptAnswer};

fn digest(bytes: &[u8]) -> [u8; 32] {
    // The table holds no other length.
    bytes.try_into().unwrap_or_default()
}

/// True when the key is this try's now: it was free, its request died, or its answer is older than is kept.
pub(super) async fn claim(
    conn: &mut PgConnection,
    held: &HeldKey,
    dead_after_secs: i32,
    keep_hours: i32,
) -> Result<bool, sqlx::Error> {
    let claim = &held.claim;
    let taken = sqlx::query!(
        "insert into api_answers as a (caller, key_sha256, request_sha256, claim_id) values ($1, $2, $3, $6)
         on conflict on constraint api_answers_pkey do update
             set request_sha256 = excluded.request_sha256, claim_id = excluded.claim_id, status = null, location = null,
                 body = null, claimed_at = now()
             where (a.status is null and a.claimed_at < now() - make_interval(secs => $4))
                 or a.claimed_at < now() - make_interval(hours => $5)",
        claim.caller,
        &claim.key_sha256[..],
        &claim.request_sha256[..],
        f64::from(dead_after_secs),
        keep_hours,
        held.id,
    )
    .execute(conn)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// False when the key is held by another try, or by none.
pub(super) async fn renew(conn: &mut PgConnection, held: &HeldKey) -> Result<bool, sqlx::Error> {
    let renewed = sqlx::query!(
        "update api_answers set claimed_at = now()
         where caller = $1 and key_sha256 = $2 and claim_id = $3 and status is null",
        held.claim.caller,
        &held.claim.key_sha256[..],
        held.id,
    )
    .execute(conn)
    .await?;
    Ok(renewed.rows_affected() == 1)
}

/// What is kept under these keys.
pub(crate) async fn find(
    conn: &mut PgConnection,
    claims: &[AnswerClaim],
) -> Result<HashMap<(Uuid, [u8; 32]), Found>, sqlx::Error> {
    let rows = sqlx::query!(
        "select a.caller, a.key_sha256, a.request_sha256, a.status, a.location, a.body from api_answers a
         join unnest($1::uuid[], $2::bytea[]) as n (caller, key) on a.caller = n.caller and a.key_sha256 = n.key
         where a.claimed_at >= now() - make_interval(hours => $3)",
        &claims.iter().map(|claim| claim.caller).collect::<Vec<_>>(),
        &claims.iter().map(|claim| &claim.key_sha256[..]).collect::<Vec<_>>() as &[&[u8]],
        super::KEEP_HOURS,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let answer = row.status.zip(row.body).map(|(status, body)| KeptAnswer {
                status: u16::try_from(status).unwrap_or(200),
                location: row.location,
                body,
            });
            ((row.caller, digest(&row.key_sha256)), Found { request_sha256: row.request_sha256, answer })
        })
        .collect())
}

/// False when the key is held by another try, or by none.
pub(super) async fn keep(conn: &mut PgConnection, held: &HeldKey, answer: &KeptAnswer) -> Result<bool, sqlx::Error> {
    let kept = sqlx::query!(
        "update api_answers set status = $4, location = $5, body = $6
         where caller = $1 and key_sha256 = $2 and claim_id = $3 and status is null",
        held.claim.caller,
        &held.claim.key_sha256[..],
        held.id,
        i16::try_from(answer.status).unwrap_or(200),
        answer.location,
        answer.body,
    )
    .execute(conn)
    .await?;
    Ok(kept.rows_affected() == 1)
}

/// Keeps answers together with what they tell of. One that was kept meanwhile stays.
pub(crate) async fn insert(conn: &mut PgConnection, answers: &[(AnswerClaim, KeptAnswer)]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into api_answers as a (caller, key_sha256, request_sha256, status, location, body)
         select * from unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::smallint[], $5::text[], $6::text[])
         on conflict on constraint api_answers_pkey do update
             set request_sha256 = excluded.request_sha256, claim_id = null, status = excluded.status,
                 location = excluded.location, body = excluded.body, claimed_at = now()
             where a.claimed_at < now() - make_interval(hours => $7)",
        &answers.iter().map(|(claim, _)| claim.caller).collect::<Vec<_>>(),
        &answers.iter().map(|(claim, _)| &claim.key_sha256[..]).collect::<Vec<_>>() as &[&[u8]],
        &answers.iter().map(|(claim, _)| &claim.request_sha256[..]).collect::<Vec<_>>() as &[&[u8]],
        &answers.iter().map(|(_, answer)| i16::try_from(answer.status).unwrap_or(200)).collect::<Vec<_>>(),
        &answers.iter().map(|(_, answer)| answer.location.as_deref()).collect::<Vec<_>>() as &[Option<&str>],
        &answers.iter().map(|(_, answer)| answer.body.as_str()).collect::<Vec<_>>() as &[&str],
        super::KEEP_HOURS,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn forget(conn: &mut PgConnection, held: &HeldKey) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from api_answers where caller = $1 and key_sha256 = $2 and claim_id = $3 and status is null",
        held.claim.caller,
        &held.claim.key_sha256[..],
        held.id,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes what is given again no more; answers how many rows that were.
pub(crate) async fn forget_old(conn: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let gone = sqlx::query!(
        "delete from api_answers where claimed_at < now() - make_interval(hours => $1)",
        super::KEEP_HOURS
    )
    .execute(conn)
    .await?;
    Ok(gone.rows_affected())
}
