//! The clip stage: submit once, park, look or be told, fetch the result at once.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use domain::{
    CallState, FailureCode, GenerationState, Stage,
    generation::{EventKind, Frame, mark},
};
use jobs::{Attempt, Failure, Handler, Job, Outcome};
use media::ClipInfo;
use providers::{ClipMaker, ClipRequest, FileAnswer, Picture, prompts};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Ending, Stop, begin, doubt, end_without_video, ending, generation_of, kind, next_job, no_maker, park, prompt_of,
    queued::{Look, Queued, Withdrawal},
    route, stored_failure, tags,
    workplace::Workplace,
};
use crate::{
    Engine, assets,
    calls::{self, Slot},
    generations::{
        self,
        store::{self, Event, Generation},
    },
    webhooks,
};

/// Largest still that is sent to a model, in bytes.
const STILL_MAX_BYTES: u64 = 40_000_000;

pub(super) struct Clip {
    pub(super) engine: Engine,
    pub(super) tools: Arc<media::Tools>,
}

#[async_trait]
impl Handler for Clip {
    async fn run(&self, attempt: &Attempt) -> Result<Outcome, Failure> {
        match self.make(attempt).await {
            Ok(outcome) => Ok(outcome),
            Err(stop) => route::switch_or_report(&self.engine, attempt, Stage::Clip, stop).await,
        }
    }

    async fn give_up(&self, tx: &mut PgConnection, job: &Job, failure: &Failure) -> Result<Vec<Uuid>, jobs::Error> {
        ending::give_up(&self.engine, tx, job, failure).await
    }
}

impl Clip {
    async fn make(&self, attempt: &Attempt) -> Result<Outcome, Stop> {
        let generation = generation_of(&self.engine, attempt).await?;
        let mut tx = self.engine.pg().begin().await?;
        begin(&mut tx, attempt, &generation, Stage::Clip).await?;
        // A retry that took the stills over begins here.
        if generation.state == GenerationState::Queued {
            generations::advance(&mut tx, generation.id, GenerationState::GeneratingVideo, mark::STILLS).await?;
        }
        let call = calls::store::latest(&mut tx, generation.id, Slot::Clip)
            .await?
            .ok_or_else(|| Failure::permanent(FailureCode::Internal.as_str(), "the call was never planned"))?;
        tx.commit().await?;
        let maker = self.engine.makers().clip(&call.model).map_err(no_maker)?;
        let queued = Queued {
            engine: &self.engine,
            attempt,
            generation: &generation,
            slot: Slot::Clip,
            call: &call,
            requests: maker.as_ref(),
        };
        let look = match call.state {
            CallState::Planned if generation.cancel_requested || attempt.cancel.is_cancelled() => {
                return Err(Failure::cancelled().into());
            }
            CallState::Planned => self.submit(&queued, maker.as_ref()).await?,
            CallState::Intent | CallState::InDoubt => queued.look_up().await?,
            CallState::Submitted if generation.cancel_requested => return self.withdraw(&queued).await,
            CallState::Submitted => queued.look().await?,
            CallState::Failed => return Err(stored_failure(&call).into()),
            CallState::Done | CallState::Void => {
                return Err(Failure::permanent(FailureCode::Internal.as_str(), "the call has ended").into());
            }
        };
        match look {
            Look::Waiting => park(&self.engine, attempt, &generation).await,
            Look::Finished(answer) => self.finished(&queued, &answer).await,
        }
    }

    async fn submit(&self, queued: &Queued<'_>, maker: &dyn ClipMaker) -> Result<Look, Stop> {
        let request = self.request(queued).await?;
        let (generation, call) = (queued.generation, queued.call);
        let mut tx = self.engine.pg().begin().await?;
        queued.attempt.lease.guard(&mut tx).await?;
        if !calls::store::intend(&mut tx, call.id).await? {
            // A person stopped it, or a webhook was faster: the next run sees which.
            return Ok(Look::Waiting);
        }
        tx.commit().await?;
        tracing::info!(
            generation.id = %generation.id, call.id = %call.id, model = %call.model,
            "asking {} for the clip of generation {}", call.model, generation.id
        );
        queued.answered(maker.submit(&request).await).await
    }

    async fn request(&self, queued: &Queued<'_>) -> Result<ClipRequest, Stop> {
        let generation = queued.generation;
        let end = match generation.options.recipe.frames().contains(&Frame::End) {
            true => Some(self.still(generation, Frame::End).await?),
            false => None,
        };
        Ok(ClipRequest {
            start: self.still(generation, Frame::Start).await?,
            end,
            prompt: prompt_of(generation, prompts::Part::Clip),
            duration: generation.options.duration,
            resolution: generation.options.resolution,
            fps: None,
            motion: None,
            webhook_url: webhooks::callback_url(self.engine.settings(), queued.call),
            tags: tags(generation, queued.call),
        })
    }

