//! `POST /{v1,v1beta}/models/{model}:generateContent`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use chrono::Utc;
use serde_json::json;
use uuid::Uuid;

use super::answer::{Detour, detour, json_answer};
use crate::desk::{Entry, Fault, Provider, Step};
use crate::draw::StillOrder;
use crate::gemini::{Model, Question, Reply, google_error, key_error, refuse_as_google};
use crate::world::World;

/// Answers one call: a still of the product being worn.
pub(crate) async fn call(
    State(world): State<Arc<World>>,
    Path(call): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let key = headers.get("x-goog-api-key").and_then(|value| value.to_str().ok());
    if world.settings.gemini_key.is_some() && key != world.settings.gemini_key.as_deref() {
        return key_error();
    }
    let Some((name, "generateContent")) = call.split_once(':') else {
        return google_error(404, "NOT_FOUND", "Unknown method");
    };
    let swallow = match detour(&world, name, Step::Submit, refuse_as_google).await {
        Detour::Refuse(answer) => return answer,
        Detour::Swallow(swallow) => Some(swallow),
        Detour::Pass => None,
    };
    let Some(model) = Model::find(name) else {
        let message =
            format!("models/{name} is not found for API version v1, or is not supported for generateContent.");
        return google_error(404, "NOT_FOUND", &message);
    };
    let question = match serde_json::from_slice(&body) {
        Ok(body) => Question::read(body),
        Err(error) => Err(format!("Invalid JSON payload received. {error}")),
    };
    let question = match question {
        Ok(question) => question,
        Err(message) => return google_error(400, "INVALID_ARGUMENT", &message),
    };
    let is_moderation = |fault: &Fault| matches!(fault, Fault::Moderation);
    let reply = if world.faults.take(name, Step::Submit, is_moderation).await.is_some() {
        Reply::Unsafe
    } else if question.images.is_empty() {
        Reply::WordsOnly
    } else {
        Reply::Picture
    };
    let answer = produce(&world, &model, question, reply).await;
    match swallow {
        Some(swallow) => swallow.answer(&world).await,
        None => answer,
    }
}

/// Bills first and draws then: a caller who hangs up in the middle pays, as
/// with the original.
async fn produce(world: &World, model: &Model, question: Question, reply: Reply) -> Response {
    let (id, charge, begun) = (Uuid::now_v7(), Uuid::now_v7(), Instant::now());
    let tokens = reply.tokens(model, &question);
    let entry = Entry {
        id: charge,
        provider: Provider::Gemini,
        endpoint: model.id.to_owned(),
        request_id: id.simple().to_string(),
        units: json!({
            "input_tokens": tokens.prompt_text + tokens.prompt_image,
            "text_output_tokens": tokens.thought + tokens.output_text,
            "image_output_tokens": tokens.output_image,
        }),
        amount_micro_usd: model.price.cost(tokens),
        accepted_at: Utc::now(),
        client_reference: None,
    };
    if let Err(error) = world.invoice.charge(entry).await {
        tracing::error!("a still could not be billed: {error}");
        return refuse_as_google(500);
    }
    let picture = match reply {
        Reply::Picture => match draw(world, question).await {
            Ok(picture) => Some(picture),
            Err(answer) => {
                if let Err(error) = world.invoice.void(charge, "failed").await {
                    tracing::error!("the charge of {id} cannot be voided: {error}");
                }
                return answer;
            }
        },
        Reply::WordsOnly | Reply::Unsafe => None,
    };
    let least = Duration::from_millis(world.settings.still_delay_ms);
    world.pause(least.saturating_sub(begun.elapsed())).await;
    tracing::info!(response.id = %id, "gemini answers {id} with {}", model.id);
    json_answer(200, reply.to_json(model, id, tokens, picture))
}

async fn draw(world: &World, question: Question) -> Result<Bytes, Response> {
    let order = StillOrder {
        photos: question.images,
        prompt: question.text,
        aspect_ratio: question.aspect_ratio,
        size: question.image_size,
    };
    world.draw(order).await.map_err(|error| {
        if error.is_input() {
            google_error(400, "INVALID_ARGUMENT", "Unable to process input image.")
        } else {
            tracing::error!("a still could not be drawn: {error}");
            refuse_as_google(500)
        }
    })
}
