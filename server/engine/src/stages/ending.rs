//! Ending a generation without a video: what is open is closed, what was paid stays paid, people are told.

use domain::{CallState, FailureCode, GenerationId, GenerationState, generation::EventKind};
use jobs::{Failure, FailureClass, Job};
use sqlx::PgConnection;

use super::{JobPayload, spool::Spool};
use crate::{
    Engine, Error, calls,
    generations::store::{self, Event},
    ledger::{self, Certainty},
    notices,
    outgoing::{self, WebhookEvent},
};

/// Why a generation ends without a video.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    pub(crate) state: GenerationState,
    pub(crate) code: FailureCode,
    pub(crate) detail: Option<String>,
}

impl Ending {
    /// A person stopped it.
    pub(crate) fn cancelled() -> Self {
        Self { state: GenerationState::Cancelled, code: FailureCode::Cancelled, detail: None }
    }

    fn of(failure: &Failure) -> Self {
        if failure.class == FailureClass::Cancelled {
            return Self::cancelled();
        }
        let code = match failure.code.as_str() {
            Failure::PANICKED => FailureCode::Internal,
            other => FailureCode::parse(other),
        };
        Self { state: GenerationState::Failed, code, detail: Some(failure.message.clone()) }
    }
}

/// Ends a generation: stages stop, planned calls are given back, answers that were paid but could not be stored cost
/// what they cost, calls whose outcome nobody knows are counted as paid. Doing it twice does nothing.
pub(crate) async fn end_without_video(
    engine: &Engine,
    conn: &mut PgConnection,
    id: GenerationId,
    ending: &Ending,
) -> Result<(), Error> {
    let Some(generation) = store::lock(conn, id).await? else { return Ok(()) };
    if generation.state.is_final() {
        return Ok(());
    }
    let today = engine.today();
    let spool = Spool::new(&engine.settings().work_dir);
    let stage = store::stop_stages(conn, id).await?;
    for call in calls::store::lock_open(conn, id).await? {
        if call.state == CallState::Planned {
            calls::store::void(conn, call.id).await?;
            ledger::void(conn, call.id, today).await?;
            continue;
        }
        if call.state == CallState::Intent
            && let Ok(Some((_, paid))) = spool.find(call.id).await
        {
            calls::store::finish(conn, call.id, paid.request_id.as_deref(), paid.cost).await?;
            ledger::settle(conn, call.id, paid.cost, Certainty::Known, today).await?;
            continue;
        }
        calls::store::abandon(conn, call.id, "the generation ended before its outcome was known").await?;
        calls::store::assume_cost(conn, call.id, call.estimate).await?;
        ledger::settle(conn, call.id, call.estimate, Certainty::Assumed, today).await?;
    }
    store::end(conn, id, ending.state, ending.code, stage, ending.detail.as_deref()).await?;
    let kind = if ending.state == GenerationState::Cancelled { EventKind::Cancelled } else { EventKind::Failed };
    let event = Event { stage, failure: Some(ending.code), detail: ending.detail.as_deref(), ..Event::of(kind) };
    store::record(conn, id, &event).await?;
    outgoing::tell(conn, id, WebhookEvent::of(ending.state)).await?;
    if ending.state == GenerationState::Failed {
        notices::store::insert_ended(conn, id, "generation_failed").await?;
    }
    tracing::warn!(
        generation.id = %id, failure.code = ending.code.as_str(),
        "generation {id} ended without a video: {}", ending.code.as_str()
    );
    Ok(())
}

/// What every handler does when its job is given up.
pub(super) async fn give_up(
    engine: &Engine,
    tx: &mut PgConnection,
    job: &Job,
    failure: &Failure,
) -> Result<Vec<uuid::Uuid>, jobs::Error> {
    let payload: JobPayload = serde_json::from_value(job.payload.clone()).map_err(jobs::Error::handler)?;
    let Some(generation) = store::lock(tx, payload.generation_id).await? else { return Ok(Vec::new()) };
    // A job that no longer carries the generation has nothing to say about it.
    if generation.job_id != job.id {
        return Ok(Vec::new());
    }
    let mut ending = if generation.cancel_requested { Ending::cancelled() } else { Ending::of(failure) };
    if ending.code == FailureCode::TimedOut
        && let Some(code) = store::last_retry(tx, payload.generation_id).await.map_err(jobs::Error::Database)?
    {
        // It ran out of time waiting for something else: that is the reason a person needs to know.
        ending.code = code;
    }
    end_without_video(engine, tx, payload.generation_id, &ending).await.map_err(jobs::Error::handler)?;
    Ok(Vec::new())
}
