//! Reading fal's errors: a list of typed entries for the model's own (`{"detail": [{type, msg, loc}]}`), a text with
//! an `error_type` for the machinery around it. The type decides, never the message.

use chrono::Utc;
use domain::{FailureCode, MicroUsd};
use serde_json::Value;

use super::{answer::Failure, json_of};
use crate::{
    Certainty, ProviderError, Retry,
    http_client::{Answer, Purpose},
};

/// What fal says of an error.
#[derive(Debug, Default)]
pub(super) struct VendorError {
    /// The first type it names.
    pub(super) kind: Option<String>,
    /// Its words.
    pub(super) text: String,
    /// Its advice on trying again, from either header.
    pub(super) advice: Option<bool>,
    /// The model lists what is wrong; the machinery around it says it in a text.
    pub(super) is_listed: bool,
}

impl VendorError {
    /// The error is the model's or its runner's, not that of a gateway in between.
    pub(super) fn is_models_own(&self) -> bool {
        self.kind.is_some() || self.advice.is_some()
    }
}

/// Reads the error in an answer.
pub(super) fn read(answer: &Answer) -> VendorError {
    let advice = ["x-fal-retryable", "x-fal-needs-retry"]
        .iter()
        .find_map(|name| answer.header(name))
        .map(|value| matches!(value.trim().to_ascii_lowercase().as_str(), "true" | "1"));
    let header = answer.header("x-fal-error-type").map(str::to_owned);
    let Some(body) = json_of(answer) else {
        return VendorError { kind: header, text: answer.text(), advice, is_listed: false };
    };
    let text_of = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let entries = body.get("detail").and_then(Value::as_array);
    let first = entries.and_then(|entries| entries.first());
    let kind =
        text_of(first.and_then(|entry| entry.get("type"))).or_else(|| text_of(body.get("error_type"))).or(header);
    let words = match entries {
        Some(entries) => entries.iter().filter_map(describe).collect::<Vec<_>>().join("; "),
        None => text_of(body.get("detail")).unwrap_or_else(|| body.to_string()),
    };
    let kind_text = kind.as_deref().map(|kind| format!(" {kind}")).unwrap_or_default();
    let text = format!("HTTP {}{kind_text}: {words}", answer.status.as_u16());
    VendorError { text, kind, advice, is_listed: entries.is_some() }
}

/// One entry as `image_urls.0: too small`; its `input` is left out, it can hold a picture.
fn describe(entry: &Value) -> Option<String> {
    let message = entry.get("msg")?.as_str()?;
    let place: Vec<String> = entry
        .get("loc")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|part| part.as_str() != Some("body"))
        .map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned))
        .collect();
    Some(if place.is_empty() { message.to_owned() } else { format!("{}: {message}", place.join(".")) })
}

/// An exchange fal answered with an error status.
pub(super) fn refused(answer: &Answer, purpose: Purpose) -> ProviderError {
    let vendor = read(answer);
    let status = answer.status.as_u16();
    let code = match code_of_kind(vendor.kind.as_deref()) {
        Some(code) => code,
        None if status == 404 && purpose == Purpose::Asks => FailureCode::ResultMissing,
        // Only the submit names an endpoint.
        None if status == 404 && purpose == Purpose::Pays => FailureCode::ModelGone,
        None => code_of_status(status, &vendor.text),
    };
    // A gateway that gave up waiting does not know whether the queue took the request.
    let unanswered = purpose == Purpose::Pays && matches!(status, 502 | 504) && !vendor.is_models_own();
    let certainty = if unanswered { Certainty::Unknown } else { purpose.when_refused() };
    let charged = (purpose == Purpose::Pays && !unanswered).then_some(MicroUsd::ZERO);
    ProviderError::new(code, certainty, retry(answer, &vendor), vendor.text)
        .charging(charged)
        .about(answer.header("x-fal-request-id").map(str::to_owned))
}

