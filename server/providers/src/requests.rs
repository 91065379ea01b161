//! What a provider with a queue does with a request it accepted: look, cancel, and prove what was accepted.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::MicroUsd;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{BillableUnits, Order, ProviderError};

/// An accepted request. Every address lies on the provider's queue host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// The provider's id: letters, digits, `-` and `_`, at most 100.
    pub request_id: String,
    /// Where to look.
    pub status_url: Url,
    /// Where the answer will be.
    pub response_url: Url,
    /// Where to cancel.
    pub cancel_url: Url,
}

/// A file that was made and paid: a still or a clip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileAnswer {
    /// Where the file is; the vendor deletes it soon. Fetch it with [`crate::fetch_result`], never with a key.
    pub url: Url,
    /// The media type the vendor names; the first bytes decide.
    pub content_type: Option<String>,
    /// The units on the provider's bill, when it said.
    pub billable_units: Option<BillableUnits>,
    /// What it cost: the bill, or our own price when the provider did not say.
    pub cost: MicroUsd,
    /// What our price list says it should have cost. A difference is worth an event: the list or the bill is wrong.
    pub cost_expected: MicroUsd,
}

impl FileAnswer {
    /// The same at the price the call was bought at: the list of today may say another one. What the provider counts is
    /// units, so a bill of as many as were expected costs what was quoted, and one of others in proportion.
    #[must_use]
    pub fn at_price(self, quoted: MicroUsd) -> Self {
        let (billed, listed) = (i128::from(self.cost.micros()), i128::from(self.cost_expected.micros()));
        if listed <= 0 || quoted.micros() <= 0 {
            return self;
        }
        let cost = (i128::from(quoted.micros()) * billed + listed / 2) / listed;
        let cost = i64::try_from(cost).map_or(self.cost, MicroUsd::new);
        Self { cost, cost_expected: quoted, ..self }
    }

    /// The bill is not what the price list says.
    pub fn is_billed_otherwise(&self) -> bool {
        self.cost != self.cost_expected
    }
}

/// Where an accepted request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestStatus {
    /// Waits for its turn.
    Queued {
        /// Requests ahead of it.
        position: Option<u32>,
    },
    /// Is being made.
    Running,
    /// Is made. A failed request is an error with [`crate::Certainty::Ended`], not a status.
    Finished(FileAnswer),
}

/// What a wish to cancel met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelAnswer {
    /// The provider will try; a running request may still finish and be charged, so look once more.
    Requested,
    /// It had ended before.
    AlreadyCompleted,
    /// The provider does not know the request.
    NotFound,
}

/// A request the provider says it accepted from this account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedRequest {
    /// The provider's id.
    pub request_id: String,
    /// When it was accepted.
    pub at: DateTime<Utc>,
}

/// The accepted requests of one model at a provider with a queue.
#[async_trait]
pub trait Requests: Send + Sync {
    /// The addresses of a request of which only the id is known (found by [`Requests::accepted_since`], or told by a
    /// webhook before the answer to the submit was stored).
    ///
    /// # Errors
    /// [`ProviderError`] when the id cannot be one of the provider's.
    fn locate(&self, request_id: &str) -> Result<Submitted, ProviderError>;

    /// Looks where a request is. Pays nothing. `order` is what it was bought for.
    ///
    /// # Errors
    /// [`crate::Certainty::Ended`]: the request failed for good. Anything else: looking failed, look again later.
    async fn check(&self, submitted: &Submitted, order: &Order) -> Result<RequestStatus, ProviderError>;

    /// Asks to stop a request.
    ///
    /// # Errors
    /// [`ProviderError`] when the provider could not be asked.
    async fn cancel(&self, submitted: &Submitted) -> Result<CancelAnswer, ProviderError>;

    /// Every request the provider accepted for this model since `since`, oldest first: proof of what a lost answer did.
    ///
    /// # Errors
    /// [`ProviderError`] when the provider could not be asked or has more than 2000 of them.
    async fn accepted_since(&self, since: DateTime<Utc>) -> Result<Vec<AcceptedRequest>, ProviderError>;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_call_costs_what_it_was_bought_for_whatever_the_list_says_today() {
        let answer = |cost, expected| FileAnswer {
            url: "https://files.example/a.mp4".parse().unwrap(),
            content_type: None,
            billable_units: None,
            cost: MicroUsd::new(cost),
            cost_expected: MicroUsd::new(expected),
        };
        let at = |cost, expected| {
            let answer = answer(cost, expected).at_price(MicroUsd::new(200_000));
            (answer.cost.micros(), answer.is_billed_otherwise())
        };
        assert_eq!(at(400_000, 400_000), (200_000, false), "the list has doubled meanwhile");
        assert_eq!(at(480_000, 400_000), (240_000, true), "a fifth more units than were ordered");
        assert_eq!(at(200_000, 200_000), (200_000, false));
        assert_eq!(at(7, 0), (7, true), "nothing to compare with");
    }
}
