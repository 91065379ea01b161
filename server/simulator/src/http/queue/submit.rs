//! Taking requests: into the queue, or to be run at once.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::requests::{addresses, result_answer};
use super::{value_of, with_id};
use crate::desk::{Call, Step};
use crate::fal::{Model, Wishes, accept, prompt_of, run, run_in};
use crate::http::answer::{Detour, detour, fal_error, hang_up, json_answer, refuse_as_fal};
use crate::world::World;

/// Requests that may wait at once; more are answered 429.
const MOST_WAITING: usize = 1_000;

/// Puts a request into the queue.
pub(super) async fn submit(
    world: &Arc<World>,
    endpoint: &str,
    input: Value,
    query: &[(String, String)],
    headers: &HeaderMap,
) -> Response {
    let mishap = match at_door(world, endpoint, &input).await {
        Detour::Refuse(answer) => return answer,
        Detour::Spoil(mishap) => Some(mishap),
        Detour::Pass => None,
    };
    let Some(model) = Model::find(endpoint) else { return unknown(endpoint) };
    let most = value_of(query, "fal_max_queue_length").and_then(|text| text.parse().ok());
    let waiting = world.requests.waiting();
    if most.is_some_and(|most: usize| waiting > most) || waiting >= MOST_WAITING {
        return fal_error(429, "The queue is too long", "concurrent_requests_limit");
    }
    let webhook = match value_of(query, "fal_webhook") {
        Some(text) if !Url::parse(text).is_ok_and(|url| url.has_host()) => {
            return json_answer(422, json!({"detail": "Invalid webhook URL"}));
        }
        webhook => webhook.map(str::to_owned),
    };
    match accept(world, model, input, Wishes::read(webhook, headers)).await {
        Ok(id) => {
            world.tasks.spawn(run(world.clone(), id));
            let answer = accepted_answer(world, endpoint, id);
            match mishap {
                Some(mishap) => mishap.befall(world, answer, refuse_as_fal).await,
                None => answer,
            }
        }
        Err(error) => lost(&error),
    }
}

/// Runs a request while its caller waits, as fal.run does. It needs a free
/// place at once, and it is finished and billed even when the caller leaves.
pub(super) async fn run_directly(world: &Arc<World>, endpoint: &str, input: Value, headers: &HeaderMap) -> Response {
    let mishap = match at_door(world, endpoint, &input).await {
        Detour::Refuse(answer) => return answer,
        Detour::Spoil(mishap) => Some(mishap),
        Detour::Pass => None,
    };
    let Some(model) = Model::find(endpoint) else { return unknown(endpoint) };
    let Some(slot) = world.take_free_slot() else {
        return fal_error(429, "Maximum number of concurrent requests reached", "concurrent_requests_limit");
    };
    let id = match accept(world, model, input, Wishes::read(None, headers)).await {
        Ok(id) => id,
        Err(error) => return lost(&error),
    };
    let here = world.clone();
    let ended = world.tasks.spawn(async move { run_in(&here, id, slot).await }).await;
    let answer = match ended {
        Ok(Some(request)) => with_id(result_answer(&request), &id.to_string()),
        Ok(None) | Err(_) => hang_up(),
    };
    match mishap {
        Some(mishap) => mishap.befall(world, answer, refuse_as_fal).await,
        None => answer,
    }
}

async fn at_door(world: &Arc<World>, endpoint: &str, input: &Value) -> Detour {
    let prompt = prompt_of(input);
    let call = Call { model: endpoint, step: Step::Submit, request: None, prompt: prompt.as_deref() };
    detour(world, call, refuse_as_fal).await
}

fn unknown(endpoint: &str) -> Response {
    json_answer(404, json!({"detail": format!("Application {endpoint:?} not found")}))
}

fn lost(error: &std::io::Error) -> Response {
    tracing::error!("a fal request could not be written down: {error}");
    fal_error(500, "Internal error", "internal_error")
}

fn accepted_answer(world: &World, endpoint: &str, id: Uuid) -> Response {
    let mut body = addresses(world, endpoint, id);
    body["status"] = json!("IN_QUEUE");
    body["queue_position"] = json!(world.requests.position(id));
    body["gateway_request_id"] = json!(id);
    with_id(json_answer(200, body), &id.to_string())
}
