//! What rows say of one video.

use domain::{
    FailureCode, GenerationId, LocalText, VideoId,
    generation::Frame,
    video::{ColourDistance, Pictured},
};
use sqlx::PgConnection;

pub(super) struct Facts {
    pub(super) generation_id: GenerationId,
    pub(super) product_name: LocalText,
    pub(super) poster_at_ms: Option<u32>,
    pub(super) is_poster_coming: bool,
    pub(super) poster_failure: Option<FailureCode>,
    pub(super) fps: u32,
    pub(super) seconds: u32,
}

pub(super) async fn facts(conn: &mut PgConnection, id: VideoId) -> Result<Option<Facts>, sqlx::Error> {
    let row = sqlx::query!(
        "select v.generation_id, v.poster_at_ms, v.poster_wanted_ms, v.poster_failure, p.name_ko, p.name_en,
             g.fps, g.duration_seconds
         from videos v join products p on p.id = v.product_id join generations g on g.id = v.generation_id
         where v.id = $1",
        id.uuid()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Facts {
        generation_id: GenerationId::from_uuid(row.generation_id),
        product_name: LocalText { ko: row.name_ko, en: row.name_en },
        poster_at_ms: row.poster_at_ms.and_then(|at| u32::try_from(at).ok()),
        is_poster_coming: row.poster_wanted_ms.is_some(),
        poster_failure: row.poster_failure.map(|code| FailureCode::parse(&code)),
        fps: u32::try_from(row.fps).unwrap_or_default(),
        seconds: u32::try_from(row.duration_seconds).unwrap_or_default(),
    }))
}

/// What was measured, stills first.
pub(super) async fn colours(conn: &mut PgConnection, id: VideoId) -> Result<Vec<ColourDistance>, sqlx::Error> {
    let rows = sqlx::query!(
        "select s.frame as \"frame?\", s.colour_distance as \"distance!\" from stills s
             join videos v on v.generation_id = s.generation_id
             where v.id = $1 and s.colour_distance is not null
         union all
         select null, v.colour_distance from videos v where v.id = $1 and v.colour_distance is not null
         order by 1 desc nulls last",
        id.uuid()
    )
    .fetch_all(conn)
    .await?;
    let of = |frame: Option<String>| match frame.as_deref() {
        Some(word) if word == Frame::Start.as_str() => Pictured::Still(Frame::Start),
        Some(_) => Pictured::Still(Frame::End),
        None => Pictured::Clip,
    };
    let distance = |hundredths: i32| u32::try_from(hundredths).unwrap_or_default();
    Ok(rows.into_iter().map(|row| ColourDistance { of: of(row.frame), hundredths: distance(row.distance) }).collect())
}
