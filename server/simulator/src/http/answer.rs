use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::body::{cut, lengthen, slow_down};
use crate::desk::{Call, Fault};
use crate::world::World;

/// Mark of a response that is never sent: the connection is closed instead.
#[derive(Clone, Copy)]
pub(crate) struct HangUp;

/// Closes the connection without an answer.
pub(crate) fn hang_up() -> Response {
    let mut response = Response::default();
    response.extensions_mut().insert(HangUp);
    response
}

/// A JSON answer with any code.
pub(crate) fn json_answer(status: u16, body: Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(body)).into_response()
}

/// What fal says when it breaks.
pub(crate) fn fal_error(status: u16, detail: &str, error_type: &'static str) -> Response {
    let mut answer = json_answer(status, json!({"detail": detail, "error_type": error_type}));
    answer.headers_mut().insert("x-fal-error-type", HeaderValue::from_static(error_type));
    say_retryable(&mut answer, !matches!(error_type, "bad_request" | "client_disconnected" | "client_cancelled"));
    answer
}

/// Both headers that say whether trying again can help.
pub(crate) fn say_retryable(answer: &mut Response, again: bool) {
    let headers = answer.headers_mut();
    headers.insert("x-fal-retryable", HeaderValue::from_static(if again { "true" } else { "false" }));
    headers.insert("x-fal-needs-retry", HeaderValue::from_static(if again { "1" } else { "0" }));
}

/// 200 with something that is not JSON.
pub(crate) fn garbage() -> Response {
    ([("content-type", "application/json")], "<html><body>upstream says hello\u{0}</body>").into_response()
}

/// Whether the caller has the fal key, if one is asked for.
pub(crate) fn fal_refusal(world: &World, headers: &HeaderMap) -> Option<Response> {
    let wanted = world.settings.fal_key.as_ref()?;
    let given =
        headers.get("authorization").and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Key "));
    if given == Some(wanted.as_str()) { None } else { Some(refuse_as_fal(Refusal::BadKey)) }
}

/// An error answer that a fault asks for, still without a vendor's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Status(u16),
    BadKey,
}

/// How a vendor words a refusal.
pub(crate) type Refuse = fn(Refusal) -> Response;

/// What a fault asks for around an answer: before accepting, or after.
pub(crate) enum Detour {
    /// Answer this; nothing is accepted.
    Refuse(Response),
    /// Carry the request out, then let this befall the answer.
    Spoil(Mishap),
    /// Nothing is wrong here.
    Pass,
}

/// What becomes of an answer on its way.
pub(crate) enum Mishap {
    Drop,
    Garbage,
    Never(Duration),
    Status { status: u16, retry_after_secs: Option<u64> },
    Slow { bytes_per_sec: u64 },
    Cut { bytes: u64 },
    Huge { bytes: u64 },
}

impl Mishap {
    /// What is sent instead of `answer`.
    pub(crate) async fn befall(self, world: &Arc<World>, answer: Response, refuse: Refuse) -> Response {
        match self {
            Self::Drop => hang_up(),
            Self::Garbage => garbage(),
            Self::Never(time) => {
                world.pause(time).await;
                hang_up()
            }
            Self::Status { status, retry_after_secs } => {
                with_retry_after(refuse(Refusal::Status(status)), retry_after_secs)
            }
            Self::Slow { bytes_per_sec } => slow_down(world.clone(), answer, bytes_per_sec).await,
            Self::Cut { bytes } => cut(answer, bytes).await,
            Self::Huge { bytes } => lengthen(answer, bytes).await,
        }
    }
}

/// Asks the fault list about a request at its door. `refuse` shapes an error
/// answer in the vendor's way.
pub(crate) async fn detour(world: &Arc<World>, call: Call<'_>, refuse: Refuse) -> Detour {
    let at_door = |fault: &Fault| !matches!(fault, Fault::Moderation { .. });
    match world.faults.take(call, at_door).await {
        Some(Fault::Status { status, retry_after_secs, accepted: false }) => {
            Detour::Refuse(with_retry_after(refuse(Refusal::Status(status)), retry_after_secs))
        }
        Some(Fault::Status { status, retry_after_secs, accepted: true }) => {
            Detour::Spoil(Mishap::Status { status, retry_after_secs })
        }
        Some(Fault::BadKey) => Detour::Refuse(refuse(Refusal::BadKey)),
        Some(Fault::ExpiredMedia) => Detour::Refuse(refuse(Refusal::Status(404))),
        Some(Fault::DelayMs { ms }) => {
            world.pause(Duration::from_millis(ms)).await;
            Detour::Pass
        }
        Some(Fault::DropAnswer) => Detour::Spoil(Mishap::Drop),
        Some(Fault::Garbage) => Detour::Spoil(Mishap::Garbage),
        Some(Fault::Never { seconds }) => Detour::Spoil(Mishap::Never(Duration::from_secs(seconds))),
        Some(Fault::SlowBody { bytes_per_sec }) => Detour::Spoil(Mishap::Slow { bytes_per_sec }),
        Some(Fault::CutBody { bytes }) => Detour::Spoil(Mishap::Cut { bytes }),
        Some(Fault::HugeMedia { bytes }) => Detour::Spoil(Mishap::Huge { bytes }),
        _ => Detour::Pass,
    }
}

fn with_retry_after(mut answer: Response, seconds: Option<u64>) -> Response {
    if let Some(seconds) = seconds {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

/// A fal error answer with any code.
pub(crate) fn refuse_as_fal(refusal: Refusal) -> Response {
    match refusal {
        Refusal::BadKey | Refusal::Status(401) => json_answer(401, json!({"detail": "invalid key credentials"})),
        Refusal::Status(402) => json_answer(402, json!({"detail": "Payment required: the account has no credit left"})),
        Refusal::Status(403) => json_answer(
            403,
            json!({"detail": "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing."}),
        ),
        Refusal::Status(404) => json_answer(404, json!({"detail": "Not found"})),
        Refusal::Status(429) => fal_error(429, "Too many requests", "concurrent_requests_limit"),
        Refusal::Status(502) => fal_error(502, "Bad gateway", "runner_incomplete_response"),
        Refusal::Status(503) => fal_error(503, "Service unavailable", "runner_scheduling_failure"),
        Refusal::Status(504) => fal_error(504, "Gateway timeout", "request_timeout"),
        Refusal::Status(status @ 400..=499) => json_answer(status, json!({"detail": "Refused"})),
        Refusal::Status(status) => fal_error(status, "Internal error", "internal_error"),
    }
}
