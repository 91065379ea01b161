//! One video by itself: what there is of it, and how true it is.

mod store;

use domain::{
    VideoId,
    video::{POSTER_MOMENTS, VideoDesk},
};

use crate::{Engine, Error, playback, views};

impl Engine {
    /// The desk's page of one video.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for a video whose files are gone.
    pub async fn video_desk(&self, id: VideoId) -> Result<VideoDesk, Error> {
        let mut conn = self.pg().acquire().await?;
        let facts = store::facts(&mut conn, id).await?.ok_or(Error::NotFound("video"))?;
        let mut views = views::store::videos(&mut conn, self.media(), &[facts.generation_id], &[], self.now()).await?;
        let at = views.iter().position(|record| record.video.id == id).ok_or(Error::NotFound("video"))?;
        let record = views.swap_remove(at);
        let playback = playback::counts(&mut conn, Some(id), None).await?.summary();
        let exports = self.exports_of(&mut conn, id).await?;
        let colours = store::colours(&mut conn, id).await?;
        // As the pictures of the strip are taken: every so many frames of the length that was asked for.
        let every = (facts.fps * facts.seconds / POSTER_MOMENTS).max(1);
        let moments_ms = (0..POSTER_MOMENTS).map(|number| number * every * 1000 / facts.fps.max(1));
        let moments_ms = moments_ms.take_while(|at| *at < record.video.duration_ms).collect();
        Ok(VideoDesk {
            moments_ms,
            poster_failure: facts.poster_failure,
            product_id: record.product,
            product_name: facts.product_name,
            generation_id: facts.generation_id,
            is_published: record.published,
            poster_at_ms: facts.poster_at_ms,
            is_poster_coming: facts.is_poster_coming,
            video: record.video,
            colours,
            playback,
            exports,
        })
    }
}
