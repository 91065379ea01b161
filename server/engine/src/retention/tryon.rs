//! Try-on images: pictures of people that somebody uploaded. They go once nothing has used them for a month; whoever asks
//! for it sooner removes them by hand.

use super::{BATCH, MAX_BATCHES, Retention, RetentionReport, store::Due};
use crate::{Error, tryon::store};

/// How many days one is kept after its upload, and after the end of the last generation that was made from it.
const KEEP_DAYS: i32 = 30;
/// The word for them beside the parts of videos.
const PART: &str = "tryon_image";

impl Retention {
    /// What would be removed now, at most so many.
    pub(super) async fn due_tryon_images(&self, most: i64) -> Result<Vec<Due>, Error> {
        let mut conn = self.pg.acquire().await?;
        let pictures = store::to_erase(&mut conn, Some(KEEP_DAYS), most, &[]).await?;
        Ok(pictures.into_iter().map(due).collect())
    }

    /// Removes them. The row first, so that nothing is made of a picture that goes; then the object.
    pub(super) async fn remove_tryon_images(&self, report: &mut RetentionReport) -> Result<(), Error> {
        let mut failed: Vec<String> = Vec::new();
        for _ in 0..MAX_BATCHES {
            let mut tx = self.pg.begin().await?;
            store::let_go_of_unused(&mut tx, KEEP_DAYS, BATCH).await?;
            let pictures = store::to_erase(&mut tx, None, BATCH, &failed).await?;
            tx.commit().await?;
            if pictures.is_empty() {
                break;
            }
            let mut erased = Vec::with_capacity(pictures.len());
            for object in pictures.into_iter().map(due) {
                if self.remove(&object).await {
                    report.count(&object.part, object.bytes);
                    erased.push(object.key);
                } else {
                    report.failed += 1;
                    failed.push(object.key);
                }
            }
            let mut conn = self.pg.acquire().await?;
            store::set_erased(&mut conn, &erased).await?;
        }
        Ok(())
    }
}

fn due(picture: store::Picture) -> Due {
    Due { key: picture.key, part: PART.to_owned(), bytes: picture.bytes }
}
