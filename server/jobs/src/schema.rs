//! The queue's own tables.

use sqlx::PgPool;

use crate::Error;

/// Where the versions that were applied are written down: not among those of the application.
const TABLE: &str = "job_migrations";

/// Brings the queue's tables up to date, in a database that leaves them to the queue. Safe to run at every start, and from
/// several processes at once.
///
/// An application with sqlx migrations of its own may put the files of this crate's folder `migrations` among them instead,
/// unchanged: one of the two, never both.
///
/// # Errors
/// [`Error::Migration`].
pub async fn migrate(pg: &PgPool) -> Result<(), Error> {
    let mut migrations = sqlx::migrate!("./migrations");
    migrations.dangerous_set_table_name(TABLE);
    Ok(migrations.run(pg).await?)
}
