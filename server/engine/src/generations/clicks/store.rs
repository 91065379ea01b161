//! The rows of clicks, many per statement.

use std::collections::HashMap;

use domain::{GenerationId, RequestKey, Stage, TryonImageId, UserId, VideoId, generation::EventKind};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::generations::click::{Click, EarlierClick};

/// Generations that the same clicks made before.
pub(super) async fn earlier(
    conn: &mut PgConnection,
    clicks: &[Click],
) -> Result<HashMap<(UserId, RequestKey), EarlierClick>, sqlx::Error> {
    let rows = sqlx::query!(
        "select g.id, g.requested_by, g.request_key, g.request_sha256 from generations g
         join unnest($1::uuid[], $2::uuid[]) as n (by, key) on g.requested_by = n.by and g.request_key = n.key",
        &clicks.iter().map(|click| click.new.by.uuid()).collect::<Vec<_>>(),
        &clicks.iter().map(|click| click.new.name.key.uuid()).collect::<Vec<_>>(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let key = (UserId::from_uuid(row.requested_by), RequestKey::from_uuid(row.request_key));
            (key, EarlierClick { id: GenerationId::from_uuid(row.id), request_sha256: row.request_sha256 })
        })
        .collect())
}

/// Answers how many were written: one whose key is taken is not.
pub(super) async fn insert(conn: &mut PgConnection, clicks: &[&Click]) -> Result<usize, sqlx::Error> {
    let small = |number: u16| i16::try_from(number).unwrap_or(i16::MAX);
    let new = || clicks.iter().map(|click| &click.new);
    let written = sqlx::query!(
        "insert into generations (id, product_id, photo_id, requested_by, request_key, recipe, prompt_version, model_type,
             duration_seconds, resolution, fps, max_attempts, job_id, video_id, day, retry_of, clip_video_id,
             format, hls, branding, tryon_image_id, progress, request_sha256)
         select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[],
             $9::smallint[], $10::text[], $11::smallint[], $12::smallint[], $13::uuid[], $14::uuid[], $15::date[],
             $16::uuid[], $17::uuid[], $18::text[], $19::boolean[], $20::boolean[], $21::uuid[], $22::smallint[],
             $23::bytea[])
         on conflict on constraint generations_request_key_unique do nothing",
        &new().map(|new| new.id.uuid()).collect::<Vec<_>>(),
        &new().map(|new| new.product.uuid()).collect::<Vec<_>>(),
        &new().map(|new| new.photo.uuid()).collect::<Vec<_>>(),
        &new().map(|new| new.by.uuid()).collect::<Vec<_>>(),
        &new().map(|new| new.name.key.uuid()).collect::<Vec<_>>(),
        &new().map(|new| new.options.recipe.as_str()).collect::<Vec<_>>() as &[&str],
        &new().map(|new| new.prompt_version).collect::<Vec<_>>() as &[&str],
        &new().map(|new| new.options.model_type.as_str()).collect::<Vec<_>>() as &[&str],
        &new().map(|new| i16::from(new.options.duration.get())).collect::<Vec<_>>(),
        &new().map(|new| new.options.resolution.as_str()).collect::<Vec<_>>() as &[&str],
        &new().map(|new| i16::from(new.options.fps.get())).collect::<Vec<_>>(),
        &new().map(|new| small(new.max_attempts)).collect::<Vec<_>>(),
        &new().map(|new| new.job_id).collect::<Vec<_>>(),
        &new().map(|new| new.video_id.uuid()).collect::<Vec<_>>(),
        &new().map(|new| new.day).collect::<Vec<_>>(),
        &new().map(|new| new.takeover.as_ref().map(|it| it.of.uuid())).collect::<Vec<_>>() as &[Option<Uuid>],
        &new().map(|new| new.takeover.as_ref()?.clip.map(VideoId::uuid)).collect::<Vec<_>>() as &[Option<Uuid>],
        &new().map(|new| new.options.format.as_str()).collect::<Vec<_>>() as &[&str],
        &new().map(|new| new.options.hls).collect::<Vec<_>>(),
        &new().map(|new| new.options.branding).collect::<Vec<_>>(),
        &new().map(|new| new.tryon_image.map(TryonImageId::uuid)).collect::<Vec<_>>() as &[Option<Uuid>],
        &clicks.iter().map(|click| i16::from(click.plan.begin().progress)).collect::<Vec<_>>(),
        &new().map(|new| new.name.request_sha256.as_ref().map(|sha256| &sha256[..])).collect::<Vec<_>>()
            as &[Option<&[u8]>],
    )
    .execute(conn)
    .await?;
    Ok(usize::try_from(written.rows_affected()).unwrap_or(usize::MAX))
}

