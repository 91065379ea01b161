//! A database of the bench's own, with the real tables.

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool, raw_sql};
use uuid::Uuid;

pub async fn create(options: &PgConnectOptions) -> Result<(PgPool, String), Box<dyn std::error::Error>> {
    let name = format!("jobs_bench_{}", Uuid::new_v4().simple());
    let mut connection = PgConnection::connect_with(options).await?;
    raw_sql(AssertSqlSafe(format!("create database {name}"))).execute(&mut connection).await?;
    let pool = PgPoolOptions::new().max_connections(20).connect_with(options.clone().database(&name)).await?;
    jobs::migrate(&pool).await?;
    Ok((pool, name))
}

pub async fn drop(options: &PgConnectOptions, name: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect_with(options).await?;
    raw_sql(AssertSqlSafe(format!("drop database {name} with (force)"))).execute(&mut connection).await?;
    Ok(())
}

/// Forgets every job.
pub async fn clear(pg: &PgPool) -> Result<(), sqlx::Error> {
    raw_sql("truncate jobs, job_events").execute(pg).await?;
    Ok(())
}

pub async fn count_ended(pg: &PgPool) -> Result<usize, sqlx::Error> {
    let count: i64 = sqlx::query_scalar("select count(*) from jobs where state = 'succeeded'").fetch_one(pg).await?;
    Ok(usize::try_from(count).unwrap_or_default())
}
