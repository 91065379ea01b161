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
    for (name, value) in BOUNDS.into_iter().chain(PLANNING) {
        assert_eq!(read(&pool, name).await, value, "{name}");
    }
    // The names of others hold the names of ours.
    for (name, value) in [("lock_timeout", "3s"), ("deadlock_timeout", "2s"), ("jit_above_cost", "7")] {
        url.query_pairs_mut().append_pair(&format!("options[{name}]"), value);
    }
    url.query_pairs_mut().append_pair("options[enable_seqscan]", "on");
    let said = open(url.as_str()).await.unwrap();
    for (name, value) in
        [("lock_timeout", "3s"), ("statement_timeout", "30s"), ("enable_seqscan", "on"), ("jit", "off")]
    {
        assert_eq!(read(&said, name).await, value, "{name}");
    }
    let migrating = PgPool::connect_with(for_migrations(pool.connect_options().as_ref().clone())).await.unwrap();
    for (name, value) in [("statement_timeout", "0"), ("lock_timeout", "0"), ("enable_seqscan", "on")] {
        assert_eq!(read(&migrating, name).await, value, "{name}");
    }
}

/// What a burst meets: a plan that is kept from when the table was small, in a statement and in the check of a key.
#[sqlx::test(migrations = false)]
async fn a_plan_made_while_a_table_is_small_serves_when_it_has_grown(pg: PgPool) {
    let pool = open(pg.connect_options().to_url_lossy().as_str()).await.unwrap();
    let mut conn = pool.acquire().await.unwrap();
    for sql in [
        "create table looks (id int primary key, seen int not null default 0)",
        "create table uses (look_id int references looks)",
        "insert into looks select generate_series(1, 9)",
        "vacuum analyze looks",
    ] {
        sqlx::query(sql).execute(&mut *conn).await.unwrap();
    }
    // Postgres keeps a plan from the sixth time on.
    let (find, claim) = ("select seen from looks where id = $1", "insert into uses values ($1)");
    for id in 1..=9 {
        sqlx::query(find).bind(id).execute(&mut *conn).await.unwrap();
        sqlx::query(claim).bind(id).execute(&mut *conn).await.unwrap();
    }
    sqlx::query("insert into looks select generate_series(10, 9000)").execute(&mut *conn).await.unwrap();
    for id in 1..=500 {
        sqlx::query(find).bind(id).execute(&mut *conn).await.unwrap();
        sqlx::query(claim).bind(id).execute(&mut *conn).await.unwrap();
    }
    let whole = "select seq_scan from pg_stat_user_tables where relname = 'looks'";
    sqlx::query("select pg_stat_force_next_flush()").execute(&mut *conn).await.unwrap();
    let whole: i64 = sqlx::query_scalar(whole).fetch_one(&mut *conn).await.unwrap();
    assert!(whole < 20, "the table was read whole {whole} times");
}

/// Both in small: the first holds a lock and falls silent, the second wants it.
#[sqlx::test(migrations = false)]
async fn who_falls_silent_in_a_transaction_loses_its_locks(pg: PgPool) {
    let options = pg.connect_options().as_ref().clone();
    let bounds = [("idle_in_transaction_session_timeout", "300ms"), ("lock_timeout", "10s")];
    let pool = PgPool::connect_with(with_defaults(options, &bounds)).await.unwrap();
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
    let pool = PgPool::connect_with(with_defaults(pg.connect_options().as_ref().clone(), &[("lock_timeout", "200ms")]));
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
    let options = with_defaults(pg.connect_options().as_ref().clone(), &hasty);
    let pool = PgPoolOptions::new().connect_lazy_with(options);
    apply(&pool).await.unwrap();
    check(&pg).await.unwrap();
}
