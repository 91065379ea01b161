//! The clip stage: submit once, park, look or be told, fetch the result at once.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use domain::{
    CallState, FailureCode, GenerationState, Stage,
    generation::{EventKind, Frame, mark},
};
use jobs::{Attempt, Failure, Handler, Job, Outcome};
use providers::{
    Certainty, ClipOrder, ClipRequest, FileAnswer, Order, Picture, ProviderError, RequestStatus, Submitted,
    prompts::{self, Part},
};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    JobPayload, PROMPT_VERSION, Stop, begin, doubt, ending, generation_of, kind, provider_failure, report,
    stills::prompt_fields, stored_failure, workplace::Workplace,
};
use crate::{
    Engine, assets,
    calls::{self, Call, Slot, store::Addresses},
    generations::store::{self, Event, Generation},
    ledger::{self, Certainty as Amount},
    webhooks,
};

pub(super) struct Clip {
    pub(super) engine: Engine,
    pub(super) tools: Arc<media::Tools>,
}

#[async_trait]
impl Handler for Clip {
    async fn run(&self, attempt: &Attempt) -> Result<Outcome, Failure> {
        match self.make(attempt).await {
            Ok(outcome) => Ok(outcome),
            Err(stop) => Err(report(&self.engine, attempt, stop).await),
        }
    }

    async fn give_up(&self, tx: &mut PgConnection, job: &Job, failure: &Failure) -> Result<Vec<Uuid>, jobs::Error> {
        ending::give_up(&self.engine, tx, job, failure).await
    }
}

/// One run of the stage: the same three things everywhere.
pub(super) struct Run<'a> {
    pub(super) attempt: &'a Attempt,
    pub(super) generation: &'a Generation,
    pub(super) call: &'a Call,
}

impl Clip {
    async fn make(&self, attempt: &Attempt) -> Result<Outcome, Stop> {
        let generation = generation_of(&self.engine, attempt).await?;
        let mut tx = self.engine.pg().begin().await?;
        begin(&mut tx, attempt, &generation, Stage::Clip).await?;
        // A retry that took the stills over begins here.
        if generation.state == GenerationState::Queued {
            store::advance(&mut tx, generation.id, GenerationState::GeneratingVideo, mark::STILLS).await?;
        }
        let call = calls::store::latest(&mut tx, generation.id, Slot::Clip)
            .await?
            .ok_or_else(|| Failure::permanent(FailureCode::Internal.as_str(), "the call was never planned"))?;
        tx.commit().await?;
        let run = Run { attempt, generation: &generation, call: &call };
        match call.state {
            CallState::Planned if generation.cancel_requested || attempt.cancel.is_cancelled() => {
                Err(Failure::cancelled().into())
            }
            CallState::Planned => self.submit(&run).await,
            CallState::Intent | CallState::InDoubt => self.look_up(&run).await,
            CallState::Submitted if generation.cancel_requested => self.cancel(&run).await,
            CallState::Submitted => self.check(&run).await,
            CallState::Failed => Err(stored_failure(&call).into()),
            CallState::Done | CallState::Void => {
                Err(Failure::permanent(FailureCode::Internal.as_str(), "the call has ended").into())
            }
        }
    }

    async fn submit(&self, run: &Run<'_>) -> Result<Outcome, Stop> {
        let request = self.request(run).await?;
        let mut tx = self.engine.pg().begin().await?;
        run.attempt.lease.guard(&mut tx).await?;
        if !calls::store::intend(&mut tx, run.call.id).await? {
            return self.park(run, tx).await;
        }
        tx.commit().await?;
        tracing::info!(
            generation.id = %run.generation.id, call.id = %run.call.id, model = %run.call.model,
            "asking {} for the clip of generation {}", run.call.model, run.generation.id
        );
        match self.engine.clip_maker().submit(&request).await {
            Ok(submitted) => self.submitted(run, &submitted).await,
            Err(error) => self.not_submitted(run, &error).await,
        }
    }

