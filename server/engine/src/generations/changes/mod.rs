//! What is under way, and what changed since somebody last looked. Versions grow in the order of the commits, so nothing
//! appears behind one that was seen.

mod store;

use domain::{GenerationId, generation::GenerationView};

use crate::{Engine, Error};

/// Generations that are listed at once, at most: where there are as many there may be more.
pub const CHANGES_AT_ONCE: usize = 200;

impl Engine {
    /// Snapshots of everything that is under way, oldest first, at most 200.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn live_generations(&self) -> Result<Vec<GenerationView>, Error> {
        let mut conn = self.pg().acquire().await?;
        let ids = store::live_ids(&mut conn).await?;
        drop(conn);
        self.views(&ids).await
    }

    /// Generations that are under way and of a version after one and up to another, with their versions and in their order,
    /// at most [`CHANGES_AT_ONCE`].
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn live_between(&self, after: i64, until: i64) -> Result<Vec<(GenerationId, i64)>, Error> {
        let mut conn = self.pg().acquire().await?;
        Ok(store::live_between(&mut conn, after, until).await?)
    }

    /// Generations that changed after a version, with the versions they have now and in their order, at most
    /// [`CHANGES_AT_ONCE`]: what a viewer that was away asks for. Once these are told everything up to the last is.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn changed_since(&self, version: i64) -> Result<Vec<(GenerationId, i64)>, Error> {
        let mut conn = self.pg().acquire().await?;
        Ok(store::changed_since(&mut conn, version).await?)
    }

    /// The newest version of any generation.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn newest_version(&self) -> Result<i64, Error> {
        let mut conn = self.pg().acquire().await?;
        Ok(store::newest_version(&mut conn).await?)
    }
}
