//! The encode stage: renditions, HLS and pictures from the stored original.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use async_trait::async_trait;
use domain::{FailureCode, GenerationState, Stage, generation::mark, options::VideoFormat};
use jobs::{Attempt, Failure, Handler, Job, Outcome};
use media::{ClipInfo, EncodePlan, EncodeResult, Extras, ShorterClip, Unshowable};
use sqlx::PgConnection;
use storage::StoredObject;
use uuid::Uuid;

use super::{
    Stop, begin, disk_failure, ending, generation_of, progress::Percent, publish, report, workplace::Workplace,
};
use crate::{
    Engine, Error,
    assets::{self, Colours},
    generations::{
        self,
        store::{self, Generation},
    },
};

/// Largest original that is taken.
pub(crate) const ORIGINAL_MAX_BYTES: u64 = 200_000_000;
/// Largest photo or still whose colours are looked at.
const PICTURE_MAX_BYTES: u64 = 40_000_000;

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
        generations::advance(&mut tx, generation.id, GenerationState::Encoding, mark::CLIP).await?;
        tx.commit().await?;
        self.engine.announce(generation.id).await;
        let folder = Workplace::open(&self.engine.settings().work_dir, "encode-")?;
        let original = folder.path().join("original.mp4");
        let stored = self.fetch(&generation, &original).await?;
        let info = clip_info(&self.engine, &self.tools, &stored, &original).await?;
        let result = self.encode(attempt, &generation, &original, &info, folder.path()).await?;
        let colours = self.colours(&generation, &result).await;
        publish::publish(&self.engine, attempt, &generation, &result, colours.as_ref()).await
    }

    async fn fetch(&self, generation: &Generation, to: &Path) -> Result<StoredObject, Stop> {
        let key = storage::Key::original(generation.clip_video_id);
        match self.engine.store().get_to_file(&key, to, ORIGINAL_MAX_BYTES).await {
            Ok(stored) => Ok(stored),
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
        info: &ClipInfo,
        folder: &Path,
    ) -> Result<EncodeResult, Stop> {
        let options = &generation.options;
        let plan = EncodePlan {
            resolution: options.resolution,
            fps: options.fps,
            duration: options.duration,
            // What was bought is at least as long as asked for, unless the model makes one fixed number of frames.
            shorter: ShorterClip::SlowsDown,
            extras: Extras {
                av1: self.engine.settings().encode.av1 && self.tools.has_av1(),
                webm: options.format == VideoFormat::Webm,
                hls: options.hls,
            },
            branding: match options.branding {
                true => self.brand(folder).await?,
                false => None,
            },
            signer: self.engine.settings().encode.signer.clone(),
        };
        let out = folder.join("out");
        tokio::fs::create_dir(&out).await?;
        let percent = AtomicU8::new(0);
        let encoding = media::encode(&self.tools, original, info, &plan, &out, &attempt.cancel, |now| {
            percent.store(now, Ordering::Relaxed);
        });
        tokio::pin!(encoding);
        let mut percent = Percent::new(&percent);
        loop {
            tokio::select! {
                done = &mut encoding => return Ok(done.map_err(|error| media_failure(&error))?),
                now = percent.grown() => self.progress(generation, now).await,
            }
        }
    }

    /// What is laid over the clip, where something is.
    async fn brand(&self, folder: &Path) -> Result<Option<media::Branding>, Stop> {
        let laid = self.engine.settings().encode.brand.lay_out(folder).await;
        Ok(laid.map_err(|error| media_failure(&error))?)
    }

    /// How true the colours are: something to know, no reason to stop.
    async fn colours(&self, generation: &Generation, made: &EncodeResult) -> Option<Colours> {
        match self.measure_colours(generation, made).await {
            Ok(colours) => Some(colours),
            Err(error) => {
                let id = generation.id;
                tracing::warn!(generation.id = %id, %error, "colours of generation {id} were not compared: {error}");
                None
            }
        }
    }

    async fn measure_colours(&self, generation: &Generation, made: &EncodeResult) -> Result<Colours, Error> {
        let store = self.engine.store();
        let picture = async |key: &str| -> Result<Vec<u8>, Error> {
            let key = storage::Key::parse(key).map_err(Error::internal)?;
            Ok(store.get_bytes(&key, PICTURE_MAX_BYTES).await?.to_vec())
        };
        let photo = picture(&generation.photo_key).await?;
        let (mut frames, mut stills) = (Vec::new(), Vec::new());
        for frame in generation.options.recipe.frames() {
            let mut conn = self.engine.pg().acquire().await?;
            let still = assets::store::still(&mut conn, generation.id, *frame).await?;
            drop(conn);
            if let Some(still) = still {
                frames.push(*frame);
                stills.push(picture(&still.key).await?);
            }
        }
        let strip = tokio::fs::read(&made.strip.path).await.map_err(Error::internal)?;
        let measured = media::colour_distances(photo, stills, strip, made.strip_pictures).await;
        let (stills, clip) = measured.map_err(Error::internal)?;
        Ok(Colours { stills: frames.into_iter().zip(stills).collect(), clip })
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
}

/// What a fetched clip is: as it was found when these very bytes were stored, or looked at now where that was not kept.
pub(crate) async fn clip_info(
    engine: &Engine,
    tools: &media::Tools,
    stored: &StoredObject,
    path: &Path,
) -> Result<ClipInfo, Stop> {
    let mut conn = engine.pg().acquire().await?;
    let kept = assets::store::clip_info(&mut conn, stored).await?;
    drop(conn);
    match kept {
        Some(info) => Ok(info),
        None => Ok(media::probe(tools, path).await.map_err(|error| media_failure(&error))?),
    }
}

pub(crate) fn media_failure(error: &media::Error) -> Failure {
    match error {
        media::Error::Cancelled => Failure::cancelled(),
        media::Error::Corrupt { .. } | media::Error::NotAVideo { .. } => {
            Failure::permanent(FailureCode::ClipCorrupt.as_str(), error.to_string())
        }
        media::Error::Unshowable(reason) => {
            let code = match reason {
                Unshowable::Black => FailureCode::ClipBlack,
                Unshowable::Frozen => FailureCode::ClipFrozen,
                Unshowable::Flashing => FailureCode::ClipFlashing,
            };
            Failure::permanent(code.as_str(), error.to_string())
        }
        media::Error::Disk(error) => disk_failure(error),
        other if other.is_retryable() => Failure::transient(FailureCode::EncodeFailed.as_str(), error.to_string()),
        _ => Failure::permanent(FailureCode::EncodeFailed.as_str(), error.to_string()),
    }
}
