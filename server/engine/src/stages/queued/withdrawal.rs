//! A request nobody wants any more: called off at the provider; what was finished all the same is shown as paid.

use chrono::Utc;
use domain::FailureCode;
use providers::{CancelAnswer, Certainty, FileAnswer, ProviderError, RequestStatus};

use super::Queued;
use crate::stages::{Stop, provider_failure};

/// What calling a request off came to.
pub(in crate::stages) enum Withdrawal {
    /// The provider has not said yet what becomes of it.
    Waiting,
    /// It is over and its call is closed.
    Over,
    /// It was finished all the same: paid, and its file is there to be kept. Its call is still open.
    Finished(FileAnswer),
}

impl Queued<'_> {
    /// A person wants it to end while the provider works: ask there, then take the provider's word for what it cost. When
    /// the provider does not say so in time the call stays open, for the end of its generation to close.
    pub(in crate::stages) async fn withdraw(&self) -> Result<Withdrawal, Stop> {
        let address = self.address()?;
        let answer = self.requests.cancel(&address).await.map_err(|error| provider_failure(&error))?;
        let gone = match self.requests.check(&address, &self.order()).await {
            Ok(RequestStatus::Finished(answer)) => {
                return Ok(Withdrawal::Finished(answer.at_price(self.call.estimate)));
            }
            Err(error) if error.certainty == Certainty::Ended => error,
            _ if answer == CancelAnswer::NotFound => {
                ProviderError::new(FailureCode::Cancelled, Certainty::Ended, providers::Retry::Never, "cancelled")
            }
            // Still running there: it may finish and be charged, so look again.
            _ if !self.is_late(self.call.submitted_at.unwrap_or_else(Utc::now)) => return Ok(Withdrawal::Waiting),
            _ => return Ok(Withdrawal::Over),
        };
        let mut tx = self.engine.pg().begin().await?;
        self.attempt.lease.guard(&mut tx).await?;
        self.close_failed(&mut tx, &gone).await?;
        tx.commit().await?;
        Ok(Withdrawal::Over)
    }
}
