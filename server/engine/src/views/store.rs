//! Reading generations for pages.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::{
    CallState, FailureCode, GenerationId, LocalText, MicroUsd, ProductId, Stage, StillId, UserId, VideoId,
    generation::{
        Attempts, CallView, EventKind, FailureView, Frame, GenerationFilter, GenerationRow, GenerationView, StageView,
        StateGroup, StillView, TimelineEntry,
    },
    page::{PAGE_ROWS, PageNumber},
    product::{Picture, VideoSource, VideoView},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{MediaUrls, generations::store::options, media_urls::signed_until};

fn decode(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

fn uuids(ids: &[GenerationId]) -> Vec<Uuid> {
    ids.iter().map(|id| id.uuid()).collect()
}

fn number<T: TryFrom<i32> + Default>(value: i32) -> T {
    T::try_from(value).unwrap_or_default()
}

pub(crate) async fn snapshots(
    conn: &mut PgConnection,
    media: &MediaUrls,
    ids: &[GenerationId],
) -> Result<HashMap<GenerationId, GenerationView>, sqlx::Error> {
    let rows = sqlx::query!(
        "select g.id, g.version, g.product_id, p.name_ko, p.name_en, f.object_key, f.width, f.height, g.recipe, g.model_type,
             g.duration_seconds, g.resolution, g.fps, g.format, g.hls, g.branding, g.state, g.progress, g.failure_code, g.failure_stage,
             g.failure_detail, g.attempt, g.max_attempts, g.next_try_at, u.name as requested_by, g.created_at, g.finished_at,
             g.cancel_requested_at is not null as \"cancel_requested!\", g.retry_of, r.id as \"retried_as?\", m.held as \"held!\", m.paid as \"paid!\"
         from generations g
         join products p on p.id = g.product_id
         join product_photos f on f.id = g.photo_id
         join users u on u.id = g.requested_by
         left join lateral (select id from generations where retry_of = g.id order by created_at desc limit 1) r on true
         cross join lateral (
             select coalesce(sum(e.amount_micro_usd) filter (where e.kind in ('settle', 'adjust')), 0)::bigint as paid,
                 coalesce(sum(e.amount_micro_usd) filter (where e.kind = 'hold' and not exists (
                     select 1 from ledger_entries c where c.call_id = e.call_id and c.kind in ('settle', 'void'))),
                     0)::bigint as held
             from ledger_entries e where e.generation_id = g.id) m
         where g.id = any($1)",
        &uuids(ids)
    )
    .fetch_all(conn)
    .await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let id = GenerationId::from_uuid(row.id);
        let view = GenerationView {
            id,
            version: row.version,
            product_id: ProductId::from_uuid(row.product_id),
            product_name: LocalText { ko: row.name_ko, en: row.name_en },
            product_photo: media.picture(Some(row.object_key), Some(row.width), Some(row.height)),
            options: options!(row)?,
            state: row.state.parse().map_err(decode)?,
            progress: number(i32::from(row.progress)),
            stages: Vec::new(),
            stills: Vec::new(),
            video: None,
            failure: row.failure_code.map(|code| FailureView {
                code: FailureCode::parse(&code),
                stage: row.failure_stage.and_then(|stage| stage.parse().ok()),
                detail: row.failure_detail,
            }),
            held: MicroUsd::new(row.held),
            paid: MicroUsd::new(row.paid),
            attempt: Attempts { number: number(i32::from(row.attempt)), of: number(i32::from(row.max_attempts)) },
            next_try_at: row.next_try_at,
            cancel_requested: row.cancel_requested,
            requested_by: row.requested_by,
            created_at: row.created_at,
            finished_at: row.finished_at,
            retry_of: row.retry_of.map(GenerationId::from_uuid),
            retried_as: row.retried_as.map(GenerationId::from_uuid),
        };
        found.insert(id, view);
    }
    Ok(found)
}

