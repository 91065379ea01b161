//! The provider's public keys (JWKS), kept for a day and read anew when none of them fits, at most every 30 s.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use chrono::{DateTime, TimeDelta, Utc};
use ed25519_dalek::VerifyingKey;
use reqwest::Client;
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use super::WebhookError;
use crate::http_client::{Purpose, exchange};

const TIMEOUT: Duration = Duration::from_secs(10);
const MAX_BYTES: usize = 100_000;
const MAX_KEYS: usize = 50;
const KEPT: TimeDelta = TimeDelta::hours(24);
const PAUSE: TimeDelta = TimeDelta::seconds(30);

/// One reading of the keys.
pub(super) struct Reading {
    pub(super) keys: Vec<VerifyingKey>,
    at: DateTime<Utc>,
}

/// The keys as last read.
pub(super) struct KeyRing {
    client: Client,
    url: Url,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    reading: Option<Arc<Reading>>,
    tried_at: Option<DateTime<Utc>>,
}

impl State {
    /// Whether the keys may be asked for again; forged webhooks must not make us hammer the provider.
    fn may_try(&self, now: DateTime<Utc>) -> bool {
        self.tried_at.is_none_or(|at| (now - at).abs() >= PAUSE)
    }
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
}

impl KeyRing {
    pub(super) fn new(client: Client, url: Url) -> Self {
        Self { client, url, state: Mutex::new(State::default()) }
    }

    /// The keys, at most a day old.
    pub(super) async fn keys(&self, now: DateTime<Utc>) -> Result<Arc<Reading>, WebhookError> {
        let mut state = self.state.lock().await;
        if let Some(reading) = state.reading.as_ref().filter(|reading| (now - reading.at).abs() < KEPT) {
            return Ok(Arc::clone(reading));
        }
        if !state.may_try(now) {
            return Err(WebhookError::KeysUnavailable("asked less than 30 s ago".to_owned()));
        }
        self.read(&mut state, now).await
    }

    /// Keys newer than `known`, none when they were asked for less than 30 s ago. One caller asks, the others wait for
    /// its answer.
    pub(super) async fn newer_keys(
        &self,
        known: &Reading,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<Reading>>, WebhookError> {
        let mut state = self.state.lock().await;
        if let Some(reading) = state.reading.as_ref().filter(|reading| reading.at > known.at) {
            return Ok(Some(Arc::clone(reading)));
        }
        if !state.may_try(now) {
            return Ok(None);
        }
        self.read(&mut state, now).await.map(Some)
    }

    async fn read(&self, state: &mut State, now: DateTime<Utc>) -> Result<Arc<Reading>, WebhookError> {
        state.tried_at = Some(now);
        let answer = exchange(self.client.get(self.url.clone()), Purpose::Asks, TIMEOUT, MAX_BYTES)
            .await
            .map_err(|error| WebhookError::KeysUnavailable(error.detail))?;
        if !answer.status.is_success() {
            return Err(WebhookError::KeysUnavailable(answer.text()));
        }
        let jwks: Jwks =
            serde_json::from_slice(&answer.body).map_err(|error| WebhookError::KeysUnavailable(error.to_string()))?;
        let keys: Vec<VerifyingKey> = jwks.keys.iter().take(MAX_KEYS).filter_map(key).collect();
        if keys.is_empty() {
            return Err(WebhookError::KeysUnavailable("no Ed25519 key among them".to_owned()));
        }
        tracing::info!("read {} webhook keys from {}", keys.len(), self.url);
        let reading = Arc::new(Reading { keys, at: now });
        state.reading = Some(Arc::clone(&reading));
        Ok(reading)
    }
}

fn key(jwk: &Jwk) -> Option<VerifyingKey> {
    if jwk.kty != "OKP" || jwk.crv.as_deref() != Some("Ed25519") {
        return None;
    }
    let bytes = BASE64URL.decode(jwk.x.as_deref()?.trim_end_matches('=')).ok()?;
    VerifyingKey::from_bytes(&bytes.try_into().ok()?).ok()
}
