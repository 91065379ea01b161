//! Generations: the click, its end, its history.

use domain::{
    GenerationId, ProductId, RequestKey,
    generation::{GenerationDetail, GenerationRow},
    page::Page,
};
use leptos::prelude::*;

use crate::{AppError, wire::LeanJson};

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
) -> Result<GenerationId, AppError> {
    use domain::options::RawOptions;

    let person = crate::auth::require_person().await?;
    let options = RawOptions { recipe, model_type, duration, resolution, fps }
        .parse()
        .map_err(|fields| crate::error::refused(AppError::Invalid { fields }))?;
    let id = crate::auth::engine()?.generate(person.id, product_id, options, key).await?;
    leptos_axum::redirect(&format!("/admin/products/{product_id}"));
    Ok(id)
}

/// Asks to stop a generation; what is already paid stays paid.
#[server(prefix = "/api/admin", endpoint = "generations/cancel", output = LeanJson)]
pub async fn cancel_generation(id: GenerationId) -> Result<(), AppError> {
    let person = crate::auth::require_person().await?;
    Ok(crate::auth::engine()?.cancel(person.id, id).await?)
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

/// One generation with its timeline and calls.
#[server(prefix = "/api/admin", endpoint = "generations/detail", output = LeanJson)]
pub async fn load_generation(id: GenerationId) -> Result<GenerationDetail, AppError> {
    crate::auth::require_person().await?;
    Ok(crate::auth::engine()?.generation(id).await?)
}