pub(crate) async fn stages(
    conn: &mut PgConnection,
    ids: &[GenerationId],
) -> Result<HashMap<GenerationId, Vec<StageView>>, sqlx::Error> {
    let rows = sqlx::query!(
        "select s.generation_id, s.stage, s.state, s.started_at, s.finished_at,
             case when s.stage = 'encode' and s.state = 'running' then g.encode_percent end as percent,
             coalesce((select sum(e.amount_micro_usd) from ledger_entries e join calls c on c.id = e.call_id
                 where c.generation_id = s.generation_id and c.stage = s.stage and e.kind in ('settle', 'adjust')),
                 0)::bigint as \"cost!\"
         from generation_stages s join generations g on g.id = s.generation_id
         where s.generation_id = any($1)",
        &uuids(ids)
    )
    .fetch_all(conn)
    .await?;
    let mut found: HashMap<GenerationId, Vec<StageView>> = HashMap::new();
    for row in rows {
        found.entry(GenerationId::from_uuid(row.generation_id)).or_default().push(StageView {
            stage: row.stage.parse().map_err(decode)?,
            state: row.state.parse().map_err(decode)?,
            started_at: row.started_at,
            finished_at: row.finished_at,
            cost: MicroUsd::new(row.cost),
            usual_seconds: None,
            percent: row.percent.and_then(|percent| u8::try_from(percent).ok()),
        });
    }
    for stages in found.values_mut() {
        stages.sort_by_key(|view| Stage::ALL.iter().position(|stage| *stage == view.stage));
    }
    Ok(found)
}

/// Stills that are there: a try-on image that was removed is shown no more.
pub(crate) async fn stills(
    conn: &mut PgConnection,
    media: &MediaUrls,
    ids: &[GenerationId],
    now: DateTime<Utc>,
) -> Result<HashMap<GenerationId, Vec<StillView>>, sqlx::Error> {
    let rows = sqlx::query!(
        "select s.id, s.generation_id, s.frame, s.object_key, s.width, s.height
         from stills s left join tryon_images t on t.id = s.tryon_image_id
         where s.generation_id = any($1) and t.removed_at is null order by s.frame desc",
        &uuids(ids)
    )
    .fetch_all(conn)
    .await?;
    let mut found: HashMap<GenerationId, Vec<StillView>> = HashMap::new();
    for row in rows {
        found.entry(GenerationId::from_uuid(row.generation_id)).or_default().push(StillView {
            id: StillId::from_uuid(row.id),
            frame: if row.frame == Frame::Start.as_str() { Frame::Start } else { Frame::End },
            picture: Picture {
                url: media.private_url(&row.object_key, now),
                width: number(row.width),
                height: number(row.height),
            },
        });
    }
    Ok(found)
}

/// A video with what it belongs to.
pub(crate) struct VideoRecord {
    pub(crate) product: ProductId,
    pub(crate) published: bool,
    /// Until when its addresses are good, where they had to be signed.
    pub(crate) signed_until: Option<DateTime<Utc>>,
    pub(crate) video: VideoView,
}

