//! The encode and publish stages: renditions and poster from the stored original, then storage and the product's
//! pointer in one transaction.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    FailureCode, GenerationState, Stage,
    generation::{EventKind, mark},
};
use jobs::{Attempt, Failure, Handler, Job, Outcome};
use media::{EncodePlan, EncodeResult, ShorterClip};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Stop, begin, disk_failure, ending, generation_of, report, workplace::Workplace};
use crate::{
    Engine, assets,
    generations::store::{self, Event, Generation},
    notices,
};

/// Measured progress is written this often at the most.
const PROGRESS_EVERY: Duration = Duration::from_millis(500);
/// Largest original that is taken.
const ORIGINAL_MAX_BYTES: u64 = 200_000_000;

pub(super) struct Encode {
    pub(super) engine: Engine,
    pub(super) tools: Arc<media::Tools>,
}

#[async_trait]
impl Handler for Encode {
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

impl Encode {
    async fn make(&self, attempt: &Attempt) -> Result<Outcome, Stop> {
        let generation = generation_of(&self.engine, attempt).await?;
        if generation.cancel_requested {
            return Err(Failure::cancelled().into());
        }
        let mut tx = self.engine.pg().begin().await?;
        begin(&mut tx, attempt, &generation, Stage::Encode).await?;
        store::advance(&mut tx, generation.id, GenerationState::Encoding, mark::CLIP).await?;
        tx.commit().await?;
        self.engine.announce(generation.id).await;
        let folder = Workplace::open(&self.engine.settings().work_dir, "encode-")?;
        let original = folder.path().join("original.mp4");
        self.fetch(&generation, &original).await?;
        let result = self.encode(attempt, &generation, &original, folder.path()).await?;
        self.upload(attempt, &generation, &result).await
    }

    async fn fetch(&self, generation: &Generation, to: &Path) -> Result<(), Stop> {
        let key = storage::Key::original(generation.clip_video_id);
        match self.engine.store().get_to_file(&key, to, ORIGINAL_MAX_BYTES).await {
            Ok(_) => Ok(()),
            Err(storage::Error::NotFound { .. }) => {
                Err(Failure::permanent(FailureCode::ResultMissing.as_str(), "the stored clip is gone").into())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn encode(
        &self,
        attempt: &Attempt,
        generation: &Generation,
        original: &Path,
        folder: &Path,
    ) -> Result<EncodeResult, Stop> {
        let info = media::probe(&self.tools, original).await.map_err(|error| media_failure(&error))?;
        let options = &generation.options;
        let plan = EncodePlan {
            resolution: options.resolution,
            fps: options.fps,
            duration: options.duration,
            // What was bought is at least as long as asked for, unless the model makes one fixed number of frames.
            shorter: ShorterClip::SlowsDown,
        };
        let out = folder.join("out");
        tokio::fs::create_dir(&out).await?;
        let percent = AtomicU8::new(0);
        let encoding = media::encode(&self.tools, original, &info, &plan, &out, &attempt.cancel, |now| {
            percent.store(now, Ordering::Relaxed);
        });
        tokio::pin!(encoding);
        let mut ticks = tokio::time::interval(PROGRESS_EVERY);
        let mut written = 0;
        loop {
            tokio::select! {
                done = &mut encoding => return Ok(done.map_err(|error| media_failure(&error))?),
                _ = ticks.tick() => {
                    let now = percent.load(Ordering::Relaxed);
                    if now > written {
                        written = now;
                        self.progress(generation, now).await;
                    }
                }
            }
        }
    }

    /// Progress is news, not truth: when it cannot be written the work goes on.
    async fn progress(&self, generation: &Generation, percent: u8) {
        let span = u16::from(mark::ENCODED - mark::CLIP);
        let overall = mark::CLIP + u8::try_from(u16::from(percent.min(100)) * span / 100).unwrap_or(0);
        let write = async {
            let mut conn = self.engine.pg().acquire().await?;
            store::set_progress(&mut conn, generation.id, overall, Some(percent.min(100))).await
        };
        match write.await {
            Ok(()) => self.engine.announce(generation.id).await,
            Err(error) => {
                tracing::warn!(generation.id = %generation.id, %error, "progress of generation {} was not written", generation.id);
            }
        }
    }

    /// Everything is stored before the product points to it.
    async fn upload(&self, attempt: &Attempt, generation: &Generation, result: &EncodeResult) -> Result<Outcome, Stop> {
        let id = generation.id;
        let mut tx = self.engine.pg().begin().await?;
        attempt.lease.guard(&mut tx).await?;
        store::finish_stage(&mut tx, id, Stage::Encode).await?;
        store::start_stage(&mut tx, id, Stage::Publish).await?;
        store::advance(&mut tx, id, GenerationState::Uploading, mark::ENCODED).await?;
        store::record(&mut tx, id, &Event { stage: Some(Stage::Encode), ..Event::of(EventKind::StageDone) }).await?;
        tx.commit().await?;
        self.engine.announce(id).await;
        let mut stored = Vec::with_capacity(result.renditions.len());
        for rendition in &result.renditions {
            let key = storage::Key::rendition(generation.video_id, rendition.resolution);
            let object = self.engine.store().put_file(&key, &rendition.path, "video/mp4").await?;
            stored.push((key, object, rendition));
        }
        let poster_key = storage::Key::poster(generation.video_id);
        self.engine.store().put_file(&poster_key, &result.poster.path, "image/jpeg").await?;
        let mut tx = self.engine.pg().begin().await?;
        attempt.lease.succeed(&mut tx).await?;
        assets::store::insert_video(&mut tx, generation, &poster_key, result).await?;
        for (key, object, rendition) in &stored {
            assets::store::insert_rendition(&mut tx, generation.video_id, key, object, rendition).await?;
        }
        assets::store::publish(&mut tx, generation.product_id, generation.video_id).await?;
        store::finish_stage(&mut tx, id, Stage::Publish).await?;
        store::advance(&mut tx, id, GenerationState::Completed, mark::PUBLISHED).await?;
        store::record(&mut tx, id, &Event { stage: Some(Stage::Publish), ..Event::of(EventKind::Completed) }).await?;
        store::audit(&mut tx, None, "video.published", generation.video_id.uuid()).await?;
        notices::store::insert_ended(&mut tx, id, "video_ready").await?;
        tx.commit().await?;
        tracing::info!(generation.id = %id, video.id = %generation.video_id, "generation {id} is completed");
        self.engine.announce(id).await;
        Ok(Outcome::Committed { dispatch: Vec::new() })
    }
}

fn media_failure(error: &media::Error) -> Failure {
    match error {
        media::Error::Cancelled => Failure::cancelled(),
        media::Error::Corrupt { .. } | media::Error::NotAVideo { .. } => {
            Failure::permanent(FailureCode::ClipCorrupt.as_str(), error.to_string())
        }
        media::Error::Disk(error) => disk_failure(error),
        other if other.is_retryable() => Failure::transient(FailureCode::EncodeFailed.as_str(), error.to_string()),
        _ => Failure::permanent(FailureCode::EncodeFailed.as_str(), error.to_string()),
    }
}
