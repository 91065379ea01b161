//! What people are told in the app, and the bell that keeps it until it is read.

pub(crate) mod store;

use domain::{UserId, notice::Bell};

use crate::{Engine, Error};

/// Notices the bell shows.
const BELL_NOTICES: i64 = 20;

impl Engine {
    /// What the bell keeps for a person.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn bell(&self, of: UserId) -> Result<Bell, Error> {
        let mut conn = self.pg().acquire().await?;
        Ok(store::bell(&mut conn, of, BELL_NOTICES).await?)
    }

    /// Marks everything in the bell as read.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn read_notices(&self, of: UserId) -> Result<(), Error> {
        let mut conn = self.pg().acquire().await?;
        store::mark_read(&mut conn, of).await?;
        Ok(())
    }
}
