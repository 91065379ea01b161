//! Generations: the click, its end, its retry, its history.

#![allow(clippy::too_many_arguments, reason = "a server function has one for each field of its form")]

use domain::{
    GenerationId, ProductId, RequestKey,
    cost::RetryOffer,
    generation::{GenerationDetail, GenerationRow},
    page::Page,
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{AppError, wire::LeanJson};

/// The desk's page of one generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerationDesk {
    /// The generation.
    pub detail: GenerationDetail,
    /// Its retry, where there may be one.
    pub retry: Option<RetryDesk>,
}

/// A retry that may be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryDesk {
    /// The generation it is a retry of.
    pub of: GenerationId,
    /// Names the next retry on this page.
    pub key: RequestKey,
    /// What it costs, or why that is not known now.
    pub offer: Result<RetryOffer, AppError>,
}

#[cfg(feature = "ssr")]
impl RetryDesk {
    /// What a page offers for this generation, with a fresh key; none where nothing is to be retried.
    pub(super) async fn of(engine: &engine::Engine, view: &domain::generation::GenerationView) -> Option<Self> {
        if !view.is_retryable() {
            return None;
        }
        let offer = match engine.retry_offer(view.id).await {
            // Somebody was faster: the next snapshot shows it.
            Err(engine::Error::Conflict(_)) => return None,
            offer => offer.map_err(|error| AppError::of(&error)),
        };
        Some(Self { of: view.id, key: RequestKey::from_uuid(uuid::Uuid::now_v7()), offer })
    }
}

/// The click. The same key gives the same generation, however often it is sent.
#[server(prefix = "/api/admin", endpoint = "generations/create", output = LeanJson)]
pub async fn generate(
    product_id: ProductId,
    key: RequestKey,
    recipe: String,
    model_type: String,
    duration: i64,
    resolution: String,
    fps: i64,
    #[server(default)] format: String,
    #[server(default)] hls: bool,
    #[server(default)] branding: bool,
) -> Result<GenerationId, AppError> {
    use domain::options::{RawOptions, VideoFormat};

    let person = crate::auth::require_person().await?;
    // Who does not say gets what plays everywhere.
    let format = if format.is_empty() { VideoFormat::default().as_str().to_owned() } else { format };
    let options = RawOptions { recipe, model_type, duration, resolution, fps, format, hls, branding }
        .parse()
        .map_err(|fields| crate::error::refused(AppError::Invalid { fields }))?;
    let id = crate::auth::engine()?.generate(person.id, product_id, options, key).await?;
    leptos_axum::redirect(&format!("/admin/products/{product_id}"));
    Ok(id)
}

/// Asks to stop a generation, and answers which; what is already paid stays paid.
#[server(prefix = "/api/admin", endpoint = "generations/cancel", output = LeanJson)]
pub async fn cancel_generation(id: GenerationId) -> Result<GenerationId, AppError> {
    let person = crate::auth::require_person().await?;
    crate::auth::engine()?.cancel(person.id, id).await?;
    super::back::lead_plain_form_back();
    Ok(id)
}

/// Retries a generation that failed or was stopped, when it costs no more than the `price` that was shown, in micro-USD;
/// leads to the new one, or to the one that somebody else has asked for.
#[server(prefix = "/api/admin", endpoint = "generations/retry", output = LeanJson)]
pub async fn retry_generation(id: GenerationId, key: RequestKey, price: i64) -> Result<GenerationId, AppError> {
    let person = crate::auth::require_person().await?;
    let retry = crate::auth::engine()?.retry(person.id, id, key, Some(domain::MicroUsd::new(price))).await?;
    leptos_axum::redirect(&format!("/admin/generations/{retry}"));
    Ok(retry)
}

/// A page of the history. `group` is a word of [`domain::generation::StateGroup`] or empty.
#[server(prefix = "/api/admin", endpoint = "generations/list", output = LeanJson)]
pub async fn list_generations(
    search: String,
    group: String,
    mine: bool,
    page: u32,
) -> Result<Page<GenerationRow>, AppError> {
    use domain::{
        generation::{GenerationFilter, StateGroup},
        page::PageNumber,
    };

    let person = crate::auth::require_person().await?;
    let filter = GenerationFilter { search, group: StateGroup::parse(&group), mine };
    let page = PageNumber::parse_or_first(Some(&page.to_string()));
    Ok(crate::auth::engine()?.generations(person.id, &filter, page).await?)
}

/// One generation with its timeline and calls, and what its retry would cost.
#[server(prefix = "/api/admin", endpoint = "generations/detail", output = LeanJson)]
pub async fn load_generation(id: GenerationId) -> Result<GenerationDesk, AppError> {
    crate::auth::require_person().await?;
    let engine = crate::auth::engine()?;
    let detail = engine.generation(id).await?;
    let retry = RetryDesk::of(&engine, &detail.view).await;
    Ok(GenerationDesk { detail, retry })
}
