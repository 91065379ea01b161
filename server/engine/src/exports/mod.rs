//! What is made of a video later, as jobs: exports in the shape of other places, and posters from a moment a person chose.

pub(crate) mod store;
mod work;

use std::sync::Arc;

use domain::{
    ExportId, UserId, VideoId,
    export::{ExportOptions, Fit, Focus},
    options::InvalidOption,
};
use jobs::{Handler, NewJob};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Engine, Error, generations::store::audit, stages::kind::LOCAL_GROUP};

/// Kinds of jobs.
const EXPORT: &str = "export";
const POSTER: &str = "poster";
/// Exports a video may have; its page shows as many.
pub(crate) const EXPORTS_MAX: i64 = 50;
/// After every generation that waits: nobody's video is late because of an export.
const PRIORITY: u16 = 768;

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
            return Err(Error::Conflict("the files of the video are gone"));
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
            return Err(Error::Conflict("the video has as many exports as it may"));
        }
        let job = jobs::enqueue(&mut tx, &self.cut_job(EXPORT, &ExportPayload { export_id: id }, by)?).await?;
        audit(&mut tx, Some(by), "export.requested", id.uuid()).await?;
        tx.commit().await?;
        self.queue().dispatch(&[job]).await;
        Ok(id)
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
            return Err(Error::Conflict("the files of the video are gone"));
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
