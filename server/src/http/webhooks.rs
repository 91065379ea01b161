//! Webhooks of providers: the raw body is checked against its signature before anything of it is read.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use chrono::Utc;
use engine::{CallToken, Engine};
use providers::{FalWebhook, Provider, WebhookError, WebhookVerifier};
use sha2::{Digest as _, Sha256};

/// `POST /api/video/webhook` and `POST /api/video/webhook/fal`: a report without a call's name.
pub async fn fal(
    State(engine): State<Engine>,
    State(verifier): State<Arc<WebhookVerifier>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    take(&engine, &verifier, None, &headers, &body).await
}

/// `POST /api/video/webhook/fal/{token}`: a report about the call the token names.
pub async fn fal_named(
    State(engine): State<Engine>,
    State(verifier): State<Arc<WebhookVerifier>>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    take(&engine, &verifier, Some(&CallToken::from_address(&token)), &headers, &body).await
}

async fn take(
    engine: &Engine,
    verifier: &WebhookVerifier,
    token: Option<&CallToken>,
    headers: &HeaderMap,
    body: &Bytes,
) -> StatusCode {
    let verified = match verifier.verify(headers, body, Utc::now()).await {
        Ok(verified) => verified,
        Err(error) => {
            tracing::warn!(%error, "a webhook was not believed: {error}");
            return refusal(&error);
        }
    };
    let report = match FalWebhook::parse(&verified, body) {
        Ok(report) => report,
        Err(error) => {
            tracing::warn!(%error, "a signed webhook could not be read: {error}");
            return refusal(&error);
        }
    };
    let sha256 = hex::encode(Sha256::digest(body));
    match engine.call_reported(Provider::Fal, token, &report.request_id, &sha256).await {
        Ok(()) => StatusCode::OK,
        Err(error) => {
            tracing::error!(%error, request.id = %report.request_id, "webhook for {} was not taken", report.request_id);
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

fn refusal(error: &WebhookError) -> StatusCode {
    match error {
        error if error.is_retryable() => StatusCode::SERVICE_UNAVAILABLE,
        WebhookError::Malformed(_) => StatusCode::BAD_REQUEST,
        _ => StatusCode::UNAUTHORIZED,
    }
}
