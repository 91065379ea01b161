//! Rows of stills, videos and renditions.

use domain::{GenerationId, ProductId, VideoId, generation::Frame};
use media::{ClipInfo, KeptInfo};
use sqlx::{PgConnection, types::Json};
use storage::StoredObject;

use super::{NewObject, NewStill, NewVideo, Part, StillObject};
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

/// Writes a video and its renditions, once everything of it is stored.
pub(crate) async fn insert_video(
    conn: &mut PgConnection,
    generation: &Generation,
    video: &NewVideo<'_>,
) -> Result<(), sqlx::Error> {
    let made = video.made;
    let duration_ms = made.renditions.first().map_or(1, |rendition| rendition.duration_ms.max(1));
    sqlx::query!(
        "insert into videos (id, product_id, generation_id, duration_ms, poster_key, poster_width, poster_height,
             poster_webp_key, hls_key, strip_key, strip_width, strip_height, colour_distance)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        generation.video_id.uuid(),
        generation.product_id.uuid(),
        generation.id.uuid(),
        i32::try_from(duration_ms).unwrap_or(i32::MAX),
        video.poster.as_str(),
        i32::try_from(made.poster.width).unwrap_or(i32::MAX),
        i32::try_from(made.poster.height).unwrap_or(i32::MAX),
        video.poster_webp.as_str(),
        video.hls.map(storage::Key::as_str),
        video.strip.as_str(),
        i32::try_from(made.strip.width).unwrap_or(i32::MAX),
        i32::try_from(made.strip.height).unwrap_or(i32::MAX),
        video.colours.map(|colours| i32::try_from(colours.clip).unwrap_or(i32::MAX)),
    )
    .execute(&mut *conn)
    .await?;
    for (object, rendition) in &video.renditions {
        insert_rendition(conn, generation.video_id, object, rendition).await?;
    }
    for (frame, distance) in video.colours.iter().flat_map(|colours| &colours.stills) {
        set_still_colour(conn, generation.id, *frame, *distance).await?;
    }
    Ok(())
}

async fn set_still_colour(
    conn: &mut PgConnection,
    generation: GenerationId,
    frame: Frame,
    distance: u32,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update stills set colour_distance = $3 where generation_id = $1 and frame = $2",
        generation.uuid(),
        frame.as_str(),
        i32::try_from(distance).unwrap_or(i32::MAX)
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn insert_rendition(
    conn: &mut PgConnection,
    video: VideoId,
    object: &StoredObject,
    rendition: &media::Rendition,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into renditions (video_id, codec, resolution, object_key, content_type, width, height, bytes, sha256)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        video.uuid(),
        rendition.codec.as_str(),
        rendition.resolution.as_str(),
        object.key.as_str(),
        format!("{}; codecs=\"{}\"", rendition.codec.container(), rendition.codecs),
        i32::try_from(rendition.width).unwrap_or(i32::MAX),
        i32::try_from(rendition.height).unwrap_or(i32::MAX),
        i64::try_from(object.bytes).unwrap_or(i64::MAX),
        object.sha256,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes down objects that the store has. The same bytes under the same key again are no news.
pub(crate) async fn insert_objects(
    conn: &mut PgConnection,
    video: VideoId,
    objects: &[NewObject],
) -> Result<(), sqlx::Error> {
    let keys: Vec<String> = objects.iter().map(|object| object.stored.key.to_string()).collect();
    let parts: Vec<String> = objects.iter().map(|object| object.part.as_str().to_owned()).collect();
    let types: Vec<String> = objects.iter().map(|object| object.content_type.to_owned()).collect();
    let bytes: Vec<i64> = objects.iter().map(|it| i64::try_from(it.stored.bytes).unwrap_or(i64::MAX)).collect();
    let hashes: Vec<String> = objects.iter().map(|object| object.stored.sha256.clone()).collect();
    sqlx::query!(
        "insert into video_objects (object_key, video_id, part, content_type, bytes, sha256)
         select n.key, $1, n.part, n.content_type, n.bytes, n.sha256
         from unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[])
             as n (key, part, content_type, bytes, sha256)
         on conflict (object_key) do update set bytes = excluded.bytes, sha256 = excluded.sha256, stored_at = now(),
             removed_at = null",
        video.uuid(),
        &keys,
        &parts,
        &types,
        &bytes,
        &hashes,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes down a provider's clip that the store has, and what it was found to be.
pub(crate) async fn insert_original(
    conn: &mut PgConnection,
    video: VideoId,
    clip: &StoredObject,
    info: ClipInfo,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into video_objects (object_key, video_id, part, content_type, bytes, sha256, clip_info)
         values ($1, $2, $3, 'video/mp4', $4, $5, $6)
         on conflict (object_key) do update set bytes = excluded.bytes, sha256 = excluded.sha256,
             clip_info = excluded.clip_info, stored_at = now(), removed_at = null",
        clip.key.as_str(),
        video.uuid(),
        Part::Original.as_str(),
        i64::try_from(clip.bytes).unwrap_or(i64::MAX),
        clip.sha256,
        Json(KeptInfo::new(info)) as Json<KeptInfo>,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What a clip of these very bytes was found to be when it was stored, where that was kept.
pub(crate) async fn clip_info(conn: &mut PgConnection, clip: &StoredObject) -> Result<Option<ClipInfo>, sqlx::Error> {
    let kept = sqlx::query_scalar!(
        "select clip_info from video_objects where object_key = $1 and sha256 = $2",
        clip.key.as_str(),
        clip.sha256
    )
    .fetch_optional(conn)
    .await?;
    Ok(kept.flatten().and_then(KeptInfo::read))
}

/// Points the product to a video, and away from the one before. The product is held before any of its videos, as by everybody
/// who shows one or takes one down: two of them never wait for each other.
pub(crate) async fn publish(conn: &mut PgConnection, product: ProductId, video: VideoId) -> Result<(), sqlx::Error> {
    sqlx::query!("select id from products where id = $1 for no key update", product.uuid())
        .fetch_optional(&mut *conn)
        .await?;
    sqlx::query!(
        "update videos set unpublished_at = now() where product_id = $1 and id <> $2 and unpublished_at is null",
        product.uuid(),
        video.uuid()
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("update products set video_id = $2 where id = $1", product.uuid(), video.uuid()).execute(conn).await?;
    Ok(())
}

/// Whether a video was shown to shoppers and nobody took it down.
pub(crate) async fn is_shown(conn: &mut PgConnection, video: VideoId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        "select exists (select 1 from videos where id = $1 and taken_down_at is null) as \"shown!\"",
        video.uuid()
    )
    .fetch_one(conn)
    .await
}
