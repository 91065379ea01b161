//! Stills and clips by fal.ai's queue: upload the pictures, submit, look or be told, fetch the result.
//!
//! Every endpoint is spoken to by the same code; what differs stands in the catalogue. There is no failed status: a
//! request that failed is `COMPLETED` with an `error`, and its result answers with the error's HTTP status. Status,
//! result and cancel addresses use only `owner/app` of the endpoint's id.

mod answer;
mod endpoint;
mod input;
mod listing;
mod place;
pub(crate) mod pricing;
#[cfg(test)]
mod recorded;
mod refusal;
mod storage;

use std::{sync::Arc, time::Duration};

use domain::FailureCode;
use reqwest::{
    Client, Method, RequestBuilder,
    header::{AUTHORIZATION, HeaderValue},
};
use secrecy::ExposeSecret;
use serde_json::Value;
use url::Url;

pub use endpoint::FalEndpoint;

use crate::{
    Certainty, FalSettings, FetchRules, ModelRef, ProviderError, Retry, SharedCatalogue,
    fetch::guarded_client,
    http_client::{Answer, Purpose, exchange},
};

const TIMEOUT: Duration = Duration::from_secs(30);
const MAX_ANSWER_BYTES: usize = 2_000_000;
/// Files are copied when they are done; a day leaves time for an outage of ours.
const MEDIA_LIFETIME: &str = r#"{"expiration_duration_seconds":86400}"#;

/// The account at fal.ai. Clones are the same one.
#[derive(Clone)]
pub struct Fal(Arc<Account>);

struct Account {
    client: Client,
    /// For pictures: no key, and only to addresses in the open internet.
    uploads: Client,
    settings: FalSettings,
    catalogue: SharedCatalogue,
    still_files: FetchRules,
    clip_files: FetchRules,
}

impl Fal {
    /// The account of these settings.
    ///
    /// # Errors
    /// [`ProviderError`] when TLS cannot be set up.
    pub fn new(client: Client, settings: FalSettings, catalogue: SharedCatalogue) -> Result<Self, ProviderError> {
        let uploads = guarded_client(settings.allow_loopback)?;
        let still_files = FetchRules::stills_of(&settings)?;
        let clip_files = FetchRules::clips_of(&settings)?;
        Ok(Self(Arc::new(Account { client, uploads, settings, catalogue, still_files, clip_files })))
    }

    /// One of its endpoints. Whether the catalogue offers it is asked when it is used.
    pub fn endpoint(&self, model: &ModelRef) -> FalEndpoint {
        FalEndpoint::new(self.clone(), model.clone())
    }

    /// How stills it made are fetched.
    pub fn still_files(&self) -> &FetchRules {
        &self.0.still_files
    }

    /// How clips it made are fetched.
    pub fn clip_files(&self) -> &FetchRules {
        &self.0.clip_files
    }

    fn settings(&self) -> &FalSettings {
        &self.0.settings
    }

    /// A request to one of fal's APIs with our key.
    fn signed(&self, method: Method, url: Url) -> Result<RequestBuilder, ProviderError> {
        let text = format!("Key {}", self.settings().key.expose_secret());
        let mut header = HeaderValue::from_str(&text).map_err(|_| {
            let detail = "the key is not a header";
            ProviderError::new(FailureCode::ProviderKey, Certainty::NotSent, Retry::Never, detail)
        })?;
        header.set_sensitive(true);
        Ok(self.0.client.request(method, url).header(AUTHORIZATION, header))
    }

    async fn ask(&self, method: Method, url: Url) -> Result<Answer, ProviderError> {
        let request = self.signed(method, url)?;
        exchange(request, Purpose::Asks, TIMEOUT, MAX_ANSWER_BYTES).await
    }

    /// Takes the key out of an error's text; vendors echo it.
    fn clean<T>(&self, result: Result<T, ProviderError>) -> Result<T, ProviderError> {
        result.map_err(|error| {
            let key = self.settings().key.expose_secret();
            let parts = key.split(':');
            parts.fold(error.without_secret(key), ProviderError::without_secret)
        })
    }
}

/// The JSON of an answer, or nothing.
fn json_of(answer: &Answer) -> Option<Value> {
    serde_json::from_slice(&answer.body).ok()
}
