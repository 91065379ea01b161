//! What has been kept long enough, and what rows know of.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use domain::{
    UserId,
    storage::{KeepDays, StoredPart},
};
use sqlx::PgConnection;
use uuid::Uuid;

/// An object that is kept no longer.
pub(super) struct Due {
    pub(super) key: String,
    pub(super) part: String,
    pub(super) bytes: u64,
}

/// An original may be used by a retry: it is kept while one that uses it runs or has ended lately. A published video has no
/// `unpublished_at`, and is asked for once more; of its posters those go that another took the place of. Pictures are kept at
/// least as long as what they are pictures of. `passed_over` are keys not to be named again.
pub(super) async fn due(
    conn: &mut PgConnection,
    keep: KeepDays,
    most: i64,
    passed_over: &[String],
) -> Result<Vec<Due>, sqlx::Error> {
    let rows = sqlx::query!(
        "select o.object_key, o.part, o.bytes from video_objects o left join videos v on v.id = o.video_id
         where o.removed_at is null and case o.part
             when 'original' then $1 > 0 and not exists (select 1 from generations g
                 where (g.video_id = o.video_id or g.clip_video_id = o.video_id)
                     and (g.finished_at is null or g.finished_at > now() - make_interval(days => $1)))
             when 'poster' then $3 > 0 and (o.replaced_at < now() - make_interval(days => $3)
                 or v.unpublished_at < now() - make_interval(days => $3)
                     and not exists (select 1 from renditions r where r.video_id = o.video_id))
             else $2 > 0 and v.unpublished_at < now() - make_interval(days => $2) end
             and (o.part = 'original' or o.replaced_at is not null
                 or not exists (select 1 from products p where p.video_id = o.video_id))
             and o.object_key <> all($5)
         order by o.stored_at limit $4",
        i32::from(keep.originals),
        i32::from(keep.videos),
        i32::from(keep.posters),
        most,
        passed_over,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Due { key: row.object_key, part: row.part, bytes: u64::try_from(row.bytes).unwrap_or(0) })
        .collect())
}

/// Writes down that these are gone; nothing plays them any more. Answers whose they were.
pub(super) async fn remove(conn: &mut PgConnection, keys: &[String]) -> Result<HashSet<Uuid>, sqlx::Error> {
    let videos = sqlx::query_scalar!(
        "update video_objects set removed_at = now() where object_key = any($1) returning video_id",
        keys
    )
    .fetch_all(&mut *conn)
    .await?;
    sqlx::query!("delete from renditions where object_key = any($1)", keys).execute(&mut *conn).await?;
    sqlx::query!(
        "delete from exports e where object_key = any($1) or state = 'failed' and video_id = any($2)
             and not exists (select 1 from renditions r where r.video_id = e.video_id)",
        keys,
        &videos
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("update videos set hls_key = null where hls_key = any($1)", keys).execute(conn).await?;
    Ok(videos.into_iter().collect())
}

/// Which of these keys rows know of.
pub(super) async fn known(conn: &mut PgConnection, keys: &[String]) -> Result<HashSet<String>, sqlx::Error> {
    let known = sqlx::query_scalar!(
        "select object_key as \"key!\" from video_objects where object_key = any($1) and removed_at is null
         union select object_key from product_photos where object_key = any($1)
         union select object_key from stills where object_key = any($1)
         union select object_key from tryon_images where object_key = any($1) and erased_at is null",
        keys
    )
    .fetch_all(conn)
    .await?;
    Ok(known.into_iter().collect())
}

/// Every object that rows speak of and that was stored before a moment.
pub(super) async fn expected(conn: &mut PgConnection, before: DateTime<Utc>) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "select object_key as \"key!\" from video_objects where removed_at is null and stored_at < $1
         union select f.object_key from product_photos f join products p on p.id = f.product_id where p.created_at < $1
         union select s.object_key from stills s left join tryon_images t on t.id = s.tryon_image_id
             where s.created_at < $1 and t.removed_at is null
         union select object_key from tryon_images where created_at < $1 and removed_at is null",
        before
    )
    .fetch_all(conn)
    .await
}

/// What there is, by part, the heaviest first.
pub(super) async fn stored(conn: &mut PgConnection) -> Result<Vec<StoredPart>, sqlx::Error> {
    let rows = sqlx::query!(
        "select part as \"part!\", count(*) as \"objects!\", coalesce(sum(bytes), 0)::bigint as \"bytes!\"
         from video_objects where removed_at is null group by part
         union all select 'tryon_image', count(*), coalesce(sum(bytes), 0)::bigint from tryon_images
             where erased_at is null having count(*) > 0
         order by 3 desc, 1"
    )
    .fetch_all(conn)
    .await?;
    let count = |number: i64| u64::try_from(number).unwrap_or_default();
    Ok(rows
        .into_iter()
        .map(|row| StoredPart { part: row.part, objects: count(row.objects), bytes: count(row.bytes) })
        .collect())
}

/// The rules somebody set last, with who and when.
pub(super) async fn rules(conn: &mut PgConnection) -> Result<Option<(KeepDays, String, DateTime<Utc>)>, sqlx::Error> {
    let row = sqlx::query!(
        "select r.originals_days, r.videos_days, r.posters_days, r.set_at, u.name
         from retention_rules r join users u on u.id = r.set_by order by r.id desc limit 1"
    )
    .fetch_optional(conn)
    .await?;
    let days = |days: i16| u16::try_from(days).unwrap_or_default();
    Ok(row.map(|row| {
        let keep = KeepDays {
            originals: days(row.originals_days),
            videos: days(row.videos_days),
            posters: days(row.posters_days),
        };
        (keep, row.name, row.set_at)
    }))
}

pub(super) async fn set_rules(conn: &mut PgConnection, by: UserId, keep: KeepDays) -> Result<(), sqlx::Error> {
    let days = |days: u16| i16::try_from(days).unwrap_or(i16::MAX);
    sqlx::query!(
        "insert into retention_rules (originals_days, videos_days, posters_days, set_by) values ($1, $2, $3, $4)",
        days(keep.originals),
        days(keep.videos),
        days(keep.posters),
        by.uuid()
    )
    .execute(conn)
    .await?;
    Ok(())
}
