//! Reading the errors of the Gemini API: `{"error": {code, message, status, details: [google.rpc.*]}}`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{FailureCode, MicroUsd};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    Certainty, ProviderError, Retry,
    http_client::{Answer, bounded_wait},
};

#[derive(Deserialize)]
struct Body {
    error: VendorError,
}

#[derive(Deserialize, Default)]
struct VendorError {
    #[serde(default)]
    message: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    details: Vec<Value>,
}

impl VendorError {
    fn reason(&self) -> Option<&str> {
        self.details.iter().find_map(|detail| detail.get("reason").and_then(Value::as_str))
    }

    /// The wait in a `RetryInfo`, like `"34.07s"`.
    fn retry_delay(&self) -> Option<Duration> {
        let text = self.details.iter().find_map(|detail| detail.get("retryDelay").and_then(Value::as_str))?;
        let seconds: f64 = text.strip_suffix('s')?.parse().ok()?;
        Duration::try_from_secs_f64(seconds).ok().map(bounded_wait)
    }
}

/// What an answer other than 200 means. Google charges for none of them.
pub(super) fn of(answer: &Answer, now: DateTime<Utc>) -> ProviderError {
    let parsed = serde_json::from_slice::<Body>(&answer.body).ok();
    let detail = match &parsed {
        Some(Body { error }) => format!("HTTP {} {}: {}", answer.status.as_u16(), error.status, error.message),
        None => answer.text(),
    };
    let error = parsed.map(|body| body.error).unwrap_or_default();
    let wait = || Retry::Later { after: error.retry_delay().or_else(|| answer.retry_after(now)) };
    let (code, retry) = match answer.status.as_u16() {
        400 => (bad_request(&error), Retry::Never),
        401 => (FailureCode::ProviderKey, Retry::Never),
        402 => (FailureCode::ProviderCredit, Retry::Never),
        403 => (FailureCode::ProviderAccount, Retry::Never),
        404 => (FailureCode::ModelGone, Retry::Never),
        408 => (FailureCode::ProviderTimeout, wait()),
        413 => (FailureCode::PhotoTooLarge, Retry::Never),
        // Prepaid credit that is used up comes as a quota too, and does not come back by waiting.
        429 if error.message.to_ascii_lowercase().contains("credit") => (FailureCode::ProviderCredit, Retry::Never),
        429 => (FailureCode::ProviderBusy, wait()),
        500.. => (FailureCode::ProviderUnavailable, wait()),
        // A success we do not know (2xx without content) or a redirect: something may have been started.
        200..400 => {
            return ProviderError::new(FailureCode::ProviderGarbage, Certainty::Unknown, Retry::LATER, detail);
        }
        _ => (FailureCode::ProviderRejected, Retry::Never),
    };
    ProviderError::new(code, Certainty::Refused, retry, detail).charging(Some(MicroUsd::ZERO))
}

/// A bad key is 400 at Google, and so is a photo it cannot read. Where there is no reason to branch on, only its words
/// tell them apart.
fn bad_request(error: &VendorError) -> FailureCode {
    let message = error.message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if error.reason().is_some_and(|reason| reason.starts_with("API_KEY")) || says(&["api key"]) {
        FailureCode::ProviderKey
    } else if error.status == "FAILED_PRECONDITION" {
        FailureCode::ProviderAccount
    } else if says(&["process input image", "unsupported mime type", "provided image is not valid"]) {
        FailureCode::PhotoUnreadable
    } else if says(&["payload size exceeds", "too large"]) {
        FailureCode::PhotoTooLarge
    } else {
        FailureCode::ProviderRejected
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, StatusCode};
    use serde_json::json;

    use super::*;

    fn refusal(status: u16, body: &str) -> ProviderError {
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::from(body.to_owned()),
        };
        of(&answer, DateTime::UNIX_EPOCH)
    }

    #[test]
    fn a_bad_key_is_a_bad_request_at_google() {
        let body = json!({"error": {"code": 400, "message": "API key not valid. Please pass a valid API key.",
            "status": "INVALID_ARGUMENT", "details": [
                {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID",
                 "domain": "googleapis.com", "metadata": {"service": "generativelanguage.googleapis.com"}}]}});
        let error = refusal(400, &body.to_string());
        assert_eq!((error.code, error.certainty), (FailureCode::ProviderKey, Certainty::Refused));
        assert!(!error.is_retryable());
        assert_eq!(error.charged, Some(MicroUsd::ZERO));
    }

    #[test]
    fn quota_says_when_to_come_back() {
        let body = json!({"error": {"code": 429, "message": "You exceeded your current quota",
            "status": "RESOURCE_EXHAUSTED", "details": [
                {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": "x"}]},
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}]}});
        let error = refusal(429, &body.to_string());
        assert_eq!(error.code, FailureCode::ProviderBusy);
        assert_eq!(error.retry, Retry::Later { after: Some(Duration::from_millis(34_500)) });
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static("3"));
        let bare = Answer { status: StatusCode::TOO_MANY_REQUESTS, headers, body: Bytes::new() };
        assert_eq!(of(&bare, DateTime::UNIX_EPOCH).retry, Retry::Later { after: Some(Duration::from_secs(3)) });
    }

    #[test]
    fn other_answers_map_to_our_codes() {
        let image = r#"{"error":{"code":400,"message":"Unable to process input image.","status":"INVALID_ARGUMENT"}}"#;
        assert_eq!(refusal(400, image).code, FailureCode::PhotoUnreadable);
        let large = r#"{"error":{"code":400,"message":"Request payload size exceeds the limit: 20971520 bytes.",
            "status":"INVALID_ARGUMENT"}}"#;
        assert_eq!(refusal(400, large).code, FailureCode::PhotoTooLarge);
        let country = r#"{"error":{"code":400,"message":"User location is not supported for the API use.",
            "status":"FAILED_PRECONDITION"}}"#;
        assert_eq!(refusal(400, country).code, FailureCode::ProviderAccount);
        let spent = r#"{"error":{"code":429,"message":"Your prepayment credits are depleted.",
            "status":"RESOURCE_EXHAUSTED"}}"#;
        assert_eq!((refusal(429, spent).code, refusal(429, spent).retry), (FailureCode::ProviderCredit, Retry::Never));
        assert_eq!(refusal(400, "{}").code, FailureCode::ProviderRejected);
        assert_eq!(refusal(401, "{}").code, FailureCode::ProviderKey);
        assert_eq!(refusal(403, "{}").code, FailureCode::ProviderAccount);
        let unknown = r#"{"error":{"code":404,"message":"models/nano is not found for API version v1beta, or is not
            supported for generateContent.","status":"NOT_FOUND"}}"#;
        assert_eq!((refusal(404, unknown).code, refusal(404, unknown).retry), (FailureCode::ModelGone, Retry::Never));
        assert_eq!(refusal(413, "").code, FailureCode::PhotoTooLarge);
        let away = refusal(503, "<html>upstream</html>");
        assert_eq!((away.code, away.certainty), (FailureCode::ProviderUnavailable, Certainty::Refused));
        assert!(away.is_retryable());
        assert_eq!(refusal(302, "").certainty, Certainty::Unknown);
    }
}
