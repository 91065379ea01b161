//! Snapshots: a generation with everything that is shown of it, put together from a fixed number of queries however
//! many are asked for.

pub(crate) mod store;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::{GenerationId, ProductId, generation::GenerationView, product::VideoView};
use sqlx::PgConnection;

use crate::{Engine, Error, MediaUrls};

impl Engine {
    /// Snapshots of these generations, in the order asked for; unknown ids are left out.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn views(&self, ids: &[GenerationId]) -> Result<Vec<GenerationView>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let usual = self.usual_seconds().await?;
        let mut conn = self.pg().acquire().await?;
        let mut found = store::snapshots(&mut conn, self.media(), ids).await?;
        let mut stages = store::stages(&mut conn, ids).await?;
        let mut stills = store::stills(&mut conn, self.media(), ids, self.now()).await?;
        let mut videos: HashMap<GenerationId, VideoView> = store::videos(&mut conn, self.media(), ids, &[], self.now())
            .await?
            .into_iter()
            .map(|row| (row.video.generation_id, row.video))
            .collect();
        Ok(ids
            .iter()
            .filter_map(|id| {
                let mut view = found.remove(id)?;
                view.stages = stages.remove(id).unwrap_or_default();
                for stage in &mut view.stages {
                    stage.usual_seconds = usual.get(&stage.stage).copied();
                }
                view.stills = stills.remove(id).unwrap_or_default();
                view.video = videos.remove(id);
                Some(view)
            })
            .collect())
    }
}

/// The published videos of products, by product.
pub(crate) async fn videos(
    conn: &mut PgConnection,
    media: &MediaUrls,
    products: &[ProductId],
    now: DateTime<Utc>,
) -> Result<HashMap<ProductId, VideoView>, Error> {
    let rows = store::videos(conn, media, &[], products, now).await?;
    Ok(rows.into_iter().filter(|row| row.published).map(|row| (row.product, row.video)).collect())
}