    async fn request(&self, run: &Run<'_>) -> Result<ClipRequest, Stop> {
        Ok(ClipRequest {
            start: self.still(run, Frame::Start).await?,
            end: Some(self.still(run, Frame::End).await?),
            prompt: prompts::render(PROMPT_VERSION, Part::Clip, &prompt_fields(run.generation)),
            duration: run.generation.options.duration,
            resolution: run.generation.options.resolution,
            fps: None,
            motion: None,
            webhook_url: webhooks::callback_url(self.engine.settings(), run.call.id),
            tags: Vec::new(),
        })
    }

    async fn still(&self, run: &Run<'_>, frame: Frame) -> Result<Picture, Stop> {
        const STILL_MAX_BYTES: u64 = 40_000_000;
        let gone = || Failure::permanent(FailureCode::ResultMissing.as_str(), "a still is gone");
        let mut conn = self.engine.pg().acquire().await?;
        let still = assets::store::still(&mut conn, run.generation.id, frame).await?.ok_or_else(gone)?;
        drop(conn);
        let key = storage::Key::parse(&still.key).map_err(|_| gone())?;
        let bytes = self.engine.store().get_bytes(&key, STILL_MAX_BYTES).await?;
        Ok(Picture { bytes: bytes.to_vec(), content_type: still.content_type })
    }

    /// The provider took it: from here on only looking, never another submit.
    pub(super) async fn submitted(&self, run: &Run<'_>, submitted: &Submitted) -> Result<Outcome, Stop> {
        let mut tx = self.engine.pg().begin().await?;
        run.attempt.lease.guard(&mut tx).await?;
        let addresses = Addresses {
            status: Some(submitted.status_url.as_str()),
            response: Some(submitted.response_url.as_str()),
            cancel: Some(submitted.cancel_url.as_str()),
        };
        // False when a webhook was faster than this answer: its own, or one of an earlier submit that was thought lost.
        let named = calls::store::submit(&mut tx, run.call.id, &submitted.request_id, addresses).await?;
        let known = calls::store::by_id(&mut tx, run.call.id).await?.and_then(|call| call.request_id);
        if named {
            let event = Event {
                stage: Some(Stage::Clip),
                amount: Some(run.call.estimate),
                detail: Some(&submitted.request_id),
                ..Event::of(EventKind::CallSubmitted)
            };
            store::record(&mut tx, run.generation.id, &event).await?;
        }
        run.attempt.lease.checkpoint(&mut tx, "submitted", mark::STILLS).await?;
        let outcome = self.park(run, tx).await?;
        if known.is_some_and(|id| id != submitted.request_id) {
            self.call_off(run, submitted).await;
        }
        Ok(outcome)
    }

    /// Two requests were made for one call, and the first is kept: the second is ended while it may still be free.
    async fn call_off(&self, run: &Run<'_>, second: &Submitted) {
        let answer = self.engine.clip_maker().cancel(second).await;
        tracing::error!(
            call.id = %run.call.id, provider.request_id = %second.request_id, ?answer,
            "request {} of call {} is one too many and was called off; compare with the bill", second.request_id, run.call.id
        );
    }

    async fn not_submitted(&self, run: &Run<'_>, error: &ProviderError) -> Result<Outcome, Stop> {
        let mut tx = self.engine.pg().begin().await?;
        run.attempt.lease.guard(&mut tx).await?;
        if error.is_in_doubt() {
            doubt::mark(&mut tx, run.generation, Slot::Clip, run.call, &error.detail).await?;
            return self.park(run, tx).await;
        }
        if error.is_retryable() {
            calls::store::plan_again(&mut tx, run.call.id).await?;
        } else {
            self.close_failed(&mut tx, run, error).await?;
        }
        tx.commit().await?;
        Err(provider_failure(error).into())
    }

