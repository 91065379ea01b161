//! Answers that are given again: what a caller was told under an `Idempotency-Key`, for a day.

pub(crate) mod store;

use uuid::Uuid;

use crate::{Engine, Error};

/// An answer is kept for so many hours.
pub const KEEP_HOURS: i32 = 24;
/// A request that has been at work for so long has died with its process: the next may begin again.
const DEAD_AFTER_SECS: i32 = 60;

/// Who asks, under which key, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AnswerClaim {
    /// The token or the person that asks.
    pub caller: Uuid,
    /// SHA-256 of the key.
    pub key_sha256: [u8; 32],
    /// SHA-256 of everything that was asked.
    pub request_sha256: [u8; 32],
}

/// What a caller was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// 200 to 299.
    pub status: u16,
    /// The header of that name.
    pub location: Option<String>,
    /// JSON.
    pub body: String,
}

/// What is known under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// Nothing: whoever asked does the work now, and keeps the answer or lets go of the key.
    Work,
    /// The answer to the same request.
    Known(KeptAnswer),
    /// The same request is at work.
    AtWork,
    /// The key was used for something else.
    Other,
}

/// What is kept under a key, as it was found.
pub(crate) struct Found {
    pub(crate) request_sha256: Vec<u8>,
    pub(crate) answer: Option<KeptAnswer>,
}

impl Found {
    /// What it means for a request.
    pub(crate) fn claimed_by(self, claim: &AnswerClaim) -> Claimed {
        if self.request_sha256 != claim.request_sha256 {
            return Claimed::Other;
        }
        self.answer.map_or(Claimed::AtWork, Claimed::Known)
    }
}

impl Engine {
    /// Takes a key for a request, or says what is known under it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without the database.
    pub async fn claim_answer(&self, claim: &AnswerClaim) -> Result<Claimed, Error> {
        let mut conn = self.pg().acquire().await?;
        if store::claim(&mut conn, claim, DEAD_AFTER_SECS, KEEP_HOURS).await? {
            return Ok(Claimed::Work);
        }
        let found = store::find(&mut conn, &[*claim]).await?.remove(&(claim.caller, claim.key_sha256));
        // One that is let go of in between can be asked again in a moment.
        Ok(found.map_or(Claimed::AtWork, |found| found.claimed_by(claim)))
    }

    /// Keeps the answer to a request whose key was taken.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without the database.
    pub async fn keep_answer(&self, claim: &AnswerClaim, answer: &KeptAnswer) -> Result<(), Error> {
        let mut conn = self.pg().acquire().await?;
        Ok(store::keep(&mut conn, claim, answer).await?)
    }

    /// Lets go of a key whose request came to nothing: it may be asked again.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without the database.
    pub async fn forget_answer(&self, claim: &AnswerClaim) -> Result<(), Error> {
        let mut conn = self.pg().acquire().await?;
        Ok(store::forget(&mut conn, claim).await?)
    }
}
