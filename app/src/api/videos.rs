//! One video: exports and its poster. Its page is a plain one: all are forms of the browser.

use domain::{ExportId, VideoId};
use leptos::prelude::*;

use crate::{AppError, wire::LeanJson};

/// Asks for an export.
#[server(prefix = "/api/admin", endpoint = "videos/export", output = LeanJson)]
pub async fn request_export(
    video: VideoId,
    shape: String,
    fit: String,
    #[server(default)] focus_x: String,
    #[server(default)] focus_y: String,
) -> Result<(), AppError> {
    use domain::export::{ExportOptions, Fit, Focus, Shape};

    let person = crate::auth::require_person().await?;
    let percent = |text: &str, usual: u8| match text.trim() {
        "" => i64::from(usual),
        // What is no number is no percent either.
        text => text.parse().unwrap_or(-1),
    };
    let usual = Focus::DEFAULT;
    let read = Shape::parse(&shape).and_then(|shape| {
        let focus = Focus::new(percent(&focus_x, usual.x()), percent(&focus_y, usual.y()))?;
        Ok(ExportOptions { shape, fit: Fit::parse(&fit)?, focus })
    });
    let done = match read {
        Ok(options) => crate::auth::engine()?.request_export(person.id, video, options).await.map(drop),
        Err(wrong) => Err(engine::Error::Invalid(vec![wrong])),
    };
    super::back::end::<RequestExport>(
        done,
        EXPORT_FORM,
        [("shape", &*shape), ("fit", &*fit), ("focus_x", &*focus_x), ("focus_y", &*focus_y)],
    )
}

/// Stops an export that waits or is being made.
#[server(prefix = "/api/admin", endpoint = "videos/export/cancel", output = LeanJson)]
pub async fn cancel_export(export: ExportId) -> Result<(), AppError> {
    let person = crate::auth::require_person().await?;
    let done = crate::auth::engine()?.cancel_export(person.id, export).await;
    super::back::end::<CancelExport>(done, CANCEL_FORM, [])
}

/// Makes the frame at a moment the poster.
#[server(prefix = "/api/admin", endpoint = "videos/poster", output = LeanJson)]
pub async fn choose_poster(video: VideoId, at_ms: u32) -> Result<(), AppError> {
    let person = crate::auth::require_person().await?;
    let done = crate::auth::engine()?.choose_poster(person.id, video, at_ms).await;
    super::back::end::<ChoosePoster>(done, POSTER_FORM, [])
}

/// What the forms are called: the start of the ids in them, and of what a refused one brings back.
pub const EXPORT_FORM: &str = "export";
/// The same of the form that stops an export.
pub const CANCEL_FORM: &str = "export-cancel";
/// The same of the form of the poster.
pub const POSTER_FORM: &str = "poster";