    async fn check(&self, run: &Run<'_>) -> Result<Outcome, Stop> {
        match self.engine.clip_maker().check(&self.address(run)?, &order(run.generation)).await {
            Ok(RequestStatus::Finished(answer)) => self.finished(run, &answer).await,
            Ok(RequestStatus::Queued { .. } | RequestStatus::Running) => self.still_waiting(run).await,
            Err(error) if error.certainty == Certainty::Ended => self.ended(run, &error).await,
            Err(error) => {
                tracing::warn!(call.id = %run.call.id, %error, "call {} could not be looked at", run.call.id);
                self.still_waiting(run).await
            }
        }
    }

    async fn still_waiting(&self, run: &Run<'_>) -> Result<Outcome, Stop> {
        let since = run.call.submitted_at.unwrap_or_else(Utc::now);
        if self.is_late(since) {
            let address = self.address(run)?;
            if let Err(error) = self.engine.clip_maker().cancel(&address).await {
                tracing::warn!(call.id = %run.call.id, %error, "late call {} could not be cancelled", run.call.id);
            }
            // A request that was still queued is free once it is cancelled; only the provider can say so.
            if let Err(error) = self.engine.clip_maker().check(&address, &order(run.generation)).await
                && error.certainty == Certainty::Ended
            {
                let error = ProviderError { code: FailureCode::ProviderTimeout, ..error };
                let mut tx = self.engine.pg().begin().await?;
                run.attempt.lease.guard(&mut tx).await?;
                self.close_failed(&mut tx, run, &error).await?;
                tx.commit().await?;
            }
            let detail = "the provider did not finish in time";
            return Err(Failure::permanent(FailureCode::ProviderTimeout.as_str(), detail).into());
        }
        self.park(run, self.engine.pg().begin().await?).await
    }

    pub(super) fn is_late(&self, since: chrono::DateTime<Utc>) -> bool {
        TimeDelta::from_std(self.engine.settings().poll_timeout).is_ok_and(|most| Utc::now() - since > most)
    }

    /// The provider ended the request without a result. A free failure that may pass is tried again as a new call.
    async fn ended(&self, run: &Run<'_>, error: &ProviderError) -> Result<Outcome, Stop> {
        let mut tx = self.engine.pg().begin().await?;
        run.attempt.lease.guard(&mut tx).await?;
        self.close_failed(&mut tx, run, error).await?;
        if error.charged.is_some_and(|amount| amount.micros() > 0) {
            tx.commit().await?;
            return Err(Failure::permanent(error.code.as_str(), error.detail.clone()).into());
        }
        if error.is_retryable() {
            doubt::plan_next(&mut tx, run.generation, Slot::Clip, run.call).await?;
        }
        tx.commit().await?;
        Err(provider_failure(error).into())
    }

    pub(super) async fn close_failed(
        &self,
        tx: &mut PgConnection,
        run: &Run<'_>,
        error: &ProviderError,
    ) -> Result<(), Stop> {
        let today = self.engine.today();
        // Taken, over, and not a word about money: what it was bought for is the best there is to say.
        let assumed = (error.certainty == Certainty::Ended && error.charged.is_none()).then_some(run.call.estimate);
        let cost = error.charged.or(assumed);
        calls::store::fail(tx, run.call.id, error, cost).await?;
        let certainty = if assumed.is_some() { Amount::Assumed } else { Amount::Known };
        match cost {
            Some(amount) => ledger::settle(tx, run.call.id, amount, certainty, today).await?,
            None => ledger::void(tx, run.call.id, today).await?,
        }
        let event = Event {
            stage: Some(Stage::Clip),
            failure: Some(error.code),
            amount: cost,
            detail: Some(&error.detail),
            ..Event::of(EventKind::CallFailed)
        };
        Ok(store::record(tx, run.generation.id, &event).await?)
    }

