//! What a worker does for a generation: one job per stage, each written so that it can be run again from any point.

mod clip;
mod doubt;
mod encode;
mod ending;
mod progress;
mod publish;
mod queued;
mod route;
mod spool;
mod stills;
mod workplace;

pub(crate) use encode::{ORIGINAL_MAX_BYTES, clip_info, media_failure};
pub(crate) use progress::Percent;
pub(crate) use workplace::Workplace;

use std::{io::ErrorKind, sync::Arc};

use chrono::{TimeDelta, Utc};
use domain::{FailureCode, GenerationId, Recipe, Stage, event_detail::ScheduledTry, generation::EventKind};
pub(crate) use ending::{Ending, end_without_video};
use jobs::{Attempt, Failure, FailureClass, Handler, NewJob, Outcome};
use providers::{
    ClipOrder, NoMaker, Order, ProviderError, Retry, StillOrder, StillSize,
    prompts::{self, Part, PromptFields, PromptVersion},
};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::{
    Engine, Error,
    calls::{Call, Slot},
    exports,
    generations::store::{self, Event, Generation},
};

/// The templates new generations of a recipe are made from.
pub(crate) const fn prompt_version(recipe: Recipe) -> PromptVersion {
    match recipe {
        Recipe::ProductVideo => PromptVersion::ProductVideoV1,
        Recipe::TryonVideo => PromptVersion::TryonVideoV1,
    }
}

/// Kinds of jobs, one per handler.
pub(crate) mod kind {
    pub(crate) const STILLS: &str = "stills";
    pub(crate) const CLIP: &str = "clip";
    pub(crate) const ENCODE: &str = "encode";
    /// The group of work that no provider is asked for.
    pub(crate) const LOCAL_GROUP: &str = "local";
}

/// What a job of ours carries.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct JobPayload {
    pub(crate) generation_id: GenerationId,
}

pub(crate) fn handlers(engine: &Engine, tools: media::Tools) -> Vec<(&'static str, Arc<dyn Handler>)> {
    let tools = Arc::new(tools);
    let stages: [(&'static str, Arc<dyn Handler>); 3] = [
        (kind::STILLS, Arc::new(stills::Stills { engine: engine.clone() })),
        (kind::CLIP, Arc::new(clip::Clip { engine: engine.clone(), tools: tools.clone() })),
        (kind::ENCODE, Arc::new(encode::Encode { engine: engine.clone(), tools: tools.clone() })),
    ];
    stages.into_iter().chain(exports::handlers(engine, &tools)).collect()
}

/// Why a run of a stage stopped: an error of ours, or a reason the generation carries.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The queue decides what follows.
    Failure(Failure),
    /// Somebody else has the job by now.
    LeaseLost,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<jobs::Error> for Stop {
    fn from(error: jobs::Error) -> Self {
        match error {
            jobs::Error::LeaseLost { .. } => Self::LeaseLost,
            other => Self::from(Error::from(other)),
        }
    }
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        Self::from(Error::from(error))
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        let (code, causes) = (FailureCode::Internal.as_str(), with_causes(&error));
        Self::Failure(match error {
            Error::Unavailable { .. } => Failure::outage(code, causes),
            _ => Failure::transient(code, causes),
        })
    }
}

impl From<storage::Error> for Stop {
    fn from(error: storage::Error) -> Self {
        let code = FailureCode::StorageUnavailable.as_str();
        Self::Failure(if error.is_retryable() {
            Failure::outage(code, error.to_string())
        } else {
            Failure::permanent(code, error.to_string())
        })
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Failure(disk_failure(&error))
    }
}

/// A full disk is emptied by somebody sooner or later; anything else of a disk may be this job's own.
fn disk_failure(error: &std::io::Error) -> Failure {
    let (code, detail) = (FailureCode::Internal.as_str(), format!("work folder: {error}"));
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Failure::outage(code, detail),
        _ => Failure::transient(code, detail),
    }
}

/// What the queue should make of a provider's error.
fn provider_failure(error: &ProviderError) -> Failure {
    let code = error.code.as_str();
    match error.retry {
        Retry::Never => Failure::permanent(code, error.detail.clone()),
        Retry::Later { after } if error.code == FailureCode::ProviderBusy => {
            Failure::rate_limited(after, code, error.detail.clone())
        }
        Retry::Later { .. } => Failure::transient(code, error.detail.clone()),
    }
}

/// There is nobody to make it: no key, or no price.
fn no_maker(error: NoMaker) -> Failure {
    provider_failure(&ProviderError::from(error))
}

