//! Posting to addresses that shops give us: https in the open internet only, connected to as checked, no redirect
//! followed, nothing of the answer read but its status.

use std::time::Duration;

use chrono::Utc;
use reqwest::{Client, header::CONTENT_TYPE};
use url::Url;

use crate::{
    ProviderError,
    fetch::{check_target, guarded_client},
    http_client::{chain, retry_after_of},
};

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Posts messages to addresses of others.
#[derive(Debug, Clone)]
pub struct Deliverer {
    client: Client,
    allow_loopback: bool,
}

/// An answer to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryAnswer {
    /// The HTTP status.
    pub status: u16,
    /// How long the other asks to wait, at most an hour.
    pub retry_after: Option<Duration>,
}

impl DeliveryAnswer {
    /// Whether the message was taken.
    pub const fn is_taken(&self) -> bool {
        self.status >= 200 && self.status < 300
    }
}

impl Deliverer {
    /// `allow_loopback` opens this machine over plain http, for installations that simulate the providers.
    ///
    /// # Errors
    /// [`ProviderError`] when TLS cannot be set up.
    pub fn new(allow_loopback: bool) -> Result<Self, ProviderError> {
        Ok(Self { client: guarded_client(allow_loopback)?, allow_loopback })
    }

    /// Posts JSON with these headers; 15 seconds at the most.
    ///
    /// # Errors
    /// Why there is no answer, for people: the address is not allowed, or the exchange broke.
    pub async fn post(
        &self,
        url: &Url,
        headers: &[(&'static str, String)],
        body: String,
    ) -> Result<DeliveryAnswer, String> {
        check_target(url, self.allow_loopback)?;
        let request =
            self.client.post(url.clone()).header(CONTENT_TYPE, "application/json").timeout(TIMEOUT).body(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        let answer = request.send().await.map_err(|error| chain(&error))?;
        let retry_after = retry_after_of(answer.headers(), Utc::now());
        Ok(DeliveryAnswer { status: answer.status().as_u16(), retry_after })
    }
}

/// Whether messages may be posted to an address: https on port 443, no user in it, not in an inner network. Names are
/// judged again when they are resolved.
///
/// # Errors
/// The reason, for people.
pub fn check_delivery_address(url: &Url, allow_loopback: bool) -> Result<(), String> {
    check_target(url, allow_loopback)
}
