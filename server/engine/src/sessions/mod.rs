//! Sessions of people who are signed in, as the edge keeps them. What is in one is the edge's business.

pub(crate) mod store;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::{Engine, Error};

/// A session that has not ended.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptSession {
    /// What the edge put into it.
    pub data: Map<String, Value>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

impl Engine {
    /// Keeps a new session. False when its id is taken.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without the database.
    pub async fn begin_session(&self, id: &str, session: &KeptSession) -> Result<bool, Error> {
        let mut conn = self.pg().acquire().await?;
        Ok(store::insert(&mut conn, &digest(id), session).await?)
    }

    /// Writes a session that is there already; one that has ended meanwhile stays ended.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without the database.
    pub async fn write_session(&self, id: &str, session: &KeptSession) -> Result<(), Error> {
        let mut conn = self.pg().acquire().await?;
        Ok(store::update(&mut conn, &digest(id), session).await?)
    }

    /// The session of this id, when there is one that has not ended.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without the database.
    pub async fn session(&self, id: &str) -> Result<Option<KeptSession>, Error> {
        let mut conn = self.pg().acquire().await?;
        Ok(store::load(&mut conn, &digest(id)).await?)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without the database.
    pub async fn end_session(&self, id: &str) -> Result<(), Error> {
        let mut conn = self.pg().acquire().await?;
        Ok(store::delete(&mut conn, &digest(id)).await?)
    }
}

fn digest(id: &str) -> [u8; 32] {
    Sha256::digest(id).into()
}
