//! The jobs: fetch, cut, store, and write down in one transaction.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use async_trait::async_trait;
use domain::{ExportId, FailureCode, VideoId, export::Fit};
use jobs::{Attempt, Failure, Handler, Job, Outcome};
use media::{ClipInfo, ExportPlan, PosterPlan, Rendition, ShorterClip};
use sqlx::PgConnection;
use storage::{Key, StoredObject};
use uuid::Uuid;

use super::{ExportPayload, PosterPayload, store, store::Source};
use crate::{
    Engine, Error,
    assets::{self, NewObject, Part},
    stages::{ORIGINAL_MAX_BYTES, Percent, Stop, Workplace, clip_info, media_failure},
};

/// What both jobs work with.
#[derive(Clone)]
pub(super) struct Cutter {
    pub(super) engine: Engine,
    pub(super) tools: Arc<media::Tools>,
}

pub(super) struct Exports(pub(super) Cutter);

pub(super) struct Posters(pub(super) Cutter);

#[async_trait]
impl Handler for Exports {
    async fn run(&self, attempt: &Attempt) -> Result<Outcome, Failure> {
        let ExportPayload { export_id } = attempt.job.payload_as()?;
        ended(self.0.export(attempt, export_id).await)
    }

    async fn give_up(&self, tx: &mut PgConnection, job: &Job, failure: &Failure) -> Result<Vec<Uuid>, jobs::Error> {
        let ExportPayload { export_id } = job.payload_as()?;
        tracing::warn!(export.id = %export_id, "export {export_id} was not made: {}", failure.message);
        store::fail(tx, export_id, FailureCode::parse(&failure.code)).await?;
        Ok(Vec::new())
    }
}

#[async_trait]
impl Handler for Posters {
    async fn run(&self, attempt: &Attempt) -> Result<Outcome, Failure> {
        let PosterPayload { video_id, at_ms } = attempt.job.payload_as()?;
        ended(self.0.poster(attempt, video_id, at_ms).await)
    }

    async fn give_up(&self, tx: &mut PgConnection, job: &Job, failure: &Failure) -> Result<Vec<Uuid>, jobs::Error> {
        let PosterPayload { video_id, at_ms } = job.payload_as()?;
        tracing::warn!(video.id = %video_id, "video {video_id} keeps its poster: {}", failure.message);
        store::fail_poster(tx, video_id, at_ms, FailureCode::parse(&failure.code)).await?;
        Ok(Vec::new())
    }
}

/// A lost lease is nobody's failure: the runtime writes nothing after it.
fn ended(result: Result<Outcome, Stop>) -> Result<Outcome, Failure> {
    result.map_err(|stop| match stop {
        Stop::Failure(failure) => failure,
        Stop::LeaseLost => Failure::transient(FailureCode::Internal.as_str(), "somebody else has the job"),
    })
}

/// A name no other run ever gives: objects never change under their key.
fn file_name(attempt: &Attempt) -> String {
    format!("{}-{}", attempt.job.id, attempt.lease.epoch())
}

/// A fault of ours: names are made of ids and numbers.
fn no_key(error: storage::InvalidKey) -> Failure {
    Failure::permanent(FailureCode::Internal.as_str(), error.to_string())
}

fn gone(what: &str) -> Failure {
    Failure::permanent(FailureCode::ResultMissing.as_str(), what)
}

impl Cutter {
    async fn export(&self, attempt: &Attempt, id: ExportId) -> Result<Outcome, Stop> {
        let mut conn = self.engine.pg().acquire().await?;
        // Made already, by a run whose end was not written down.
        let Some((video, options)) = store::due(&mut conn, id).await? else { return Ok(Outcome::Done) };
        let source = store::source(&mut conn, video).await?.ok_or_else(|| gone("the video is gone"))?;
        drop(conn);
        let folder = Workplace::open(&self.engine.settings().work_dir, "export-")?;
        let clip = folder.path().join("clip.mp4");
        let original = match &source.original {
            Some(key) => self.fetch(key, &clip).await?,
            None => None,
        };
        let is_original = original.is_some();
        let stored = match original {
            Some(stored) => stored,
            None => self.fetch_rendition(&source, &clip).await?,
        };
        let info = clip_info(&self.engine, &self.tools, &stored, &clip).await?;
        // Of a rendition that is cut the edges go, and with them what was laid over it.
        let branding = if source.branding && (is_original || options.fit == Fit::Crop) {
            let brand = &self.engine.settings().encode.brand;
            brand.lay_out(folder.path()).await.map_err(|error| media_failure(&error))?
        } else {
            None
        };
        let plan = ExportPlan {
            options,
            fps: source.fps,
            duration: source.duration,
            shorter: if is_original { ShorterClip::SlowsDown } else { ShorterClip::Stays },
            branding,
            signer: self.engine.settings().encode.signer.clone(),
        };
        let made = self.cut(attempt, &clip, &info, &plan, folder.path()).await?;
        let key = Key::export(video, &format!("{}.mp4", file_name(attempt))).map_err(no_key)?;
        let stored = self.engine.store().put_file(&key, &made.path, "video/mp4").await?;
        let object = NewObject { part: Part::Export, content_type: "video/mp4", stored };
        let mut tx = self.engine.pg().begin().await?;
        attempt.lease.succeed(&mut tx).await?;
        let source = store::source(&mut tx, video).await?;
        if source.is_none_or(|source| source.rendition.is_none()) {
            return Err(gone("the files of the video went while the export was made").into());
        }
        assets::store::insert_objects(&mut tx, video, &[object]).await?;
        if !store::finish(&mut tx, id, key.as_str(), &made).await? {
            return Err(Failure::cancelled().into());
        }
        tx.commit().await?;
        tracing::info!(export.id = %id, video.id = %video, "export {id} of video {video} is made");
        Ok(Outcome::Committed { dispatch: Vec::new() })
    }