/// A request that ended without a clip. `billed` is what the answer's units cost; fal says nothing where it charges
/// nothing (server errors never, refusals only when they took time).
pub(super) fn ended(answer: &Answer, failure: Option<&Failure>, billed: Option<MicroUsd>) -> ProviderError {
    let mut vendor = read(answer);
    if answer.status.is_success() {
        vendor = VendorError::default();
    }
    let kind = vendor.kind.clone().or_else(|| failure.and_then(|failure| failure.error_type.clone()));
    let status = answer.status.as_u16();
    let code = code_of_kind(kind.as_deref()).unwrap_or(match status {
        // The queue says it failed: whatever a success here means, there is no clip.
        ..400 => FailureCode::ProviderUnavailable,
        404 => FailureCode::ResultMissing,
        _ => code_of_status(status, &vendor.text),
    });
    let text = match failure {
        Some(failure) => format!("{} {}: {}", failure.error, kind.as_deref().unwrap_or_default(), vendor.text),
        None => vendor.text.clone(),
    };
    let unpaid = (status != 404).then_some(MicroUsd::ZERO);
    let retry = match code {
        FailureCode::ProviderUnavailable | FailureCode::ProviderTimeout => retry_advised(answer, &vendor),
        _ => retry(answer, &vendor),
    };
    ProviderError::new(code, Certainty::Ended, retry, text).charging(billed.or(unpaid))
}

fn retry(answer: &Answer, vendor: &VendorError) -> Retry {
    match answer.status.as_u16() {
        408 | 409 | 429 | 500.. => retry_advised(answer, vendor),
        _ if vendor.kind.as_deref() == Some("downstream_service_error") => retry_advised(answer, vendor),
        _ => Retry::Never,
    }
}

fn retry_advised(answer: &Answer, vendor: &VendorError) -> Retry {
    // A deadline of our own that passed is never tried again by itself.
    let own_deadline = answer.header("x-fal-request-timeout-type") == Some("user");
    if own_deadline || vendor.advice == Some(false) {
        Retry::Never
    } else {
        Retry::Later { after: answer.retry_after(Utc::now()) }
    }
}

fn code_of_status(status: u16, words: &str) -> FailureCode {
    match status {
        401 => FailureCode::ProviderKey,
        402 => FailureCode::ProviderCredit,
        // A locked account has no type of its own; without credit it is locked too.
        403 if words.to_ascii_lowercase().contains("balance") => FailureCode::ProviderCredit,
        403 => FailureCode::ProviderAccount,
        408 => FailureCode::ProviderTimeout,
        409 | 429 => FailureCode::ProviderBusy,
        413 => FailureCode::PhotoTooLarge,
        499 => FailureCode::Cancelled,
        500.. => FailureCode::ProviderUnavailable,
        _ => FailureCode::ProviderRejected,
    }
}

fn code_of_kind(kind: Option<&str>) -> Option<FailureCode> {
    Some(match kind? {
        "content_policy_violation" => FailureCode::ContentRefused,
        "no_media_generated" => FailureCode::NoPicture,
        "image_too_small" => FailureCode::PhotoTooSmall,
        "image_too_large" | "file_too_large" => FailureCode::PhotoTooLarge,
        "image_load_error" | "file_download_error" | "unsupported_image_format" => FailureCode::PhotoUnreadable,
        "face_detection_error" => FailureCode::NoPersonFound,
        "feature_not_supported" => FailureCode::InputUnsupported,
        "generation_timeout" | "request_timeout" | "startup_timeout" => FailureCode::ProviderTimeout,
        "concurrent_requests_limit" => FailureCode::ProviderBusy,
        "client_cancelled" | "client_disconnected" => FailureCode::Cancelled,
        "internal_server_error"
        | "internal_error"
        | "downstream_service_error"
        | "downstream_service_unavailable"
        | "runner_scheduling_failure"
        | "runner_connection_timeout"
        | "runner_disconnected"
        | "runner_connection_refused"
        | "runner_connection_error"
        | "runner_incomplete_response"
        | "runner_server_error" => FailureCode::ProviderUnavailable,
        _ => return None,
    })
}