    async fn still(&self, generation: &Generation, frame: Frame) -> Result<Picture, Stop> {
        let gone = || Failure::permanent(FailureCode::ResultMissing.as_str(), "a still is gone");
        let mut conn = self.engine.pg().acquire().await?;
        let still = assets::store::still(&mut conn, generation.id, frame).await?.ok_or_else(gone)?;
        drop(conn);
        let key = storage::Key::parse(&still.key).map_err(|_| gone())?;
        let bytes = self.engine.store().get_bytes(&key, STILL_MAX_BYTES).await?;
        Ok(Picture { bytes: bytes.to_vec(), content_type: still.content_type })
    }

    /// The clip is made and paid: its bytes are copied before the provider deletes them.
    async fn finished(&self, queued: &Queued<'_>, answer: &FileAnswer) -> Result<Outcome, Stop> {
        let folder = Workplace::open(&self.engine.settings().work_dir, "clip-")?;
        let path = folder.path().join("original.mp4");
        let rules = self.engine.makers().clip_files(queued.call.model.provider).map_err(no_maker)?;
        queued.fetch(answer, rules, &path).await?;
        match media::probe(&self.tools, &path).await {
            Ok(info) => self.keep(queued, answer, &path, info).await,
            Err(error) if error.is_retryable() => {
                Err(Failure::transient(FailureCode::EncodeFailed.as_str(), error.to_string()).into())
            }
            Err(error) => Err(queued.useless(FailureCode::ClipCorrupt, &error.to_string(), answer).await?),
        }
    }

    async fn keep(
        &self,
        queued: &Queued<'_>,
        answer: &FileAnswer,
        path: &Path,
        info: ClipInfo,
    ) -> Result<Outcome, Stop> {
        let (attempt, generation) = (queued.attempt, queued.generation);
        let key = storage::Key::original(generation.video_id);
        let original = self.engine.store().put_file(&key, path, "video/mp4").await?;
        let job = next_job(&self.engine, attempt, kind::ENCODE, kind::LOCAL_GROUP);
        let id = generation.id;
        let mut tx = self.engine.pg().begin().await?;
        attempt.lease.succeed(&mut tx).await?;
        queued.settle(&mut tx, answer).await?;
        doubt::assume(&mut tx, id, Slot::Clip, Some(answer.cost), self.engine.today()).await?;
        let next = jobs::enqueue(&mut tx, &job).await?;
        assets::store::insert_original(&mut tx, generation.video_id, &original, info).await?;
        store::finish_stage(&mut tx, id, Stage::Clip).await?;
        store::set_job(&mut tx, id, next).await?;
        generations::advance(&mut tx, id, GenerationState::Encoding, mark::CLIP).await?;
        store::record(&mut tx, id, &Event { stage: Some(Stage::Clip), ..Event::of(EventKind::StageDone) }).await?;
        tx.commit().await?;
        self.engine.announce(id).await;
        Ok(Outcome::Committed { dispatch: vec![next] })
    }

    /// A person wants it to end while the provider works. A clip that was finished all the same is shown as paid, and kept
    /// for a retry.
    async fn withdraw(&self, queued: &Queued<'_>) -> Result<Outcome, Stop> {
        let id = queued.generation.id;
        let finished = match queued.withdraw().await? {
            Withdrawal::Waiting => return park(&self.engine, queued.attempt, queued.generation).await,
            Withdrawal::Over => None,
            Withdrawal::Finished(answer) => Some(answer),
        };
        if let Some(answer) = &finished {
            self.keep_for_retry(queued, answer).await;
        }
        let mut tx = self.engine.pg().begin().await?;
        queued.attempt.lease.guard(&mut tx).await?;
        if let Some(answer) = &finished {
            queued.settle(&mut tx, answer).await?;
        }
        end_without_video(&self.engine, &mut tx, id, &Ending::cancelled()).await?;
        queued.attempt.lease.succeed(&mut tx).await?;
        tx.commit().await?;
        self.engine.announce(id).await;
        Ok(Outcome::Committed { dispatch: Vec::new() })
    }

    /// A clip that was finished although nobody wants it any more is paid: a retry need not buy it again. Where its bytes
    /// cannot be had the retry will.
    async fn keep_for_retry(&self, queued: &Queued<'_>, answer: &FileAnswer) {
        let keep = async {
            let folder = Workplace::open(&self.engine.settings().work_dir, "clip-")?;
            let path = folder.path().join("original.mp4");
            let rules = self.engine.makers().clip_files(queued.call.model.provider).map_err(no_maker)?;
            let fetched = providers::fetch_result(&answer.url, rules, &path).await;
            fetched.map_err(|error| super::provider_failure(&error))?;
            let probed = media::probe(&self.tools, &path).await;
            let info =
                probed.map_err(|error| Failure::permanent(FailureCode::ClipCorrupt.as_str(), error.to_string()))?;
            let key = storage::Key::original(queued.generation.video_id);
            let original = self.engine.store().put_file(&key, &path, "video/mp4").await?;
            let mut conn = self.engine.pg().acquire().await?;
            let video = queued.generation.video_id;
            Ok::<_, Stop>(assets::store::insert_original(&mut conn, video, &original, info).await?)
        };
        if let Err(stop) = keep.await {
            let call = queued.call.id;
            tracing::warn!(call.id = %call, ?stop, "the clip of call {call} could not be kept");
        }
    }
}
