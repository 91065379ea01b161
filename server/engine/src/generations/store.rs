//! Generation rows: every change of state is guarded by the state machine of `domain`.

use chrono::NaiveDate;
use domain::{
    FailureCode, GenerationId, GenerationState, LocalText, MicroUsd, Options, PhotoId, ProductId, RequestKey, Stage,
    UserId, VideoId, generation::EventKind,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::click::EarlierClick;

/// A generation as its stages see it.
#[derive(Debug, Clone)]
pub(crate) struct Generation {
    pub(crate) id: GenerationId,
    pub(crate) product_id: ProductId,
    pub(crate) state: GenerationState,
    pub(crate) options: Options,
    pub(crate) job_id: Uuid,
    pub(crate) video_id: VideoId,
    /// The asset whose stored clip becomes the video: its own, unless a retry took one over.
    pub(crate) clip_video_id: VideoId,
    pub(crate) day: NaiveDate,
    pub(crate) cancel_requested: bool,
    pub(crate) photo_key: String,
    pub(crate) photo_content_type: String,
    pub(crate) product_name: LocalText,
    pub(crate) category: String,
}

pub(super) fn decode(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

/// The choices of a generation, of a row that has their columns.
macro_rules! options {
    ($row:expr) => {
        domain::options::RawOptions {
            recipe: $row.recipe.clone(),
            model_type: $row.model_type.clone(),
            duration: i64::from($row.duration_seconds),
            resolution: $row.resolution.clone(),
            fps: i64::from($row.fps),
            format: $row.format.clone(),
            hls: $row.hls,
            branding: $row.branding,
        }
        .parse()
        .map_err(|wrong| {
            sqlx::Error::Decode(wrong.into_iter().map(|it| it.to_string()).collect::<Vec<_>>().join("; ").into())
        })
    };
}
pub(crate) use options;

/// The photo that stills are made from; of a product that does not exist nothing, not even that there is none.
pub(super) async fn product_photo(
    conn: &mut PgConnection,
    product: ProductId,
) -> Result<Option<Option<PhotoId>>, sqlx::Error> {
    let found = sqlx::query_scalar!(
        r#"select f.id as "photo?" from products p left join product_photos f on f.product_id = p.id and f.position = 0
         where p.id = $1"#,
        product.uuid()
    )
    .fetch_optional(conn)
    .await?;
    Ok(found.map(|photo| photo.map(PhotoId::from_uuid)))
}

pub(crate) async fn by_request_key(
    conn: &mut PgConnection,
    by: UserId,
    key: RequestKey,
) -> Result<Option<EarlierClick>, sqlx::Error> {
    let row = sqlx::query!(
        "select id, request_sha256 from generations where requested_by = $1 and request_key = $2",
        by.uuid(),
        key.uuid()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| EarlierClick { id: GenerationId::from_uuid(row.id), request_sha256: row.request_sha256 }))
}

pub(crate) async fn audit(
    conn: &mut PgConnection,
    actor: Option<UserId>,
    action: &str,
    subject: Uuid,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into audit_log (actor_id, action, subject_id) values ($1, $2, $3)",
        actor.map(UserId::uuid),
        action,
        subject
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Something that happened, for the timeline.
#[derive(Debug, Clone)]
pub(crate) struct Event<'a> {
    pub(crate) kind: EventKind,
    pub(crate) stage: Option<Stage>,
    pub(crate) actor: Option<UserId>,
    pub(crate) failure: Option<FailureCode>,
    pub(crate) amount: Option<MicroUsd>,
    pub(crate) detail: Option<&'a str>,
}

impl Event<'_> {
    /// An event without particulars.
    pub(crate) fn of(kind: EventKind) -> Self {
        Self { kind, stage: None, actor: None, failure: None, amount: None, detail: None }
    }
}

pub(crate) async fn record(
    conn: &mut PgConnection,
    generation: GenerationId,
    event: &Event<'_>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into generation_events (generation_id, kind, stage, actor_id, failure_code, amount_micro_usd, detail)
         values ($1, $2, $3, $4, $5, $6, $7)",
        generation.uuid(),
        event.kind.as_str(),
        event.stage.map(Stage::as_str),
        event.actor.map(UserId::uuid),
        event.failure.map(FailureCode::as_str),
        event.amount.map(MicroUsd::micros),
        event.detail.map(|text| text.chars().take(1000).collect::<String>()),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Why the generation waits for another try, when that is the last thing that happened to it.
pub(crate) async fn last_retry(
    conn: &mut PgConnection,
    generation: GenerationId,
) -> Result<Option<FailureCode>, sqlx::Error> {
    let last = sqlx::query!(
        "select kind, failure_code from generation_events where generation_id = $1 order by id desc limit 1",
        generation.uuid()
    )
    .fetch_optional(conn)
    .await?;
    let retry = last.filter(|last| last.kind == EventKind::RetryScheduled.as_str());
    Ok(retry.and_then(|retry| retry.failure_code).map(|code| FailureCode::parse(&code)))
}

pub(crate) async fn load(conn: &mut PgConnection, id: GenerationId) -> Result<Option<Generation>, sqlx::Error> {
    let row = sqlx::query!(
        "select g.product_id, g.state, g.recipe, g.model_type, g.duration_seconds, g.resolution, g.fps,
             g.format, g.hls, g.branding, g.job_id, g.video_id, coalesce(g.clip_video_id, g.video_id) as \"clip_video_id!\", g.day, g.cancel_requested_at is not null as \"cancel_requested!\",
             f.object_key, f.content_type, p.name_ko, p.name_en, p.category
         from generations g join product_photos f on f.id = g.photo_id join products p on p.id = g.product_id
         where g.id = $1",
        id.uuid()
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Generation {
        id,
        product_id: ProductId::from_uuid(row.product_id),
        state: row.state.parse().map_err(decode)?,
        options: options!(row)?,
        job_id: row.job_id,
        video_id: VideoId::from_uuid(row.video_id),
        clip_video_id: VideoId::from_uuid(row.clip_video_id),
        day: row.day,
        cancel_requested: row.cancel_requested,
        photo_key: row.object_key,
        photo_content_type: row.content_type,
        product_name: LocalText { ko: row.name_ko, en: row.name_en },
        category: row.category,
    }))
}

