//! fal's queue: submit, status, stream, result, cancel.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::{body, http};
use chrono::Utc;
use futures::stream;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::MOST_BODY_BYTES;
use super::answer::{Detour, detour, fal_error, fal_refusal, json_answer, refuse_as_fal};
use crate::desk::{Entry, FalRequest, LogLine, Outcome, Provider, RequestState, Step, WebhookOrder};
use crate::fal::{Model, app_of, run};
use crate::world::World;

/// Requests that may wait at once; more are answered 429.
const MOST_WAITING: usize = 1_000;
/// A status stream looks again at least this often.
const STREAM_PAUSE: Duration = Duration::from_secs(5);

/// Finds the endpoint and the verb in a path that belongs to no other route.
pub(crate) async fn route(State(world): State<Arc<World>>, request: Request) -> Response {
    let (parts, raw) = request.into_parts();
    if let Some(refusal) = fal_refusal(&world, &parts.headers) {
        return refusal;
    }
    let path = parts.uri.path().trim_matches('/').to_owned();
    let segments: Vec<&str> = path.split('/').collect();
    let query = match Query::<Vec<(String, String)>>::try_from_uri(&parts.uri) {
        Ok(Query(query)) => query,
        Err(error) => return json_answer(400, json!({"detail": error.to_string()})),
    };
    let place = segments.iter().rposition(|segment| *segment == "requests");
    if let Some(place) = place.filter(|place| *place >= 2)
        && let Some(id) = segments.get(place + 1)
    {
        let app = segments[..place].join("/");
        let rest = segments[place + 2..].join("/");
        return ask(&world, &parts.method, &app, id, &rest, &query).await;
    }
    if parts.method != Method::POST || segments.len() < 2 {
        return json_answer(404, json!({"detail": "Not Found"}));
    }
    let Ok(bytes) = body::to_bytes(raw, MOST_BODY_BYTES).await else {
        return json_answer(413, json!({"detail": "Request body too large"}));
    };
    let Ok(input) = serde_json::from_slice::<Value>(&bytes) else {
        return json_answer(
            422,
            json!({"detail": [{"loc": ["body"], "msg": "JSON decode error", "type": "json_invalid"}]}),
        );
    };
    submit(&world, &path, input, &query, &parts.headers).await
}

async fn submit(
    world: &Arc<World>,
    endpoint: &str,
    input: Value,
    query: &[(String, String)],
    headers: &HeaderMap,
) -> Response {
    let swallow = match detour(world, endpoint, Step::Submit, refuse_as_fal).await {
        Detour::Refuse(answer) => return answer,
        Detour::Swallow(swallow) => Some(swallow),
        Detour::Pass => None,
    };
    let Some(model) = Model::find(endpoint) else {
        return json_answer(404, json!({"detail": format!("Application {endpoint:?} not found")}));
    };
    let most = value_of(query, "fal_max_queue_length").and_then(|text| text.parse().ok());
    let waiting = world.requests.waiting();
    if most.is_some_and(|most: usize| waiting > most) || waiting >= MOST_WAITING {
        return fal_error(429, "The queue is too long", "concurrent_requests_limit");
    }
    let webhook = match value_of(query, "fal_webhook") {
        None => None,
        Some(text) if Url::parse(text).is_ok_and(|url| url.has_host()) => {
            Some(WebhookOrder { url: text.to_owned(), settled: false })
        }
        Some(_) => return json_answer(422, json!({"detail": "Invalid webhook URL"})),
    };
    match accept(world, endpoint, model, input, webhook, headers).await {
        Ok(id) => {
            world.tasks.spawn(run(world.clone(), id));
            match swallow {
                Some(swallow) => swallow.answer(world).await,
                None => accepted_answer(world, endpoint, id),
            }
        }
        Err(error) => {
            tracing::error!("a fal request could not be written down: {error}");
            fal_error(500, "Internal error", "internal_error")
        }
    }
}

/// Writes the request and its charge down. Input that the model will refuse
/// is accepted but not charged: the refusal comes when it runs.
async fn accept(
    world: &World,
    endpoint: &str,
    model: Model,
    input: Value,
    webhook: Option<WebhookOrder>,
    headers: &HeaderMap,
) -> std::io::Result<Uuid> {
    let (id, charge_id, now) = (Uuid::now_v7(), Uuid::now_v7(), Utc::now());
    let price = model.parse(&input).ok().map(|work| work.price());
    let request = FalRequest {
        id,
        endpoint: endpoint.to_owned(),
        state: RequestState::InQueue,
        accepted_at: now,
        started_at: None,
        ended_at: None,
        webhook,
        invoice_id: price.map(|_| charge_id),
        billable_units: price.map(|(units, _)| units),
        cancel_asked: false,
        outcome: None,
        logs: vec![LogLine::new("Request is queued")],
    };
    world.requests.add(request, input).await?;
    if let Some((seconds, amount_micro_usd)) = price {
        let entry = Entry {
            id: charge_id,
            provider: Provider::Fal,
            endpoint: endpoint.to_owned(),
            request_id: id.to_string(),
            units: json!({"seconds": seconds}),
            amount_micro_usd,
            accepted_at: now,
            client_reference: reference(headers),
        };
        world.invoice.charge(entry).await?;
    }
    tracing::info!(request.id = %id, "fal request {id} for {endpoint} accepted");
    Ok(id)
}

