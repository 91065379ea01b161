//! `POST /{v1,v1beta}/models/{model}:generateContent`, and the list of models.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::{Detour, Mishap, Refusal, detour, json_answer};
use crate::desk::{Call, Entry, Fault, Provider, Step};
use crate::draw::{Drawn, PictureFormat, StillOrder, StillWish};
use crate::fal::spoil;
use crate::gemini::{MODELS, Model, Question, Reply, google_error, refuse_as_google};
use crate::world::World;

fn key_refusal(world: &World, headers: &HeaderMap) -> Option<Response> {
    let wanted = world.settings.gemini_key.as_deref()?;
    let given = headers.get("x-goog-api-key").and_then(|value| value.to_str().ok());
    (given != Some(wanted)).then(|| refuse_as_google(Refusal::BadKey))
}

/// Lists the models: a check of the key that costs nothing.
pub(crate) async fn list(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    if let Some(refusal) = key_refusal(&world, &headers) {
        return refusal;
    }
    let models: Vec<Value> = MODELS.iter().map(|(id, name)| about(id, name)).collect();
    json_answer(200, json!({"models": models}))
}

/// Describes one model.
pub(crate) async fn show(State(world): State<Arc<World>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    if let Some(refusal) = key_refusal(&world, &headers) {
        return refusal;
    }
    match MODELS.iter().find(|(known, _)| *known == id) {
        Some((id, name)) => json_answer(200, about(id, name)),
        None => unknown_model(&id),
    }
}

fn about(id: &str, name: &str) -> Value {
    json!({
        "name": format!("models/{id}"), "version": "001", "displayName": name, "inputTokenLimit": 131_072,
        "outputTokenLimit": 32_768, "supportedGenerationMethods": ["generateContent"],
    })
}

fn unknown_model(id: &str) -> Response {
    let message = format!("models/{id} is not found for API version v1, or is not supported for generateContent.");
    google_error(404, "NOT_FOUND", &message)
}

/// Answers one call: a still of the product being worn.
pub(crate) async fn call(
    State(world): State<Arc<World>>,
    Path(call): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refusal) = key_refusal(&world, &headers) {
        return refusal;
    }
    let Some((name, "generateContent")) = call.split_once(':') else {
        return google_error(404, "NOT_FOUND", "Unknown method");
    };
    let question = match serde_json::from_slice(&body) {
        Ok(body) => Question::read(body),
        Err(error) => Err(format!("Invalid JSON payload received. {error}")),
    };
    let prompt = question.as_ref().ok().map(|question| question.text.clone());
    let call = Call { model: name, step: Step::Submit, request: None, prompt: prompt.as_deref() };
    let mishap = match detour(&world, call, refuse_as_google).await {
        Detour::Refuse(answer) => return answer,
        Detour::Spoil(mishap) => Some(mishap),
        Detour::Pass => None,
    };
    let Some(model) = Model::find(name) else { return unknown_model(name) };
    let question = match question {
        Ok(question) => question,
        Err(message) => return google_error(400, "INVALID_ARGUMENT", &message),
    };
    let is_moderation = |fault: &Fault| matches!(fault, Fault::Moderation { .. });
    let reply = match world.faults.take(call, is_moderation).await {
        Some(Fault::Moderation { block, reason }) => Reply::blocked(block, reason),
        _ => Reply::to(&question),
    };
    let spoiled = match reply {
        Reply::Picture => world.faults.take(Call { step: Step::Run, ..call }, Fault::spoils_any_media).await,
        _ => None,
    };
    // As its billing page says: an answer of the 400 or 500 family costs nothing, whenever it comes.
    let is_charged = !matches!(mishap, Some(Mishap::Status { .. }));
    let asked = Asked { question, reply, spoiled, is_charged };
    let here = world.clone();
    // Finished and billed even when the caller leaves, as by the original.
    let working = world.tasks.spawn(async move { produce(&here, &model, asked).await });
    let answer = working.await.unwrap_or_else(|_| refuse_as_google(Refusal::Status(500)));
    match mishap {
        Some(mishap) => mishap.befall(&world, answer, refuse_as_google).await,
        None => answer,
    }
}

/// A question at work.
struct Asked {
    question: Question,
    reply: Reply,
    /// What is wrong with the picture.
    spoiled: Option<Fault>,
    is_charged: bool,
}

/// Bills first and draws then: a caller who hangs up in the middle pays.
async fn produce(world: &World, model: &Model, asked: Asked) -> Response {
    let Asked { question, reply, spoiled, is_charged } = asked;
    let now = world.clock.now();
    let (id, charge) = (world.ids.next(now), world.ids.next(now));
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
        accepted_at: now,
        client_reference: None,
    };
    if let Err(error) = world.invoice.charge(entry).await {
        tracing::error!("a still could not be billed: {error}");
        return refuse_as_google(Refusal::Status(500));
    }
    let picture = match reply {
        Reply::Picture => match draw(world, question).await {
            Ok(picture) => Some(spoil(picture, spoiled.as_ref())),
            Err(answer) => {
                void(world, id, charge).await;
                return answer;
            }
        },
        Reply::WordsOnly(_) | Reply::Blocked(..) => None,
    };
    if !is_charged {
        void(world, id, charge).await;
    }
    let least = Duration::from_millis(world.settings.still_delay_ms);
    world.pause_since(now, least).await;
    tracing::info!(response.id = %id, "gemini answers {id} with {}", model.id);
    json_answer(200, reply.to_json(model, id, tokens, picture.as_ref()))
}

async fn void(world: &World, id: Uuid, charge: Uuid) {
    if let Err(error) = world.invoice.void(charge, "failed").await {
        tracing::error!("the charge of {id} cannot be voided: {error}");
    }
}

async fn draw(world: &World, question: Question) -> Result<Drawn, Response> {
    let wish = StillWish {
        prompt: question.text,
        aspect_ratio: question.aspect_ratio,
        size: question.image_size,
        keeps_ratio: false,
    };
    let order = StillOrder { photos: question.images, wish, variant: question.seed, format: PictureFormat::Jpeg };
    world.draw(order).await.map_err(|error| {
        if error.is_input() {
            google_error(400, "INVALID_ARGUMENT", "Unable to process input image.")
        } else {
            tracing::error!("a still could not be drawn: {error}");
            refuse_as_google(Refusal::Status(500))
        }
    })
}
