//! The pointer from a product to its video.

use domain::{ProductId, VideoId};
use sqlx::PgConnection;

/// What is known of a video while its product is held.
pub(super) struct Playable {
    /// It was made, and its files are there.
    pub(super) is_stored: bool,
    /// The product shows it.
    pub(super) is_published: bool,
}

/// Holds the product until the transaction ends.
pub(super) async fn lock_product(
    conn: &mut PgConnection,
    product: ProductId,
    video: VideoId,
) -> Result<Playable, sqlx::Error> {
    let shown = sqlx::query_scalar!("select video_id from products where id = $1 for no key update", product.uuid())
        .fetch_optional(&mut *conn)
        .await?
        .flatten();
    let is_stored = sqlx::query_scalar!(
        "select exists (select 1 from videos v join renditions r on r.video_id = v.id
             where v.id = $1 and r.codec = 'h264') as \"stored!\"",
        video.uuid()
    )
    .fetch_one(conn)
    .await?;
    Ok(Playable { is_stored, is_published: shown == Some(video.uuid()) })
}

pub(super) async fn mark_published(conn: &mut PgConnection, video: VideoId) -> Result<(), sqlx::Error> {
    sqlx::query!("update videos set unpublished_at = null, taken_down_at = null where id = $1", video.uuid())
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn unpublish(conn: &mut PgConnection, product: ProductId, video: VideoId) -> Result<(), sqlx::Error> {
    sqlx::query!("update products set video_id = null where id = $1 and video_id = $2", product.uuid(), video.uuid())
        .execute(&mut *conn)
        .await?;
    sqlx::query!("update videos set unpublished_at = now(), taken_down_at = now() where id = $1", video.uuid())
        .execute(conn)
        .await?;
    Ok(())
}
