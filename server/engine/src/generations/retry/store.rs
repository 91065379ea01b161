//! What is known of a generation that is to be retried, and what its retry takes over.

use domain::{
    FailureCode, GenerationId, GenerationState, Options, PhotoId, ProductId, Recipe, Stage, TryonImageId, UserId,
    VideoId, generation::EventKind, generation::Frame,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Takeover;
use crate::generations::store::{Event, decode, options, record, touch};

/// A generation as its retry sees it.
pub(super) struct Before {
    pub(super) product: ProductId,
    pub(super) state: GenerationState,
    pub(super) failure: Option<FailureCode>,
    pub(super) options: Options,
    /// What its stills were made from.
    pub(super) photo: PhotoId,
    /// What stills of its product are made from now.
    pub(super) photo_now: Option<PhotoId>,
    /// The asset its stored clip has its name from, where a clip was paid for.
    pub(super) clip: Option<VideoId>,
    /// The uploaded still it was made from.
    pub(super) tryon_image: Option<TryonImageId>,
    /// Where its stills are stored, start before end.
    pub(super) stills: Vec<(Frame, String)>,
}

pub(super) async fn before(conn: &mut PgConnection, id: GenerationId) -> Result<Option<Before>, sqlx::Error> {
    let row = sqlx::query!(
        "select g.product_id, g.photo_id, g.state, g.failure_code, g.recipe, g.model_type, g.duration_seconds, g.resolution,
             g.fps, g.format, g.hls, g.branding, g.tryon_image_id, f.id as \"photo_now?\",
             case when exists (select 1 from calls c where c.generation_id = g.id and c.slot = 'clip' and c.state = 'done')
                 then g.video_id else g.clip_video_id end as clip_video_id,
             array(select s.frame from stills s where s.generation_id = g.id order by s.frame desc) as \"frames!\",
             array(select s.object_key from stills s where s.generation_id = g.id order by s.frame desc) as \"keys!\"
         from generations g left join product_photos f on f.product_id = g.product_id and f.position = 0
         where g.id = $1",
        id.uuid()
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Before {
        product: ProductId::from_uuid(row.product_id),
        state: row.state.parse().map_err(decode)?,
        failure: row.failure_code.map(|code| FailureCode::parse(&code)),
        options: options!(row)?,
        photo: PhotoId::from_uuid(row.photo_id),
        photo_now: row.photo_now.map(PhotoId::from_uuid),
        clip: row.clip_video_id.map(VideoId::from_uuid),
        tryon_image: row.tryon_image_id.map(TryonImageId::from_uuid),
        stills: row.frames.iter().filter_map(|frame| Frame::parse(frame)).zip(row.keys).collect(),
    }))
}

/// The retry that is under way or gave a video.
pub(super) async fn standing(conn: &mut PgConnection, of: GenerationId) -> Result<Option<GenerationId>, sqlx::Error> {
    let id = sqlx::query_scalar!(
        "select id from generations where retry_of = $1 and state not in ('failed', 'cancelled')",
        of.uuid()
    )
    .fetch_optional(conn)
    .await?;
    Ok(id.map(GenerationId::from_uuid))
}

/// Gives a retry what it takes over, and tells it on both sides.
pub(in crate::generations) async fn take_over(
    conn: &mut PgConnection,
    id: GenerationId,
    takeover: &Takeover,
    recipe: Recipe,
    by: UserId,
) -> Result<(), sqlx::Error> {
    let done = takeover.stages(recipe);
    let stages: Vec<String> = done.iter().map(|stage| stage.as_str().to_owned()).collect();
    sqlx::query!(
        "update generation_stages set state = 'done', finished_at = now()
         where generation_id = $1 and stage = any($2)",
        id.uuid(),
        &stages,
    )
    .execute(&mut *conn)
    .await?;
    take_over_stills(conn, id, takeover).await?;
    let (from, to) = (takeover.of.to_string(), id.to_string());
    record(conn, id, &Event { detail: Some(&from), ..Event::of(EventKind::RetriedFrom) }).await?;
    for stage in done {
        record(conn, id, &Event { stage: Some(*stage), ..Event::of(EventKind::StageReused) }).await?;
    }
    if done.is_empty() && !takeover.frames.is_empty() {
        let event = Event { stage: Some(Stage::Stills), ..Event::of(EventKind::StillReused) };
        record(conn, id, &event).await?;
    }
    let retried = Event { actor: Some(by), detail: Some(&to), ..Event::of(EventKind::RetriedAs) };
    record(conn, takeover.of, &retried).await?;
    touch(conn, takeover.of).await
}

/// New rows for the same objects; they keep the call that paid for them.
async fn take_over_stills(conn: &mut PgConnection, to: GenerationId, takeover: &Takeover) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = takeover.frames.iter().map(|_| Uuid::now_v7()).collect();
    let frames: Vec<String> = takeover.frames.iter().map(|frame| frame.as_str().to_owned()).collect();
    sqlx::query!(
        "insert into stills (id, generation_id, frame, call_id, tryon_image_id, object_key, content_type, width, height,
             bytes, sha256)
         select n.id, $1, s.frame, s.call_id, s.tryon_image_id, s.object_key, s.content_type, s.width, s.height, s.bytes,
             s.sha256
         from stills s join unnest($3::uuid[], $4::text[]) as n (id, frame) on n.frame = s.frame
         where s.generation_id = $2",
        to.uuid(),
        takeover.of.uuid(),
        &ids,
        &frames,
    )
    .execute(conn)
    .await?;
    Ok(())
}
