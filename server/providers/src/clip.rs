//! Making a clip, whoever makes it: submit, look, cancel, and proof of what was accepted.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{ClipSeconds, MicroUsd, Resolution};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{ModelRef, ProviderError};

/// A picture to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its media type, like `image/png`.
    pub content_type: String,
}

/// A clip to be made.
#[derive(Debug, Clone)]
pub struct ClipRequest {
    /// The first frame.
    pub start: Picture,
    /// The last frame.
    pub end: Picture,
    /// How to move from one to the other, from [`crate::prompts`].
    pub prompt: String,
    /// Length.
    pub duration: ClipSeconds,
    /// Size.
    pub resolution: Resolution,
    /// Where the provider tells the end; without it only looking tells.
    pub webhook_url: Option<Url>,
}

impl ClipRequest {
    /// What is paid for.
    pub const fn order(&self) -> ClipOrder {
        ClipOrder { duration: self.duration, resolution: self.resolution }
    }
}

/// The part of a request its price follows from; kept to check the bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClipOrder {
    /// Length.
    pub duration: ClipSeconds,
    /// Size.
    pub resolution: Resolution,
}

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

/// Units on the provider's bill in millionths, because a bill may count in fractions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BillableUnits(u64);

impl BillableUnits {
    /// Reads a decimal number like `5` or `4.25`; digits beyond the sixth are dropped. None for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 12 || !is_number(whole) || !is_number(fraction) {
            return None;
        }
        let mut millionths: u64 = whole.parse().ok()?;
        for index in 0..6 {
            let digit = fraction.as_bytes().get(index).map_or(0, |byte| u64::from(byte - b'0'));
            millionths = millionths * 10 + digit;
        }
        Some(Self(millionths))
    }

    /// The units in millionths.
    pub const fn millionths(self) -> u64 {
        self.0
    }

    /// What they cost at `rate` a unit, half a millionth rounded up.
    pub fn cost(self, rate: MicroUsd) -> MicroUsd {
        let exact = i128::from(self.0) * i128::from(rate.micros());
        MicroUsd::new(i64::try_from((exact + 500_000) / 1_000_000).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for BillableUnits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// A clip that was made and paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClipAnswer {
    /// Where the file is; the vendor deletes it soon. Fetch it with [`crate::fetch_result`], never with a key.
    pub url: Url,
    /// The units on the provider's bill, when it said.
    pub billable_units: Option<BillableUnits>,
    /// What it cost: the bill, or our own price when the provider did not say.
    pub cost: MicroUsd,
    /// What our price list says it should have cost.
    pub cost_expected: MicroUsd,
}

/// Where an accepted request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClipStatus {
    /// Waits for its turn.
    Queued {
        /// Requests ahead of it.
        position: Option<u32>,
    },
    /// Is being made.
    Running,
    /// Is made. A failed request is an error with [`crate::Certainty::Ended`], not a status.
    Finished(ClipAnswer),
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

/// Makes clips.
#[async_trait]
pub trait ClipMaker: Send + Sync {
    /// The model that does it.
    fn model(&self) -> &ModelRef;

    /// Sends the pictures and the request. Once this answers, the clip is bought. Never tries twice.
    ///
    /// # Errors
    /// [`ProviderError`]; after [`crate::Certainty::Unknown`] the clip may have been bought:
    /// [`ClipMaker::accepted_since`] tells.
    async fn submit(&self, request: &ClipRequest) -> Result<Submitted, ProviderError>;

    /// The addresses of a request of which only the id is known (found by [`ClipMaker::accepted_since`], or told by a
    /// webhook before the answer to the submit was stored).
    ///
    /// # Errors
    /// [`ProviderError`] when the id cannot be one of the provider's.
    fn locate(&self, request_id: &str) -> Result<Submitted, ProviderError>;

    /// Looks where a request is. Pays nothing.
    ///
    /// # Errors
    /// [`crate::Certainty::Ended`]: the request failed for good. Anything else: looking failed, look again later.
    async fn check(&self, submitted: &Submitted, order: &ClipOrder) -> Result<ClipStatus, ProviderError>;

    /// Asks to stop a request.
    ///
    /// # Errors
    /// [`ProviderError`] when the provider could not be asked.
    async fn cancel(&self, submitted: &Submitted) -> Result<CancelAnswer, ProviderError>;

    /// Every request the provider accepted for this endpoint since `since`, oldest first: proof of what a lost answer
    /// did.
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
    fn units_are_read_as_decimals_and_priced_without_loss() {
        let units = |text| BillableUnits::parse(text).map(BillableUnits::millionths);
        assert_eq!(units("5"), Some(5_000_000));
        assert_eq!(units(" 4.25 "), Some(4_250_000));
        assert_eq!(units("5.0"), Some(5_000_000));
        assert_eq!(units("0.1234567"), Some(123_456));
        for wrong in ["", "-1", "1e3", "five", "1.2.3", ".5", "9999999999999"] {
            assert_eq!(units(wrong), None, "{wrong}");
        }
        assert_eq!(BillableUnits::parse("5").unwrap().cost(MicroUsd::new(40_000)), MicroUsd::new(200_000));
        assert_eq!(BillableUnits::parse("0.0000125").unwrap().cost(MicroUsd::new(40_000)), MicroUsd::ZERO);
    }
}
