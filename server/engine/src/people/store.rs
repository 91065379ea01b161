//! Accounts and tries to sign in.

use domain::{
    UserId,
    user::{Email, Person},
};
use sqlx::PgConnection;

pub(super) struct Account {
    pub(super) person: Person,
    pub(super) password_hash: String,
    pub(super) auth_epoch: i64,
}

pub(super) struct Window {
    pub(super) tries: i32,
    pub(super) left_secs: u32,
}

pub(super) async fn count_try(conn: &mut PgConnection, key: &str, window_secs: i32) -> Result<Window, sqlx::Error> {
    let row = sqlx::query!(
        "insert into sign_in_tries as t (key, window_started_at, tries) values ($1, now(), 1)
         on conflict (key) do update set
             tries = case when t.window_started_at < now() - make_interval(secs => $2) then 1 else t.tries + 1 end,
             window_started_at = case when t.window_started_at < now() - make_interval(secs => $2)
                 then now() else t.window_started_at end
         returning tries, ceil(extract(epoch from window_started_at + make_interval(secs => $2) - now()))::int as \"left!\"",
        key,
        f64::from(window_secs),
    )
    .fetch_one(conn)
    .await?;
    Ok(Window { tries: row.tries, left_secs: u32::try_from(row.left).unwrap_or(0) })
}

pub(super) async fn forget_tries(conn: &mut PgConnection, key: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from sign_in_tries where key = $1", key).execute(conn).await?;
    Ok(())
}

/// One try less: it did not fail.
pub(super) async fn take_back_try(conn: &mut PgConnection, key: &str) -> Result<(), sqlx::Error> {
    let less = sqlx::query!("update sign_in_tries set tries = tries - 1 where key = $1 and tries > 1", key)
        .execute(&mut *conn)
        .await?;
    if less.rows_affected() == 0 {
        sqlx::query!("delete from sign_in_tries where key = $1 and tries <= 1", key).execute(conn).await?;
    }
    Ok(())
}

/// Removes what no limit asks for any more, a thousand rows at most; the next failure goes on.
pub(super) async fn prune_tries(conn: &mut PgConnection, window_secs: i32) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from sign_in_tries where key in (
             select key from sign_in_tries where window_started_at < now() - make_interval(secs => $1)
             limit 1000 for update skip locked)",
        f64::from(window_secs),
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn by_email(conn: &mut PgConnection, email: &Email) -> Result<Option<Account>, sqlx::Error> {
    let row =
        sqlx::query!("select id, name, email, password_hash, auth_epoch from users where email = $1", email.as_str())
            .fetch_optional(conn)
            .await?;
    Ok(row.map(|row| Account {
        person: Person { id: UserId::from_uuid(row.id), name: row.name, email: row.email },
        password_hash: row.password_hash,
        auth_epoch: row.auth_epoch,
    }))
}

pub(super) async fn by_id(conn: &mut PgConnection, id: UserId, auth_epoch: i64) -> Result<Option<Person>, sqlx::Error> {
    let row =
        sqlx::query!("select id, name, email from users where id = $1 and auth_epoch = $2", id.uuid(), auth_epoch)
            .fetch_optional(conn)
            .await?;
    Ok(row.map(|row| Person { id: UserId::from_uuid(row.id), name: row.name, email: row.email }))
}

pub(super) async fn upsert(
    conn: &mut PgConnection,
    id: UserId,
    email: &Email,
    name: &str,
    password_hash: &str,
) -> Result<UserId, sqlx::Error> {
    let id = sqlx::query_scalar!(
        "insert into users (id, email, name, password_hash) values ($1, $2, $3, $4)
         on conflict on constraint users_email_unique do update set
             name = excluded.name, password_hash = excluded.password_hash, auth_epoch = users.auth_epoch + 1
         returning id",
        id.uuid(),
        email.as_str(),
        name,
        password_hash,
    )
    .fetch_one(conn)
    .await?;
    Ok(UserId::from_uuid(id))
}