/// Videos of these generations, and the published ones of these products.
pub(crate) async fn videos(
    conn: &mut PgConnection,
    media: &MediaUrls,
    generations: &[GenerationId],
    products: &[ProductId],
    now: DateTime<Utc>,
) -> Result<Vec<VideoRecord>, sqlx::Error> {
    let products: Vec<Uuid> = products.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        "select v.id, v.product_id, v.generation_id, v.duration_ms, v.poster_key, v.poster_width, v.poster_height,
             v.poster_webp_key, v.hls_key, v.strip_key, v.strip_width, v.strip_height,
             v.published_at, v.taken_down_at is not null as \"private!\", coalesce(p.video_id = v.id, false) as \"published!\",
             r.object_key, r.content_type, r.width, r.height, r.bytes,
             coalesce((select sum(e.amount_micro_usd) from ledger_entries e
                 where e.generation_id = v.generation_id and e.kind in ('settle', 'adjust')), 0)::bigint as \"cost!\"
         from videos v join products p on p.id = v.product_id join renditions r on r.video_id = v.id
         where v.id in (select id from videos where generation_id = any($1)
             union all select video_id from products where id = any($2) and video_id is not null)
         order by v.id, r.height * r.width,
             array_position(array['av1', 'h264', 'vp9'], r.codec)",
        &uuids(generations),
        &products,
    )
    .fetch_all(conn)
    .await?;
    let mut found: Vec<VideoRecord> = Vec::new();
    for row in rows {
        let signed_at = row.private.then_some(now);
        let source = VideoSource {
            url: media.video_url(&row.object_key, signed_at),
            content_type: row.content_type,
            width: number(row.width),
            height: number(row.height),
            bytes: u64::try_from(row.bytes).unwrap_or(0),
        };
        let picture = |key: Option<String>, width: Option<i32>, height: Option<i32>| {
            let url = media.video_url(&key?, signed_at);
            Some(Picture { url, width: number(width?), height: number(height?) })
        };
        let id = VideoId::from_uuid(row.id);
        if let Some(last) = found.last_mut().filter(|record| record.video.id == id) {
            last.video.sources.push(source);
            continue;
        }
        found.push(VideoRecord {
            product: ProductId::from_uuid(row.product_id),
            published: row.published,
            signed_until: signed_at.map(signed_until),
            video: VideoView {
                id,
                generation_id: GenerationId::from_uuid(row.generation_id),
                sources: vec![source],
                hls: row.hls_key.map(|key| media.video_url(&key, signed_at)),
                poster: Picture {
                    url: media.video_url(&row.poster_key, signed_at),
                    width: number(row.poster_width),
                    height: number(row.poster_height),
                },
                poster_webp: picture(row.poster_webp_key, Some(row.poster_width), Some(row.poster_height)),
                strip: picture(row.strip_key, row.strip_width, row.strip_height),
                duration_ms: number(row.duration_ms),
                cost: MicroUsd::new(row.cost),
                published_at: row.published_at,
            },
        });
    }
    Ok(found)
}

pub(crate) async fn timeline(conn: &mut PgConnection, id: GenerationId) -> Result<Vec<TimelineEntry>, sqlx::Error> {
    let rows = sqlx::query!(
        "select e.at, e.kind, e.stage, e.failure_code, e.amount_micro_usd, e.detail, u.name as \"actor?\"
         from generation_events e left join users u on u.id = e.actor_id
         where e.generation_id = $1 order by e.id limit 500",
        id.uuid()
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(TimelineEntry {
                at: row.at,
                kind: EventKind::parse(&row.kind)?,
                stage: row.stage.and_then(|stage| stage.parse().ok()),
                actor: row.actor,
                failure: row.failure_code.map(|code| FailureCode::parse(&code)),
                amount: row.amount_micro_usd.map(MicroUsd::new),
                detail: row.detail,
            })
        })
        .collect())
}

pub(crate) async fn calls(conn: &mut PgConnection, id: GenerationId) -> Result<Vec<CallView>, sqlx::Error> {
    let rows = sqlx::query!(
        "select stage, provider, model, state, failure_code, request_id, estimate_micro_usd, cost_micro_usd,
             coalesce(intent_at, created_at) as \"begun_at!\", finished_at,
             ordinal < max(ordinal) over (partition by slot) as \"was_repeated!\"
         from calls where generation_id = $1 order by created_at, slot desc, ordinal",
        id.uuid()
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(CallView {
                stage: row.stage.parse().map_err(decode)?,
                provider: row.provider,
                model: row.model,
                state: row.state.parse::<CallState>().map_err(decode)?,
                failure: row.failure_code.map(|code| FailureCode::parse(&code)),
                was_repeated: row.was_repeated,
                request_id: row.request_id,
                estimate: MicroUsd::new(row.estimate_micro_usd),
                cost: row.cost_micro_usd.map(MicroUsd::new),
                begun_at: row.begun_at,
                finished_at: row.finished_at,
            })
        })
        .collect()
}

/// The beginning or the end of an id, where the words are long enough to be one; `-` begins and ends none.
fn part_of_id(words: &str) -> String {
    const LEAST_CHARS: usize = 6;
    let words = words.trim();
    if words.chars().count() < LEAST_CHARS { "-".to_owned() } else { crate::products::like_prefix(words) }
}

