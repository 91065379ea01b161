use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Detail, Model, Transition, Work, deliver, detail_body, fetch_picture};
use crate::desk::{Entry, FalRequest, Fault, LogLine, Outcome, Provider, RequestState, Step};
use crate::draw::ClipOrder;
use crate::world::World;

/// Takes up everything a stop or a kill interrupted: waiting and running
/// requests start over, untold ends are told.
pub(crate) fn resume(world: &Arc<World>) {
    for request in world.requests.all() {
        let world_here = world.clone();
        if !request.state.is_over() {
            world.tasks.spawn(async move {
                restore_charge(&world_here, &request).await;
                run(world_here, request.id).await;
            });
        } else if request.webhook.as_ref().is_some_and(|order| !order.settled) {
            world.tasks.spawn(deliver(world_here, request));
        } else if request.outcome.as_ref().is_some_and(|outcome| outcome.status >= 400) {
            world.tasks.spawn(async move { void_charge(&world_here, &request).await });
        }
    }
}

/// A kill between a request and its charge must not make it free, nor one
/// between a taken back charge and the written end.
async fn restore_charge(world: &World, request: &FalRequest) {
    let Some(charge) = request.invoice_id.filter(|charge| !world.invoice.stands(*charge)) else {
        return;
    };
    let restored = async {
        let input = world.requests.input(request.id).await?.unwrap_or_default();
        let work = Model::find(&request.endpoint).and_then(|model| model.parse(&input).ok());
        let Some((seconds, amount_micro_usd)) = work.map(|work| work.price()) else {
            return Ok(());
        };
        let fresh = Uuid::now_v7();
        let id = if world.invoice.knows(charge) { fresh } else { charge };
        let entry = Entry {
            id,
            provider: Provider::Fal,
            endpoint: request.endpoint.clone(),
            request_id: request.id.to_string(),
            units: json!({"seconds": seconds}),
            amount_micro_usd,
            accepted_at: request.accepted_at,
            client_reference: None,
        };
        world.invoice.charge(entry).await?;
        world.requests.change(request.id, |one| one.invoice_id = Some(id)).await?;
        std::io::Result::Ok(())
    };
    if let Err(error) = restored.await {
        tracing::error!(request.id = %request.id, "{} is not on the bill: {error}", request.id);
    }
}

async fn void_charge(world: &World, request: &FalRequest) {
    if let Some(charge) = request.invoice_id.filter(|charge| world.invoice.stands(*charge))
        && let Err(error) = world.invoice.void(charge, "failed").await
    {
        let id = request.id;
        tracing::error!(request.id = %id, "the charge of {id} cannot be voided: {error}");
    }
}

/// Brings one accepted request to its end: wait, run, settle, tell.
pub(crate) async fn run(world: Arc<World>, id: Uuid) {
    if !world.pause(Duration::from_millis(world.settings.queue_delay_ms)).await {
        return;
    }
    let Some(_slot) = world.take_slot().await else { return };
    let started = world
        .requests
        .change(id, |request| {
            if request.state == RequestState::InQueue {
                request.state = RequestState::InProgress;
                request.started_at = Some(Utc::now());
                request.logs.push(LogLine::new("Runner is ready"));
            }
        })
        .await;
    let request = match started {
        Ok(Some(request)) if request.state == RequestState::InProgress => request,
        Ok(_) => return,
        Err(error) => {
            tracing::error!(request.id = %id, "request {id} cannot start: {error}");
            return;
        }
    };
    let Some(outcome) = work(&world, &request).await else { return };
    settle(&world, id, outcome).await;
}

/// Ends a request: takes the charge back if it failed, writes the outcome,
/// starts the webhook.
async fn settle(world: &Arc<World>, id: Uuid, outcome: Outcome) {
    let failed = outcome.status >= 400;
    let before = world.requests.get(id);
    if let Some(before) = before.filter(|_| failed) {
        void_charge(world, &before).await;
    }
    let status = outcome.status;
    let ended = world
        .requests
        .change(id, |request| {
            request.state = RequestState::Completed;
            request.ended_at = Some(Utc::now());
            request.logs.push(LogLine::new(if failed { "Failed" } else { "Done" }));
            if failed {
                request.billable_units = None;
            }
            request.outcome = Some(outcome);
        })
        .await;
    match ended {
        Ok(Some(request)) => {
            tracing::info!(request.id = %id, "fal request {id} ended with {status}");
            world.tasks.spawn(deliver(world.clone(), request));
        }
        Ok(None) => {}
        Err(error) => tracing::error!(request.id = %id, "request {id} cannot end: {error}"),
    }
}

