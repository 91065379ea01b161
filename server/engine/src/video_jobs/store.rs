//! Reading generations for the API.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::{FailureCode, GenerationId, MicroUsd, ProductId, VideoId, generation::StateGroup};
use sqlx::PgConnection;

use super::{GenerationStats, GenerationsAfter, VideoFiles, VideoJob};
use crate::{MediaUrls, media_urls::signed_until};

fn decode(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

/// Asked thousands of times a second: one round trip, by primary keys only. The best of a codec is its largest.
pub(super) async fn jobs(
    conn: &mut PgConnection,
    media: &MediaUrls,
    ids: &[GenerationId],
    now: DateTime<Utc>,
) -> Result<HashMap<GenerationId, VideoJob>, sqlx::Error> {
    let rows = sqlx::query!(
        "select g.id as \"id!\", g.state as \"state!\", g.progress as \"progress!\", g.failure_code as \"failure_code?\",
             v.id as \"video_id?\", v.poster_key as \"poster_key?\", v.hls_key as \"hls_key?\", v.taken_down_at as \"taken_down_at?\", r.mp4_key as \"mp4_key?\", r.webm_key as \"webm_key?\"
         from generations g
         left join videos v on v.generation_id = g.id
         left join lateral (
             select (array_agg(object_key order by height * width desc) filter (where codec = 'h264'))[1] as mp4_key,
                 (array_agg(object_key order by height * width desc) filter (where codec = 'vp9'))[1] as webm_key
             from renditions where video_id = v.id) r on true
         where g.id = any($1)",
        &ids.iter().map(|id| id.uuid()).collect::<Vec<_>>()
    )
    .fetch_all(conn)
    .await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let id = GenerationId::from_uuid(row.id);
        let signed_at = row.taken_down_at.map(|_| now);
        let url = |key: &String| media.video_url(key, signed_at);
        let files = row.video_id.zip(row.poster_key).zip(row.mp4_key);
        let video = files.map(|((video, poster), mp4)| VideoFiles {
            id: VideoId::from_uuid(video),
            mp4: url(&mp4),
            webm: row.webm_key.as_ref().map(url),
            hls: row.hls_key.as_ref().map(url),
            thumbnail: url(&poster),
            signed_until: signed_at.map(signed_until),
        });
        let job = VideoJob {
            id,
            state: row.state.parse().map_err(decode)?,
            progress: u8::try_from(row.progress).unwrap_or(0),
            failure: row.failure_code.as_deref().map(FailureCode::parse),
            video,
        };
        found.insert(id, job);
    }
    Ok(found)
}

pub(super) async fn generation_of(
    conn: &mut PgConnection,
    video: VideoId,
) -> Result<Option<GenerationId>, sqlx::Error> {
    let id = sqlx::query_scalar!("select generation_id from videos where id = $1", video.uuid())
        .fetch_optional(conn)
        .await?;
    Ok(id.map(GenerationId::from_uuid))
}

/// Newest first: ids sort by the time they were made.
pub(super) async fn ids_after(
    conn: &mut PgConnection,
    list: &GenerationsAfter,
) -> Result<Vec<GenerationId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "select id from generations
         where ($1::uuid is null or id < $1) and ($2::uuid is null or product_id = $2)
             and ($3::text is null or ($3 = 'active' and finished_at is null) or state = $3)
         order by id desc limit $4",
        list.after.map(GenerationId::uuid),
        list.product.map(ProductId::uuid),
        list.group.map(StateGroup::as_str),
        i64::from(list.most),
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(GenerationId::from_uuid).collect())
}

pub(super) async fn stats(conn: &mut PgConnection, since: DateTime<Utc>) -> Result<GenerationStats, sqlx::Error> {
    let rows = sqlx::query!(
        "select state, count(*) as \"count!\" from generations where created_at >= $1 group by state",
        since
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut by_state = HashMap::with_capacity(rows.len());
    for row in rows {
        by_state.insert(row.state.parse().map_err(decode)?, u64::try_from(row.count).unwrap_or(0));
    }
    let sums = sqlx::query!(
        "select coalesce(sum(e.amount_micro_usd) filter (where e.kind in ('settle', 'adjust')), 0)::bigint as \"paid!\",
             coalesce(sum(e.amount_micro_usd) filter (where e.kind = 'hold' and not exists (
                 select 1 from ledger_entries c where c.call_id = e.call_id and c.kind in ('settle', 'void'))),
                 0)::bigint as \"held!\"
         from ledger_entries e join generations g on g.id = e.generation_id where g.created_at >= $1",
        since
    )
    .fetch_one(&mut *conn)
    .await?;
    let median = sqlx::query_scalar!(
        "select percentile_cont(0.5) within group (order by extract(epoch from finished_at - created_at)::float8)
         from generations where created_at >= $1 and state = 'completed'",
        since
    )
    .fetch_one(conn)
    .await?;
    Ok(GenerationStats {
        since,
        by_state,
        paid: MicroUsd::new(sums.paid),
        held: MicroUsd::new(sums.held),
        median_seconds: median.map(|seconds| seconds.ceil().clamp(0.0, 86_400.0) as u32),
    })
}
