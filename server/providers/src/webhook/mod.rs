//! fal's webhooks: who sent it, and what it says.
//!
//! Ed25519 over `request id \n user id \n timestamp \n hex(sha256(body))`, with the keys of the account's JWKS. The
//! signature covers only these four values: the request must still be one of ours, and a valid webhook may come twice.

mod keys;

use std::sync::Mutex;

use chrono::{DateTime, Utc};
use ed25519_dalek::{Signature, VerifyingKey};
use http::HeaderMap;
use reqwest::Client;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use url::Url;

use keys::KeyRing;

/// How far a webhook's clock may be from ours, either way.
const TOLERANCE_SECS: i64 = 300;

/// A webhook that is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// A signature header is missing, repeated or not of its form.
    #[error("header {0} is missing or malformed")]
    Header(&'static str),
    /// Its time is more than 300 s from ours.
    #[error("the webhook is {0} s off")]
    Stale(i64),
    /// It is for another account.
    #[error("the webhook is for another account")]
    WrongUser,
    /// No key of the provider made the signature.
    #[error("the signature is not the provider's")]
    BadSignature,
    /// The provider's keys could not be read; nothing is believed meanwhile.
    #[error("the provider's keys could not be read: {0}")]
    KeysUnavailable(String),
    /// The body is signed and yet not what a webhook looks like.
    #[error("the body is not a webhook: {0}")]
    Malformed(String),
}

impl WebhookError {
    /// Whether the same delivery may be believed later: answer 503 then, and 401 or 400 otherwise.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::KeysUnavailable(_))
    }
}

/// What the signature vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedWebhook {
    /// The request.
    pub request_id: String,
    /// The account.
    pub user_id: String,
    /// When it was signed.
    pub timestamp: DateTime<Utc>,
}

/// Believes webhooks of one account, or does not.
pub struct WebhookVerifier {
    expected_user_id: Option<String>,
    /// The account of the first believed webhook, to say once in the log whom to pin.
    seen_user_id: Mutex<Option<String>>,
    ring: KeyRing,
}

impl WebhookVerifier {
    /// A verifier with the keys published at `jwks_url`, read when the first webhook comes.
    pub fn new(client: Client, jwks_url: Url, expected_user_id: Option<String>) -> Self {
        Self { expected_user_id, seen_user_id: Mutex::new(None), ring: KeyRing::new(client, jwks_url) }
    }

    /// Believes a webhook by its headers and its raw body, byte for byte as it came.
    ///
    /// # Errors
    /// [`WebhookError`]; nothing in the webhook may be used then.
    pub async fn verify(
        &self,
        headers: &HeaderMap,
        raw_body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<VerifiedWebhook, WebhookError> {
        let claim = Claim::read(headers)?;
        let off = (now - claim.webhook.timestamp).num_seconds();
        if off.abs() > TOLERANCE_SECS {
            return Err(WebhookError::Stale(off));
        }
        if self.expected_user_id.as_ref().is_some_and(|expected| *expected != claim.webhook.user_id) {
            return Err(WebhookError::WrongUser);
        }
        let message = claim.message(raw_body);
        let known = self.ring.keys(now).await?;
        if !claim.is_signed_by(&known.keys, &message) {
            // The key may be newer than our copy.
            let fresh = self.ring.newer_keys(&known, now).await?;
            if !fresh.is_some_and(|fresh| claim.is_signed_by(&fresh.keys, &message)) {
                return Err(WebhookError::BadSignature);
            }
        }
        self.remember(&claim.webhook.user_id);
        Ok(claim.webhook)
    }

    fn remember(&self, user_id: &str) {
        let mut seen = self.seen_user_id.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if self.expected_user_id.is_none() && seen.is_none() {
            tracing::info!(fal.user_id = %user_id, "webhooks are signed for account {user_id}; it can be pinned");
            *seen = Some(user_id.to_owned());
        }
    }
}

/// The four signature headers.
struct Claim {
    webhook: VerifiedWebhook,
    timestamp: String,
    signature: Signature,
}

impl Claim {
    fn read(headers: &HeaderMap) -> Result<Self, WebhookError> {
        let request_id = single(headers, "x-fal-webhook-request-id")?;
        let user_id = single(headers, "x-fal-webhook-user-id")?;
        let timestamp = single(headers, "x-fal-webhook-timestamp")?;
        let signature = single(headers, "x-fal-webhook-signature")?;
        let signed_at = timestamp
            .parse()
            .ok()
            .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
            .ok_or(WebhookError::Header("x-fal-webhook-timestamp"))?;
        let mut bytes = [0_u8; 64];
        hex::decode_to_slice(signature, &mut bytes).map_err(|_| WebhookError::Header("x-fal-webhook-signature"))?;
        Ok(Self {
            webhook: VerifiedWebhook {
                request_id: request_id.to_owned(),
                user_id: user_id.to_owned(),
                timestamp: signed_at,
            },
            timestamp: timestamp.to_owned(),
            signature: Signature::from_bytes(&bytes),
        })
    }

    fn message(&self, raw_body: &[u8]) -> Vec<u8> {
        let body_hash = hex::encode(Sha256::digest(raw_body));
        format!("{}\n{}\n{}\n{body_hash}", self.webhook.request_id, self.webhook.user_id, self.timestamp).into_bytes()
    }

    fn is_signed_by(&self, keys: &[VerifyingKey], message: &[u8]) -> bool {
        keys.iter().any(|key| key.verify_strict(message, &self.signature).is_ok())
    }
}

/// The only value of a header; a header sent twice is not believed.
fn single<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, WebhookError> {
    let mut values = headers.get_all(name).iter();
    match (values.next().map(http::HeaderValue::to_str), values.next()) {
        (Some(Ok(value)), None) if !value.is_empty() && value.len() <= 200 => Ok(value),
        _ => Err(WebhookError::Header(name)),
    }
}

/// How a request ended, as a webhook tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum WebhookStatus {
    /// With a result.
    #[serde(rename = "OK")]
    Ok,
    /// Without one.
    #[serde(rename = "ERROR")]
    Error,
}

/// A webhook's body. It is a reason to look ([`crate::Requests::check`]), not the answer: the bill is not in it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct FalWebhook {
    /// The request.
    pub request_id: String,
    /// The try of it that ended; another one than the request's when the provider tried again.
    pub gateway_request_id: Option<String>,
    /// How it ended.
    pub status: WebhookStatus,
    /// The provider's words when it failed.
    pub error: Option<String>,
    /// The model's output, or the model's error.
    #[serde(default)]
    pub payload: serde_json::Value,
    /// Why there is no payload, when the provider could not write it down.
    pub payload_error: Option<String>,
}

impl FalWebhook {
    /// Reads the body of a believed webhook.
    ///
    /// # Errors
    /// [`WebhookError::Malformed`] when it is no webhook, or is about another request than its signature.
    pub fn parse(verified: &VerifiedWebhook, raw_body: &[u8]) -> Result<Self, WebhookError> {
        let body: Self =
            serde_json::from_slice(raw_body).map_err(|error| WebhookError::Malformed(error.to_string()))?;
        if body.request_id == verified.request_id {
            Ok(body)
        } else {
            Err(WebhookError::Malformed("body and signature name different requests".to_owned()))
        }
    }
}