    /// The clip is made and paid: its bytes are copied before the provider deletes them.
    async fn finished(&self, run: &Run<'_>, answer: &FileAnswer) -> Result<Outcome, Stop> {
        let folder = Workplace::open(&self.engine.settings().work_dir, "clip-")?;
        let path = folder.path().join("original.mp4");
        if let Err(error) = providers::fetch_result(&answer.url, self.engine.fetch_rules(), &path).await {
            if error.is_retryable() {
                return Err(provider_failure(&error).into());
            }
            let error = ProviderError { certainty: Certainty::Ended, ..error }.charging(Some(answer.cost));
            return self.ended(run, &error).await;
        }
        if let Err(error) = media::probe(&self.tools, &path).await {
            if error.is_retryable() {
                return Err(Failure::transient(FailureCode::EncodeFailed.as_str(), error.to_string()).into());
            }
            let error = ProviderError::new(
                FailureCode::ClipCorrupt,
                Certainty::Ended,
                providers::Retry::Never,
                error.to_string(),
            )
            .charging(Some(answer.cost));
            return self.ended(run, &error).await;
        }
        self.keep(run, answer, &path).await
    }

    async fn keep(&self, run: &Run<'_>, answer: &FileAnswer, path: &Path) -> Result<Outcome, Stop> {
        let key = storage::Key::original(run.generation.video_id);
        self.engine.store().put_file(&key, path, "video/mp4").await?;
        let payload = json!(JobPayload { generation_id: run.generation.id });
        let mut job = jobs::NewJob::after(&run.attempt.job, kind::ENCODE, kind::LOCAL_GROUP, payload);
        job.max_attempts = self.engine.settings().max_attempts;
        job.run_timeout = self.engine.settings().job_timeout;
        let id = run.generation.id;
        let mut tx = self.engine.pg().begin().await?;
        run.attempt.lease.succeed(&mut tx).await?;
        let today = self.engine.today();
        calls::store::finish(&mut tx, run.call.id, None, answer.cost).await?;
        ledger::settle(&mut tx, run.call.id, answer.cost, Amount::Known, today).await?;
        doubt::assume(&mut tx, id, Slot::Clip, answer.cost, today).await?;
        let request_id = run.call.request_id.as_deref();
        let done = Event {
            stage: Some(Stage::Clip),
            amount: Some(answer.cost),
            detail: request_id,
            ..Event::of(EventKind::CallDone)
        };
        store::record(&mut tx, id, &done).await?;
        let next = jobs::enqueue(&mut tx, &job).await?;
        store::finish_stage(&mut tx, id, Stage::Clip).await?;
        store::set_job(&mut tx, id, next).await?;
        store::advance(&mut tx, id, GenerationState::Encoding, mark::CLIP).await?;
        store::record(&mut tx, id, &Event { stage: Some(Stage::Clip), ..Event::of(EventKind::StageDone) }).await?;
        tx.commit().await?;
        self.engine.announce(id).await;
        Ok(Outcome::Committed { dispatch: vec![next] })
    }

    /// Waits without holding a slot until the next look, or until a webhook wakes the job.
    pub(super) async fn park(
        &self,
        run: &Run<'_>,
        mut tx: sqlx::Transaction<'static, sqlx::Postgres>,
    ) -> Result<Outcome, Stop> {
        let interval = TimeDelta::from_std(self.engine.settings().poll_interval).unwrap_or(TimeDelta::MAX);
        run.attempt.lease.park(&mut tx, Utc::now() + interval).await?;
        tx.commit().await?;
        self.engine.announce(run.generation.id).await;
        Ok(Outcome::Committed { dispatch: Vec::new() })
    }

    pub(super) fn address(&self, run: &Run<'_>) -> Result<Submitted, Stop> {
        let id = run.call.request_id.as_deref().unwrap_or_default();
        let located = self.engine.clip_maker().locate(id).map_err(|error| provider_failure(&error))?;
        let stored = |url: &Option<String>, otherwise: url::Url| {
            url.as_deref().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
        };
        Ok(Submitted {
            request_id: located.request_id,
            status_url: stored(&run.call.status_url, located.status_url),
            response_url: stored(&run.call.response_url, located.response_url),
            cancel_url: stored(&run.call.cancel_url, located.cancel_url),
        })
    }
}

pub(super) fn order(generation: &Generation) -> Order {
    let (duration, resolution) = (generation.options.duration, generation.options.resolution);
    ClipOrder { duration, resolution, fps: None }.into()
}
