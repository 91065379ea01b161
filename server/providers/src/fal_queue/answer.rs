//! Reading the queue's answers.

use domain::FailureCode;
use http::StatusCode;
use serde::Deserialize;
use url::Url;

use super::{json_of, place, refusal};
use crate::{
    CancelAnswer, Certainty, ProviderError, Retry, Submitted,
    catalogue::OutputMapping,
    http_client::{Answer, Purpose},
};

#[derive(Deserialize)]
struct SubmitBody {
    request_id: String,
    status_url: Option<String>,
    response_url: Option<String>,
    cancel_url: Option<String>,
}

/// Reads the answer to a submit.
///
/// # Errors
/// Refused on an error status; in doubt on a success that cannot be read, and on a gateway that gave up waiting.
pub(super) fn submitted(answer: &Answer, queue: &Url, endpoint: &str) -> Result<Submitted, ProviderError> {
    if answer.status.is_client_error() || answer.status.is_server_error() {
        return Err(refusal::refused(answer, Purpose::Pays));
    }
    let header = answer.header("x-fal-request-id").map(str::to_owned);
    let body: SubmitBody = match serde_json::from_slice(&answer.body) {
        Ok(body) if answer.status.is_success() => body,
        _ => return Err(in_doubt(answer).about(header)),
    };
    let own = place::of(queue, endpoint, &body.request_id).ok_or_else(|| in_doubt(answer))?;
    let keep = |given: Option<String>, own: Url| {
        given.and_then(|text| Url::parse(&text).ok()).filter(|url| place::is_on(url, queue)).unwrap_or(own)
    };
    Ok(Submitted {
        status_url: keep(body.status_url, own.status_url),
        response_url: keep(body.response_url, own.response_url),
        cancel_url: keep(body.cancel_url, own.cancel_url),
        request_id: own.request_id,
    })
}

fn in_doubt(answer: &Answer) -> ProviderError {
    let detail = format!("not an answer to a submit: {}", answer.text());
    ProviderError::new(FailureCode::ProviderGarbage, Certainty::Unknown, Retry::LATER, detail)
}

/// What a status says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Waits, with so many ahead.
    Queued(Option<u32>),
    /// Is being made.
    Running,
    /// Is over; with the reason when it failed.
    Completed(Option<Failure>),
}

/// The failure beside `COMPLETED`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) error: String,
    pub(super) error_type: Option<String>,
}

#[derive(Deserialize)]
struct StatusBody {
    status: String,
    queue_position: Option<u32>,
    error: Option<serde_json::Value>,
    error_type: Option<String>,
}

/// Reads a status: 200 and 202 alike.
///
/// # Errors
/// Ended when the queue does not know the request (any more); else only looking failed.
pub(super) fn step(answer: &Answer) -> Result<Step, ProviderError> {
    if answer.status == StatusCode::NOT_FOUND {
        return Err(gone(answer));
    }
    if !answer.status.is_success() {
        return Err(looking_failed(answer));
    }
    let body: StatusBody = serde_json::from_slice(&answer.body).map_err(|_| garbage(answer))?;
    match body.status.as_str() {
        "IN_QUEUE" => Ok(Step::Queued(body.queue_position)),
        "IN_PROGRESS" => Ok(Step::Running),
        "COMPLETED" => Ok(Step::Completed(body.error.filter(|error| !error.is_null()).map(|error| Failure {
            error: error.as_str().map_or_else(|| error.to_string(), str::to_owned),
            error_type: body.error_type,
        }))),
        _ => Err(garbage(answer)),
    }
}

/// What a result says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Not yet.
    NotReady,
    /// The model's own error.
    Failed,
    /// The file is here.
    File { url: Url, content_type: Option<String> },
}

/// Reads the result of a request the queue calls completed; `output` says where the file is in it.
///
/// # Errors
/// Ended when the result is gone or holds no file; else only looking failed.
pub(super) fn result(answer: &Answer, output: &OutputMapping) -> Result<Outcome, ProviderError> {
    if answer.status.is_success() {
        // A 200 that is not JSON may be a proxy's page; JSON without a file is the model's answer.
        let body = json_of(answer).ok_or_else(|| garbage(answer))?;
        let file = output.find(&body).and_then(|(url, content_type)| {
            Some(Outcome::File { url: Url::parse(url).ok()?, content_type: content_type.map(str::to_owned) })
        });
        return file.ok_or_else(|| {
            let detail = format!("a result without a file: {}", answer.text());
            ProviderError::new(FailureCode::ProviderGarbage, Certainty::Ended, Retry::Never, detail)
        });
    }
    let vendor = refusal::read(answer);
    match answer.status {
        StatusCode::NOT_FOUND => Err(gone(answer)),
        StatusCode::BAD_REQUEST if vendor.text.contains("still in progress") => Ok(Outcome::NotReady),
        // The status named no error: what the machinery around the model says now is not the result.
        status if status.is_server_error() && !vendor.is_listed => Err(looking_failed(answer)),
        status if vendor.is_models_own() || status == StatusCode::UNPROCESSABLE_ENTITY => Ok(Outcome::Failed),
        _ => Err(looking_failed(answer)),
    }
}

/// Reads the answer to a wish to cancel.
///
/// # Errors
/// When fal could not be asked.
pub(super) fn cancelled(answer: &Answer) -> Result<CancelAnswer, ProviderError> {
    let body = json_of(answer);
    let word = body.as_ref().and_then(|body| body.get("status")).and_then(serde_json::Value::as_str);
    match answer.status {
        status if status.is_success() => Ok(CancelAnswer::Requested),
        StatusCode::BAD_REQUEST if word == Some("ALREADY_COMPLETED") => Ok(CancelAnswer::AlreadyCompleted),
        StatusCode::NOT_FOUND => Ok(CancelAnswer::NotFound),
        _ => Err(looking_failed(answer)),
    }
}

fn gone(answer: &Answer) -> ProviderError {
    ProviderError::new(FailureCode::ResultMissing, Certainty::Ended, Retry::Never, answer.text())
}

fn garbage(answer: &Answer) -> ProviderError {
    let detail = format!("not an answer of the queue: {}", answer.text());
    ProviderError::new(FailureCode::ProviderGarbage, Certainty::Unchanged, Retry::LATER, detail)
}

/// It is bought, only the question failed: it is asked again whatever the status was, a key can be mended.
fn looking_failed(answer: &Answer) -> ProviderError {
    let refused = refusal::refused(answer, Purpose::Asks);
    let retry = if refused.is_retryable() { refused.retry } else { Retry::LATER };
    ProviderError { retry, ..refused }
}
