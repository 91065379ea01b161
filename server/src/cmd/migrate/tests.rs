//! How sessions are bounded, and that migrations are not.
#![allow(clippy::unwrap_used)]
use sqlx::AssertSqlSafe;

use super::*;

async fn read(pool: &PgPool, setting: &str) -> String {
    sqlx::query_scalar(AssertSqlSafe(format!("show {setting}"))).fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrations = false)]
async fn sessions_are_bounded_unless_the_address_says_otherwise(pg: PgPool) {
    let mut url = pg.connect_options().to_url_lossy();
    let pool = open(url.as_str()).await.unwrap();
    for (name, value) in BOUNDS {
        assert_eq!(read(&pool, name).await, value, "{name}");
    }
    url.query_pairs_mut().append_pair("options[lock_timeout]", "3s");
    let pool = open(url.as_str()).await.unwrap();
    assert_eq!(read(&pool, "lock_timeout").await, "3s");
    assert_eq!(read(&pool, "statement_timeout").await, "30s");
}

/// Both in small: the first holds a lock and falls silent, the second wants it.
#[sqlx::test(migrations = false)]
async fn who_falls_silent_in_a_transaction_loses_its_locks(pg: PgPool) {
    let options = pg.connect_options().as_ref().clone();
    let bounds = [("idle_in_transaction_session_timeout", "300ms"), ("lock_timeout", "10s")];
    let pool = PgPool::connect_with(bounded(options, &bounds)).await.unwrap();
    let lock = "select pg_advisory_xact_lock(7)";
    let mut silent = pool.begin().await.unwrap();
    sqlx::query(lock).execute(&mut *silent).await.unwrap();
    let mut other = pool.begin().await.unwrap();
    sqlx::query(lock).execute(&mut *other).await.unwrap();
    other.commit().await.unwrap();
    assert!(sqlx::query(lock).execute(&mut *silent).await.is_err(), "its session is over");
}

#[sqlx::test(migrations = false)]
async fn nobody_waits_for_a_lock_without_end(pg: PgPool) {
    let pool = PgPool::connect_with(bounded(pg.connect_options().as_ref().clone(), &[("lock_timeout", "200ms")]));
    let pool = pool.await.unwrap();
    let lock = "select pg_advisory_xact_lock(7)";
    let mut holder = pg.begin().await.unwrap();
    sqlx::query(lock).execute(&mut *holder).await.unwrap();
    let error = sqlx::query(lock).execute(&pool).await.unwrap_err();
    assert!(jobs::Error::from(error).is_retryable(), "it may be free next time");
}

/// Nothing that the pool may do takes as long as a migration might.
#[sqlx::test(migrations = false)]
async fn migrations_take_the_time_they_need(pg: PgPool) {
    let hasty = [("statement_timeout", "1ms"), ("lock_timeout", "1ms")];
    let options = bounded(pg.connect_options().as_ref().clone(), &hasty);
    let pool = PgPoolOptions::new().connect_lazy_with(options);
    apply(&pool).await.unwrap();
    check(&pg).await.unwrap();
}
