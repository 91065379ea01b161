use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::desk::{Fault, Step};
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
    answer
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
    if given == Some(wanted.as_str()) {
        None
    } else {
        Some(json_answer(401, json!({"detail": "invalid key credentials"})))
    }
}

/// What a fault asks for around an answer: before accepting, or after.
pub(crate) enum Detour {
    /// Answer this; nothing is accepted.
    Refuse(Response),
    /// Accept, then answer this instead.
    Swallow(Swallow),
    /// Nothing is wrong here.
    Pass,
}

/// How an accepted request's answer is lost.
pub(crate) enum Swallow {
    Drop,
    Garbage,
    Never(Duration),
}

impl Swallow {
    /// The answer that comes instead of the true one.
    pub(crate) async fn answer(self, world: &World) -> Response {
        match self {
            Self::Drop => hang_up(),
            Self::Garbage => garbage(),
            Self::Never(time) => {
                world.pause(time).await;
                hang_up()
            }
        }
    }
}

/// Asks the fault list about a request at its door. `refuse` shapes an error
/// answer in the vendor's way.
pub(crate) async fn detour(world: &Arc<World>, model: &str, step: Step, refuse: fn(u16) -> Response) -> Detour {
    let at_door = |fault: &Fault| !matches!(fault, Fault::Moderation);
    match world.faults.take(model, step, at_door).await {
        Some(Fault::Status { status, retry_after_secs }) => {
            let mut answer = refuse(status);
            if let Some(seconds) = retry_after_secs {
                answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
            Detour::Refuse(answer)
        }
        Some(Fault::DelayMs { ms }) => {
            world.pause(Duration::from_millis(ms)).await;
            Detour::Pass
        }
        Some(Fault::DropAnswer) => Detour::Swallow(Swallow::Drop),
        Some(Fault::Garbage) => Detour::Swallow(Swallow::Garbage),
        Some(Fault::Never { seconds }) => Detour::Swallow(Swallow::Never(Duration::from_secs(seconds))),
        _ => Detour::Pass,
    }
}

/// A fal error answer with any code.
pub(crate) fn refuse_as_fal(status: u16) -> Response {
    match status {
        400..=428 | 430..=499 => json_answer(status, json!({"detail": "Refused"})),
        429 => fal_error(429, "Too many requests", "concurrent_requests_limit"),
        502 => fal_error(502, "Bad gateway", "runner_incomplete_response"),
        503 => fal_error(503, "Service unavailable", "runner_scheduling_failure"),
        504 => fal_error(504, "Gateway timeout", "request_timeout"),
        _ => fal_error(status, "Internal error", "internal_error"),
    }
}