/// The model's work; `None` when the simulator stops in the middle.
async fn work(world: &Arc<World>, request: &FalRequest) -> Option<Outcome> {
    let begun = Instant::now();
    let fault = world.faults.take(&request.endpoint, Step::Run, |_| true).await;
    let mut least = Duration::from_millis(world.settings.clip_delay_ms);
    if let Some(Fault::DelayMs { ms }) = fault {
        least += Duration::from_millis(ms);
    }
    let outcome = match &fault {
        Some(Fault::Moderation) => invalid(&[Detail::at(
            "prompt",
            "content_policy_violation",
            "The content could not be processed because it was flagged by a content checker.",
        )]),
        Some(Fault::CompletedWithError { status }) => broken(*status),
        _ => {
            let outcome = tokio::select! {
                outcome = produce(world, request, fault.as_ref()) => outcome,
                () = world.stop.cancelled() => return None,
            };
            outcome.unwrap_or_else(|details| invalid(&details))
        }
    };
    let rest = least.saturating_sub(begun.elapsed());
    world.pause(rest).await.then_some(outcome)
}

async fn produce(world: &Arc<World>, request: &FalRequest, fault: Option<&Fault>) -> Result<Outcome, Vec<Detail>> {
    let input = match world.requests.input(request.id).await {
        Ok(Some(input)) => input,
        Ok(None) => Value::Null,
        Err(error) => {
            tracing::error!(request.id = %request.id, "input of {} lost: {error}", request.id);
            return Ok(broken(500));
        }
    };
    let Some(model) = Model::find(&request.endpoint) else { return Ok(broken(500)) };
    match model.parse(&input)? {
        Work::Transition(transition) => produce_transition(world, request, transition, fault).await,
    }
}

async fn produce_transition(
    world: &Arc<World>,
    request: &FalRequest,
    transition: Transition,
    fault: Option<&Fault>,
) -> Result<Outcome, Vec<Detail>> {
    let mut stills = Vec::new();
    for (index, address) in transition.image_urls.iter().enumerate() {
        let still = fetch_picture(world, "image_urls", index, address).await;
        stills.push(still.map_err(|detail| vec![detail])?);
    }
    let order = ClipOrder { stills, seconds: transition.seconds, full_hd: transition.full_hd };
    let clip = match world.film(order).await {
        Ok(clip) => clip,
        Err(error) if error.is_input() => {
            let detail = Detail::at("image_urls", "image_load_error", error.to_string());
            return Err(vec![detail]);
        }
        Err(error) => {
            tracing::error!(request.id = %request.id, "no clip for {}: {error}", request.id);
            return Ok(broken(500));
        }
    };
    let clip = match fault {
        Some(Fault::CorruptClip) => clip.slice(..clip.len() * 2 / 5),
        Some(Fault::WrongTypeClip) => {
            Bytes::from_static(b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:4.0,\nfile:///etc/hostname\n")
        }
        _ => clip,
    };
    let size = clip.len();
    match world.media.put("output.mp4", "video/mp4", clip).await {
        Ok(file) => Ok(Outcome {
            status: 200,
            body: json!({"video": {
                "url": world.link(&file.url_path()),
                "content_type": "video/mp4",
                "file_name": file.file_name,
                "file_size": size,
            }}),
            error: None,
            error_type: None,
        }),
        Err(error) => {
            tracing::error!(request.id = %request.id, "clip of {} not stored: {error}", request.id);
            Ok(broken(500))
        }
    }
}

fn invalid(details: &[Detail]) -> Outcome {
    Outcome {
        status: 422,
        body: detail_body(details),
        error: Some("Invalid status code: 422".to_owned()),
        error_type: details.first().map(|detail| detail.kind().to_owned()),
    }
}

fn broken(status: u16) -> Outcome {
    let error_type = match status {
        502 => "runner_incomplete_response",
        503 => "runner_connection_error",
        504 => "request_timeout",
        _ => "runner_server_error",
    };
    Outcome {
        status,
        body: json!({"detail": "The model failed to answer", "error_type": error_type}),
        error: Some("The model failed to answer".to_owned()),
        error_type: Some(error_type.to_owned()),
    }
}
