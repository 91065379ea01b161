//! Bringing the database up to date.

use std::str::FromStr as _;

use anyhow::Context as _;
use secrecy::ExposeSecret as _;
use sqlx::{
    PgPool,
    migrate::{Migrate as _, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::config::{Common, setting::DATABASE_URL};

/// Where sqlx writes down what it applied.
const TABLE: &str = "_sqlx_migrations";

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
        .acquire_timeout(std::time::Duration::from_secs(10))
        .connect_with(options)
        .await
        .with_context(|| {
            DATABASE_URL
                .unusable(format!("names {host}:{port}, where no Postgres lets this program in"))
                .expecting("one that runs, with that user, password and database")
        })
}

/// Applies what is missing. Safe to run from several processes at once.
pub async fn apply(pool: &PgPool) -> anyhow::Result<()> {
    MIGRATIONS.run(pool).await.context("the migrations could not be applied")
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
