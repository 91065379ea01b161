//! The stills stage: two wearing stills, each one paid call, made side by side.

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    CallState, FailureCode, GenerationState, Stage, StillId,
    generation::{EventKind, mark},
};
use jobs::{Attempt, Failure, Handler, Job, Outcome};
use providers::{
    Aspect, Certainty, Making, Picture, ProviderError, StillRequest, StillSize,
    prompts::{self, Part, PromptFields},
};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    JobPayload, PROMPT_VERSION, Stop, begin, doubt, ending, generation_of, kind, provider_failure, report,
    spool::{Paid, Spool},
    stored_failure,
};
use crate::{
    Engine, assets,
    calls::{self, Call, Slot},
    generations::store::{self, Event, Generation},
    ledger::{self, Certainty as Amount},
};

/// A paid picture is offered to the object store this often before the job is put back; it stays on disk until then.
const STORE_TRIES: u32 = 4;
/// Stills are stored as JPEG whatever the model made.
const STILL_TYPE: &str = "image/jpeg";
/// A call is looked at this often in one run: made, in doubt, made again.
const CALL_STEPS: u32 = 4;

pub(super) struct Stills {
    pub(super) engine: Engine,
}

#[async_trait]
impl Handler for Stills {
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

impl Stills {
    async fn make(&self, attempt: &Attempt) -> Result<Outcome, Stop> {
        let generation = generation_of(&self.engine, attempt).await?;
        let mut tx = self.engine.pg().begin().await?;
        begin(&mut tx, attempt, &generation, Stage::Stills).await?;
        store::advance(&mut tx, generation.id, GenerationState::GeneratingImages, 0).await?;
        tx.commit().await?;
        self.engine.announce(generation.id).await;
        let photo = self.photo(&generation).await?;
        // Both run to their end even when one fails: what is paid must be kept.
        let (start, end) = tokio::join!(
            self.slot(attempt, &generation, Slot::StillStart, &photo),
            self.slot(attempt, &generation, Slot::StillEnd, &photo),
        );
        if let Some(stopped) = [start, end].into_iter().filter_map(Result::err).max_by_key(finality) {
            return Err(stopped);
        }
        self.hand_over(attempt, &generation).await
    }