/// The same, with the row locked until the transaction ends.
pub(crate) async fn lock(conn: &mut PgConnection, id: GenerationId) -> Result<Option<Generation>, sqlx::Error> {
    sqlx::query!("select id from generations where id = $1 for update", id.uuid()).fetch_optional(&mut *conn).await?;
    load(conn, id).await
}

/// Moves a generation on where the state machine allows it. False when it does not. The end is read from the clock now, so
/// that of two that publish for one product the later is the one shown.
pub(crate) async fn advance(
    conn: &mut PgConnection,
    id: GenerationId,
    next: GenerationState,
    progress: u8,
) -> Result<bool, sqlx::Error> {
    let from: Vec<String> = GenerationState::ALL
        .iter()
        .filter(|state| state.can_become(next))
        .map(|state| state.as_str().to_owned())
        .collect();
    let done = sqlx::query!(
        "update generations set state = $2, progress = greatest(progress, $3), next_try_at = null, attempt = 1,
             finished_at = case when $2 = 'completed' then clock_timestamp() end
         where id = $1 and state = any($4)",
        id.uuid(),
        next.as_str(),
        i16::from(progress),
        &from,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends a generation without a video. False when it has ended already.
pub(crate) async fn end(
    conn: &mut PgConnection,
    id: GenerationId,
    state: GenerationState,
    code: FailureCode,
    stage: Option<Stage>,
    detail: Option<&str>,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update generations set state = $2, failure_code = $3, failure_stage = $4, failure_detail = $5, finished_at = now(),
             next_try_at = null
         where id = $1 and finished_at is null",
        id.uuid(),
        state.as_str(),
        code.as_str(),
        stage.map(Stage::as_str),
        detail.map(|text| text.chars().take(1000).collect::<String>()),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes progress inside a stage; never goes back.
pub(crate) async fn set_progress(
    conn: &mut PgConnection,
    id: GenerationId,
    progress: u8,
    encode_percent: Option<u8>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update generations set progress = greatest(progress, $2), encode_percent = coalesce($3, encode_percent)
         where id = $1 and finished_at is null",
        id.uuid(),
        i16::from(progress),
        encode_percent.map(i16::from),
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn set_attempt(conn: &mut PgConnection, id: GenerationId, attempt: u16) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update generations set attempt = $2, next_try_at = null where id = $1 and finished_at is null
             and (attempt <> $2 or next_try_at is not null)",
        id.uuid(),
        i16::try_from(attempt).unwrap_or(i16::MAX)
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives the generation to its next job.
pub(crate) async fn set_job(conn: &mut PgConnection, id: GenerationId, job: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("update generations set job_id = $2 where id = $1", id.uuid(), job).execute(conn).await?;
    Ok(())
}

/// True when the stage was not running before.
pub(crate) async fn start_stage(conn: &mut PgConnection, id: GenerationId, stage: Stage) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update generation_stages set state = 'running', started_at = now(), finished_at = null
         where generation_id = $1 and stage = $2 and state = 'waiting'",
        id.uuid(),
        stage.as_str()
    )
    .execute(&mut *conn)
    .await?;
    let started = done.rows_affected() == 1;
    if started {
        // A stage that starts is news even when the state stays.
        touch(conn, id).await?;
    }
    Ok(started)
}

/// Viewers are told by version: this is news although the row says nothing new.
pub(crate) async fn touch(conn: &mut PgConnection, id: GenerationId) -> Result<(), sqlx::Error> {
    sqlx::query!("update generations set version = version where id = $1", id.uuid()).execute(conn).await?;
    Ok(())
}

pub(crate) async fn finish_stage(conn: &mut PgConnection, id: GenerationId, stage: Stage) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update generation_stages set state = 'done', finished_at = now()
         where generation_id = $1 and stage = $2 and state = 'running'",
        id.uuid(),
        stage.as_str()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Running stages failed, waiting ones will not run. Answers the stage that failed.
pub(crate) async fn stop_stages(conn: &mut PgConnection, id: GenerationId) -> Result<Option<Stage>, sqlx::Error> {
    let failed = sqlx::query_scalar!(
        "update generation_stages set state = 'failed', finished_at = now()
         where generation_id = $1 and state = 'running' returning stage",
        id.uuid()
    )
    .fetch_optional(&mut *conn)
    .await?;
    sqlx::query!(
        "update generation_stages set state = 'skipped' where generation_id = $1 and state = 'waiting'",
        id.uuid()
    )
    .execute(conn)
    .await?;
    Ok(failed.and_then(|stage| stage.parse().ok()))
}

pub(crate) async fn request_cancel(conn: &mut PgConnection, id: GenerationId, by: UserId) -> Result<(), sqlx::Error> {
    let first = sqlx::query!(
        "update generations set cancel_requested_at = now() where id = $1 and cancel_requested_at is null",
        id.uuid()
    )
    .execute(&mut *conn)
    .await?;
    if first.rows_affected() == 1 {
        let event = Event { actor: Some(by), ..Event::of(EventKind::CancelRequested) };
        record(&mut *conn, id, &event).await?;
        audit(conn, Some(by), "generation.cancel_requested", id.uuid()).await?;
    }
    Ok(())
}