/// The stages, the first events and the audit rows of clicks. A still that is given is no work: its stage is done.
pub(super) async fn insert_requested(conn: &mut PgConnection, clicks: &[&Click]) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = clicks.iter().map(|click| click.new.id.uuid()).collect();
    let actors: Vec<Uuid> = clicks.iter().map(|click| click.new.by.uuid()).collect();
    let stages: Vec<&str> = Stage::ALL.iter().map(|stage| stage.as_str()).collect();
    sqlx::query!(
        "insert into generation_stages (generation_id, stage, state, finished_at)
         select n.id, s.stage, case when n.given and s.stage = 'stills' then 'done' else 'waiting' end,
             case when n.given and s.stage = 'stills' then now() end
         from unnest($1::uuid[], $2::boolean[]) as n (id, given) cross join unnest($3::text[]) as s (stage)",
        &ids,
        &clicks.iter().map(|click| click.new.tryon_image.is_some()).collect::<Vec<_>>(),
        &stages as &[&str],
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into generation_events (generation_id, kind, actor_id, amount_micro_usd)
         select n.id, $4, n.actor, n.amount from unnest($1::uuid[], $2::uuid[], $3::bigint[]) as n (id, actor, amount)",
        &ids,
        &actors,
        &clicks.iter().map(|click| click.plan.total().micros()).collect::<Vec<_>>(),
        EventKind::Requested.as_str(),
    )
    .execute(&mut *conn)
    .await?;
    insert_switched(conn, clicks).await?;
    sqlx::query!(
        "insert into audit_log (actor_id, action, subject_id)
         select n.actor, 'generation.requested', n.id from unnest($1::uuid[], $2::uuid[]) as n (id, actor)",
        &ids,
        &actors,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Which stages are not bought from their first choice.
async fn insert_switched(conn: &mut PgConnection, clicks: &[&Click]) -> Result<(), sqlx::Error> {
    let switched: Vec<(Uuid, &str, String)> = clicks
        .iter()
        .flat_map(|click| click.plan.switched.iter().map(|(stage, detail)| (click.new.id.uuid(), stage, detail)))
        .map(|(id, stage, detail)| (id, stage.as_str(), detail.chars().take(1000).collect()))
        .collect();
    if switched.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into generation_events (generation_id, kind, stage, detail)
         select n.id, $4, n.stage, n.detail from unnest($1::uuid[], $2::text[], $3::text[]) as n (id, stage, detail)",
        &switched.iter().map(|(id, ..)| *id).collect::<Vec<_>>(),
        &switched.iter().map(|(_, stage, _)| *stage).collect::<Vec<_>>() as &[&str],
        &switched.iter().map(|(.., detail)| detail.as_str()).collect::<Vec<_>>() as &[&str],
        EventKind::RouteSwitched.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The stills of generations that are made from an uploaded one; a retry takes its own over.
pub(super) async fn insert_given_stills(conn: &mut PgConnection, clicks: &[&Click]) -> Result<(), sqlx::Error> {
    let given: Vec<(Uuid, Uuid)> = clicks
        .iter()
        .filter(|click| click.new.takeover.is_none())
        .filter_map(|click| Some((click.new.id.uuid(), click.new.tryon_image?.uuid())))
        .collect();
    if given.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into stills (id, generation_id, frame, tryon_image_id, object_key, content_type, width, height, bytes,
             sha256)
         select n.id, n.generation_id, 'start', t.id, t.object_key, t.content_type, t.width, t.height, t.bytes, t.sha256
         from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as n (id, generation_id, image_id)
         join tryon_images t on t.id = n.image_id",
        &given.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>(),
        &given.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
        &given.iter().map(|(_, image)| *image).collect::<Vec<_>>(),
    )
    .execute(conn)
    .await?;
    Ok(())
}
