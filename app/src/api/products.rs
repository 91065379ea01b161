//! Products of the desk.

use domain::{
    ProductId, RequestKey,
    cost::Quote,
    page::Page,
    product::{ProductDetail, ProductRow},
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::generations::RetryDesk;
use crate::{AppError, wire::LeanJson};

/// The desk's page of one product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductDesk {
    /// The product.
    pub product: ProductDetail,
    /// Names the next click on this page.
    pub key: RequestKey,
    /// The retry of its newest generation, where there may be one.
    pub retry: Option<RetryDesk>,
}

/// A page of the product table. `status` is a word of [`domain::product::VideoStatus`] or empty.
#[server(prefix = "/api/admin", endpoint = "products/list", output = LeanJson)]
pub async fn list_products(search: String, status: String, page: u32) -> Result<Page<ProductRow>, AppError> {
    use domain::{
        page::PageNumber,
        product::{ProductFilter, VideoStatus},
    };

    crate::auth::require_person().await?;
    let filter = ProductFilter { search, status: VideoStatus::parse(&status) };
    let page = PageNumber::parse_or_first(Some(&page.to_string()));
    Ok(crate::auth::engine()?.products(&filter, page).await?)
}

/// One product, with a fresh key for its next click and what a retry of its newest generation would cost.
#[server(prefix = "/api/admin", endpoint = "products/detail", output = LeanJson)]
pub async fn load_product(id: ProductId) -> Result<ProductDesk, AppError> {
    crate::auth::require_person().await?;
    let engine = crate::auth::engine()?;
    let product = engine.product(id).await?;
    let retry = match product.generations.first() {
        Some(newest) => RetryDesk::of(&engine, newest).await,
        None => None,
    };
    Ok(ProductDesk { product, key: RequestKey::from_uuid(uuid::Uuid::now_v7()), retry })
}

/// The price of a click with these choices, before it is clicked.
#[server(prefix = "/api/admin", endpoint = "products/quote", output = LeanJson)]
pub async fn load_quote(
    id: ProductId,
    recipe: String,
    model_type: String,
    duration: i64,
    resolution: String,
    fps: i64,
) -> Result<Quote, AppError> {
    use domain::options::RawOptions;

    crate::auth::require_person().await?;
    // What is made of the clip here costs nothing.
    let RawOptions { format, hls, branding, .. } = RawOptions::of(&domain::Options::default());
    let options = RawOptions { recipe, model_type, duration, resolution, fps, format, hls, branding }
        .parse()
        .map_err(|fields| crate::error::refused(AppError::Invalid { fields }))?;
    Ok(crate::auth::engine()?.quote(id, &options).await?)
}
