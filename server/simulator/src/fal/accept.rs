//! Writing an accepted request and its charge down, and taking charges back.

use std::io;

use axum::http::HeaderMap;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::models::{Model, prompt_of};
use crate::desk::{Entry, FalRequest, LogLine, Provider, RequestState, WebhookOrder};
use crate::price::Charge;
use crate::world::World;

/// What a caller may say about a request beside its input.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    pub webhook: Option<String>,
    /// As the client wrote them.
    pub tags: Option<String>,
    /// It must have started after so many seconds.
    pub start_within_secs: Option<f64>,
    /// How long the files it makes shall live.
    pub media_ttl_secs: Option<u64>,
}

impl Wishes {
    /// Reads the headers that say something to us; what cannot be read is
    /// left out, as by the original.
    pub(crate) fn read(webhook: Option<String>, headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        Self {
            webhook,
            tags: text("x-fal-tags").map(|tags| tags.chars().take(200).collect()),
            start_within_secs: text("x-fal-request-timeout").and_then(|text| text.parse().ok()),
            media_ttl_secs: text("x-fal-object-lifecycle-preference").and_then(lifetime_of),
        }
    }
}

/// The seconds a lifecycle preference names.
pub(crate) fn lifetime_of(text: &str) -> Option<u64> {
    let preference: Value = serde_json::from_str(text).ok()?;
    preference["expiration_duration_seconds"].as_u64()
}

/// Writes the request and its charge down; both are durable when this
/// returns. Input that the model will refuse is accepted but not charged: the
/// refusal comes when it runs.
pub(crate) async fn accept(world: &World, model: Model, input: Value, wishes: Wishes) -> io::Result<Uuid> {
    let now = world.clock.now();
    let (id, charge_id) = (world.ids.next(now), world.ids.next(now));
    let charge = model.parse(&input).ok().map(|work| work.charge);
    let request = FalRequest {
        id,
        endpoint: model.endpoint.to_owned(),
        state: RequestState::InQueue,
        accepted_at: now,
        started_at: None,
        ended_at: None,
        webhook: wishes.webhook.map(|url| WebhookOrder { url, settled: false }),
        invoice_id: charge.map(|_| charge_id),
        billable_units: charge.map(|charge| charge.units),
        cancel_asked: false,
        outcome: None,
        logs: vec![LogLine::new("Request is queued", now)],
        prompt: prompt_of(&input),
        start_by: wishes.start_within_secs.and_then(|seconds| later(now, seconds)),
        media_ttl_secs: wishes.media_ttl_secs,
    };
    world.requests.add(request.clone(), input).await?;
    if let Some(charge) = charge {
        world.invoice.charge(entry(&request, charge_id, charge, wishes.tags)).await?;
    }
    tracing::info!(request.id = %id, "fal request {id} for {} accepted", model.endpoint);
    Ok(id)
}

fn later(now: DateTime<Utc>, seconds: f64) -> Option<DateTime<Utc>> {
    let millis = (seconds.clamp(0.0, 1e9) * 1_000.0) as i64;
    now.checked_add_signed(TimeDelta::milliseconds(millis))
}

fn entry(request: &FalRequest, id: Uuid, charge: Charge, tags: Option<String>) -> Entry {
    Entry {
        id,
        provider: Provider::Fal,
        endpoint: request.endpoint.clone(),
        request_id: request.id.to_string(),
        units: charge.counted(),
        amount_micro_usd: charge.amount_micro_usd,
        accepted_at: request.accepted_at,
        client_reference: tags,
    }
}

/// A kill between a request and its charge must not make it free, nor one
/// between a taken back charge and the written end.
pub(super) async fn restore_charge(world: &World, request: &FalRequest) {
    let Some(charge) = request.invoice_id.filter(|charge| !world.invoice.stands(*charge)) else {
        return;
    };
    let restored = async {
        let input = world.requests.input(request.id).await?.unwrap_or(json!(null));
        let work = Model::find(&request.endpoint).and_then(|model| model.parse(&input).ok());
        let Some(work) = work else { return Ok(()) };
        let fresh = world.ids.next(world.clock.now());
        let id = if world.invoice.knows(charge) { fresh } else { charge };
        world.invoice.charge(entry(request, id, work.charge, None)).await?;
        world.requests.change(request.id, |one| one.invoice_id = Some(id)).await?;
        io::Result::Ok(())
    };
    if let Err(error) = restored.await {
        tracing::error!(request.id = %request.id, "{} is not on the bill: {error}", request.id);
    }
}

/// Takes the charge of a request back, if it stands.
pub(crate) async fn void_charge(world: &World, request: &FalRequest, reason: &str) {
    if let Some(charge) = request.invoice_id.filter(|charge| world.invoice.stands(*charge))
        && let Err(error) = world.invoice.void(charge, reason).await
    {
        let id = request.id;
        tracing::error!(request.id = %id, "the charge of {id} cannot be voided: {error}");
    }
}
