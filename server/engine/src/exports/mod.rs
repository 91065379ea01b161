//! What is made of a video later, as jobs: exports in the shape of other places, and posters from a moment a person chose.

pub(crate) mod store;
mod work;

use std::{collections::HashMap, sync::Arc};

use domain::{
    ExportId, FailureCode, UserId, VideoId,
    export::{ExportOptions, ExportState, ExportView, Fit, Focus},
    options::InvalidOption,
};
use jobs::{CancelRequest, Handler, NewJob};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Conflict, Engine, Error, generations::store::audit, stages::kind::LOCAL_GROUP};

/// Kinds of jobs.
const EXPORT: &str = "export";
const POSTER: &str = "poster";
/// Exports a video may have; its page shows as many.
pub(crate) const EXPORTS_MAX: i64 = 50;
/// After every generation that waits: nobody's video is late because of an export.
const PRIORITY: u16 = 768;

/// What its job is found by while it waits or runs.
fn job_key(id: ExportId) -> String {
    format!("export {id}")
}

/// What the job of an export carries.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct ExportPayload {
    export_id: ExportId,
}

/// What the job of a poster carries.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct PosterPayload {
    video_id: VideoId,
    at_ms: u32,
}

/// What a worker must be given to do this.
pub(crate) fn handlers(engine: &Engine, tools: &Arc<media::Tools>) -> Vec<(&'static str, Arc<dyn Handler>)> {
    let cutter = work::Cutter { engine: engine.clone(), tools: tools.clone() };
    vec![(EXPORT, Arc::new(work::Exports(cutter.clone()))), (POSTER, Arc::new(work::Posters(cutter)))]
}

impl Engine {
    /// Asks for an export. The same of the same video is the same export; one that failed is tried again.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a video that does not exist, [`Error::Conflict`] when its files are gone, or it has 50 already.
    pub async fn request_export(&self, by: UserId, video: VideoId, options: ExportOptions) -> Result<ExportId, Error> {
        let mut tx = self.pg().begin().await?;
        let source = store::source(&mut tx, video).await?.ok_or(Error::NotFound("video"))?;
        if source.original.is_none() && source.rendition.is_none() {
            return Err(Error::Conflict(Conflict::FilesGone));
        }
        // Shown whole, nothing is cut: there is no other focus.
        let focus = if options.fit == Fit::Blur { Focus::DEFAULT } else { options.focus };
        let options = ExportOptions { focus, ..options };
        let new = ExportId::from_uuid(Uuid::now_v7());
        let (id, is_new) = store::request(&mut tx, new, video, options, by).await?;
        if !is_new {
            return Ok(id);
        }
        if store::count(&mut tx, video).await? > EXPORTS_MAX {
            return Err(Error::Conflict(Conflict::TooManyExports));
        }
        let job = self.cut_job(EXPORT, &ExportPayload { export_id: id }, by)?.dedupe_key(job_key(id));
        let job = jobs::enqueue(&mut tx, &job).await?;
        audit(&mut tx, Some(by), "export.requested", id.uuid()).await?;
        tx.commit().await?;
        self.queue().dispatch(&[job]).await;
        Ok(id)
    }

    /// Stops an export that waits or is being made: it ends as failed with [`FailureCode::Cancelled`], at once or as soon as
    /// its ffmpeg is gone, and can be asked for again.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] when it has ended.
    pub async fn cancel_export(&self, by: UserId, id: ExportId) -> Result<(), Error> {
        let mut tx = self.pg().begin().await?;
        let live = jobs::live(&mut tx, &[job_key(id)]).await?;
        // The job's row before the export's, as a worker that ends locks them.
        let asked = match live.first() {
            Some(job) => jobs::request_cancel(&mut tx, job.id).await?,
            None => CancelRequest::Gone,
        };
        match store::state(&mut tx, id).await?.ok_or(Error::NotFound("export"))? {
            ExportState::Queued => {}
            ExportState::Done | ExportState::Failed => return Err(Error::Conflict(Conflict::AlreadyEnded)),
        }
        if asked != CancelRequest::Asked {
            store::fail(&mut tx, id, FailureCode::Cancelled).await?;
        }
        audit(&mut tx, Some(by), "export.cancelled", id.uuid()).await?;
        tx.commit().await?;
        tracing::info!(export.id = %id, user.id = %by, "user {by} stopped export {id}");
        Ok(())
    }

    /// The exports of a video as the desk shows them, with how far those are that are being made.
    pub(crate) async fn exports_of(&self, conn: &mut PgConnection, video: VideoId) -> Result<Vec<ExportView>, Error> {
        let mut exports = store::of_video(conn, self.media(), video, EXPORTS_MAX, self.now()).await?;
        let waiting = exports.iter_mut().filter(|export| export.state == ExportState::Queued);
        let mut waiting: HashMap<String, &mut ExportView> =
            waiting.map(|export| (job_key(export.id), export)).collect();
        let keys: Vec<String> = waiting.keys().cloned().collect();
        for job in jobs::live(conn, &keys).await? {
            if let Some(export) = waiting.remove(&job.dedupe_key) {
                export.percent = job.is_running.then_some(job.progress);
                export.is_cancelling = job.is_cancelling;
            }
        }
        Ok(exports)
    }

    /// Makes the frame at a moment the poster of a video, as soon as a worker comes to it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a video that does not exist, [`Error::Invalid`] for a moment after its end,
    /// [`Error::Conflict`] when its files are gone.
    pub async fn choose_poster(&self, by: UserId, video: VideoId, at_ms: u32) -> Result<(), Error> {
        let mut tx = self.pg().begin().await?;
        let source = store::source(&mut tx, video).await?.ok_or(Error::NotFound("video"))?;
        if source.rendition.is_none() {
            return Err(Error::Conflict(Conflict::FilesGone));
        }
        // Of the last frame nothing begins any more.
        if u64::from(at_ms) + source.frame_ms() > u64::from(source.duration_ms) {
            let expected = format!("0..={}", u64::from(source.duration_ms).saturating_sub(source.frame_ms()));
            return Err(Error::Invalid(vec![InvalidOption { field: "at_ms".to_owned(), expected }]));
        }
        store::want_poster(&mut tx, video, at_ms).await?;
        // A job of its own for each wish: one that ends now may have been told that its moment is not wanted.
        let job = jobs::enqueue(&mut tx, &self.cut_job(POSTER, &PosterPayload { video_id: video, at_ms }, by)?).await?;
        audit(&mut tx, Some(by), "poster.chosen", video.uuid()).await?;
        tx.commit().await?;
        self.queue().dispatch(&[job]).await;
        Ok(())
    }

    fn cut_job(&self, kind: &str, payload: &impl Serialize, by: UserId) -> Result<NewJob, Error> {
        let payload = serde_json::to_value(payload).map_err(Error::internal)?;
        let job = NewJob::new(kind, LOCAL_GROUP, payload).owner(by.uuid()).priority(PRIORITY);
        Ok(job.max_attempts(self.settings().max_attempts).run_timeout(self.settings().job_timeout))
    }
}
