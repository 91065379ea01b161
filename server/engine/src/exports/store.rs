//! Exports and chosen posters as rows.

use chrono::{DateTime, Utc};
use domain::{
    ClipSeconds, ExportId, FailureCode, FramesPerSecond, UserId, VideoId,
    export::{ExportFile, ExportOptions, ExportState, ExportView, Fit, Focus, Shape},
    options::InvalidOption,
};
use sqlx::PgConnection;

use crate::MediaUrls;

fn decode(wrong: InvalidOption) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(wrong))
}

/// What there is to cut from.
pub(crate) struct Source {
    /// Key of what the provider made, while it is kept.
    pub(crate) original: Option<String>,
    /// Key of the best H.264 rendition.
    pub(crate) rendition: Option<String>,
    pub(crate) duration_ms: u32,
    pub(crate) duration: ClipSeconds,
    pub(crate) fps: FramesPerSecond,
    pub(crate) branding: bool,
}

impl Source {
    /// How long a frame is shown, in whole milliseconds.
    pub(crate) fn frame_ms(&self) -> u64 {
        1000 / u64::from(self.fps.get()).max(1)
    }
}

pub(crate) async fn source(conn: &mut PgConnection, video: VideoId) -> Result<Option<Source>, sqlx::Error> {
    let row = sqlx::query!(
        "select v.duration_ms, g.duration_seconds, g.fps, g.branding,
             (select o.object_key from video_objects o where o.video_id = coalesce(g.clip_video_id, g.video_id)
                 and o.part = 'original' and o.removed_at is null limit 1) as original,
             (select r.object_key from renditions r where r.video_id = v.id and r.codec = 'h264'
                 order by r.width * r.height desc limit 1) as rendition
         from videos v join generations g on g.id = v.generation_id where v.id = $1",
        video.uuid()
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Source {
        original: row.original,
        rendition: row.rendition,
        duration_ms: u32::try_from(row.duration_ms).unwrap_or_default(),
        duration: ClipSeconds::parse(i64::from(row.duration_seconds)).map_err(decode)?,
        fps: FramesPerSecond::parse(i64::from(row.fps)).map_err(decode)?,
        branding: row.branding,
    }))
}

/// Writes down a request; answers its id, and whether there is something to do for it. The row is locked from here on: two
/// who ask for the same at once are answered one after the other.
pub(crate) async fn request(
    conn: &mut PgConnection,
    new: ExportId,
    video: VideoId,
    options: ExportOptions,
    by: UserId,
) -> Result<(ExportId, bool), sqlx::Error> {
    let (shape, fit) = (options.shape.as_str(), options.fit.as_str());
    let (x, y) = (i16::from(options.focus.x()), i16::from(options.focus.y()));
    let inserted = sqlx::query!(
        "insert into exports (id, video_id, shape, fit, focus_x, focus_y, requested_by) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict on constraint exports_same do nothing",
        new.uuid(),
        video.uuid(),
        shape,
        fit,
        x,
        y,
        by.uuid(),
    )
    .execute(&mut *conn)
    .await?;
    if inserted.rows_affected() == 1 {
        return Ok((new, true));
    }
    let known = sqlx::query!(
        "select id, state from exports
         where video_id = $1 and shape = $2 and fit = $3 and focus_x = $4 and focus_y = $5 for update",
        video.uuid(),
        shape,
        fit,
        x,
        y
    )
    .fetch_one(&mut *conn)
    .await?;
    let is_due = ExportState::parse(&known.state) == ExportState::Failed;
    if is_due {
        sqlx::query!(
            "update exports set state = 'queued', failure_code = null, finished_at = null, requested_by = $2,
                 requested_at = now() where id = $1",
            known.id,
            by.uuid()
        )
        .execute(conn)
        .await?;
    }
    Ok((ExportId::from_uuid(known.id), is_due))
}

/// How many exports a video has.
pub(crate) async fn count(conn: &mut PgConnection, video: VideoId) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!("select count(*) as \"count!\" from exports where video_id = $1", video.uuid())
        .fetch_one(conn)
        .await
}

/// The export of a job, while it is to be made.
pub(crate) async fn due(
    conn: &mut PgConnection,
    id: ExportId,
) -> Result<Option<(VideoId, ExportOptions)>, sqlx::Error> {
    let row = sqlx::query!(
        "select video_id, shape, fit, focus_x, focus_y from exports where id = $1 and state = 'queued'",
        id.uuid()
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let options = options_of(&row.shape, &row.fit, row.focus_x, row.focus_y)?;
        Ok((VideoId::from_uuid(row.video_id), options))
    })
    .transpose()
}

fn options_of(shape: &str, fit: &str, x: i16, y: i16) -> Result<ExportOptions, sqlx::Error> {
    Ok(ExportOptions {
        shape: Shape::parse(shape).map_err(decode)?,
        fit: Fit::parse(fit).map_err(decode)?,
        focus: Focus::new(i64::from(x), i64::from(y)).map_err(decode)?,
    })
}

/// Where an export is.
pub(crate) async fn state(conn: &mut PgConnection, id: ExportId) -> Result<Option<ExportState>, sqlx::Error> {
    let state = sqlx::query_scalar!("select state from exports where id = $1 for update", id.uuid());
    Ok(state.fetch_optional(conn).await?.map(|state| ExportState::parse(&state)))
}

