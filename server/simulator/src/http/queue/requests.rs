//! What can be asked about a request: status, stream, result, cancel.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, Method};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{value_of, with_id};
use crate::desk::{Call, FalRequest, RequestState, Step};
use crate::fal::{app_of, cancelled, void_charge};
use crate::http::answer::{Detour, detour, fal_error, json_answer, refuse_as_fal, say_retryable};
use crate::world::World;

/// A status stream looks again at least this often.
const STREAM_PAUSE: Duration = Duration::from_secs(5);

/// Answers `{app}/requests/{id}/{rest}`.
pub(super) async fn ask(
    world: &Arc<World>,
    method: &Method,
    app: &str,
    id: &str,
    rest: &str,
    query: &[(String, String)],
) -> Response {
    let known = Uuid::parse_str(id).ok().and_then(|id| world.requests.get(id));
    let now = world.clock.now();
    let Some(request) = known.filter(|request| fits(&request.endpoint, app) && !request.is_forgotten(now)) else {
        return with_id(json_answer(404, json!({"status": "NOT_FOUND"})), id);
    };
    let step = match rest {
        "cancel" => Step::Cancel,
        "" | "response" => Step::Result,
        _ => Step::Status,
    };
    let (model, prompt) = (request.endpoint.as_str(), request.prompt.as_deref());
    let mishap = match detour(world, Call { model, step, request: Some(id), prompt }, refuse_as_fal).await {
        Detour::Refuse(answer) => return with_id(answer, id),
        Detour::Spoil(mishap) => Some(mishap),
        Detour::Pass => None,
    };
    let logs = matches!(value_of(query, "logs"), Some("1" | "true"));
    let answer = match (method.as_str(), rest) {
        ("GET", "status") => {
            let code = if request.state.is_over() { 200 } else { 202 };
            json_answer(code, status_body(world, &request, logs))
        }
        ("GET", "status/stream") => stream_status(world.clone(), request.id, logs),
        ("GET", "" | "response") => result_answer(&request),
        ("PUT", "cancel") => cancel(world, &request).await,
        _ => json_answer(405, json!({"detail": "Method Not Allowed"})),
    };
    let answer = with_id(answer, id);
    match mishap {
        Some(mishap) => mishap.befall(world, answer, refuse_as_fal).await,
        None => answer,
    }
}

/// The ids and addresses every answer about a request carries.
pub(super) fn addresses(world: &World, endpoint: &str, id: Uuid) -> Value {
    let base = world.link(&format!("/{}/requests/{id}", app_of(endpoint)));
    json!({
        "request_id": id,
        "response_url": base,
        "status_url": format!("{base}/status"),
        "cancel_url": format!("{base}/cancel"),
    })
}

/// A request can be asked for under its app or any longer part of its id.
fn fits(endpoint: &str, app: &str) -> bool {
    app == app_of(endpoint)
        || endpoint == app
        || (endpoint.starts_with(&format!("{app}/")) && app.starts_with(&app_of(endpoint)))
}

fn status_body(world: &World, request: &FalRequest, logs: bool) -> Value {
    let mut body = addresses(world, &request.endpoint, request.id);
    body["logs"] = if logs { json!(request.logs) } else { Value::Null };
    match request.state {
        RequestState::InQueue => {
            body["status"] = json!("IN_QUEUE");
            body["queue_position"] = json!(world.requests.position(request.id));
        }
        RequestState::InProgress => body["status"] = json!("IN_PROGRESS"),
        RequestState::Completed | RequestState::Cancelled => {
            body["status"] = json!("COMPLETED");
            if let (Some(started), Some(ended)) = (request.started_at, request.ended_at) {
                let seconds = (ended - started).as_seconds_f64();
                body["metrics"] = json!({"inference_time": seconds});
            }
            if let Some(outcome) = &request.outcome
                && let Some(error) = &outcome.error
            {
                body["error"] = json!(error);
                body["error_type"] = json!(outcome.error_type);
            }
        }
    }
    body
}

fn stream_status(world: Arc<World>, id: Uuid, logs: bool) -> Response {
    let changes = world.requests.changes();
    let first = Some((world, changes, None::<String>));
    let events = stream::unfold(first, move |turn| async move {
        let (world, mut changes, last) = turn?;
        loop {
            let request = world.requests.get(id)?;
            let text = status_body(&world, &request, logs).to_string();
            if last.as_ref() != Some(&text) {
                let event = Ok::<_, Infallible>(Event::default().data(&text));
                let next = (!request.state.is_over()).then_some((world, changes, Some(text)));
                return Some((event, next));
            }
            let wait = tokio::time::timeout(STREAM_PAUSE, changes.changed());
            tokio::select! {
                _ = wait => {}
                () = world.stop.cancelled() => return None,
            }
        }
    });
    Sse::new(events).into_response()
}

/// The bare result, or why there is none.
pub(super) fn result_answer(request: &FalRequest) -> Response {
    let Some(outcome) = &request.outcome else {
        return json_answer(400, json!({"detail": "Request is still in progress"}));
    };
    let mut answer = json_answer(outcome.status, outcome.body.clone());
    if let Some(units) = request.billable_units
        && let Ok(units) = HeaderValue::from_str(&units.to_string())
    {
        answer.headers_mut().insert("x-fal-billable-units", units);
    }
    if outcome.status >= 400 {
        say_retryable(&mut answer, outcome.status >= 500);
        if outcome.body["error_type"].is_string()
            && let Some(kind) = &outcome.error_type
            && let Ok(kind) = HeaderValue::from_str(kind)
        {
            answer.headers_mut().insert("x-fal-error-type", kind);
        }
        if outcome.status == 504 && request.start_by.is_some() {
            answer.headers_mut().insert("x-fal-request-timeout-type", HeaderValue::from_static("user"));
            say_retryable(&mut answer, false);
        }
    }
    answer
}

/// Takes a waiting request out of the queue and off the bill. A running one
/// is only asked to stop: it finishes and is billed.
async fn cancel(world: &Arc<World>, request: &FalRequest) -> Response {
    let now = world.clock.now();
    let changed = world
        .requests
        .change(request.id, |one| {
            one.cancel_asked = true;
            if one.state == RequestState::InQueue {
                one.state = RequestState::Cancelled;
                one.ended_at = Some(now);
                one.billable_units = None;
                if let Some(order) = &mut one.webhook {
                    order.settled = true;
                }
                one.outcome = Some(cancelled());
            }
        })
        .await;
    let after = match changed {
        Ok(Some(after)) => after,
        Ok(None) => return json_answer(404, json!({"status": "NOT_FOUND"})),
        Err(error) => {
            tracing::error!("a cancellation could not be written down: {error}");
            return fal_error(500, "Internal error", "internal_error");
        }
    };
    if request.state.is_over() || after.state == RequestState::Completed {
        return json_answer(400, json!({"status": "ALREADY_COMPLETED"}));
    }
    if after.state == RequestState::Cancelled {
        void_charge(world, &after, "cancelled in the queue").await;
    }
    json_answer(202, json!({"status": "CANCELLATION_REQUESTED"}))
}
