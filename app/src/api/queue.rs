//! The queue: what is paused, pausing, resuming.

use domain::queue::QueueView;
use leptos::prelude::*;

use crate::{AppError, wire::LeanJson};

/// The queue page.
#[server(prefix = "/api/admin", endpoint = "queue/load", output = LeanJson)]
pub async fn load_queue() -> Result<QueueView, AppError> {
    crate::auth::require_person().await?;
    Ok(crate::auth::engine()?.queue_view().await?)
}

/// Starts nothing more of a scope, a text of [`domain::queue::PauseScope`].
#[server(prefix = "/api/admin", endpoint = "queue/pause", output = LeanJson)]
pub async fn pause_queue(scope: String, reason: String) -> Result<(), AppError> {
    let person = crate::auth::require_person().await?;
    let scope = read_scope(&scope)?;
    Ok(crate::auth::engine()?.pause(person.id, &scope, &reason).await?)
}

/// Goes on with a scope; with one that is not paused nothing happens.
#[server(prefix = "/api/admin", endpoint = "queue/resume", output = LeanJson)]
pub async fn resume_queue(scope: String) -> Result<(), AppError> {
    let person = crate::auth::require_person().await?;
    let scope = read_scope(&scope)?;
    crate::auth::engine()?.resume(person.id, &scope).await?;
    Ok(())
}

#[cfg(feature = "ssr")]
fn read_scope(text: &str) -> Result<domain::queue::PauseScope, AppError> {
    domain::queue::PauseScope::parse(text)
        .map_err(|wrong| crate::error::refused(AppError::Invalid { fields: vec![wrong] }))
}