pub(crate) async fn history(
    conn: &mut PgConnection,
    media: &MediaUrls,
    viewer: UserId,
    filter: &GenerationFilter,
    page: PageNumber,
) -> Result<(Vec<GenerationRow>, u64), sqlx::Error> {
    let rows = sqlx::query!(
        "select g.id, g.product_id, p.name_ko, p.name_en, f.object_key, f.width, f.height, g.state, g.progress,
             g.failure_code, g.cancel_requested_at is not null as \"cancel_requested!\", u.name as requested_by,
             g.created_at, g.finished_at, m.held as \"held!\", m.paid as \"paid!\",
             count(*) over () as \"total!\"
         from generations g
         join products p on p.id = g.product_id
         join product_photos f on f.id = g.photo_id
         join users u on u.id = g.requested_by
         cross join lateral (
             select coalesce(sum(e.amount_micro_usd) filter (where e.kind in ('settle', 'adjust')), 0)::bigint as paid,
                 coalesce(sum(e.amount_micro_usd) filter (where e.kind = 'hold' and not exists (
                     select 1 from ledger_entries c where c.call_id = e.call_id and c.kind in ('settle', 'void'))),
                     0)::bigint as held
             from ledger_entries e where e.generation_id = g.id) m
         where (p.name_ko ilike $1 or p.name_en ilike $1 or p.sku ilike $1
             or g.id::text like $2 || '%' or g.id::text like '%' || $2)
             and ($3::text is null or ($3 = 'active' and g.finished_at is null) or g.state = $3)
             and (not $4 or g.requested_by = $5)
         order by g.created_at desc, g.id desc limit $6 offset $7",
        crate::products::like(&filter.search),
        part_of_id(&filter.search),
        filter.group.map(StateGroup::as_str),
        filter.mine,
        viewer.uuid(),
        i64::from(PAGE_ROWS),
        page.offset(),
    )
    .fetch_all(conn)
    .await?;
    let total = rows.first().map_or(0, |row| u64::try_from(row.total).unwrap_or(0));
    let rows = rows
        .into_iter()
        .map(|row| {
            Ok(GenerationRow {
                id: GenerationId::from_uuid(row.id),
                product_id: ProductId::from_uuid(row.product_id),
                product_name: LocalText { ko: row.name_ko, en: row.name_en },
                product_photo: media.picture(Some(row.object_key), Some(row.width), Some(row.height)),
                state: row.state.parse().map_err(decode)?,
                progress: number(i32::from(row.progress)),
                failure: row.failure_code.map(|code| FailureCode::parse(&code)),
                cancel_requested: row.cancel_requested,
                requested_by: row.requested_by,
                created_at: row.created_at,
                finished_at: row.finished_at,
                held: MicroUsd::new(row.held),
                paid: MicroUsd::new(row.paid),
            })
        })
        .collect::<Result<_, sqlx::Error>>()?;
    Ok((rows, total))
}

/// What stages took lately: median and 95th percentile in seconds, where at least five runs are known.
pub(crate) async fn usual_seconds(conn: &mut PgConnection) -> Result<HashMap<Stage, (u32, u32)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select s.stage, t.half as \"half!\", t.most as \"most!\" from unnest(array['stills', 'clip', 'encode', 'publish']) as s (stage)
         cross join lateral (
             select count(*) as runs, percentile_cont(0.5) within group (order by seconds) as half,
                 percentile_cont(0.95) within group (order by seconds) as most
             from (select extract(epoch from finished_at - started_at)::float8 as seconds from generation_stages
                 where stage = s.stage and state = 'done' and started_at is not null order by finished_at desc limit 200) r) t
         where t.runs >= 5"
    )
    .fetch_all(conn)
    .await?;
    let seconds = |value: f64| if value.is_finite() && value > 0.0 { value.ceil().min(86_400.0) as u32 } else { 1 };
    Ok(rows
        .into_iter()
        .filter_map(|row| Some((row.stage?.parse().ok()?, (seconds(row.half), seconds(row.most)))))
        .collect())
}
