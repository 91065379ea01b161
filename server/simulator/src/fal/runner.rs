use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::accept::{restore_charge, void_charge};
use super::deliver;
use super::outcome::{broken, invalid, refused_content, too_late};
use super::produce::produce;
use crate::desk::{Call, FalRequest, Fault, LogLine, Outcome, RequestState, Step};
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
            world.tasks.spawn(async move { void_charge(&world_here, &request, "failed").await });
        }
    }
}

/// Brings one accepted request to its end: wait, run, settle, tell.
pub(crate) async fn run(world: Arc<World>, id: Uuid) {
    let Some(request) = world.requests.get(id) else { return };
    let least = Duration::from_millis(world.settings.queue_delay_ms);
    if !world.pause_since(request.accepted_at, least).await {
        return;
    }
    let slot = match request.start_by {
        None => world.take_slot().await,
        Some(moment) => tokio::select! {
            biased;
            slot = world.take_slot() => slot,
            () = world.clock.reach(moment) => {
                settle(&world, id, too_late()).await;
                return;
            }
        },
    };
    let Some(slot) = slot else { return };
    run_in(&world, id, slot).await;
}

/// Runs a request in a place it was given, and answers how it ended; `None`
/// when it was cancelled meanwhile or the simulator stops.
pub(crate) async fn run_in(world: &Arc<World>, id: Uuid, slot: OwnedSemaphorePermit) -> Option<FalRequest> {
    let now = world.clock.now();
    let started = world
        .requests
        .change(id, |request| {
            if request.state == RequestState::InQueue {
                request.state = RequestState::InProgress;
                request.started_at = Some(now);
                request.logs.push(LogLine::new("Runner is ready", now));
            }
        })
        .await;
    let request = match started {
        Ok(Some(request)) if request.state == RequestState::InProgress => request,
        Ok(_) => return None,
        Err(error) => {
            tracing::error!(request.id = %id, "request {id} cannot start: {error}");
            return None;
        }
    };
    let outcome = work(world, &request).await?;
    let ended = settle(world, id, outcome).await;
    drop(slot);
    ended
}

/// Ends a request: takes the charge back if it failed, writes the outcome,
/// starts the webhook.
async fn settle(world: &Arc<World>, id: Uuid, outcome: Outcome) -> Option<FalRequest> {
    let failed = outcome.status >= 400;
    let before = world.requests.get(id);
    if let Some(before) = before.filter(|_| failed) {
        void_charge(world, &before, "failed").await;
    }
    let (status, now) = (outcome.status, world.clock.now());
    let ended = world
        .requests
        .change(id, |request| {
            if request.state.is_over() {
                return;
            }
            request.state = RequestState::Completed;
            request.ended_at = Some(now);
            request.logs.push(LogLine::new(if failed { "Failed" } else { "Done" }, now));
            if failed {
                request.billable_units = None;
            }
            request.outcome = Some(outcome);
        })
        .await;
    match ended {
        Ok(Some(request)) => {
            tracing::info!(request.id = %id, "fal request {id} ended with {status}");
            if request.state == RequestState::Completed {
                world.tasks.spawn(deliver(world.clone(), request.clone()));
            }
            Some(request)
        }
        Ok(None) => None,
        Err(error) => {
            tracing::error!(request.id = %id, "request {id} cannot end: {error}");
            None
        }
    }
}

/// The model's work; `None` when the simulator stops in the middle.
async fn work(world: &Arc<World>, request: &FalRequest) -> Option<Outcome> {
    let begun = world.clock.now();
    let call = Call {
        model: &request.endpoint,
        step: Step::Run,
        request: Some(&request.id.to_string()),
        prompt: request.prompt.as_deref(),
    };
    let fault = world.faults.take(call, |_| true).await;
    let mut least = Duration::from_millis(world.settings.clip_delay_ms);
    if let Some(Fault::DelayMs { ms }) = fault {
        least += Duration::from_millis(ms);
    }
    let outcome = match &fault {
        Some(Fault::Moderation { reason, .. }) => refused_content(reason.as_deref()),
        Some(Fault::CompletedWithError { status, error_type }) => broken(*status, error_type.as_deref()),
        _ => {
            let outcome = tokio::select! {
                outcome = produce(world, request, fault.as_ref()) => outcome,
                () = world.stop.cancelled() => return None,
            };
            outcome.unwrap_or_else(|details| invalid(&details))
        }
    };
    world.pause_since(begun, least).await.then_some(outcome)
}
