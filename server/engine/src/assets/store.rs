//! Rows of stills, videos and renditions.

use domain::{GenerationId, ProductId, VideoId, generation::Frame};
use sqlx::PgConnection;

use super::{NewStill, StillObject};
use crate::generations::store::Generation;

/// Writes a still that the object store has.
pub(crate) async fn insert_still(conn: &mut PgConnection, still: &NewStill<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into stills (id, generation_id, frame, call_id, object_key, content_type, width, height, bytes, sha256)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        still.id.uuid(),
        still.generation_id.uuid(),
        still.frame.as_str(),
        still.call_id.uuid(),
        still.key,
        still.content_type,
        i32::try_from(still.width).unwrap_or(i32::MAX),
        i32::try_from(still.height).unwrap_or(i32::MAX),
        i64::try_from(still.bytes).unwrap_or(i64::MAX),
        still.sha256,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn still(
    conn: &mut PgConnection,
    generation: GenerationId,
    frame: Frame,
) -> Result<Option<StillObject>, sqlx::Error> {
    sqlx::query_as!(
        StillObject,
        "select object_key as key, content_type from stills where generation_id = $1 and frame = $2",
        generation.uuid(),
        frame.as_str()
    )
    .fetch_optional(conn)
    .await
}

pub(crate) async fn insert_video(
    conn: &mut PgConnection,
    generation: &Generation,
    poster: &storage::Key,
    result: &media::EncodeResult,
) -> Result<(), sqlx::Error> {
    let duration_ms = result.renditions.first().map_or(1, |rendition| rendition.duration_ms.max(1));
    sqlx::query!(
        "insert into videos (id, product_id, generation_id, duration_ms, poster_key, poster_width, poster_height)
         values ($1, $2, $3, $4, $5, $6, $7)",
        generation.video_id.uuid(),
        generation.product_id.uuid(),
        generation.id.uuid(),
        i32::try_from(duration_ms).unwrap_or(i32::MAX),
        poster.as_str(),
        i32::try_from(result.poster.width).unwrap_or(i32::MAX),
        i32::try_from(result.poster.height).unwrap_or(i32::MAX),
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn insert_rendition(
    conn: &mut PgConnection,
    video: VideoId,
    key: &storage::Key,
    object: &storage::StoredObject,
    rendition: &media::Rendition,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into renditions (video_id, resolution, object_key, content_type, width, height, bytes, sha256)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        video.uuid(),
        rendition.resolution.as_str(),
        key.as_str(),
        format!("video/mp4; codecs=\"{}\"", rendition.codecs),
        i32::try_from(rendition.width).unwrap_or(i32::MAX),
        i32::try_from(rendition.height).unwrap_or(i32::MAX),
        i64::try_from(object.bytes).unwrap_or(i64::MAX),
        object.sha256,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Points the product to a video.
pub(crate) async fn publish(conn: &mut PgConnection, product: ProductId, video: VideoId) -> Result<(), sqlx::Error> {
    sqlx::query!("update products set video_id = $2 where id = $1", product.uuid(), video.uuid()).execute(conn).await?;
    Ok(())
}
