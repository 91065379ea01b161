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

/// How the statements of a session are planned, where `DATABASE_URL` does not say. Nearly all of them, and every check of a
/// foreign key, look single rows up; after a few uses Postgres keeps a plan for the rest of the session, or until the table
/// is analysed again. One that was made while the table had a handful of rows reads the whole table, and goes on to with the
/// thousands that a burst adds to it. So an index is used wherever there is one; the few statements that read much read it
/// by an index as well, or all of it where there is none. Not compiled: to the planner a plan without an index now looks
/// dear enough for that, and never is.
const PLANNING: [(&str, &str); 2] = [("enable_seqscan", "off"), ("jit", "off")];

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
    if let Some((scheme, _)) = url.split_once("://").filter(|(scheme, _)| !matches!(*scheme, "postgres" | "postgresql"))
    {
        return Err(DATABASE_URL.unusable(format!("begins with `{scheme}://`, which is no Postgres")).into());
    }
    // What the parser says may be a part of the password.
    let options = PgConnectOptions::from_str(url).map_err(|_| DATABASE_URL.unusable("is no address of a Postgres"))?;
    let (host, port) = (options.get_host().to_owned(), options.get_port());
    PgPoolOptions::new()
        .max_connections(24)
        .acquire_timeout(CONNECT)
        .connect_with(with_defaults(with_defaults(options, &BOUNDS), &PLANNING))
        .await
        .with_context(|| {
            DATABASE_URL
                .unusable(format!("names {host}:{port}, where no Postgres lets this program in"))
                .expecting("one that runs, with that user, password and database")
        })
}

/// The same with what it does not say itself.
fn with_defaults(options: PgConnectOptions, defaults: &[(&str, &str)]) -> PgConnectOptions {
    let said = options.get_options().unwrap_or_default().to_owned();
    let is_said = |name: &str| said.split([' ', '=']).any(|word| word.trim_start_matches("--") == name);
    options.options(defaults.iter().filter(|(name, _)| !is_said(name)).copied())
}

/// Applies what is missing, however long that takes. Safe to run from several processes at once: they wait for each other.
pub async fn apply(pool: &PgPool) -> anyhow::Result<()> {
    let options = for_migrations(pool.connect_options().as_ref().clone());
    let mut conn = tokio::time::timeout(CONNECT, options.connect())
        .await
        .map_err(anyhow::Error::from)
        .and_then(|conn| Ok(conn?))
        .context("Postgres could not be reached")?;
    MIGRATIONS.run(&mut conn).await.context("the migrations could not be applied")?;
    conn.close().await.context("Postgres could not be reached")
}

/// The same without bounds, planned for the whole tables that migrations change.
fn for_migrations(options: PgConnectOptions) -> PgConnectOptions {
    options.options(BOUNDS.map(|(name, _)| (name, "0"))).options([("enable_seqscan", "on")])
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
mod tests;
