//! Answers that are given again: what a caller was told under an `Idempotency-Key`, for a day.

pub(crate) mod store;

use std::time::Duration;

use uuid::Uuid;

use crate::{Engine, Error};

/// An answer is kept for so many hours.
pub const KEEP_HOURS: i32 = 24;
/// A request whose key was not renewed for so long has died with its process: the next may begin again.
const DEAD_AFTER_SECS: i32 = 60;
/// Whoever is at work renews the key this often: four times before it is taken for dead.
const RENEW_EVERY: Duration = Duration::from_secs(15);

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

/// A key that one try of a request holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldKey {
    claim: AnswerClaim,
    /// Which try it is.
    id: Uuid,
}

/// What is known under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// Nothing: whoever asked does the work now, and keeps the answer or lets go of the key.
    Work(HeldKey),
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
        let held = HeldKey { claim: *claim, id: Uuid::now_v7() };
        let mut conn = self.pg().acquire().await?;
        if store::claim(&mut conn, &held, DEAD_AFTER_SECS, KEEP_HOURS).await? {
            return Ok(Claimed::Work(held));
        }
        let found = store::find(&mut conn, &[*claim]).await?.remove(&(claim.caller, claim.key_sha256));
        // One that is let go of in between can be asked again in a moment.
        Ok(found.map_or(Claimed::AtWork, |found| found.claimed_by(claim)))
    }

    /// Does the work of a request whose key is held: nobody takes it for dead, however long it lasts.
    pub async fn work_under<T>(&self, held: &HeldKey, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = self.renew_later(held) => {}
            }
        }
    }

    async fn renew_later(&self, held: &HeldKey) {
        tokio::time::sleep(RENEW_EVERY).await;
        match self.renew_claim(held).await {
            Ok(true) => {}
            Ok(false) => tracing::warn!("a key is no longer held by the request that is at work under it"),
            Err(error) => tracing::warn!(%error, "a key could not be renewed: {error}"),
        }
    }

    /// Says that the work under a key goes on. False when it was taken for dead and another try holds the key.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without the database.
    pub async fn renew_claim(&self, held: &HeldKey) -> Result<bool, Error> {
        let mut conn = self.pg().acquire().await?;
        Ok(store::renew(&mut conn, held).await?)
    }

    /// Keeps the answer to a request whose key is held. False when another try holds it: that one's answer counts.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without the database.
    pub async fn keep_answer(&self, held: &HeldKey, answer: &KeptAnswer) -> Result<bool, Error> {
        let mut conn = self.pg().acquire().await?;
        Ok(store::keep(&mut conn, held, answer).await?)
    }

    /// Lets go of a key whose request came to nothing: it may be asked again. What another try holds stays held.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without the database.
    pub async fn forget_answer(&self, held: &HeldKey) -> Result<(), Error> {
        let mut conn = self.pg().acquire().await?;
        Ok(store::forget(&mut conn, held).await?)
    }
}