/// The tags a client put on its request, as it wrote them.
fn reference(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("x-fal-tags")?.to_str().ok()?;
    Some(text.chars().take(200).collect())
}

fn accepted_answer(world: &World, endpoint: &str, id: Uuid) -> Response {
    let mut body = addresses(world, endpoint, id);
    body["status"] = json!("IN_QUEUE");
    body["queue_position"] = json!(world.requests.position(id));
    with_id(json_answer(200, body), &id.to_string())
}

fn addresses(world: &World, endpoint: &str, id: Uuid) -> Value {
    let base = world.link(&format!("/{}/requests/{id}", app_of(endpoint)));
    json!({
        "request_id": id,
        "response_url": base,
        "status_url": format!("{base}/status"),
        "cancel_url": format!("{base}/cancel"),
    })
}

async fn ask(
    world: &Arc<World>,
    method: &Method,
    app: &str,
    id: &str,
    rest: &str,
    query: &[(String, String)],
) -> Response {
    let known = Uuid::parse_str(id).ok().and_then(|id| world.requests.get(id));
    let Some(request) = known.filter(|request| fits(&request.endpoint, app)) else {
        return with_id(json_answer(404, json!({"status": "NOT_FOUND"})), id);
    };
    let step = match rest {
        "cancel" => Step::Cancel,
        "" | "response" => Step::Result,
        _ => Step::Status,
    };
    match detour(world, &request.endpoint, step, refuse_as_fal).await {
        Detour::Refuse(answer) => return with_id(answer, id),
        Detour::Swallow(swallow) => return swallow.answer(world).await,
        Detour::Pass => {}
    }
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
    with_id(answer, id)
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

fn result_answer(request: &FalRequest) -> Response {
    let Some(outcome) = &request.outcome else {
        return json_answer(400, json!({"detail": "Request is still in progress"}));
    };
    let mut answer = json_answer(outcome.status, outcome.body.clone());
    let headers = answer.headers_mut();
    if let Some(units) = request.billable_units {
        headers.insert("x-fal-billable-units", HeaderValue::from(units));
    }
    if outcome.status >= 400 {
        let again = HeaderValue::from_static(if outcome.status >= 500 { "true" } else { "false" });
        headers.insert("x-fal-retryable", again);
        if outcome.body["error_type"].is_string()
            && let Some(kind) = &outcome.error_type
            && let Ok(kind) = HeaderValue::from_str(kind)
        {
            headers.insert("x-fal-error-type", kind);
        }
    }
    answer
}

/// Takes a waiting request out of the queue and off the bill. A running one
/// is only asked to stop: it finishes and is billed.
async fn cancel(world: &Arc<World>, request: &FalRequest) -> Response {
    let changed = world
        .requests
        .change(request.id, |one| {
            one.cancel_asked = true;
            if one.state == RequestState::InQueue {
                one.state = RequestState::Cancelled;
                one.ended_at = Some(Utc::now());
                one.billable_units = None;
                if let Some(order) = &mut one.webhook {
                    order.settled = true;
                }
                one.outcome = Some(cancelled_outcome());
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
    if after.state == RequestState::Cancelled
        && let Some(charge) = after.invoice_id
        && let Err(error) = world.invoice.void(charge, "cancelled in the queue").await
    {
        tracing::error!(request.id = %request.id, "a charge cannot be voided: {error}");
    }
    json_answer(202, json!({"status": "CANCELLATION_REQUESTED"}))
}

fn cancelled_outcome() -> Outcome {
    Outcome {
        status: 499,
        body: json!({"detail": "Request was cancelled", "error_type": "client_cancelled"}),
        error: Some("Request was cancelled".to_owned()),
        error_type: Some("client_cancelled".to_owned()),
    }
}

fn value_of<'a>(query: &'a [(String, String)], name: &str) -> Option<&'a str> {
    query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn with_id(mut answer: http::Response<body::Body>, id: &str) -> Response {
    if let Ok(id) = HeaderValue::from_str(id) {
        answer.headers_mut().insert("x-fal-request-id", id);
    }
    answer
}
