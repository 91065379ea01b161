//! Bringing the database up to date.

use std::{str::FromStr as _, time::Duration};

use anyhow::Context as _;
use secrecy::ExposeSecret as _;
use sqlx::{
    ConnectOptions as _, Connection as _, PgPool,
    migrate::{Migrate as _, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::config::{Common, setting::DATABASE_URL};

/// Where sqlx writes down what it applied.
const TABLE: &str = "_sqlx_migrations";

/// How long it may take until there is a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// What a session may take its time for, where `DATABASE_URL` does not say (`?options[lock_timeout]=20s`). A process that
/// was paused or cut off in the middle of a transaction keeps what it has locked from everybody else for no longer than a
/// worker keeps its jobs; and nobody waits for a lock, or an answer, without end.
const BOUNDS: [(&str, &str); 3] =
    [("idle_in_transaction_session_timeout", "30s"), ("statement_timeout", "30s"), ("lock_timeout", "10s")];

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// Runs the role `migrate`.
pub async fn run(common: &Common) -> anyhow::Result<()> {
    let pool = connect(common).await?;
    apply(&pool).await?;
    super::say("The database is up to date.");
    Ok(())
}

/// Connects to the database of the settings.
pub async fn connect(common: &Common) -> anyhow::Result<PgPool> {
    let url = common.database_url.as_ref().ok_or_else(|| DATABASE_URL.missing())?;
    open(url.expose_secret()).await
}

/// Connects to a database; gives up after ten seconds.
pub async fn open(url: &str) -> anyhow::Result<PgPool> {
    // What the parser says may be a part of the password.
    let options = PgConnectOptions::from_str(url).map_err(|_| DATABASE_URL.unusable("is no address of a Postgres"))?;
    let (host, port) = (options.get_host().to_owned(), options.get_port());
    PgPoolOptions::new()
        .max_connections(24)
        .acquire_timeout(CONNECT)
        .connect_with(bounded(options, &BOUNDS))
        .await
        .with_context(|| {
            DATABASE_URL
                .unusable(format!("names {host}:{port}, where no Postgres lets this program in"))
                .expecting("one that runs, with that user, password and database")
        })
}

/// The same with what it does not say itself.
fn bounded(options: PgConnectOptions, bounds: &[(&str, &str)]) -> PgConnectOptions {
    let said = options.get_options().unwrap_or_default().to_owned();
    options.options(bounds.iter().filter(|(name, _)| !said.contains(name)).copied())
}

/// Applies what is missing, however long that takes. Safe to run from several processes at once: they wait for each other.
pub async fn apply(pool: &PgPool) -> anyhow::Result<()> {
    let unbounded = pool.connect_options().as_ref().clone().options(BOUNDS.map(|(name, _)| (name, "0")));
    let mut conn = tokio::time::timeout(CONNECT, unbounded.connect())
        .await
        .map_err(anyhow::Error::from)
        .and_then(|conn| Ok(conn?))
        .context("Postgres could not be reached")?;
    MIGRATIONS.run(&mut conn).await.context("the migrations could not be applied")?;
    conn.close().await.context("Postgres could not be reached")
}

/// Refuses to start on a database that is not up to date.
pub async fn check(pool: &PgPool) -> anyhow::Result<()> {
    let newest = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    let mut conn = pool.acquire().await.context("Postgres could not be reached")?;
    // A database without the table is not up to date either.
    let applied = conn.list_applied_migrations(TABLE).await.unwrap_or_default();
    let applied = applied.iter().map(|migration| migration.version).max().unwrap_or(0);
    anyhow::ensure!(
        applied >= newest,
        "the database is not up to date (version {applied} of {newest}); run `lookreel migrate` first"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
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
}