    /// Runs ffmpeg, and has the job say how far it is.
    async fn cut(
        &self,
        attempt: &Attempt,
        clip: &Path,
        info: &ClipInfo,
        plan: &ExportPlan,
        folder: &Path,
    ) -> Result<Rendition, Stop> {
        let out = folder.join("out");
        tokio::fs::create_dir(&out).await?;
        let percent = AtomicU8::new(0);
        let cutting = media::export(&self.tools, clip, info, plan, &out, &attempt.cancel, |now| {
            percent.store(now, Ordering::Relaxed);
        });
        tokio::pin!(cutting);
        let mut percent = Percent::new(&percent);
        loop {
            tokio::select! {
                done = &mut cutting => return Ok(done.map_err(|error| media_failure(&error))?),
                now = percent.grown() => self.tell(attempt, now).await,
            }
        }
    }

    /// Progress is news, not truth: when it cannot be written the work goes on.
    async fn tell(&self, attempt: &Attempt, percent: u8) {
        let write = async {
            let mut conn = self.engine.pg().acquire().await?;
            attempt.lease.checkpoint(&mut conn, "cut", percent).await.map_err(Error::from)
        };
        let written: Result<(), Error> = write.await;
        if let Err(error) = written {
            let id = attempt.job.id;
            tracing::warn!(job.id = %id, %error, "progress of job {id} was not written: {error}");
        }
    }

    async fn poster(&self, attempt: &Attempt, video: VideoId, at_ms: u32) -> Result<Outcome, Stop> {
        let mut conn = self.engine.pg().acquire().await?;
        if !store::is_poster_wanted(&mut conn, video, at_ms).await? {
            return Ok(Outcome::Done);
        }
        let source = store::source(&mut conn, video).await?.ok_or_else(|| gone("the video is gone"))?;
        drop(conn);
        let folder = Workplace::open(&self.engine.settings().work_dir, "poster-")?;
        let clip = folder.path().join("clip.mp4");
        let stored = self.fetch_rendition(&source, &clip).await?;
        let out = folder.path().join("out");
        tokio::fs::create_dir(&out).await?;
        let info = clip_info(&self.engine, &self.tools, &stored, &clip).await?;
        let signer = self.engine.settings().encode.signer.as_ref();
        let name = format!("thumb-{}", file_name(attempt));
        let plan = PosterPlan { at_ms, name: &name, signer };
        let made = media::poster(&self.tools, &clip, &info, &plan, &out, &attempt.cancel).await;
        let [jpeg, webp] = made.map_err(|error| media_failure(&error))?;
        let mut objects = Vec::with_capacity(2);
        for (picture, content_type) in [(&jpeg, "image/jpeg"), (&webp, "image/webp")] {
            let name = picture.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let key = Key::thumbnail(video, name).map_err(no_key)?;
            let stored = self.engine.store().put_file(&key, &picture.path, content_type).await?;
            objects.push(NewObject { part: Part::Poster, content_type, stored });
        }
        let mut tx = self.engine.pg().begin().await?;
        attempt.lease.succeed(&mut tx).await?;
        assets::store::insert_objects(&mut tx, video, &objects).await?;
        if let [jpeg_object, webp_object] = &objects[..] {
            let keys = [&jpeg_object.stored.key, &webp_object.stored.key];
            store::set_poster(&mut tx, video, at_ms, keys, (jpeg.width, jpeg.height)).await?;
        }
        tx.commit().await?;
        tracing::info!(video.id = %video, "video {video} has the poster of {at_ms} ms");
        Ok(Outcome::Committed { dispatch: Vec::new() })
    }

    async fn fetch_rendition(&self, source: &Source, to: &Path) -> Result<StoredObject, Stop> {
        let files_are_gone = || gone("the files of the video are gone");
        let key = source.rendition.as_ref().ok_or_else(files_are_gone)?;
        Ok(self.fetch(key, to).await?.ok_or_else(files_are_gone)?)
    }

    /// None when the object is not there any more.
    async fn fetch(&self, key: &str, to: &Path) -> Result<Option<StoredObject>, Stop> {
        let Ok(key) = Key::parse(key) else { return Ok(None) };
        match self.engine.store().get_to_file(&key, to, ORIGINAL_MAX_BYTES).await {
            Ok(stored) => Ok(Some(stored)),
            Err(storage::Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
