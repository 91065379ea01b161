//! Going on with another model: only before anything of the stage was paid or may have been, only when its model or its
//! provider is the reason, and within the money of the day. Every switch is an event that the admin sees.

use domain::{CallId, CallState, FailureCode, MicroUsd, Stage, event_detail::RouteSwitch, generation::EventKind};
use jobs::{Attempt, Failure, FailureClass, Outcome};
use uuid::Uuid;

use super::{Stop, generation_of, kind, next_job, report};
use crate::{
    Engine, Error,
    calls::{self, NewCall, Slot},
    generations::store::{self, Event, Generation},
    ledger, limits,
    routes::Choice,
};

/// What a stage that stopped comes to: its next model's job, or the failure the queue decides about.
pub(super) async fn switch_or_report(
    engine: &Engine,
    attempt: &Attempt,
    stage: Stage,
    stop: Stop,
) -> Result<Outcome, Failure> {
    if let Stop::Failure(failure) = &stop
        && is_the_models_fault(failure)
        && is_last_try(attempt, failure)
    {
        match switch(engine, attempt, stage, failure).await {
            Ok(Some(outcome)) => return Ok(outcome),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(job.id = %attempt.job.id, ?error, "job {} could not switch its model", attempt.job.id);
            }
        }
    }
    Err(report(engine, attempt, stop).await)
}

/// Another model may do what this one did not. What was refused for its content, or was damaged, is the same elsewhere.
fn is_the_models_fault(failure: &Failure) -> bool {
    matches!(
        FailureCode::parse(&failure.code),
        FailureCode::ProviderAccount
            | FailureCode::ProviderKey
            | FailureCode::ProviderCredit
            | FailureCode::ProviderBusy
            | FailureCode::ProviderUnavailable
            | FailureCode::ProviderUnreachable
            | FailureCode::ProviderTimeout
            | FailureCode::ProviderRejected
            | FailureCode::ModelGone
            | FailureCode::NoPrice
    )
}

fn is_last_try(attempt: &Attempt, failure: &Failure) -> bool {
    match failure.class {
        FailureClass::Permanent => true,
        FailureClass::Transient | FailureClass::RateLimited { .. } => attempt.job.attempt >= attempt.job.max_attempts,
        FailureClass::Outage | FailureClass::Cancelled => false,
    }
}

/// The job of the next model of the route; none where there is none, or something of the stage was paid.
async fn switch(engine: &Engine, attempt: &Attempt, stage: Stage, failure: &Failure) -> Result<Option<Outcome>, Stop> {
    let generation = generation_of(engine, attempt).await?;
    if generation.cancel_requested {
        return Ok(None);
    }
    let mut tx = engine.pg().begin().await?;
    attempt.lease.succeed(&mut tx).await?;
    if !calls::seen::store::is_untouched(&mut tx, generation.id, stage).await? {
        return Ok(None);
    }
    let tried = calls::seen::store::models_tried(&mut tx, generation.id, stage).await?;
    let choice = match engine.choose(stage, &generation.options, &tried) {
        Ok(choice) => choice,
        Err(Error::NoPrice(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let code = FailureCode::parse(&failure.code);
    let Some(held) = replan(engine, &mut tx, &generation, stage, &choice, code).await? else { return Ok(None) };
    let from = tried.last().cloned().unwrap_or_default();
    let detail = RouteSwitch { from, to: choice.model.to_string(), reason: failure.message.clone() }.to_string();
    let event = Event {
        stage: Some(stage),
        failure: Some(code),
        amount: Some(held),
        detail: Some(&detail),
        ..Event::of(EventKind::RouteSwitched)
    };
    store::record(&mut tx, generation.id, &event).await?;
    let kind = if stage == Stage::Stills { kind::STILLS } else { kind::CLIP };
    let next = jobs::enqueue(&mut tx, &next_job(engine, attempt, kind, choice.model.to_string())).await?;
    store::set_job(&mut tx, generation.id, next).await?;
    store::set_attempt(&mut tx, generation.id, 1).await?;
    tx.commit().await?;
    tracing::warn!(
        generation.id = %generation.id, model = %choice.model, failure.code = failure.code,
        "generation {} goes on with {}: {}", generation.id, choice.model, failure.message
    );
    engine.announce(generation.id).await;
    Ok(Some(Outcome::Committed { dispatch: vec![next] }))
}

/// Gives back what was planned with the old model and plans the same with the new one; answers what is held for it now.
/// None when the money of the day does not reach for it.
async fn replan(
    engine: &Engine,
    tx: &mut sqlx::PgConnection,
    generation: &Generation,
    stage: Stage,
    choice: &Choice,
    code: FailureCode,
) -> Result<Option<MicroUsd>, Stop> {
    let today = engine.today();
    let mut held = MicroUsd::ZERO;
    for slot in slots(generation, stage) {
        let Some(before) = calls::store::latest(tx, generation.id, slot).await? else { continue };
        if before.state == CallState::Planned {
            calls::store::pass_over(tx, before.id, code).await?;
            ledger::void(tx, before.id, today).await?;
        }
        let next = NewCall {
            id: CallId::from_uuid(Uuid::now_v7()),
            generation_id: generation.id,
            slot,
            ordinal: before.ordinal + 1,
            model: choice.model.clone(),
            price_version: choice.price_version.clone(),
            ordered: Some(choice.order),
            estimate: choice.estimate,
        };
        calls::store::insert(tx, &next).await?;
        ledger::hold(tx, next.id, generation.id, next.estimate, generation.day).await?;
        held += next.estimate;
    }
    let after = limits::load(tx, engine.settings(), generation.day).await?;
    Ok((after.spend <= after.spend_limit).then_some(held))
}

fn slots(generation: &Generation, stage: Stage) -> Vec<Slot> {
    match stage {
        Stage::Stills => generation.options.recipe.frames().iter().map(|frame| Slot::still(*frame)).collect(),
        _ => vec![Slot::Clip],
    }
}
