//! Databases of the bench's own.

use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
    raw_sql,
};
use uuid::Uuid;

/// Makes an empty database and answers its name.
pub async fn create(options: &PgConnectOptions) -> Result<String, sqlx::Error> {
    let name = format!("lookreel_bench_{}", Uuid::now_v7().simple());
    execute(options, format!("create database {name}")).await?;
    Ok(name)
}

/// Drops a database, whoever is connected.
pub async fn drop(options: &PgConnectOptions, name: &str) -> Result<(), sqlx::Error> {
    execute(options, format!("drop database {name} with (force)")).await
}

/// Connects to a database and makes the tables.
pub async fn connect(options: &PgConnectOptions, name: &str) -> anyhow::Result<PgPool> {
    let pool = PgPoolOptions::new().max_connections(20).connect_with(options.clone().database(name)).await?;
    sqlx::migrate!("../migrations").run(&pool).await?;
    Ok(pool)
}

/// Whether Postgres waits for the disk, in its own word.
pub async fn fsync(options: &PgConnectOptions) -> Result<String, sqlx::Error> {
    let mut connection = PgConnection::connect_with(options).await?;
    sqlx::query_scalar("show fsync").fetch_one(&mut connection).await
}

async fn execute(options: &PgConnectOptions, sql: String) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect_with(options).await?;
    raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
    connection.close().await
}
