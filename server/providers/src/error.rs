//! What went wrong with a call, in the words a caller decides by.

use std::time::Duration;

use domain::{FailureCode, MicroUsd};

/// How much vendor text is kept, in characters.
const DETAIL_CHARS: usize = 500;

/// What is known of the paid call after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// The request did not leave this machine: nothing was started, nothing is owed.
    NotSent,
    /// The provider answered that it did not start anything: nothing is owed.
    Refused,
    /// The call was accepted and is over without a result: the provider's last word. [`ProviderError::charged`] says
    /// what it cost.
    Ended,
    /// The request was sent and no usable answer came: it may be running and may have been charged.
    Unknown,
    /// Only a question about the call (status, cancel, list, download) failed: the paid call is as it was.
    Unchanged,
}

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same request fails again.
    Never,
    /// It may work later.
    Later {
        /// How long the provider asks to wait; at most one hour.
        after: Option<Duration>,
    },
}

impl Retry {
    /// Later, without a wish of the provider.
    pub const LATER: Self = Self::Later { after: None };
}

/// A call that gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", code.as_str())]
pub struct ProviderError {
    /// The reason a person is told.
    pub code: FailureCode,
    /// What is known of the paid call.
    pub certainty: Certainty,
    /// Whether trying again can help. Not a permission to pay again: that follows from `certainty`.
    pub retry: Retry,
    /// What the provider charged in spite of the failure; none when it did not say.
    pub charged: Option<MicroUsd>,
    /// The vendor's own words for the timeline: at most 500 characters, no keys.
    pub detail: String,
    /// The vendor's id of the request, when it gave one.
    pub request_id: Option<String>,
}

impl ProviderError {
    /// An error with `detail` cut to size; nothing charged, no request id.
    pub fn new(code: FailureCode, certainty: Certainty, retry: Retry, detail: impl AsRef<str>) -> Self {
        Self { code, certainty, retry, charged: None, detail: shorten(detail.as_ref()), request_id: None }
    }

    /// The same error with what it cost.
    #[must_use]
    pub fn charging(self, charged: Option<MicroUsd>) -> Self {
        Self { charged, ..self }
    }

    /// The same error with the vendor's request id.
    #[must_use]
    pub fn about(self, request_id: Option<String>) -> Self {
        Self { request_id, ..self }
    }

    /// Whether trying again can help.
    pub const fn is_retryable(&self) -> bool {
        matches!(self.retry, Retry::Later { .. })
    }

    /// The call may be running or paid without our knowing its outcome.
    pub const fn is_in_doubt(&self) -> bool {
        matches!(self.certainty, Certainty::Unknown)
    }

    /// The call is over or was never started, and cost nothing: another model may be asked instead.
    pub fn is_free(&self) -> bool {
        match self.certainty {
            Certainty::NotSent | Certainty::Refused => self.charged.is_none_or(|amount| amount == MicroUsd::ZERO),
            Certainty::Ended => self.charged == Some(MicroUsd::ZERO),
            Certainty::Unknown | Certainty::Unchanged => false,
        }
    }

    /// The same error with every occurrence of a secret taken out of its text.
    #[must_use]
    pub(crate) fn without_secret(mut self, secret: &str) -> Self {
        // Vendors echo bad keys in their messages; a very short "secret" would blank out ordinary words.
        if secret.len() >= 4 && self.detail.contains(secret) {
            self.detail = self.detail.replace(secret, "[key]");
        }
        self
    }
}

/// One line of at most [`DETAIL_CHARS`] characters, none of them a control character: no database keeps a NUL.
pub(crate) fn shorten(text: &str) -> String {
    let words = text.split(|one: char| one.is_whitespace() || one.is_control()).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    if line.chars().count() <= DETAIL_CHARS {
        line
    } else {
        line.chars().take(DETAIL_CHARS - 1).chain(std::iter::once('…')).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_cost_nothing_is_free() {
        let error = |certainty, charged: Option<i64>| {
            ProviderError::new(FailureCode::NoPicture, certainty, Retry::Never, "").charging(charged.map(MicroUsd::new))
        };
        for free in [(Certainty::NotSent, None), (Certainty::Refused, Some(0)), (Certainty::Ended, Some(0))] {
            assert!(error(free.0, free.1).is_free(), "{free:?}");
        }
        let dear = [
            (Certainty::Refused, Some(1)),
            (Certainty::Ended, None),
            (Certainty::Ended, Some(1)),
            (Certainty::Unknown, None),
            (Certainty::Unchanged, None),
        ];
        for dear in dear {
            assert!(!error(dear.0, dear.1).is_free(), "{dear:?}");
        }
    }

    #[test]
    fn vendor_text_is_one_short_line_without_the_key() {
        let text = format!("bad key sk-12345\n\n{}", "x".repeat(900));
        let error = ProviderError::new(FailureCode::ProviderAccount, Certainty::Refused, Retry::Never, text)
            .without_secret("sk-12345");
        assert!(error.detail.starts_with("bad key [key] xxx"), "{}", error.detail);
        assert!(error.detail.chars().count() <= DETAIL_CHARS);
        assert!(!error.is_retryable());
        assert_eq!(shorten("<b>\u{0}upstream\u{7}\r\n says</b>\u{0}"), "<b> upstream says</b>");
    }
}
