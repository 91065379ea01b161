//! Webhooks of providers: the raw body is checked against its signature before anything of it is read.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use chrono::Utc;
use engine::{CallToken, Engine};
use providers::{FalWebhook, Provider, WebhookError, WebhookVerifier};
use sha2::{Digest as _, Sha256};

use super::rest::{Code, Params, Problem, Sent};

/// Takes what fal.ai reports of a request.
///
/// For the provider, not for shops: believed for its signature only, and never as a result.
#[utoipa::path(
    post, path = "/api/video/webhook", operation_id = "takeProviderWebhook", tag = "providers",
    params(
        ("X-Fal-Webhook-Request-Id" = String, Header, description = "The provider's name for the request."),
        ("X-Fal-Webhook-User-Id" = String, Header, description = "Whose request it is."),
        ("X-Fal-Webhook-Timestamp" = String, Header, description = "When it was signed, in seconds of Unix time."),
        ("X-Fal-Webhook-Signature" = String, Header, description = "ED25519 over the three before and the body, in hex."),
    ),
    request_body(content = Object, content_type = "application/json"),
    responses((status = 200, description = "It was written down.")),
    security(()),
)]
pub async fn fal(
    State(engine): State<Engine>,
    State(verifier): State<Arc<WebhookVerifier>>,
    headers: HeaderMap,
    Sent(body): Sent,
) -> Result<StatusCode, Problem> {
    take(&engine, &verifier, None, &headers, &body).await
}

/// `POST /api/video/webhook/fal/{token}`: a report about the call the token names.
pub async fn fal_named(
    State(engine): State<Engine>,
    State(verifier): State<Arc<WebhookVerifier>>,
    params: Params,
    headers: HeaderMap,
    Sent(body): Sent,
) -> Result<StatusCode, Problem> {
    take(&engine, &verifier, Some(&CallToken::from_address(params.text("token"))), &headers, &body).await
}

async fn take(
    engine: &Engine,
    verifier: &WebhookVerifier,
    token: Option<&CallToken>,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<StatusCode, Problem> {
    let verified = match verifier.verify(headers, body, Utc::now()).await {
        Ok(verified) => verified,
        Err(error) => {
            tracing::warn!(%error, "a webhook was not believed: {error}");
            return Err(Problem::new(code_of(&error)));
        }
    };
    let report = match FalWebhook::parse(&verified, body) {
        Ok(report) => report,
        Err(error) => {
            tracing::warn!(%error, "a signed webhook could not be read: {error}");
            return Err(Problem::new(code_of(&error)));
        }
    };
    let sha256 = hex::encode(Sha256::digest(body));
    match engine.call_reported(Provider::Fal, token, &report.request_id, &sha256).await {
        Ok(()) => Ok(StatusCode::OK),
        Err(error) => {
            tracing::error!(%error, request.id = %report.request_id, "webhook for {} was not taken", report.request_id);
            Err(Problem::new(Code::Unavailable))
        }
    }
}

fn code_of(error: &WebhookError) -> Code {
    match error {
        error if error.is_retryable() => Code::Unavailable,
        WebhookError::Malformed(_) => Code::Malformed,
        _ => Code::SignatureInvalid,
    }
}
