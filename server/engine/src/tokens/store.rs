//! Rows of tokens, and how often they are used.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::{Scope, TokenId, UserId, user::Email};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{ListedToken, NewToken, Token, Usage};

/// Most rows of the list.
const LISTED: i64 = 500;

/// Scopes as they are stored; one this version does not know gives nothing.
fn scopes(words: &[String]) -> Vec<Scope> {
    words.iter().filter_map(|word| word.parse().ok()).collect()
}

pub(super) async fn owner(conn: &mut PgConnection, email: &Email) -> Result<Option<UserId>, sqlx::Error> {
    let id = sqlx::query_scalar!("select id from users where email = $1", email.as_str()).fetch_optional(conn).await?;
    Ok(id.map(UserId::from_uuid))
}

pub(super) async fn insert(
    conn: &mut PgConnection,
    id: TokenId,
    owner: UserId,
    new: &NewToken,
    sha256: &[u8; 32],
    hint: &str,
) -> Result<(), sqlx::Error> {
    let scopes: Vec<String> = new.scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    sqlx::query!(
        "insert into api_tokens (id, secret_sha256, name, hint, scopes, owner_id, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        id.uuid(),
        &sha256[..],
        new.name,
        hint,
        &scopes,
        owner.uuid(),
        new.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn by_secret(conn: &mut PgConnection, sha256: &[u8; 32]) -> Result<Option<Token>, sqlx::Error> {
    let row = sqlx::query!(
        "select id, owner_id, scopes, expires_at, revoked_at is not null as \"is_revoked!\"
         from api_tokens where secret_sha256 = $1",
        &sha256[..]
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Token {
        id: TokenId::from_uuid(row.id),
        owner: UserId::from_uuid(row.owner_id),
        scopes: scopes(&row.scopes),
        expires_at: row.expires_at,
        is_revoked: row.is_revoked,
    }))
}

/// However many were revoked: one that may be used is not pushed out by them.
pub(super) async fn list(conn: &mut PgConnection) -> Result<Vec<ListedToken>, sqlx::Error> {
    let rows = sqlx::query!(
        "select t.id, t.name, t.hint, t.scopes, u.name as owner, t.created_at, t.expires_at, t.last_used_at, t.revoked_at
         from api_tokens t join users u on u.id = t.owner_id
         order by t.revoked_at is not null or coalesce(t.expires_at <= now(), false), t.created_at desc, t.id desc
         limit $1",
        LISTED
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| ListedToken {
            id: TokenId::from_uuid(row.id),
            name: row.name,
            hint: row.hint,
            scopes: scopes(&row.scopes),
            owner: row.owner,
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
        })
        .collect())
}

pub(super) async fn revoke(conn: &mut PgConnection, id: TokenId) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!("update api_tokens set revoked_at = coalesce(revoked_at, now()) where id = $1", id.uuid())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Rows are written in one order, or two processes could wait for each other.
pub(super) async fn add_usage(
    conn: &mut PgConnection,
    usage: &[Usage],
) -> Result<HashMap<(Uuid, DateTime<Utc>), u64>, sqlx::Error> {
    let rows = sqlx::query!(
        "insert into api_usage as u (caller, minute, requests)
         select n.caller, n.minute, n.requests
         from unnest($1::uuid[], $2::timestamptz[], $3::bigint[]) as n (caller, minute, requests)
         order by n.caller, n.minute
         on conflict on constraint api_usage_pkey do update set requests = u.requests + excluded.requests
         returning caller, minute, requests",
        &usage.iter().map(|one| one.caller).collect::<Vec<_>>(),
        &usage.iter().map(|one| one.minute).collect::<Vec<_>>(),
        &usage.iter().map(|one| i64::try_from(one.requests).unwrap_or(i64::MAX)).collect::<Vec<_>>(),
    )
    .fetch_all(conn)
    .await?;
    let sum = |requests: i64| u64::try_from(requests).unwrap_or(0);
    Ok(rows.into_iter().map(|row| ((row.caller, row.minute), sum(row.requests))).collect())
}

/// Callers that are no tokens are people, of whom nothing is noted.
pub(super) async fn note_use(conn: &mut PgConnection, callers: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update api_tokens t set last_used_at = now()
         from (select id from api_tokens where id = any($1) order by id for update) as n where t.id = n.id",
        callers
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes counts nothing is judged by any more; answers how many rows that were.
pub(crate) async fn forget_usage(conn: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let gone = sqlx::query!("delete from api_usage where minute < now() - interval '1 hour'").execute(conn).await?;
    Ok(gone.rows_affected())
}