    async fn photo(&self, generation: &Generation) -> Result<bytes::Bytes, Stop> {
        const PHOTO_MAX_BYTES: u64 = 20_000_000;
        let key = storage::Key::parse(&generation.photo_key)
            .map_err(|error| Failure::permanent(FailureCode::ProductGone.as_str(), error.to_string()))?;
        match self.engine.store().get_bytes(&key, PHOTO_MAX_BYTES).await {
            Ok(bytes) => Ok(bytes),
            Err(storage::Error::NotFound { .. }) => {
                Err(Failure::permanent(FailureCode::ProductGone.as_str(), "the product photo is gone").into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Brings one slot to a stored still, from wherever an earlier run left it.
    async fn slot(
        &self,
        attempt: &Attempt,
        generation: &Generation,
        slot: Slot,
        photo: &bytes::Bytes,
    ) -> Result<(), Stop> {
        for _ in 0..CALL_STEPS {
            let mut conn = self.engine.pg().acquire().await?;
            let call = calls::store::latest(&mut conn, generation.id, slot)
                .await?
                .ok_or_else(|| Failure::permanent(FailureCode::Internal.as_str(), "the call was never planned"))?;
            drop(conn);
            match call.state {
                CallState::Done => return Ok(()),
                CallState::Planned => {
                    if attempt.cancel.is_cancelled() {
                        return Err(Failure::cancelled().into());
                    }
                    self.ask(attempt, generation, slot, &call, photo).await?;
                }
                CallState::Intent => match self.spool().find(call.id).await? {
                    Some((image, paid)) => self.keep(attempt, generation, slot, &call, image, paid).await?,
                    None => {
                        self.doubt(attempt, generation, slot, &call, "its worker was lost before the answer").await?
                    }
                },
                CallState::InDoubt => self.repeat(attempt, generation, slot, &call).await?,
                CallState::Failed => return Err(stored_failure(&call).into()),
                CallState::Submitted | CallState::Void => {
                    return Err(Failure::permanent(FailureCode::Internal.as_str(), "the call has ended").into());
                }
            }
        }
        Err(Failure::permanent(FailureCode::CallInDoubt.as_str(), "no answer came to a paid request").into())
    }

    /// Writes the intent, asks the provider, keeps what it answers.
    async fn ask(
        &self,
        attempt: &Attempt,
        generation: &Generation,
        slot: Slot,
        call: &Call,
        photo: &bytes::Bytes,
    ) -> Result<(), Stop> {
        let mut tx = self.engine.pg().begin().await?;
        attempt.lease.guard(&mut tx).await?;
        if !calls::store::intend(&mut tx, call.id).await? {
            return Err(Failure::cancelled().into());
        }
        tx.commit().await?;
        let request = StillRequest {
            photos: vec![Picture { bytes: photo.to_vec(), content_type: generation.photo_content_type.clone() }],
            person: None,
            prompt: prompt(generation, slot),
            aspect: Aspect::Portrait3x4,
            size: StillSize::K1,
            model_type: generation.options.model_type,
            category: None,
            webhook_url: None,
            tags: Vec::new(),
        };
        tracing::info!(
            generation.id = %generation.id, call.id = %call.id, model = %call.model,
            "asking {} for {} of generation {}", call.model, slot.as_str(), generation.id
        );
        match self.engine.still_maker().make_still(&request).await {
            Ok(Making::Made(answer)) => {
                let paid = Paid { cost: answer.cost, request_id: answer.request_id };
                self.spool().keep(call.id, &answer.image, &paid).await?;
                self.keep(attempt, generation, slot, call, answer.image, paid).await
            }
            Ok(Making::Accepted(submitted)) => {
                let detail = format!("request {} waits in a queue nobody looks at", submitted.request_id);
                self.doubt(attempt, generation, slot, call, &detail).await
            }
            Err(error) => self.refused(attempt, generation, slot, call, &error).await,
        }
    }

    /// Stores a paid picture and closes its call.
    async fn keep(
        &self,
        attempt: &Attempt,
        generation: &Generation,
        slot: Slot,
        call: &Call,
        image: Vec<u8>,
        paid: Paid,
    ) -> Result<(), Stop> {
        let still = match media::normalise_still(image).await {
            Ok(still) => still,
            Err(error) => {
                let error = ProviderError::new(
                    FailureCode::ProviderGarbage,
                    Certainty::Ended,
                    providers::Retry::Never,
                    error.to_string(),
                )
                .charging(Some(paid.cost))
                .about(paid.request_id);
                let refused = self.refused(attempt, generation, slot, call, &error).await;
                self.spool().forget(call.id).await;
                return refused;
            }
        };
        let id = StillId::from_uuid(Uuid::now_v7());
        let key = storage::Key::still(generation.product_id, id, storage::Extension::Jpg);
        let stored = self.put(&key, bytes::Bytes::from(still.bytes), STILL_TYPE).await?;
        let row = assets::NewStill {
            id,
            generation_id: generation.id,
            frame: slot.frame().unwrap_or(domain::generation::Frame::Start),
            call_id: call.id,
            key: key.as_str(),
            content_type: STILL_TYPE,
            width: still.width,
            height: still.height,
            bytes: stored.bytes,
            sha256: &stored.sha256,
        };
        self.write_down(attempt, slot, &row, &paid).await?;
        self.spool().forget(call.id).await;
        self.engine.announce(generation.id).await;
        Ok(())
    }

    /// The stored picture, its call, the money and the news of it, together.
    async fn write_down(
        &self,
        attempt: &Attempt,
        slot: Slot,
        still: &assets::NewStill<'_>,
        paid: &Paid,
    ) -> Result<(), Stop> {
        let (id, today) = (still.generation_id, self.engine.today());
        let mut tx = self.engine.pg().begin().await?;
        attempt.lease.guard(&mut tx).await?;
        assets::store::insert_still(&mut tx, still).await?;
        calls::store::finish(&mut tx, still.call_id, paid.request_id.as_deref(), paid.cost).await?;
        ledger::settle(&mut tx, still.call_id, paid.cost, Amount::Known, today).await?;
        doubt::assume(&mut tx, id, slot, paid.cost, today).await?;
        store::set_progress(&mut tx, id, mark::STILLS / 2, None).await?;
        let event = Event {
            stage: Some(Stage::Stills),
            amount: Some(paid.cost),
            detail: paid.request_id.as_deref(),
            ..Event::of(EventKind::CallDone)
        };
        store::record(&mut tx, id, &event).await?;
        attempt.lease.checkpoint(&mut tx, slot.as_str(), mark::STILLS / 2).await?;
        Ok(tx.commit().await?)
    }

    async fn put(
        &self,
        key: &storage::Key,
        bytes: bytes::Bytes,
        content_type: &str,
    ) -> Result<storage::StoredObject, Stop> {
        let mut tries = 1;
        loop {
            match self.engine.store().put_bytes(key, bytes.clone(), content_type).await {
                Err(error) if error.is_retryable() && tries < STORE_TRIES => {
                    tracing::warn!(%error, key = key.as_str(), "object {} could not be stored, again soon", key.as_str());
                    tokio::time::sleep(Duration::from_secs(u64::from(tries))).await;
                    tries += 1;
                }
                done => return Ok(done?),
            }
        }
    }

    /// Writes down what an unsuccessful answer means for the call.
    async fn refused(
        &self,
        attempt: &Attempt,
        generation: &Generation,
        slot: Slot,
        call: &Call,
        error: &ProviderError,
    ) -> Result<(), Stop> {
        if error.is_in_doubt() {
            return self.doubt(attempt, generation, slot, call, &error.detail).await;
        }
        let mut tx = self.engine.pg().begin().await?;
        attempt.lease.guard(&mut tx).await?;
        let charged = error.charged.filter(|amount| amount.micros() > 0);
        let nothing_started = matches!(error.certainty, Certainty::NotSent | Certainty::Refused | Certainty::Unchanged);
        if nothing_started && charged.is_none() && error.is_retryable() {
            calls::store::plan_again(&mut tx, call.id).await?;
        } else {
            let today = self.engine.today();
            calls::store::fail(&mut tx, call.id, error, charged).await?;
            match charged {
                Some(amount) => {
                    ledger::settle(&mut tx, call.id, amount, Amount::Known, today).await?;
                    doubt::assume(&mut tx, generation.id, slot, amount, today).await?;
                }
                None => ledger::void(&mut tx, call.id, today).await?,
            }
            if error.is_retryable() {
                doubt::plan_next(&mut tx, generation, slot, call).await?;
            }
        }
        let event = Event {
            stage: Some(slot.stage()),
            failure: Some(error.code),
            amount: charged,
            detail: Some(&error.detail),
            ..Event::of(EventKind::CallFailed)
        };
        store::record(&mut tx, generation.id, &event).await?;
        tx.commit().await?;
        Err(provider_failure(error).into())
    }

    async fn doubt(
        &self,
        attempt: &Attempt,
        generation: &Generation,
        slot: Slot,
        call: &Call,
        detail: &str,
    ) -> Result<(), Stop> {
        let mut tx = self.engine.pg().begin().await?;
        attempt.lease.guard(&mut tx).await?;
        doubt::mark(&mut tx, generation, slot, call, detail).await?;
        tx.commit().await?;
        self.engine.announce(generation.id).await;
        Ok(())
    }

    async fn repeat(&self, attempt: &Attempt, generation: &Generation, slot: Slot, call: &Call) -> Result<(), Stop> {
        let mut tx = self.engine.pg().begin().await?;
        attempt.lease.guard(&mut tx).await?;
        doubt::repeat(&self.engine, &mut tx, generation, slot, call).await?;
        tx.commit().await?;
        self.engine.announce(generation.id).await;
        Ok(())
    }

    /// Both stills are there: the clip's job takes over in the same transaction.
    async fn hand_over(&self, attempt: &Attempt, generation: &Generation) -> Result<Outcome, Stop> {
        let payload = json!(JobPayload { generation_id: generation.id });
        let group = self.engine.clip_maker().model().to_string();
        let mut job = jobs::NewJob::after(&attempt.job, kind::CLIP, group, payload);
        job.max_attempts = self.engine.settings().max_attempts;
        job.run_timeout = self.engine.settings().job_timeout;
        let mut tx = self.engine.pg().begin().await?;
        attempt.lease.succeed(&mut tx).await?;
        let next = jobs::enqueue(&mut tx, &job).await?;
        store::finish_stage(&mut tx, generation.id, Stage::Stills).await?;
        store::set_job(&mut tx, generation.id, next).await?;
        store::advance(&mut tx, generation.id, GenerationState::GeneratingVideo, mark::STILLS).await?;
        let event = Event { stage: Some(Stage::Stills), ..Event::of(EventKind::StageDone) };
        store::record(&mut tx, generation.id, &event).await?;
        tx.commit().await?;
        self.engine.announce(generation.id).await;
        Ok(Outcome::Committed { dispatch: vec![next] })
    }

    fn spool(&self) -> Spool {
        Spool::new(&self.engine.settings().work_dir)
    }
}

/// A still that can never be made decides before one that may work next time.
fn finality(stop: &Stop) -> u8 {
    match stop {
        Stop::Failure(failure) if failure.class == jobs::FailureClass::Permanent => 1,
        Stop::Failure(_) => 0,
        Stop::LeaseLost => 2,
    }
}

fn prompt(generation: &Generation, slot: Slot) -> String {
    let part = match slot {
        Slot::StillStart => Part::Start,
        Slot::StillEnd => Part::End,
        Slot::Clip => Part::Clip,
    };
    prompts::render(PROMPT_VERSION, part, &prompt_fields(generation))
}

/// What prompts say of a generation's product.
pub(super) fn prompt_fields(generation: &Generation) -> PromptFields {
    PromptFields {
        name: generation.product_name.en.clone(),
        category: generation.category.clone(),
        colour: None,
        model_type: generation.options.model_type,
    }
}