/// Writes down that it is made; false when it is not wanted any more.
pub(crate) async fn finish(
    conn: &mut PgConnection,
    id: ExportId,
    key: &str,
    made: &media::Rendition,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update exports set state = 'done', object_key = $2, width = $3, height = $4, bytes = $5, finished_at = now()
         where id = $1 and state = 'queued'",
        id.uuid(),
        key,
        i32::try_from(made.width).unwrap_or(i32::MAX),
        i32::try_from(made.height).unwrap_or(i32::MAX),
        i64::try_from(made.bytes).unwrap_or(i64::MAX),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn fail(conn: &mut PgConnection, id: ExportId, code: FailureCode) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update exports set state = 'failed', failure_code = $2, finished_at = now() where id = $1 and state = 'queued'",
        id.uuid(),
        code.as_str()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The newest exports of a video.
pub(crate) async fn of_video(
    conn: &mut PgConnection,
    media: &MediaUrls,
    video: VideoId,
    most: i64,
    now: DateTime<Utc>,
) -> Result<Vec<ExportView>, sqlx::Error> {
    let rows = sqlx::query!(
        "select e.id, e.shape, e.fit, e.focus_x, e.focus_y, e.state, e.failure_code, e.object_key, e.width, e.height,
             e.bytes, e.requested_at, u.name as requested_by
         from exports e join users u on u.id = e.requested_by
         where e.video_id = $1 order by e.requested_at desc, e.id desc limit $2",
        video.uuid(),
        most
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let file = row.object_key.zip(row.width).zip(row.height).zip(row.bytes);
            Ok(ExportView {
                id: ExportId::from_uuid(row.id),
                options: options_of(&row.shape, &row.fit, row.focus_x, row.focus_y)?,
                state: ExportState::parse(&row.state),
                percent: None,
                is_cancelling: false,
                failure: row.failure_code.map(|code| FailureCode::parse(&code)),
                file: file.map(|(((key, width), height), bytes)| ExportFile {
                    url: media.private_url(&key, now),
                    width: u32::try_from(width).unwrap_or_default(),
                    height: u32::try_from(height).unwrap_or_default(),
                    bytes: u64::try_from(bytes).unwrap_or_default(),
                }),
                requested_by: row.requested_by,
                requested_at: row.requested_at,
            })
        })
        .collect()
}

/// The moment the next poster is to be from.
pub(crate) async fn want_poster(conn: &mut PgConnection, video: VideoId, at_ms: u32) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update videos set poster_wanted_ms = $2, poster_failure = null where id = $1",
        video.uuid(),
        i32::try_from(at_ms).unwrap_or(i32::MAX)
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether a poster from this moment is still wanted: somebody may have chosen another meanwhile.
pub(crate) async fn is_poster_wanted(conn: &mut PgConnection, video: VideoId, at_ms: u32) -> Result<bool, sqlx::Error> {
    let wanted = sqlx::query_scalar!("select poster_wanted_ms from videos where id = $1", video.uuid());
    let wanted = wanted.fetch_optional(conn).await?.flatten();
    Ok(wanted.and_then(|wanted| u32::try_from(wanted).ok()) == Some(at_ms))
}

/// Shows a poster, if it is still the one that is wanted; what it takes the place of is kept for a while.
pub(crate) async fn set_poster(
    conn: &mut PgConnection,
    video: VideoId,
    at_ms: u32,
    keys: [&storage::Key; 2],
    size: (u32, u32),
) -> Result<(), sqlx::Error> {
    let [jpeg, webp] = keys;
    let at_ms = i32::try_from(at_ms).unwrap_or(i32::MAX);
    let before = sqlx::query!(
        "select poster_key, poster_webp_key from videos where id = $1 and poster_wanted_ms = $2 for update",
        video.uuid(),
        at_ms
    )
    .fetch_optional(&mut *conn)
    .await?;
    // The one that lost is a picture nobody points to.
    let replaced = match before {
        Some(before) => vec![before.poster_key, before.poster_webp_key.unwrap_or_default()],
        None => keys.map(ToString::to_string).to_vec(),
    };
    sqlx::query!("update video_objects set replaced_at = now() where object_key = any($1)", &replaced)
        .execute(&mut *conn)
        .await?;
    sqlx::query!(
        "update videos set poster_key = $3, poster_webp_key = $4, poster_width = $5, poster_height = $6,
             poster_at_ms = $2, poster_wanted_ms = null
         where id = $1 and poster_wanted_ms = $2",
        video.uuid(),
        at_ms,
        jpeg.as_str(),
        webp.as_str(),
        i32::try_from(size.0).unwrap_or(i32::MAX),
        i32::try_from(size.1).unwrap_or(i32::MAX),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives up on a poster, and says why.
pub(crate) async fn fail_poster(
    conn: &mut PgConnection,
    video: VideoId,
    at_ms: u32,
    code: FailureCode,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update videos set poster_wanted_ms = null, poster_failure = $3 where id = $1 and poster_wanted_ms = $2",
        video.uuid(),
        i32::try_from(at_ms).unwrap_or(i32::MAX),
        code.as_str()
    )
    .execute(conn)
    .await?;
    Ok(())
}
