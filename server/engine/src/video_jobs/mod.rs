//! Generations as shops' own code asks for them: status and addresses in one question however many are asked for, lists
//! by cursor, figures.

mod store;

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    FailureCode, GenerationId, GenerationState, MicroUsd, ProductId, VideoId, generation::StateGroup,
    product::VideoView,
};

use crate::{Engine, Error, views};

/// Where a generation is, and what plays once it is finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoJob {
    /// The generation.
    pub id: GenerationId,
    /// Where it is.
    pub state: GenerationState,
    /// 0 to 100.
    pub progress: u8,
    /// Why it ended without a video.
    pub failure: Option<FailureCode>,
    /// Its video, for as long as it can be played.
    pub video: Option<VideoFiles>,
}

/// What of a video can be played: absolute paths, or URLs of a CDN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoFiles {
    /// The video.
    pub id: VideoId,
    /// The best MP4 that everything plays.
    pub mp4: String,
    /// The best WebM.
    pub webm: Option<String>,
    /// The HLS master playlist.
    pub hls: Option<String>,
    /// Its poster, a JPEG.
    pub thumbnail: String,
    /// Until when these addresses are good, where they had to be signed: somebody took the video down.
    pub signed_until: Option<DateTime<Utc>>,
}

impl VideoFiles {
    /// What can be played of a video that its product shows: nothing of it is signed. None where no plain MP4 of it is left.
    pub fn of_shown(video: &VideoView) -> Option<Self> {
        Self::of(video, None)
    }

    /// What of a video can be played; none where no plain MP4 of it is left.
    fn of(video: &VideoView, signed_until: Option<DateTime<Utc>>) -> Option<Self> {
        let best = |is: fn(&str) -> bool| video.sources.iter().rfind(|source| is(&source.content_type));
        let mp4 = best(|kind| kind.starts_with("video/mp4") && !kind.contains("av01"))?;
        let webm = best(|kind| kind.starts_with("video/webm"));
        Some(Self {
            id: video.id,
            mp4: mp4.url.clone(),
            webm: webm.map(|source| source.url.clone()),
            hls: video.hls.clone(),
            thumbnail: video.poster.url.clone(),
            signed_until,
        })
    }
}

/// A finished video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoDetail {
    /// What it is for.
    pub product: ProductId,
    /// Whether its product shows it.
    pub is_published: bool,
    /// The addresses of the plain choices.
    pub files: VideoFiles,
    /// Everything of it.
    pub view: VideoView,
}

/// Which generations a list has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GenerationsAfter {
    /// Those that were made before this one; none begins with the newest.
    pub after: Option<GenerationId>,
    /// Only these.
    pub group: Option<StateGroup>,
    /// Only of this product.
    pub product: Option<ProductId>,
    /// At most so many.
    pub most: u32,
}

/// How generations of a time went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerationStats {
    /// Since when.
    pub since: DateTime<Utc>,
    /// How many were asked for since, by their state now.
    pub by_state: HashMap<GenerationState, u64>,
    /// What was paid for them.
    pub paid: MicroUsd,
    /// What is held for them.
    pub held: MicroUsd,
    /// Half of the finished ones took at most so many seconds, from the click to the video.
    pub median_seconds: Option<u32>,
}

impl Engine {
    /// Where these generations are; unknown ids are left out.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without the database.
    pub async fn video_jobs(&self, ids: &[GenerationId]) -> Result<HashMap<GenerationId, VideoJob>, Error> {
        let mut conn = self.pg().acquire().await?;
        Ok(store::jobs(&mut conn, self.media(), ids, self.now()).await?)
    }

    /// A video that can be played.
    ///
    /// # Errors
    /// [`Error::NotFound`], also once retention has removed its files.
    pub async fn video(&self, id: VideoId) -> Result<VideoDetail, Error> {
        let mut conn = self.pg().acquire().await?;
        let generation = store::generation_of(&mut conn, id).await?.ok_or(Error::NotFound("video"))?;
        let records = views::store::videos(&mut conn, self.media(), &[generation], &[], self.now()).await?;
        let record = records.into_iter().find(|record| record.video.id == id).ok_or(Error::NotFound("video"))?;
        let files = VideoFiles::of(&record.video, record.signed_until).ok_or(Error::NotFound("video"))?;
        Ok(VideoDetail { product: record.product, is_published: record.published, files, view: record.video })
    }

    /// Ids of generations, newest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without the database.
    pub async fn generations_after(&self, list: &GenerationsAfter) -> Result<Vec<GenerationId>, Error> {
        let mut conn = self.pg().acquire().await?;
        Ok(store::ids_after(&mut conn, list).await?)
    }

    /// How the generations of the last so many days went.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without the database.
    pub async fn generation_stats(&self, days: u16) -> Result<GenerationStats, Error> {
        let since = self.now() - TimeDelta::days(i64::from(days));
        let mut conn = self.pg().acquire().await?;
        Ok(store::stats(&mut conn, since).await?)
    }
}