/// Why a call that is over gave no result: a worker that died before it could say so wrote it down.
fn stored_failure(call: &Call) -> Failure {
    let code = call.failure.unwrap_or(FailureCode::Internal);
    Failure::permanent(code.as_str(), call.detail.clone().unwrap_or_default())
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// The generation of a job, or the reason there is nothing to do.
async fn generation_of(engine: &Engine, attempt: &Attempt) -> Result<Generation, Stop> {
    let payload: JobPayload = serde_json::from_value(attempt.job.payload.clone())
        .map_err(|error| Failure::permanent(FailureCode::Internal.as_str(), format!("payload: {error}")))?;
    let mut conn = engine.pg().acquire().await?;
    let generation = store::load(&mut conn, payload.generation_id)
        .await?
        .ok_or_else(|| Failure::permanent(FailureCode::ProductGone.as_str(), "the generation is gone"))?;
    if generation.state.is_final() {
        return Err(Failure::permanent(FailureCode::Internal.as_str(), "the generation has ended").into());
    }
    if generation.job_id != attempt.job.id {
        return Err(Failure::permanent(FailureCode::Internal.as_str(), "another job carries the generation").into());
    }
    Ok(generation)
}

/// Marks a stage as running and notes what kind of start this is.
async fn begin(conn: &mut PgConnection, attempt: &Attempt, generation: &Generation, stage: Stage) -> Result<(), Stop> {
    attempt.lease.guard(conn).await?;
    store::set_attempt(conn, generation.id, attempt.job.attempt).await?;
    if store::start_stage(conn, generation.id, stage).await? {
        store::record(conn, generation.id, &Event { stage: Some(stage), ..Event::of(EventKind::StageStarted) }).await?;
    } else if attempt.job.interruptions > 0 {
        store::record(conn, generation.id, &Event { stage: Some(stage), ..Event::of(EventKind::Resumed) }).await?;
    }
    Ok(())
}

/// The job that carries the generation on after this one.
fn next_job(engine: &Engine, attempt: &Attempt, kind: &'static str, group: impl Into<String>) -> NewJob {
    let mut job = NewJob::after(&attempt.job, kind, group, attempt.job.payload.clone());
    job.max_attempts = engine.settings().max_attempts;
    job.run_timeout = engine.settings().job_timeout;
    job
}

/// Waits without holding a slot until the next look, or until a webhook wakes the job.
async fn park(engine: &Engine, attempt: &Attempt, generation: &Generation) -> Result<Outcome, Stop> {
    let interval = TimeDelta::from_std(engine.settings().poll_interval).unwrap_or(TimeDelta::MAX);
    let mut tx = engine.pg().begin().await?;
    attempt.lease.park(&mut tx, Utc::now() + interval).await?;
    tx.commit().await?;
    engine.announce(generation.id).await;
    Ok(Outcome::Committed { dispatch: Vec::new() })
}

/// What a call was bought as; calls of before that was written down were bought as the options say.
fn stored_order(generation: &Generation, call: &Call, slot: Slot) -> Order {
    let options = &generation.options;
    call.ordered.unwrap_or_else(|| match slot {
        Slot::Clip => ClipOrder { duration: options.duration, resolution: options.resolution, fps: None }.into(),
        Slot::StillStart | Slot::StillEnd => StillOrder { size: StillSize::K1, pictures: 1 }.into(),
    })
}

/// What a model is told of a generation.
fn prompt_of(generation: &Generation, part: Part) -> String {
    let fields = PromptFields {
        name: generation.product_name.en.clone(),
        category: generation.category.clone(),
        colour: None,
        model_type: generation.options.model_type,
    };
    prompts::render(prompt_version(generation.options.recipe), part, &fields)
}

/// Words to find a call by on a provider's pages and bills.
fn tags(generation: &Generation, call: &Call) -> Vec<(String, String)> {
    vec![("generation".to_owned(), generation.id.to_string()), ("call".to_owned(), call.id.to_string())]
}

/// Turns how a stage stopped into what the queue understands, and writes a waiting retry on the generation.
async fn report(engine: &Engine, attempt: &Attempt, stop: Stop) -> Failure {
    let failure = match stop {
        Stop::Failure(failure) => failure,
        Stop::LeaseLost => return Failure::transient(FailureCode::Internal.as_str(), "the lease was lost"),
    };
    let retries = match failure.class {
        FailureClass::Transient | FailureClass::RateLimited { .. } => attempt.job.attempt < attempt.job.max_attempts,
        FailureClass::Outage => true,
        FailureClass::Permanent | FailureClass::Cancelled => false,
    };
    if retries && let Err(error) = note_retry(engine, attempt, &failure).await {
        tracing::warn!(job.id = %attempt.job.id, ?error, "retry of job {} could not be noted", attempt.job.id);
    }
    failure
}

/// The stage a kind of job begins with.
fn stage_of(kind: &str) -> Option<Stage> {
    match kind {
        kind::STILLS => Some(Stage::Stills),
        kind::CLIP => Some(Stage::Clip),
        kind::ENCODE => Some(Stage::Encode),
        _ => None,
    }
}

async fn note_retry(engine: &Engine, attempt: &Attempt, failure: &Failure) -> Result<(), Stop> {
    let payload: JobPayload = serde_json::from_value(attempt.job.payload.clone())
        .map_err(|error| Failure::permanent(FailureCode::Internal.as_str(), error.to_string()))?;
    let mut tx = engine.pg().begin().await?;
    attempt.lease.guard(&mut tx).await?;
    let code = FailureCode::parse(&failure.code);
    let event = |detail| Event {
        stage: stage_of(&attempt.job.kind),
        failure: Some(code),
        detail: Some(detail),
        ..Event::of(EventKind::RetryScheduled)
    };
    if failure.class == FailureClass::Outage {
        // It is one outage, however often it is met.
        if store::last_retry(&mut tx, payload.generation_id).await? == Some(code) {
            return Ok(());
        }
        store::record(&mut tx, payload.generation_id, &event(&failure.message)).await?;
    } else {
        let number = attempt.job.attempt.saturating_add(1);
        let wait_ms = u64::try_from(attempt.wait_after(failure).as_millis()).unwrap_or(u64::MAX);
        let next = ScheduledTry { number, of: attempt.job.max_attempts, wait_ms, reason: failure.message.clone() };
        store::record(&mut tx, payload.generation_id, &event(&next.to_string())).await?;
        store::set_attempt(&mut tx, payload.generation_id, number).await?;
    }
    tx.commit().await?;
    engine.announce(payload.generation_id).await;
    Ok(())
}
