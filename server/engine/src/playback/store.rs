//! Sums of playbacks.

use chrono::NaiveDate;
use domain::{VideoId, playback::PlaybackCounts};
use sqlx::PgConnection;

fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn number(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// Adds to the day of a video; nothing where there is no such video.
pub(super) async fn add(
    conn: &mut PgConnection,
    video: VideoId,
    day: NaiveDate,
    counts: &PlaybackCounts,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into playback_days as d (video_id, day, starts, completes, stalls, first_frame_ms_sum, first_frames)
         select id, $2, $3, $4, $5, $6, $7 from videos where id = $1
         on conflict (video_id, day) do update set
             starts = d.starts + excluded.starts,
             completes = d.completes + excluded.completes,
             stalls = d.stalls + excluded.stalls,
             first_frame_ms_sum = d.first_frame_ms_sum + excluded.first_frame_ms_sum,
             first_frames = array(
                 select known + more from unnest(d.first_frames, excluded.first_frames) with ordinality g (known, more, at)
                 order by at)",
        video.uuid(),
        day,
        count(counts.starts),
        count(counts.completes),
        count(counts.stalls),
        count(counts.first_frame_ms_sum),
        &counts.first_frames.map(count),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What was counted of one video, or of all, from a day on.
pub(crate) async fn counts(
    conn: &mut PgConnection,
    video: Option<VideoId>,
    from: Option<NaiveDate>,
) -> Result<PlaybackCounts, sqlx::Error> {
    let row = sqlx::query!(
        "with days as (
             select * from playback_days
             where ($1::uuid is null or video_id = $1) and ($2::date is null or day >= $2)
         )
         select coalesce(sum(starts), 0)::bigint as \"starts!\", coalesce(sum(completes), 0)::bigint as \"completes!\",
             coalesce(sum(stalls), 0)::bigint as \"stalls!\", coalesce(sum(first_frame_ms_sum), 0)::bigint as \"ms!\",
             array(select sum(g.frames)::bigint from days, unnest(first_frames) with ordinality g (frames, at)
                 group by g.at order by g.at) as \"first_frames!\"
         from days",
        video.map(|video| video.uuid()),
        from,
    )
    .fetch_one(conn)
    .await?;
    let mut counts = PlaybackCounts {
        starts: number(row.starts),
        completes: number(row.completes),
        stalls: number(row.stalls),
        first_frame_ms_sum: number(row.ms),
        ..PlaybackCounts::default()
    };
    for (frames, sum) in counts.first_frames.iter_mut().zip(row.first_frames) {
        *frames = number(sum);
    }
    Ok(counts)
}
